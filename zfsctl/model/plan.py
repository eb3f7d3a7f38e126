"""The plan: a value that is shown, saved, checked and applied, and never made again in between."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.finding import Finding
from zfsctl.model.refs import DatasetRef, SnapshotRef
from zfsctl.model.release import DestroyDataset
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Transfer,
)
from zfsctl.model.verdicts import Decision

__all__ = [
    "CreateSnapshots",
    "DatasetRef",
    "DestroyDataset",
    "DestroySnapshots",
    "Plan",
    "PlannedDataset",
    "Risk",
    "RunHook",
    "SnapshotRef",
    "Step",
    "datasets_of",
    "risk_of",
]


class Risk(StrEnum):
    """What a step can cost."""

    SAFE = "safe"
    REVERSIBLE = "reversible"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSnapshots:
    """One atomic `zfs snapshot` of several datasets of one pool, all under the same short name.

    A dataset whose guid is no longer the planned one is left out. If the name is taken on any of them,
    the next free second is used.
    """

    id: str
    host: str
    why: str
    pool: str
    snapshot: str
    datasets: tuple[DatasetRef, ...]
    properties: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The only dataset that it is about; their pool for several."""
        return self.datasets[0].name if len(self.datasets) == 1 else self.pool


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroySnapshots:
    """One comma list of snapshots of one dataset, each re-checked by guid, holds and clones just before."""

    id: str
    host: str
    why: str
    dataset: str
    dataset_guid: int
    snapshots: tuple[SnapshotRef, ...]
    frees: int | None = None
    """Bytes by ZFS's own estimate when it was asked, else None."""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHook:
    """An operator's own command on a host, before or after other steps.

    `always`: runs even when a step that it waits for failed (thaw what was frozen).
    """

    id: str
    host: str
    why: str
    name: str
    argv: tuple[str, ...]
    timeout_seconds: int
    always: bool = False
    dataset: str = ""
    after: tuple[str, ...] = ()


Step = CreateSnapshots | DestroySnapshots | DestroyDataset | RunHook | ReplicationStep


def risk_of(step: Step) -> Risk:
    """What a step can cost."""
    match step:
        case CreateSnapshots() | HoldSnapshots() | CreateParents() | Transfer() | MoveAnchors():
            return Risk.SAFE
        case RunHook() | RenameSnapshot() | CloneDataset() | PromoteClone() | SwapDatasets():
            return Risk.REVERSIBLE
        case DestroySnapshots() | DestroyDataset() | AbortReceive():
            return Risk.DESTRUCTIVE


def datasets_of(step: Step) -> tuple[tuple[str, str], ...]:
    """Host and name of every dataset that a step is about; nothing for a hook that is about its host."""
    match step:
        case CreateSnapshots():
            return tuple((step.host, ref.name) for ref in step.datasets)
        case HoldSnapshots():
            return tuple(dict.fromkeys((step.host, held.dataset) for held in step.snapshots))
        case CreateParents():
            return tuple((step.host, name) for name in step.datasets)
        case Transfer() | MoveAnchors():
            return ((step.sender_host, step.sender), (step.host, step.receiver))
        case RunHook() if not step.dataset:
            return ()
        case CloneDataset():
            return ((step.host, step.dataset), (step.host, step.to))
        case PromoteClone():
            return ((step.host, step.origin), (step.host, step.dataset))
        case SwapDatasets():
            return ((step.host, step.dataset), (step.host, step.built), (step.host, step.aside))
        case DestroySnapshots() | DestroyDataset() | RunHook() | AbortReceive() | RenameSnapshot():
            return ((step.host, step.dataset),)


@dataclass(frozen=True, slots=True)
class PlannedDataset:
    """A dataset that a plan looked at, for the heading above its lines."""

    host: str
    dataset: str
    policy: str
    """Empty where no policy rules it (a manual snapshot)."""
    snapshots: int
    """How many snapshots it has, whoever owns them."""
    receivers: int = 0
    guid: int = 0
    """The dataset's, so that the journal can tell it from a later one of the same name."""
    rules: str = ""
    """Fingerprint of the rules that decided about its snapshots; empty where none did."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a command would do, each decision with its reasons.

    `fingerprint` and `datasets` are recorded for people; they never influence apply.
    """

    id: str
    command: str
    """The verb that made it: run, snapshot, prune …"""
    created_at: int
    valid_until: int
    fingerprint: str
    datasets: tuple[PlannedDataset, ...] = ()
    decisions: tuple[Decision, ...] = ()
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    approvals: tuple[ApprovalRequest, ...] = ()
    """What a guard withheld; filed when the plan is applied, so that a person can approve it."""

    @property
    def has_changes(self) -> bool:
        """Whether applying it would change anything."""
        return bool(self.steps)
