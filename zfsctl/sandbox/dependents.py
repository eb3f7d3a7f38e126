"""What hangs on a dataset or a snapshot (zfs_iter_dependents in libzfs)."""

from __future__ import annotations

from collections.abc import Callable

from zfsctl.sandbox.calls import Call, Found
from zfsctl.sandbox.datasets import SimDataset

Act = Callable[[Found], None]


class CycleError(Exception):
    """A dataset depends on itself: it is a clone of a snapshot that lies below it, or of one that does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def report(self, call: Call) -> None:
        """Complain as libzfs does."""
        call.complain(f"cannot determine dependent datasets: recursive dependency at '{self.name}'")


def visit_dependents(top: Found, act: Act, *, allow_cycles: bool) -> None:
    """Let `act` see everything that hangs on `top`, deepest first: children, then snapshots, each after its clones.

    Raises:
        CycleError: A dataset depends on itself, and `allow_cycles` is not set.
    """
    _visit(top, act, [], allow_cycles=allow_cycles)


def _visit(found: Found, act: Act, above: list[SimDataset], *, allow_cycles: bool) -> None:
    pool, dataset = found.pool, found.dataset
    if found.snapshot:
        for clone in pool.clones_of(dataset, found.snapshot):
            _visit_and_act(Found(pool, clone), act, above, allow_cycles=allow_cycles)
        return
    inside = [*above, dataset]
    for child in pool.children(dataset.name):
        _visit_and_act(Found(pool, child), act, inside, allow_cycles=allow_cycles)
    for snapshot in list(dataset.snapshots.values()):
        _visit_and_act(Found(pool, dataset, snapshot=snapshot), act, inside, allow_cycles=allow_cycles)


def _visit_and_act(found: Found, act: Act, above: list[SimDataset], *, allow_cycles: bool) -> None:
    if found.snapshot is None and any(each is found.dataset for each in above):
        if allow_cycles:
            return
        raise CycleError(found.name)
    _visit(found, act, above, allow_cycles=allow_cycles)
    act(found)
