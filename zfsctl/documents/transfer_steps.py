"""The steps of replication as JSON, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never

from zfsctl.documents.repair_steps import document_of_repair_step, repair_step_of
from zfsctl.model.lineage import LinkState
from zfsctl.model.plan import DatasetRef, SnapshotRef
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets
from zfsctl.model.route import Route
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Send,
    Transfer,
)

if TYPE_CHECKING:
    from zfsctl.documents.field_types import NamedGuid, RiskWord
    from zfsctl.documents.step_types import ReplicationStepDocument, SendDocument


def named_guids(refs: Iterable[DatasetRef | SnapshotRef]) -> list[NamedGuid]:
    """Datasets or snapshots by name and guid."""
    return [_named_guid(ref) for ref in refs]


def snapshot_refs(documents: Iterable[NamedGuid]) -> tuple[SnapshotRef, ...]:
    """The snapshots that `documents` were made from."""
    return tuple(_snapshot_ref(document) for document in documents)


def document_of_replication_step(step: ReplicationStep, risk: RiskWord) -> ReplicationStepDocument:
    """One entry of `steps`."""
    match step:
        case HoldSnapshots():
            return {
                "id": step.id,
                "kind": "hold-snapshots",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "tag": step.tag,
                "snapshots": [
                    {"dataset": held.dataset, "name": held.snapshot.name, "guid": str(held.snapshot.guid)}
                    for held in step.snapshots
                ],
            }
        case CreateParents():
            return {
                "id": step.id,
                "kind": "create-parents",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "datasets": list(step.datasets),
            }
        case AbortReceive():
            return {
                "id": step.id,
                "kind": "abort-receive",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "token": step.token,
            }
        case RenameSnapshot():
            return {
                "id": step.id,
                "kind": "rename-snapshot",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "snapshot": _named_guid(step.snapshot),
                "to": step.to,
            }
        case Transfer():
            return {
                "id": step.id,
                "kind": "transfer",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "state": step.state.value,
                "sender_host": step.sender_host,
                "sender": step.sender,
                "sender_guid": str(step.sender_guid),
                "receiver": step.receiver,
                "receiver_guid": None if step.receiver_guid is None else str(step.receiver_guid),
                "sends": [_document_of_send(send) for send in step.sends],
                "token": step.token,
                "flags": list(step.flags),
                "properties": dict(step.properties),
                "carries": list(step.carries),
                "route": step.route.value,
                "bandwidth": step.bandwidth,
                "compress": step.compress,
                "parallel": step.parallel,
                "estimate": step.estimate,
            }
        case MoveAnchors():
            return {
                "id": step.id,
                "kind": "move-anchors",
                "host": step.host,
                "dataset": step.dataset,
                "risk": risk,
                "why": step.why,
                "after": list(step.after),
                "replication": step.replication,
                "sender_host": step.sender_host,
                "sender": step.sender,
                "sender_guid": str(step.sender_guid),
                "receiver": step.receiver,
                "chain": named_guids(step.chain),
                "bookmarks": named_guids(step.bookmarks),
                "held": named_guids(step.held),
                "in_flight": named_guids(step.in_flight),
                "properties": dict(step.properties),
                "notes": [
                    {"snapshot": _named_guid(ref), "properties": dict(properties)} for ref, properties in step.notes
                ],
            }
        case CloneDataset() | PromoteClone() | SwapDatasets():
            return document_of_repair_step(step, risk)
        case _:
            assert_never(step)


def replication_step_of(document: ReplicationStepDocument) -> ReplicationStep:
    """The step that `document` was made from; ValueError for an unknown word."""
    if document["kind"] == "hold-snapshots":
        return HoldSnapshots(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            tag=document["tag"],
            snapshots=tuple(
                HeldSnapshot(held["dataset"], SnapshotRef(held["name"], int(held["guid"])))
                for held in document["snapshots"]
            ),
        )
    if document["kind"] == "create-parents":
        return CreateParents(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            datasets=tuple(document["datasets"]),
        )
    if document["kind"] == "abort-receive":
        return AbortReceive(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            dataset=document["dataset"],
            token=document["token"],
        )
    if document["kind"] == "rename-snapshot":
        return RenameSnapshot(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            dataset=document["dataset"],
            snapshot=_snapshot_ref(document["snapshot"]),
            to=document["to"],
        )
    if document["kind"] == "transfer":
        return Transfer(
            id=document["id"],
            host=document["host"],
            why=document["why"],
            after=tuple(document["after"]),
            replication=document["replication"],
            state=LinkState(document["state"]),
            sender_host=document["sender_host"],
            sender=document["sender"],
            sender_guid=int(document["sender_guid"]),
            receiver=document["receiver"],
            receiver_guid=_guid(document["receiver_guid"]),
            sends=tuple(_send_of(send) for send in document["sends"]),
            token=document["token"],
            flags=tuple(document["flags"]),
            properties=tuple(document["properties"].items()),
            carries=tuple(document.get("carries", ())),
            route=Route(document["route"]),
            bandwidth=document["bandwidth"],
            compress=document["compress"],
            parallel=document["parallel"],
            estimate=document["estimate"],
        )
    if document["kind"] != "move-anchors":
        return repair_step_of(document)
    return MoveAnchors(
        id=document["id"],
        host=document["host"],
        why=document["why"],
        after=tuple(document["after"]),
        replication=document["replication"],
        sender_host=document["sender_host"],
        sender=document["sender"],
        sender_guid=int(document["sender_guid"]),
        receiver=document["receiver"],
        chain=snapshot_refs(document["chain"]),
        bookmarks=snapshot_refs(document["bookmarks"]),
        held=snapshot_refs(document["held"]),
        in_flight=snapshot_refs(document["in_flight"]),
        properties=tuple(document["properties"].items()),
        notes=tuple((_snapshot_ref(note["snapshot"]), tuple(note["properties"].items())) for note in document["notes"]),
    )


def _document_of_send(send: Send) -> SendDocument:
    return {
        "source": send.source,
        "source_guid": None if send.source_guid is None else str(send.source_guid),
        "snapshots": named_guids(send.snapshots),
    }


def _send_of(document: SendDocument) -> Send:
    return Send(document["source"], _guid(document["source_guid"]), snapshot_refs(document["snapshots"]))


def _named_guid(ref: DatasetRef | SnapshotRef) -> NamedGuid:
    return {"name": ref.name, "guid": str(ref.guid)}


def _snapshot_ref(document: NamedGuid) -> SnapshotRef:
    return SnapshotRef(document["name"], int(document["guid"]))


def _guid(text: str | None) -> int | None:
    return None if text is None else int(text)
