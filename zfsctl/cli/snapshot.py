"""zfsctl snapshot"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import DetailedExitCode, DryRun, Out, Recursive, Selection, Valid

app = verb_app()


@app.command(cls=VerbCommand)
def snapshot(
    context: typer.Context,
    selection: Selection = None,
    recursive: Recursive = False,
    due: Annotated[bool, typer.Option("--due", help="Take what the policy says is due; so does no selection.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept on the snapshot.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DURATION", help="Prune it after that time; else never.")
    ] = None,
    dry_run: DryRun = False,
    out: Out = None,
    valid: Valid = None,
    detailed_exitcode: DetailedExitCode = False,
) -> int:
    """Take the snapshots that are due, or one by hand.

    Without a selection the snapshots that the policy says are due now. With one, a snapshot of those datasets,
    kept until it expires, or for ever. All datasets of one pool are taken in one atomic command.
    """
    from zfsctl.cli.acting import acting_of, carry_out
    from zfsctl.cli.parsing import seconds_of, without
    from zfsctl.operations.snapshot import SnapshotRequest, plan_snapshot

    chosen = tuple(selection or ())
    if due:
        without("--due", {"a selection": chosen})
    if not chosen:
        without("no selection", {"--reason": reason, "--expires": expires, "--recursive": recursive})
    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    face = face_of(context)
    request = SnapshotRequest(
        selections=chosen,
        recursive=recursive,
        reason=reason,
        expires_seconds=None if expires is None else seconds_of("--expires", expires, example="30d"),
    )
    with face.open_session(dry_run=acting.only_shows) as session:
        return carry_out(face, session, plan_snapshot(session, request), acting)
