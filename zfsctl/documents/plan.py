"""Plans as JSON, both ways. A plan that was written and read again is the same plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding, finding_from_document
from zfsctl.documents.steps import document_of_step, step_from_document
from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.plan import Plan, PlannedDataset
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict

if TYPE_CHECKING:
    from zfsctl.documents.types import (
        ApprovalRequestDocument,
        DecisionDocument,
        PlanDocument,
        PlannedDatasetDocument,
    )


def document_of_plan(plan: Plan) -> PlanDocument:
    """The data of a `zfsctl.plan/1` document."""
    return {
        "id": plan.id,
        "command": plan.command,
        "created_at": plan.created_at,
        "valid_until": plan.valid_until,
        "fingerprint": plan.fingerprint,
        "datasets": [
            {
                "host": planned.host,
                "dataset": planned.dataset,
                "guid": str(planned.guid),
                "policy": planned.policy,
                "rules": planned.rules,
                "snapshots": planned.snapshots,
                "receivers": planned.receivers,
            }
            for planned in plan.datasets
        ],
        "decisions": [document_of_decision(decision) for decision in plan.decisions],
        "steps": [document_of_step(step) for step in plan.steps],
        "findings": [document_of_finding(finding) for finding in plan.findings],
        "approvals": [document_of_request(request) for request in plan.approvals],
        "errors": [],
    }


def plan_from_document(document: PlanDocument) -> Plan:
    """The plan that `document`, already checked for its shape, was made from.

    Raises:
        ValueError: A word that this version does not know, or a step whose risk is not what it says.
    """
    return Plan(
        id=document["id"],
        command=document["command"],
        created_at=document["created_at"],
        valid_until=document["valid_until"],
        fingerprint=document["fingerprint"],
        datasets=tuple(planned_from_document(planned) for planned in document["datasets"]),
        decisions=tuple(decision_from_document(decision) for decision in document["decisions"]),
        steps=tuple(step_from_document(step) for step in document["steps"]),
        findings=tuple(finding_from_document(finding) for finding in document["findings"]),
        approvals=tuple(request_from_document(request) for request in document["approvals"]),
    )


def planned_from_document(document: PlannedDatasetDocument) -> PlannedDataset:
    """The entry of `datasets` that `document` was made from."""
    return PlannedDataset(
        host=document["host"],
        dataset=document["dataset"],
        policy=document["policy"],
        snapshots=document["snapshots"],
        receivers=document["receivers"],
        guid=int(document["guid"]),
        rules=document["rules"],
    )


def document_of_decision(decision: Decision) -> DecisionDocument:
    """One entry of `decisions`."""
    return {
        "host": decision.host,
        "dataset": decision.dataset,
        "snapshot": decision.snapshot,
        "guid": str(decision.guid),
        "creation": decision.creation,
        "used": decision.used,
        "verdict": decision.verdict.value,
        "reasons": [{"rule": reason.rule.value, "detail": reason.detail} for reason in decision.reasons],
    }


def decision_from_document(document: DecisionDocument) -> Decision:
    """The decision that `document` was made from; ValueError for an unknown word."""
    return Decision(
        host=document["host"],
        dataset=document["dataset"],
        snapshot=document["snapshot"],
        guid=int(document["guid"]),
        creation=document["creation"],
        used=document["used"],
        verdict=Verdict(document["verdict"]),
        reasons=tuple(Reason(Rule(reason["rule"]), reason["detail"]) for reason in document["reasons"]),
    )


def document_of_request(request: ApprovalRequest) -> ApprovalRequestDocument:
    """One entry of a plan's `approvals`."""
    return {
        "id": request.id,
        "kind": request.kind,
        "host": request.host,
        "dataset": request.dataset,
        "dataset_guid": str(request.dataset_guid),
        "snapshots": [{"name": name, "guid": str(guid)} for name, guid in request.snapshots],
        "why": request.why,
        "written": request.written,
    }


def request_from_document(document: ApprovalRequestDocument) -> ApprovalRequest:
    """The request that `document` was made from."""
    return ApprovalRequest(
        id=document["id"],
        kind=document["kind"],
        host=document["host"],
        dataset=document["dataset"],
        dataset_guid=int(document["dataset_guid"]),
        snapshots=tuple((ref["name"], int(ref["guid"])) for ref in document["snapshots"]),
        why=document["why"],
        written=document.get("written", 0),
    )
