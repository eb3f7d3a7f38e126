"""What hangs on a dataset or a snapshot (zfs_iter_dependents in libzfs)."""

from __future__ import annotations

import errno
from collections.abc import Callable

from zfsctl.sandbox.calls import TEXTS, Call, Found
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool

Act = Callable[[Found], None]


class CycleError(Exception):
    """A dataset depends on itself: it is a clone of a snapshot that lies below it, or of one that does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def report(self, call: Call) -> None:
        """Complain as libzfs does."""
        call.complain(f"cannot determine dependent datasets: recursive dependency at '{self.name}'")


def visit_dependents(call: Call, top: Found, act: Act, *, allow_cycles: bool) -> None:
    """Let `act` see everything that hangs on `top`, deepest first: children, then snapshots, each after its clones.

    Raises:
        CycleError: A dataset depends on itself, and `allow_cycles` is not set.
    """
    visit = _Visit(call, top.pool, act, allow_cycles=allow_cycles)
    if top.snapshot:
        visit.clones(top.pool.clones_of(top.dataset, top.snapshot), [])
    else:
        visit.below(top.dataset, [])


class _Visit:
    """One walk. What `act` has destroyed meanwhile is met as libzfs meets it."""

    def __init__(self, call: Call, pool: SimPool, act: Act, *, allow_cycles: bool) -> None:
        self.call = call
        self.pool = pool
        self.act = act
        self.allow_cycles = allow_cycles

    def below(self, dataset: SimDataset, above: list[SimDataset]) -> None:
        inside = [*above, dataset]
        for child in self.pool.children(dataset.name):
            # Children are asked for one after another, so what went as a clone is not seen any more.
            if self._exists(child):
                self._dataset(child, inside)
        # All snapshots are read, with the names of their clones, before the first is visited.
        read = [(each, self.pool.clones_of(dataset, each)) for each in dataset.snapshots.values()]
        for snapshot, clones in read:
            self.clones(clones, inside)
            self.act(Found(self.pool, dataset, snapshot=snapshot))

    def clones(self, clones: list[SimDataset], above: list[SimDataset]) -> None:
        for clone in clones:
            if self._exists(clone):
                self._dataset(clone, above)
            else:
                self.call.complain(f"cannot open '{clone.name}': {TEXTS[errno.ENOENT]}")

    def _dataset(self, dataset: SimDataset, above: list[SimDataset]) -> None:
        if any(each is dataset for each in above):
            if self.allow_cycles:
                return
            raise CycleError(dataset.name)
        self.below(dataset, above)
        self.act(Found(self.pool, dataset))

    def _exists(self, dataset: SimDataset) -> bool:
        return self.pool.datasets.get(dataset.name) is dataset
