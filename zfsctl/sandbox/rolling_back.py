"""zfs rollback."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import TEXTS, Call, Found, Kinds
from zfsctl.sandbox.changing import remove_snapshot
from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.dependents import visit_dependents
from zfsctl.sandbox.destroying import DatasetDestroyer
from zfsctl.sandbox.options import Options, parse_options
from zfsctl.sandbox.pools import SimPool

SYNOPSIS = "rollback [-rRf] <snapshot>"
SHOWN = 32
"""How many of the newer snapshots and bookmarks are named."""


def zfs_rollback(call: Call, arguments: Sequence[str]) -> int:
    """Take a dataset back to a snapshot; everything newer has to go, with -r."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "rRf")
    if not options.operands:
        call.usage("missing dataset argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    found = call.open_or_stop(options.operands[0], Kinds.SNAPSHOT)
    assert found.snapshot is not None
    dataset, snapshot = found.dataset, found.snapshot
    newer = [each for each in dataset.snapshots.values() if each.createtxg > snapshot.createtxg]
    marks = [each for each in dataset.bookmarks.values() if each.createtxg > snapshot.createtxg]
    if not _may_go(call, options, found, newer, marks):
        return 1
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.stop(f"cannot rollback '{dataset.name}': {TEXTS[refused]}")
    gone = True
    for each in newer:
        gone &= _destroy(call, options, found.pool, dataset, each)
    for mark in marks:
        del dataset.bookmarks[mark.name]
        call.changed()
    if not gone:
        return 1
    _reset_head(found.pool, dataset, snapshot)
    call.changed()
    return 0


def _may_go(call: Call, options: Options, found: Found, newer: list[SimSnapshot], marks: list[SimBookmark]) -> bool:
    dataset = found.dataset
    if "R" in options or not (newer or marks):
        return True
    if "r" not in options:
        call.complain(f"cannot rollback to '{found.name}': more recent snapshots or bookmarks exist")
        call.complain("use '-r' to force deletion of the following snapshots and bookmarks:")
        names = [f"{dataset.name}@{each.name}" for each in newer] + [f"{dataset.name}#{each.name}" for each in marks]
        call.err += names[:SHOWN]
        if len(names) >= SHOWN:
            call.complain(f"Output limited to {SHOWN} snapshots/bookmarks")
        return False
    clones: list[str] = []
    for each in newer:
        top = Found(found.pool, dataset, snapshot=each)
        visit_dependents(call, top, lambda dependent: clones.append(dependent.name), allow_cycles=True)
    if clones:
        call.complain(f"cannot rollback to '{found.name}': clones of previous snapshots exist")
        call.complain("use '-R' to force deletion of the following clones and dependents:")
        call.err += clones
    return not clones


def _destroy(call: Call, options: Options, pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot) -> bool:
    if "R" in options:
        work = DatasetDestroyer(call, pool)
        if not work.visit_below(Found(pool, dataset, snapshot=snapshot)):
            return False
        work.flush()
        if work.failed:
            return False
    if snapshot.holds:
        call.complain(f"cannot destroy '{dataset.name}@{snapshot.name}': dataset is busy")
        return False
    remove_snapshot(call, dataset, snapshot)
    return True


def _reset_head(pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot) -> None:
    at = snapshot.createtxg
    dataset.content = snapshot.content
    dataset.large_blocks = dataset.large_blocks if dataset.large_blocks <= at else 0
    if snapshot.volsize:
        dataset.keep_volsize()
        dataset.properties["volsize"] = snapshot.volsize
    dataset.extents = [extent for extent in dataset.extents if extent.birth <= at]
    for extent in dataset.extents:
        if extent.death is not None and extent.death > at:
            extent.death = None
    pool.next_txg()
