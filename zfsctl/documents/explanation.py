"""Explanations as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding
from zfsctl.documents.plan import document_of_decision
from zfsctl.documents.replication_status import document_of_pair
from zfsctl.documents.steps import document_of_step
from zfsctl.model.explanation import ExplainedPair, ExplainedSnapshot, Explanation

if TYPE_CHECKING:
    from zfsctl.documents.view_types import ExplainedPairDocument, ExplainedSnapshotDocument, ExplanationDocument


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
        "pairs": [_pair(pair) for pair in explanation.pairs],
        "findings": [document_of_finding(finding) for finding in explanation.findings],
        "errors": [],
    }


def _pair(pair: ExplainedPair) -> ExplainedPairDocument:
    return {
        **document_of_pair(pair.status),
        "base_guid": None if pair.base_guid is None else str(pair.base_guid),
        "common": pair.common,
        "only_sender": pair.only_sender,
        "only_receiver": pair.only_receiver,
        "to_send": list(pair.to_send),
        "own": list(pair.own),
        "clashes": list(pair.clashes),
        "resumes": pair.resumes,
        "kept": list(pair.kept),
        "steps": [document_of_step(step) for step in pair.steps],
    }


def _snapshot(explained: ExplainedSnapshot) -> ExplainedSnapshotDocument:
    outlook = explained.outlook
    return {
        **document_of_decision(explained.decision),
        "outlook": None if outlook is None else {"goes_at": outlook.goes_at, "detail": outlook.detail},
    }
