"""zfsctl schema"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()


@app.command(cls=VerbCommand)
def schema(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="Which document; none: list the kinds.")] = None,
) -> int:
    """Print the JSON Schema of a kind of document.

    Every document of --json is {"schema": "zfsctl.KIND/1", "generated_at": …, "zfsctl_version": …, "data": …}.
    Fields are only ever added.
    """
    import json

    from zfsctl.documents.envelope import KINDS
    from zfsctl.documents.schemas import json_schema

    face = face_of(context)
    if kind is not None:
        face.write((json.dumps(json_schema(kind), indent=2), "\n"))
        face.answered = True
    elif face.json:
        face.write((json.dumps({name: json_schema(name) for name in KINDS}, indent=2), "\n"))
        face.answered = True
    else:
        face.print_rows((name,) for name in KINDS)
    return 0
