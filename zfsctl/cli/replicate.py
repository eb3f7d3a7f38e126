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
    sender: Annotated[
        str | None, typer.Option("--from", metavar="[HOST:]DATASET", help="Send this tree, with --to, by no policy.")
    ] = None,
    receiver: Annotated[
        str | None, typer.Option("--to", metavar="[HOST:]DATASET", help="Where the tree of --from arrives.")
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
    which is then set aside. With --from and --to a tree is sent that no replication of the policy is about; sent again,
    it goes on from there.
    """
    from zfsctl.cli.acting import acting_of, carry_out
    from zfsctl.operations.replicate import ReplicateRequest, by_hand, plan_replicate

    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    face = face_of(context)
    added = by_hand(sender, receiver, names or ())
    wanted = (added.name,) if added is not None else tuple(names or ())
    with face.open_session(dry_run=acting.only_shows, added=added.tables if added is not None else None) as session:
        plan = plan_replicate(session, ReplicateRequest(wanted, adopt, not no_repair))
        return carry_out(face, session, plan, acting)
