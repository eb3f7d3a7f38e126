"""zfsctl apply"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import Confirm, DryRun

app = verb_app()


@app.command(cls=VerbCommand)
def apply(
    context: typer.Context,
    plan_file: Annotated[str, typer.Argument(metavar="PLAN.json", help="The file; - reads standard input.")],
    dry_run: DryRun = False,
    confirm: Confirm = None,
) -> int:
    """Apply a plan that was saved with --out.

    Reads the facts again, runs the guards on the saved plan and leaves out what is stale, such as a snapshot that
    is held by now. Asks what the command that made the plan asks.
    """
    from zfsctl.cli.acting import Acting, agreement_to_prune, agreement_to_release, carry_out, read_plan_file
    from zfsctl.model.plan import DestroyDataset
    from zfsctl.operations.saved import check_saved_plan

    face = face_of(context)
    saved = read_plan_file(plan_file)
    acting = Acting(dry_run)
    agree = agreement_to_prune(face, verb="apply") if saved.command == "prune" else None
    if any(isinstance(step, DestroyDataset) for step in saved.steps):
        agree = agreement_to_release(face, confirm, verb="apply")
    with face.open_session(dry_run=dry_run) as session:
        return carry_out(face, session, check_saved_plan(session, saved), acting, agree=agree)
