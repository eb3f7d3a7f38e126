"""What waits for a person, and a person's answer."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.approval import Approval, ApprovalStatus
from zfsctl.operations.session import Session


def approvals(session: Session) -> tuple[Approval, ...]:
    """Every request that waits, or whose answer still holds, oldest first.

    Raises:
        StateError: The state file cannot be read.
    """
    filed = session.required_journal.approvals(session.clock())
    return tuple(approval for approval in filed if approval.status is not ApprovalStatus.EXPIRED)


def decide_approvals(session: Session, identities: Sequence[str], status: ApprovalStatus) -> tuple[Approval, ...]:
    """Approve or deny requests by their ids or the unique beginnings of these; on an error none of them.

    What is approved is done by the next run, if its newly made plan loses no more than was approved.

    Raises:
        UnknownNameError: No request has such an id.
        StaleError: A request has run out.
        StateError: The state file cannot be written.
    """
    return session.required_journal.decide_approvals(identities, status, session.clock())
