"""What waits for a person, as text."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.approval import Approval, ApprovalStatus
from zfsctl.model.names import Place
from zfsctl.render.text import Line, Row, Span, Style, line, try_line
from zfsctl.render.units import counted, from_now, instant_utc

_STYLES = {
    ApprovalStatus.WAITING: Style.WARNING,
    ApprovalStatus.APPROVED: Style.GOOD,
    ApprovalStatus.DENIED: Style.QUIET,
    ApprovalStatus.EXPIRED: Style.QUIET,
}


def render_approvals(approvals: Sequence[Approval], *, now: int, names: bool = False) -> list[Line]:
    """Each request, what it is about and how to decide it; with `names` every snapshot that would be lost."""
    if not approvals:
        return [line("Nothing waits for approval.")]
    return [spans for approval in approvals for spans in _approval(approval, now, names=names)]


def rows_of_approvals(approvals: Sequence[Approval]) -> list[Row]:
    """The same for a pipe: id, status, kind, place, snapshots lost (or set aside), filed, expires, why."""
    return [
        (
            approval.request.id,
            approval.status.value,
            approval.request.kind,
            str(Place(approval.request.host, approval.request.dataset)),
            str(len(approval.request.snapshots)),
            instant_utc(approval.filed_at),
            instant_utc(approval.expires_at),
            approval.request.why,
        )
        for approval in approvals
    ]


def _approval(approval: Approval, now: int, *, names: bool) -> list[Line]:
    request = approval.request
    count = counted(len(request.snapshots), "snapshot")
    means = f"{count} would be destroyed" if request.destroys else "it would be set aside, with all its snapshots"
    sign, style = ("-", Style.DESTROYED) if request.destroys else ("~", Style.QUIET)
    ends = f"expires {from_now(approval.expires_at, now=now)}"
    lines = [
        line(
            Span(request.id, Style.STRONG),
            "  ",
            Span(approval.status.value, _STYLES[approval.status]),
            f"  {Place(request.host, request.dataset)}  {request.kind}: {means}",
        ),
        line(f"  filed {from_now(approval.filed_at, now=now)}, {ends}"),
        line(Span("  why: ", Style.QUIET), request.why),
    ]
    if names:
        lines += [line(Span(f"  {sign} ", style), name) for name, _ in request.snapshots]
    if approval.status is ApprovalStatus.WAITING:
        lines.append(try_line(f"zfsctl approvals approve {request.id}"))
    return lines
