"""Approvals as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zfsctl.documents.plan import document_of_request
from zfsctl.model.approval import Approval

if TYPE_CHECKING:
    from zfsctl.documents.view_types import ApprovalDocument, ApprovalsDocument


def document_of_approvals(approvals: Sequence[Approval]) -> ApprovalsDocument:
    """The data of a `zfsctl.approvals/1` document."""
    return {"approvals": [_approval(approval) for approval in approvals], "errors": []}


def _approval(approval: Approval) -> ApprovalDocument:
    return {
        **document_of_request(approval.request),
        "status": approval.status.value,
        "filed_at": approval.filed_at,
        "expires_at": approval.expires_at,
        "decided_at": approval.decided_at,
    }
