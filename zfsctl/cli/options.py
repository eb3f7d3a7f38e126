"""The options that several verbs share, spelled once."""

from __future__ import annotations

from typing import Annotated

import typer

Selection = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[[HOST:]DATASET]...",
        help="These datasets alone, * and ** as in the policy file; none: all that it selects.",
    ),
]
Recursive = Annotated[bool, typer.Option("-r", "--recursive", help="And all datasets below the selected ones.")]
DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Show the plan and change nothing.")]
Out = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Save the plan in FILE for `zfsctl apply`; change nothing.")
]
Valid = Annotated[
    str | None,
    typer.Option("--valid", metavar="DURATION", help="How long a plan saved by --out may be applied; default 1h."),
]
Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm", metavar="DATASET", help="Agree to a release by the name of the dataset, without a question."
    ),
]
DetailedExitCode = Annotated[
    bool, typer.Option("--detailed-exitcode", help="With --dry-run: exit 4 when the plan would change something.")
]
