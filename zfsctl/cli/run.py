"""zfsctl run"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import DetailedExitCode, DryRun, Out, Valid

app = verb_app()


@app.command(cls=VerbCommand)
def run(
    context: typer.Context,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="JOBS", help="Only these jobs, with commas between, such as snapshot,prune."),
    ] = None,
    dry_run: DryRun = False,
    out: Out = None,
    valid: Valid = None,
    detailed_exitcode: DetailedExitCode = False,
) -> int:
    """Do all that is due; for timers.

    Takes the snapshots that are due, sends what receivers lack, repairs broken chains where the policy lets it, and
    destroys what no rule keeps. Safe to stop or kill at any moment: the next run finishes the work. What another run
    is at work on is left to it.
    """
    from zfsctl.cli.acting import acting_of, carry_out
    from zfsctl.cli.parsing import one_of
    from zfsctl.operations.run import JOBS, RunRequest, plan_run

    jobs = None if only is None else tuple(one_of("--only", job.strip(), JOBS) for job in only.split(","))
    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    face = face_of(context)
    with face.open_session(dry_run=acting.only_shows) as session:
        return carry_out(face, session, plan_run(session, RunRequest(only=jobs)), acting)
