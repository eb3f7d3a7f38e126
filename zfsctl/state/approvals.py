"""Requests that wait for a person, and what the person said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from zfsctl.documents.plan import document_of_request, request_from_document
from zfsctl.errors import StaleError, UnknownNameError
from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus

if TYPE_CHECKING:
    from sqlite3 import Row

    from sqlite_utils import Database

    from zfsctl.documents.types import ApprovalRequestDocument

_COLUMNS = "document, status, filed_at, expires_at, decided_at"


def read_approvals(db: Database, now: int) -> tuple[Approval, ...]:
    """Every request, oldest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM approvals ORDER BY filed_at, id").fetchall()
    return tuple(_approval(row, now) for row in rows)


def file_request(db: Database, request: ApprovalRequest, now: int, expires_at: int) -> Approval:
    """Write a request down, unless it is there and has not run out; return how it stands.

    An id whose request reads differently is filed anew: what was approved never carries over to something else.
    """
    row = db.execute(f"SELECT {_COLUMNS} FROM approvals WHERE id = ?", (request.id,)).fetchone()
    if row is not None:
        there = _approval(row, now)
        if there.request == request and now < there.expires_at:
            return there
    db.execute(
        "INSERT OR REPLACE INTO approvals (id, document, status, filed_at, expires_at, decided_at) "
        "VALUES (?, ?, ?, ?, ?, NULL)",
        (request.id, json.dumps(document_of_request(request)), ApprovalStatus.WAITING.value, now, expires_at),
    )
    return Approval(request, ApprovalStatus.WAITING, filed_at=now, expires_at=expires_at)


def decide_request(db: Database, start: str, status: ApprovalStatus, now: int) -> Approval:
    """Approve or deny the one request whose id begins with `start`.

    Raises:
        UnknownNameError: None or several do.
        StaleError: It has run out.
    """
    if status not in (ApprovalStatus.APPROVED, ApprovalStatus.DENIED):
        raise ValueError(f"{status} is no decision")
    approvals = read_approvals(db, now)
    found = [approval for approval in approvals if start and approval.request.id.startswith(start)]
    if len(found) != 1:
        raise _unknown(start, [approval.request.id for approval in found or approvals], several=bool(found))
    (approval,) = found
    if now >= approval.expires_at:
        raise StaleError(
            f"{approval.request.id}: not decided, the request has run out",
            why="what it was about may have changed; a run that still needs it files it again",
            hint="zfsctl approvals",
            where=approval.request.id,
        )
    db.execute("UPDATE approvals SET status = ?, decided_at = ? WHERE id = ?", (status.value, now, approval.request.id))
    return Approval(approval.request, status, approval.filed_at, approval.expires_at, decided_at=now)


def _approval(row: Row | tuple[str, str, int, int, int | None], now: int) -> Approval:
    document, status, filed_at, expires_at, decided_at = row
    request = request_from_document(cast("ApprovalRequestDocument", json.loads(document)))
    known = ApprovalStatus(status)
    # A denial needs no end: it says nothing that could be misused.
    if known is not ApprovalStatus.DENIED and now >= expires_at:
        known = ApprovalStatus.EXPIRED
    return Approval(request, known, filed_at, expires_at, decided_at)


def _unknown(start: str, ids: list[str], *, several: bool) -> UnknownNameError:
    from difflib import get_close_matches

    if several:
        message, why = f"{start}: not decided, several requests begin with it", ", ".join(ids)
    else:
        message, why = f"{start or 'no id'}: not decided, no request has this id", f"known: {', '.join(ids) or 'none'}"
    near = [] if several else get_close_matches(start, ids, n=1)
    return UnknownNameError(message, why=why, hint=near[0] if near else "zfsctl approvals", where=start)
