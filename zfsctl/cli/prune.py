"""zfsctl prune"""

from __future__ import annotations

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import DetailedExitCode, DryRun, Out, Recursive, Selection, Valid

app = verb_app()


@app.command(cls=VerbCommand)
def prune(
    context: typer.Context,
    selection: Selection = None,
    recursive: Recursive = False,
    dry_run: DryRun = False,
    out: Out = None,
    valid: Valid = None,
    detailed_exitcode: DetailedExitCode = False,
) -> int:
    """Destroy the snapshots that no rule keeps.

    Only snapshots of zfsctl or that the policy adopts, each checked again by guid, holds and clones just before.
    Asks on a terminal; elsewhere --yes agrees. What could lose data is withheld: zfsctl approvals.
    """
    from zfsctl.cli.acting import acting_of, agreement_to_prune, carry_out
    from zfsctl.cli.parsing import without
    from zfsctl.operations.prune import PruneRequest, plan_prune

    chosen = tuple(selection or ())
    if not chosen:
        without("no selection", {"--recursive": recursive})
    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    face = face_of(context)
    request = PruneRequest(selections=chosen, recursive=recursive)
    with face.open_session(dry_run=acting.only_shows) as session:
        plan = plan_prune(session, request)
        return carry_out(face, session, plan, acting, agree=agreement_to_prune(face, verb="prune"))
