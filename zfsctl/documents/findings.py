"""Findings as JSON, both ways. Apart from plans: what `status --cached` shows has findings and no steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.model.finding import Finding, Severity

if TYPE_CHECKING:
    from zfsctl.documents.types import FindingDocument


def document_of_finding(finding: Finding) -> FindingDocument:
    """One entry of `findings`."""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "host": finding.host,
        "dataset": finding.dataset,
        "message": finding.message,
        "hint": finding.hint,
    }


def finding_from_document(document: FindingDocument) -> Finding:
    """The finding that `document` was made from; ValueError for an unknown word."""
    return Finding(
        severity=Severity(document["severity"]),
        code=document["code"],
        host=document["host"],
        dataset=document["dataset"],
        message=document["message"],
        hint=document["hint"],
    )
