"""The steps of a repair as JSON, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairStep, SwapDatasets

if TYPE_CHECKING:
    from zfsctl.documents.field_types import RiskWord
    from zfsctl.documents.step_types import RepairStepDocument


def document_of_repair_step(step: RepairStep, risk: RiskWord) -> RepairStepDocument:
    """One entry of `steps`."""
    match step:
        case CloneDataset():
            return {
                "id": step.id,
                "kind": "clone-dataset",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "dataset_guid": str(step.dataset_guid),
                "base": {"name": step.base.name, "guid": str(step.base.guid)},
                "to": step.to,
                "mark": step.mark,
            }
        case PromoteClone():
            return {
                "id": step.id,
                "kind": "promote-clone",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "origin": step.origin,
                "base": {"name": step.base.name, "guid": str(step.base.guid)},
                "mark": step.mark,
            }
        case SwapDatasets():
            return {
                "id": step.id,
                "kind": "swap-datasets",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "dataset_guid": str(step.dataset_guid),
                "built": step.built,
                "aside": step.aside,
                "mark": step.mark,
            }
        case _:
            assert_never(step)


def repair_step_of(document: RepairStepDocument) -> RepairStep:
    """The step that `document` was made from."""
    if document["kind"] == "clone-dataset":
        return CloneDataset(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            dataset=document["dataset"],
            dataset_guid=int(document["dataset_guid"]),
            base=SnapshotRef(document["base"]["name"], int(document["base"]["guid"])),
            to=document["to"],
            mark=document["mark"],
        )
    if document["kind"] == "promote-clone":
        return PromoteClone(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            dataset=document["dataset"],
            origin=document["origin"],
            base=SnapshotRef(document["base"]["name"], int(document["base"]["guid"])),
            mark=document["mark"],
        )
    return SwapDatasets(
        id=document["id"],
        host=document["host"],
        why=document["why"],
        after=tuple(document["after"]),
        replication=document["replication"],
        dataset=document["dataset"],
        dataset_guid=int(document["dataset_guid"]),
        built=document["built"],
        aside=document["aside"],
        mark=document["mark"],
    )
