"""Datasets, snapshots and bookmarks of a simulated pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.extents import Extent, Space, measure, unreferenced_removed

NO_CONTENT: Mapping[str, str] = {}


@dataclass(slots=True)
class SimSnapshot:
    """One snapshot; the part after the @ is its key in `SimDataset.snapshots`."""

    name: str
    guid: int
    createtxg: int
    creation: int
    holds: dict[str, int] = field(default_factory=dict)
    """Tag to the epoch at which it was put on."""
    properties: dict[str, str] = field(default_factory=dict)
    received: dict[str, str] = field(default_factory=dict)
    defer_destroy: bool = False
    ivsetguid: int = 0
    """Of an encrypted one that was received; 0 for the one that follows from its guid."""
    volsize: str = ""
    """A volume's size when it was taken, where its dataset has another one now."""
    content: Mapping[str, str] = field(default_factory=lambda: NO_CONTENT)
    """Path to text as the head had it; shared, never changed."""


@dataclass(slots=True)
class SimBookmark:
    """One bookmark; guid, createtxg and creation are those of the snapshot it was made from."""

    name: str
    guid: int
    createtxg: int
    creation: int
    ivsetguid: int = 0


@dataclass(slots=True)
class Origin:
    """What a clone was made from."""

    dataset: SimDataset
    snapshot: SimSnapshot

    def __str__(self) -> str:
        return f"{self.dataset.name}@{self.snapshot.name}"


@dataclass(slots=True)
class SimDataset:
    """One filesystem or volume with everything that hangs on it."""

    name: str
    kind: DatasetKind
    guid: int
    createtxg: int
    creation: int
    properties: dict[str, str] = field(default_factory=dict)
    """Set here: native ones as `-p` prints them, and user properties."""
    received: dict[str, str] = field(default_factory=dict)
    """Received values; a local one of the same name wins."""
    snapshots: dict[str, SimSnapshot] = field(default_factory=dict)
    """By name, oldest first."""
    bookmarks: dict[str, SimBookmark] = field(default_factory=dict)
    extents: list[Extent] = field(default_factory=list)
    origin: Origin | None = None
    mounted: bool = False
    content: Mapping[str, str] = field(default_factory=lambda: NO_CONTENT)
    """Path to text, for filesystems; replaced as a whole, never changed."""
    snapshots_changed: int = 0
    """Epoch seconds at which a snapshot last came, went or was renamed; 0 for never."""
    encryption: str = "off"
    encryptionroot: str = ""
    keystatus: str = ""
    keyguid: int = 0
    """Of its own key; 0 for the one that follows from its guid."""
    large_blocks: int = 0
    """The txg since which it holds blocks above 128 KiB, 0 for never; what it then receives must be sent with -L."""
    inconsistent: bool = False
    """Whether it is the work of a receive that has not ended well."""
    receive_resume_token: str = ""
    """How far that receive came, when it can be resumed."""
    receiving: bool = False
    """Whether that receive still runs."""

    @property
    def pool(self) -> str:
        """The name of the pool it lies in."""
        return self.name.partition("/")[0]

    @property
    def is_filesystem(self) -> bool:
        """Whether it is no volume."""
        return self.kind is DatasetKind.FILESYSTEM

    @property
    def floor(self) -> int:
        """The txg up to which its blocks belong to its origin; 0 when it is no clone."""
        return self.origin.snapshot.createtxg if self.origin else 0

    @property
    def txgs(self) -> list[int]:
        """The createtxg of each snapshot, ascending."""
        return [snapshot.createtxg for snapshot in self.snapshots.values()]

    def space(self) -> Space:
        """The bytes that it and its snapshots hold."""
        return measure(self.extents, self.txgs, self.floor)

    def newest(self) -> SimSnapshot | None:
        """Its newest snapshot, None if it has none."""
        return next(reversed(self.snapshots.values()), None)

    def keep_volsize(self) -> None:
        """Note with the snapshots of a volume how large it is, before that changes."""
        for snapshot in self.snapshots.values():
            snapshot.volsize = snapshot.volsize or self.properties.get("volsize", "")

    def drop_unreferenced(self) -> None:
        """Free what nothing refers to any more."""
        self.extents = unreferenced_removed(self.extents, self.txgs)
