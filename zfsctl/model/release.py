"""Letting go of a copy that a repair set aside: dataset by dataset, each with what it holds, by name and guid."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.refs import SnapshotRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyDataset:
    """Destroy one dataset of a copy that was set aside: first its snapshots, by name, then itself, never recursively.

    Each is looked at once more by the shell that destroys it. A dataset that holds anything else by then stays.
    """

    id: str
    host: str
    why: str
    dataset: str
    dataset_guid: int
    aside: str
    """The copy that it is, or lies below."""
    mark: str
    """The value of zfsctl:aside that the copy carries."""
    snapshots: tuple[SnapshotRef, ...]
    """All that it has, oldest first."""
    holds: tuple[tuple[str, str], ...] = ()
    """Snapshot and tag of each hold of zfsctl's own, which is released before."""
    written: int = 0
    """Bytes of it that are in no snapshot; with more by then it stays."""
    frees: int | None = None
    """Bytes, by OpenZFS's own `used`, without what lies below it."""
    after: tuple[str, ...] = ()
