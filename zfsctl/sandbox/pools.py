"""A simulated pool: its datasets, its transaction groups and its health."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from zfsctl.model.names import is_at_or_below
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.scans import Scan, Trim

RECV = "%recv"
"""The name of the hidden clone into which an existing dataset receives."""
SLOP_SHIFT = 5
"""1/32 of a pool is never given out (spa_slop_shift)."""
SLOP_LIMIT = 128 << 30
"""But not more than this (spa_max_slop)."""
LEAST_SLOP = 128 << 20
"""And not less than this, or half of a small pool (spa_min_slop)."""


@dataclass(slots=True)
class SimPool:
    """One imported pool."""

    name: str
    guid: int
    size: int
    health: str = "ONLINE"
    readonly: bool = False
    hung: bool = False
    """Its kernel thread died: a change never comes back, until the machine is started again."""
    txg: int = 4
    """The newest transaction group that changed something."""
    datasets: dict[str, SimDataset] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    vdevs: tuple[str, ...] = ()
    """Leaf devices, for `zpool status`; two or more are shown as one mirror."""
    scan: Scan | None = None
    trim: Trim | None = None
    keys: int = 0
    """The newest extent key."""

    def next_txg(self) -> int:
        """Open the next transaction group and return it."""
        self.txg += 1
        return self.txg

    def next_key(self) -> int:
        """A key for a new extent."""
        self.keys += 1
        return self.keys

    @property
    def root(self) -> SimDataset:
        """The dataset at the top."""
        return self.datasets[self.name]

    @property
    def readable(self) -> bool:
        """Whether its datasets can be looked at; those of a suspended pool cannot either (seen on 2.3.9)."""
        return self.health not in ("FAULTED", "UNAVAIL", "REMOVED", "OFFLINE", "SUSPENDED")

    def children(self, name: str) -> list[SimDataset]:
        """The datasets right below `name`, by name, without the hidden one of an unfinished receive."""
        prefix = f"{name}/"
        return [
            self.datasets[each]
            for each in sorted(self.datasets)
            if each.startswith(prefix) and "/" not in each[len(prefix) :] and "%" not in each
        ]

    def tree(self, name: str, *, hidden: bool = False) -> list[SimDataset]:
        """The dataset `name` and everything below it, by name; what unfinished receives hide only if asked for."""
        return [
            self.datasets[each]
            for each in sorted(self.datasets)
            if is_at_or_below(each, name) and (hidden or "%" not in each or each == name)
        ]

    def unfinished(self, name: str) -> SimDataset | None:
        """What an unfinished receive into the dataset `name` has made so far, None if there was none.

        That is a hidden clone below a dataset that was there before, or the dataset itself.
        """
        clone = self.datasets.get(f"{name}/{RECV}")
        if clone:
            return clone
        dataset = self.datasets.get(name)
        return dataset if dataset and (dataset.receive_resume_token or dataset.receiving) else None

    def clones_of(self, dataset: SimDataset, snapshot: SimSnapshot) -> list[SimDataset]:
        """The clones made from a snapshot, oldest first."""
        found = [
            each
            for each in self.datasets.values()
            if each.origin and each.origin.snapshot is snapshot and each.origin.dataset is dataset
        ]
        return sorted(found, key=lambda each: each.createtxg)

    def clone_names(self) -> dict[int, list[str]]:
        """Every snapshot that has clones, by the id of its object, to the clones' names, oldest first."""
        index: dict[int, list[str]] = {}
        for each in sorted(self.datasets.values(), key=lambda each: each.createtxg):
            if each.origin:
                index.setdefault(id(each.origin.snapshot), []).append(each.name)
        return index

    def snapshots(self) -> Iterator[tuple[SimDataset, SimSnapshot]]:
        """Every snapshot with its dataset."""
        for dataset in self.datasets.values():
            for snapshot in dataset.snapshots.values():
                yield dataset, snapshot

    # Space

    def allocated(self) -> int:
        """Bytes in use by data, reservations not counted."""
        total = 0
        for dataset in self.datasets.values():
            space = dataset.space()
            total += space.head_used + space.snapshots_used
        return total

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes fit, quotas and reservations aside."""
        most = sum(extent.size for dataset in self.datasets.values() for extent in dataset.extents)
        # What clones share is counted twice above, which is cheap and enough as long as the pool is far from full.
        return most + size <= self.usable or self.allocated() + size <= self.usable

    @property
    def usable(self) -> int:
        """Bytes that datasets may use in all."""
        return self.size - max(min(self.size >> SLOP_SHIFT, SLOP_LIMIT), min(self.size >> 1, LEAST_SLOP))
