"""zfsctl approvals"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zfsctl.cli.face import Face
    from zfsctl.model.approval import Approval, ApprovalStatus

app = verb_app(
    """List, approve or deny what waits for a person.

    A guard withholds what could lose data and files a request. An approved request is carried out by the next run,
    if its newly made plan loses no more than was approved.
    """
)
Identities = Annotated[list[str], typer.Argument(metavar="ID...", help="Requests, by their ids or how these begin.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def approvals(context: typer.Context) -> int:
    """List what waits for a person."""
    if context.invoked_subcommand is not None:
        return 0
    from zfsctl.operations.approvals import approvals as all_approvals

    face = face_of(context)
    face.parsed()
    with face.open_session(dry_run=True) as session:
        _answer(face, all_approvals(session), now=session.clock(), names=face.verbose)
    return 0


@app.command(cls=VerbCommand)
def approve(context: typer.Context, identities: Identities) -> int:
    """Approve requests: the next run does what they ask for."""
    from zfsctl.model.approval import ApprovalStatus

    return _decide(face_of(context), identities, ApprovalStatus.APPROVED)


@app.command(cls=VerbCommand)
def deny(context: typer.Context, identities: Identities) -> int:
    """Deny requests: what they are about stays as it is."""
    from zfsctl.model.approval import ApprovalStatus

    return _decide(face_of(context), identities, ApprovalStatus.DENIED)


def _decide(face: Face, identities: Sequence[str], status: ApprovalStatus) -> int:
    from zfsctl.operations.approvals import decide_approvals

    with face.open_session() as session:
        decided = decide_approvals(session, identities, status)
        _answer(face, decided, now=session.clock(), names=False)
    return 0


def _answer(face: Face, found: Sequence[Approval], *, now: int, names: bool) -> None:
    from zfsctl.documents.approvals import document_of_approvals
    from zfsctl.render.approvals import render_approvals, rows_of_approvals

    face.answer(
        "approvals",
        lambda: document_of_approvals(found),
        lines=lambda: render_approvals(found, now=now, names=names),
        rows=lambda: rows_of_approvals(found),
        at=now,
    )
