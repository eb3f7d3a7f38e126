"""The steps of a plan as JSON, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.transfer_steps import (
    document_of_replication_step,
    named_guids,
    replication_step_of,
    snapshot_refs,
)
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroyDataset, DestroySnapshots, RunHook, Step, risk_of

if TYPE_CHECKING:
    from zfsctl.documents.field_types import RiskWord
    from zfsctl.documents.step_types import StepDocument


def document_of_step(step: Step) -> StepDocument:
    """One entry of `steps`."""
    risk: RiskWord = risk_of(step).value
    after = list(step.after)
    match step:
        case CreateSnapshots():
            return {
                "id": step.id,
                "kind": "create-snapshots",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": after,
                "pool": step.pool,
                "snapshot": step.snapshot,
                "datasets": named_guids(step.datasets),
                "properties": dict(step.properties),
            }
        case DestroySnapshots():
            return {
                "id": step.id,
                "kind": "destroy-snapshots",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": after,
                "dataset_guid": str(step.dataset_guid),
                "snapshots": named_guids(step.snapshots),
                "frees": step.frees,
            }
        case DestroyDataset():
            return {
                "id": step.id,
                "kind": "destroy-dataset",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": after,
                "dataset_guid": str(step.dataset_guid),
                "aside": step.aside,
                "mark": step.mark,
                "snapshots": named_guids(step.snapshots),
                "holds": [{"snapshot": snapshot, "tag": tag} for snapshot, tag in step.holds],
                "written": step.written,
                "frees": step.frees,
            }
        case RunHook():
            return {
                "id": step.id,
                "kind": "hook",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": after,
                "name": step.name,
                "argv": list(step.argv),
                "timeout_seconds": step.timeout_seconds,
                "always": step.always,
            }
        case _:
            return document_of_replication_step(step, risk)


def step_from_document(document: StepDocument) -> Step:
    """The step that `document` was made from; ValueError when it plays down its risk."""
    step = _step_of(document)
    if document["risk"] != risk_of(step).value:
        raise ValueError(f"step {step.id} says its risk is {document['risk']}, but it is {risk_of(step).value}")
    return step


def _step_of(document: StepDocument) -> Step:
    if document["kind"] == "create-snapshots":
        return CreateSnapshots(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            pool=document["pool"],
            snapshot=document["snapshot"],
            datasets=tuple(DatasetRef(ref["name"], int(ref["guid"])) for ref in document["datasets"]),
            properties=tuple(document["properties"].items()),
        )
    if document["kind"] == "destroy-snapshots":
        return DestroySnapshots(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            dataset=document["dataset"],
            dataset_guid=int(document["dataset_guid"]),
            snapshots=snapshot_refs(document["snapshots"]),
            frees=document["frees"],
        )
    if document["kind"] == "destroy-dataset":
        return DestroyDataset(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            dataset=document["dataset"],
            dataset_guid=int(document["dataset_guid"]),
            aside=document["aside"],
            mark=document["mark"],
            snapshots=snapshot_refs(document["snapshots"]),
            holds=tuple((hold["snapshot"], hold["tag"]) for hold in document["holds"]),
            written=document.get("written", 0),
            frees=document["frees"],
        )
    if document["kind"] == "hook":
        return RunHook(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            dataset=document["dataset"],
            name=document["name"],
            argv=tuple(document["argv"]),
            timeout_seconds=document["timeout_seconds"],
            always=document["always"],
        )
    return replication_step_of(document)
