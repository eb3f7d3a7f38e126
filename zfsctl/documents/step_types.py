"""The shapes of the steps of a plan as types, one for each kind."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from zfsctl.documents.field_types import STRICT, Bytes, Guid, NamedGuid, RiskWord

LinkWord = Literal[
    "unknown",
    "away",
    "sender-gone",
    "empty",
    "busy",
    "repairing",
    "taken-over",
    "missing",
    "unrelated",
    "diverged",
    "modified",
    "partial",
    "stuck",
    "conflict",
    "behind",
    "current",
]
"""How a receiver stands to its sender: the values of LinkState."""
RouteWord = Literal["relay", "push", "pull", "local"]


@with_config(STRICT)
class CreateSnapshotsDocument(TypedDict):
    """One atomic `zfs snapshot`. `dataset` is the only one of `datasets`, or their pool when there are several."""

    id: str
    kind: Literal["create-snapshots"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    pool: str
    snapshot: str
    datasets: Annotated[list[NamedGuid], Field(min_length=1)]
    properties: dict[str, str]


@with_config(STRICT)
class DestroySnapshotsDocument(TypedDict):
    """Snapshots of one dataset, destroyed by one comma list."""

    id: str
    kind: Literal["destroy-snapshots"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    dataset_guid: Guid
    snapshots: Annotated[list[NamedGuid], Field(min_length=1)]
    frees: Bytes | None


@with_config(STRICT)
class OwnHoldDocument(TypedDict):
    """A hold of zfsctl's own on a snapshot, by the part after the @."""

    snapshot: str
    tag: str


@with_config(STRICT)
class DestroyDatasetDocument(TypedDict):
    """One dataset of a copy that was set aside, destroyed with the snapshots that are named."""

    id: str
    kind: Literal["destroy-dataset"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    dataset_guid: Guid
    aside: Annotated[str, Field(description="the copy that it is, or lies below")]
    mark: Annotated[str, Field(description="zfsctl:aside of that copy")]
    snapshots: list[NamedGuid]
    holds: Annotated[list[OwnHoldDocument], Field(description="released before")]
    written: NotRequired[Annotated[Bytes, Field(description="in no snapshot")]]
    frees: Bytes | None


@with_config(STRICT)
class HookDocument(TypedDict):
    """An operator's command. `dataset` is empty when it is not about one."""

    id: str
    kind: Literal["hook"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    name: str
    argv: Annotated[list[str], Field(min_length=1)]
    timeout_seconds: Annotated[int, Field(gt=0)]
    always: bool


@with_config(STRICT)
class HeldSnapshotDocument(TypedDict):
    """A snapshot of a dataset, by the part after the @."""

    dataset: str
    name: str
    guid: Guid


@with_config(STRICT)
class HoldSnapshotsDocument(TypedDict):
    """Holds on what is about to be sent. `dataset` is the only one, empty for several."""

    id: str
    kind: Literal["hold-snapshots"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    tag: str
    snapshots: Annotated[list[HeldSnapshotDocument], Field(min_length=1)]


@with_config(STRICT)
class CreateParentsDocument(TypedDict):
    """Datasets above first copies. `dataset` is the only one, empty for several."""

    id: str
    kind: Literal["create-parents"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    datasets: Annotated[list[str], Field(min_length=1)]


@with_config(STRICT)
class AbortReceiveDocument(TypedDict):
    """An interrupted receive that is given up."""

    id: str
    kind: Literal["abort-receive"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    token: str


@with_config(STRICT)
class RenameSnapshotDocument(TypedDict):
    """A receiver's snapshot gets another name."""

    id: str
    kind: Literal["rename-snapshot"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    snapshot: NamedGuid
    to: str


@with_config(STRICT)
class SendDocument(TypedDict):
    """One `zfs send`; with more than one of `snapshots` it is `-I`."""

    source: Annotated[str, Field(description="@snapshot, #bookmark, or dataset@snapshot; empty for a full stream")]
    source_guid: Guid | None
    snapshots: Annotated[list[NamedGuid], Field(min_length=1, description="what arrives, oldest first")]


@with_config(STRICT)
class TransferDocument(TypedDict):
    """What a receiver lacks of one dataset. `host` and `dataset` are the receiver."""

    id: str
    kind: Literal["transfer"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    state: LinkWord
    sender_host: str
    sender: str
    sender_guid: Guid
    receiver: str
    receiver_guid: Annotated[Guid | None, Field(description="null for a first copy")]
    sends: Annotated[list[SendDocument], Field(min_length=1)]
    token: Annotated[str, Field(description="what an interrupted receive goes on with; empty for none")]
    flags: Annotated[list[str], Field(description="of zfs send")]
    properties: dict[str, str]
    carries: NotRequired[
        Annotated[list[str], Field(description="properties taken over from the sender, where they are set there")]
    ]
    route: RouteWord
    bandwidth: Annotated[int | None, Field(gt=0, description="bytes a second")]
    compress: bool
    parallel: Annotated[int, Field(gt=0)]
    estimate: Bytes | None


@with_config(STRICT)
class NoteDocument(TypedDict):
    """Properties of a snapshot that do not travel with it."""

    snapshot: NamedGuid
    properties: dict[str, str]


@with_config(STRICT)
class MoveAnchorsDocument(TypedDict):
    """Cursor and holds move to what arrived. `host` and `dataset` are the receiver."""

    id: str
    kind: Literal["move-anchors"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    sender_host: str
    sender: str
    sender_guid: Guid
    receiver: str
    chain: Annotated[list[NamedGuid], Field(description="what may have arrived, oldest first")]
    bookmarks: list[NamedGuid]
    held: list[NamedGuid]
    in_flight: list[NamedGuid]
    properties: dict[str, str]
    notes: list[NoteDocument]


@with_config(STRICT)
class CloneDatasetDocument(TypedDict):
    """A clone of the base beside a receiver, with every property that was set on it."""

    id: str
    kind: Literal["clone-dataset"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    dataset_guid: Guid
    base: NamedGuid
    to: str
    mark: Annotated[str, Field(description="zfsctl:repair of what is built")]


@with_config(STRICT)
class PromoteCloneDocument(TypedDict):
    """A clone gets the history up to its origin. `dataset` is the clone."""

    id: str
    kind: Literal["promote-clone"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    origin: str
    base: NamedGuid
    mark: str


@with_config(STRICT)
class SwapDatasetsDocument(TypedDict):
    """A receiver is set aside, `built` takes its place, and all that lies below comes home: by renames only."""

    id: str
    kind: Literal["swap-datasets"]
    host: str
    dataset: str
    risk: RiskWord
    why: str
    after: list[str]
    replication: str
    dataset_guid: Annotated[Guid, Field(description="of the one that is set aside")]
    built: str
    aside: str
    mark: str


RepairStepDocument = CloneDatasetDocument | PromoteCloneDocument | SwapDatasetsDocument
ReplicationStepDocument = (
    HoldSnapshotsDocument
    | CreateParentsDocument
    | AbortReceiveDocument
    | RenameSnapshotDocument
    | TransferDocument
    | MoveAnchorsDocument
    | RepairStepDocument
)
StepDocument = Annotated[
    CreateSnapshotsDocument
    | DestroySnapshotsDocument
    | DestroyDatasetDocument
    | HookDocument
    | ReplicationStepDocument,
    Field(discriminator="kind"),
]
