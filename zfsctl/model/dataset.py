"""Datasets, snapshots and bookmarks as `zfs list -Hp` reports them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DatasetKind(StrEnum):
    """What a dataset is."""

    FILESYSTEM = "filesystem"
    VOLUME = "volume"


def why_in_use(kind: DatasetKind, *, readonly: bool, mounted: bool) -> str:
    """Why somebody may be at work on a receiver; empty where nobody can be. Whether a volume is open cannot be seen."""
    if readonly:
        return ""
    if kind is DatasetKind.VOLUME:
        return "the receiver is a writable volume (readonly=off): somebody may be at work on it"
    return "the receiver is mounted and writable: somebody may be at work on it" if mounted else ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot. Identity is `guid`, never the name.

    A million of these must fit in memory, hence plain integers and shared strings.
    """

    dataset: str
    name: str
    """The part after the @."""
    guid: int
    """uint64, the same on sender and receiver."""
    createtxg: int
    """Orders the snapshots of one pool; never compared across pools."""
    creation: int
    """Epoch seconds by the clock of the host that took it first. Age, never order."""
    used: int = 0
    """Bytes that only this snapshot holds; never summed to say what a prune frees."""
    written: int = 0
    """Bytes written between the snapshot before it and this one."""
    userrefs: int = 0
    """User holds on it."""
    clones: tuple[str, ...] = ()
    policy: str | None = None
    """`zfsctl:policy`, set on the snapshot itself (source local or received), not inherited."""
    reason: str | None = None
    """`zfsctl:reason`, likewise."""
    expires: int | None = None
    """`zfsctl:expires`, likewise, epoch seconds; None for a snapshot that does not expire."""

    def __str__(self) -> str:
        return f"{self.dataset}@{self.name}"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """One bookmark: the place of a snapshot in history, which may be gone."""

    dataset: str
    name: str
    """The part after the #."""
    guid: int
    """The guid of the snapshot it was made from."""
    createtxg: int
    creation: int

    def __str__(self) -> str:
        return f"{self.dataset}#{self.name}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One filesystem or volume, without its snapshots."""

    name: str
    kind: DatasetKind
    guid: int
    createtxg: int = 0
    creation: int = 0
    used: int = 0
    available: int = 0
    referenced: int = 0
    written: int = 0
    """Bytes written since its newest snapshot, whoever took that."""
    used_by_snapshots: int = 0
    origin: str | None = None
    """The snapshot that this is a clone of."""
    mounted: bool = False
    mountpoint: str | None = None
    canmount: str | None = None
    readonly: bool = False
    encryption: str = "off"
    keystatus: str | None = None
    encryptionroot: str | None = None
    inconsistent: bool = False
    """A first receive that has not finished."""
    receive_resume_token: str | None = None
    prevsnap: str | None = None
    """Full name of its newest snapshot; that of its origin for a clone without any."""
    mark: str = ""
    """`scratch`, `repair` or `aside`: zfsctl made it for itself and says so by a property set on it.

    It and everything below it is outside every selection.
    """

    def __str__(self) -> str:
        return self.name
