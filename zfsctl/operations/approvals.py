"""What waits for a person, and a person's answer."""

from __future__ import annotations

from zfsctl.model.approval import Approval, ApprovalStatus
from zfsctl.operations.session import Session


def approvals(session: Session) -> tuple[Approval, ...]:
    """Every request that waits, or whose answer still holds, oldest first.

    Raises:
        StateError: The state file cannot be read.
    """
    filed = session.required_journal.approvals(session.clock())
    return tuple(approval for approval in filed if approval.status is not ApprovalStatus.EXPIRED)


def decide_approval(session: Session, identity: str, status: ApprovalStatus) -> Approval:
    """Approve or deny one request by its id or the unique beginning of it.

    What is approved is done by the next run, if its newly made plan loses no more than was approved.

    Raises:
        UnknownNameError: No request has that id.
        StateError: The state file cannot be written.
    """
    return session.required_journal.decide_approval(identity, status, session.clock())
