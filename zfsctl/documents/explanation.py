"""Explanations as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding
from zfsctl.documents.plan import document_of_decision
from zfsctl.model.explanation import ExplainedSnapshot, Explanation

if TYPE_CHECKING:
    from zfsctl.documents.view_types import ExplainedSnapshotDocument, ExplanationDocument


def document_of_explanation(explanation: Explanation) -> ExplanationDocument:
    """The data of a `zfsctl.explanation/1` document."""
    return {
        "subject": explanation.subject.value,
        "name": explanation.name,
        "facts": [{"label": label, "text": text} for label, text in explanation.facts],
        "rules": list(explanation.rules),
        "snapshots": [_snapshot(explained) for explained in explanation.snapshots],
        "forecast": [{"at": day.at, "snapshots": day.snapshots, "oldest": day.oldest} for day in explanation.forecast],
        "days": explanation.days,
        "text": list(explanation.text),
        "findings": [document_of_finding(finding) for finding in explanation.findings],
        "errors": [],
    }


def _snapshot(explained: ExplainedSnapshot) -> ExplainedSnapshotDocument:
    outlook = explained.outlook
    return {
        **document_of_decision(explained.decision),
        "outlook": None if outlook is None else {"goes_at": outlook.goes_at, "detail": outlook.detail},
    }
