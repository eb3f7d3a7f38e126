"""zfsctl replicate"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import DetailedExitCode, DryRun, Out, Valid

app = verb_app()


@app.command(cls=VerbCommand)
def replicate(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Replications of the policy; without, all of them.")
    ] = None,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Set receivers aside that zfsctl never wrote and that share nothing, and copy anew."
        ),
    ] = False,
    no_repair: Annotated[bool, typer.Option("--no-repair", help="Leave broken chains as they are.")] = False,
    dry_run: DryRun = False,
    out: Out = None,
    valid: Valid = None,
    detailed_exitcode: DetailedExitCode = False,
) -> int:
    """Send what receivers lack.

    Histories are compared by guid. What was interrupted goes on where it stopped. Nothing on a receiver is ever
    rolled back or destroyed to make a stream fit: where a chain is broken, a new receiver is built beside the old one,
    which is then set aside.
    """
    from zfsctl.cli.acting import acting_of, carry_out
    from zfsctl.operations.replicate import ReplicateRequest, plan_replicate

    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    face = face_of(context)
    with face.open_session(dry_run=acting.only_shows) as session:
        plan = plan_replicate(session, ReplicateRequest(tuple(names or ()), adopt, not no_repair))
        return carry_out(face, session, plan, acting)
