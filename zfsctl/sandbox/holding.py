"""zfs hold, zfs release and zfs holds."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import UTC, datetime

from zfsctl.sandbox.calls import HEADS, TEXTS, Call, Found, Hang, Kinds
from zfsctl.sandbox.changing import reap_deferred
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.options import parse_options

HANGING_TAG = 256
"""Bytes of a tag that the kernel lets through and then cannot write: the pool hangs (dsl_userhold.c, seen on 2.3.9)."""

_Pairs = list[tuple[SimDataset, SimSnapshot]]


def zfs_hold(call: Call, arguments: Sequence[str]) -> int:
    """Put a tag on snapshots, so that they cannot be destroyed."""
    return _change(call, arguments, holding=True)


def zfs_release(call: Call, arguments: Sequence[str]) -> int:
    """Take a tag off snapshots."""
    return _change(call, arguments, holding=False)


def _change(call: Call, arguments: Sequence[str], *, holding: bool) -> int:
    call.synopsis = f"{'hold' if holding else 'release'} [-r] <tag> <snapshot> ..."
    options = parse_options(call, arguments, "rt")
    if len(options.operands) < 2:
        call.usage()
    tag, *paths = options.operands
    if holding and tag.startswith("."):
        call.usage("tag may not start with '.'")
    failed = False
    for path in paths:
        head, at, name = path.partition("@")
        if not at:
            call.complain(f"'{path}' is not a snapshot")
            failed = True
            continue
        found = call.open(head, HEADS)
        if found is None:
            failed = True
            continue
        work = _hold_one if holding else _release_one
        failed |= not work(call, found, name, tag, "r" in options)
    return int(failed)


def _named(found: Found, name: str, *, recursive: bool) -> _Pairs:
    tree = found.pool.tree(found.dataset.name) if recursive else [found.dataset]
    return [(dataset, dataset.snapshots[name]) for dataset in tree if name in dataset.snapshots]


def _hold_one(call: Call, found: Found, name: str, tag: str, recursive: bool) -> bool:
    pairs = _named(found, name, recursive=recursive)
    if not pairs:
        call.complain(f"cannot hold snapshot '{found.dataset.name}@{name}': dataset does not exist")
        return False
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.complain(f"cannot hold: {TEXTS[refused]}")
        return False
    length = len(tag.encode(errors="surrogateescape"))
    too_long = length > HANGING_TAG
    wrong = [
        (dataset, "tag too long" if too_long else "tag already exists on this dataset")
        for dataset, snapshot in pairs
        if too_long or tag in snapshot.holds
    ]
    if wrong:
        # The kernel ends with the first; below the named dataset that is whichever it happens to meet first.
        dataset, why = wrong[0]
        call.complain(f"cannot hold snapshot '{dataset.name}@{name}': {why}")
        return False
    if length == HANGING_TAG:
        found.pool.hung = True
        call.changed()
        raise Hang
    for _, snapshot in pairs:
        snapshot.holds[tag] = call.now
    found.pool.next_txg()
    call.changed()
    return True


def _release_one(call: Call, found: Found, name: str, tag: str, recursive: bool) -> bool:
    pairs = _named(found, name, recursive=recursive)
    action = f"cannot release hold from snapshot '{found.dataset.name}@{name}'"
    if not pairs:
        call.complain(f"{action}: dataset does not exist")
        return False
    tagged = [(dataset, snapshot) for dataset, snapshot in pairs if tag in snapshot.holds]
    if not tagged:
        # libzfs tells of the dataset that it looked at last.
        last = found.pool.tree(found.dataset.name)[-1] if recursive else found.dataset
        call.complain(f"{action}: {'no such tag on this dataset' if name in last.snapshots else TEXTS[errno.ENOENT]}")
        return False
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.complain(f"cannot release: {TEXTS[refused]}")
        return False
    for dataset, snapshot in tagged:
        del snapshot.holds[tag]
        reap_deferred(call, found.pool, dataset, snapshot)
    found.pool.next_txg()
    call.changed()
    return True


def zfs_holds(call: Call, arguments: Sequence[str]) -> int:
    """List the tags on snapshots."""
    call.synopsis = "holds [-rHp] <snapshot> ..."
    options = parse_options(call, arguments, "rHp")
    if "p" in options and call.machine.release < (2, 2):
        call.usage("invalid option 'p'")
    if not options.operands:
        call.usage()
    shown: dict[str, SimSnapshot] = {}
    failed = False
    for operand in options.operands:
        head, at, name = operand.partition("@")
        if not at:
            call.complain(f"'{operand}' is not a snapshot")
            failed = True
            continue
        if "r" in options:
            found = call.open(head, HEADS)
        else:
            found = call.open(operand, Kinds.SNAPSHOT)
        if found is None:
            failed = True
            continue
        for dataset, snapshot in _named(found, name, recursive="r" in options):
            shown[f"{dataset.name}@{name}"] = snapshot
    rows = [
        [full, tag, str(epoch) if "p" in options else _when(epoch)]
        for full, snapshot in shown.items()
        for tag, epoch in snapshot.holds.items()
    ]
    if "H" in options:
        call.out += ["\t".join(row) for row in rows]
    elif rows:
        table = [["NAME", "TAG", "TIMESTAMP"], *rows]
        widths = [max(len(row[place]) for row in table) for place in (0, 1)]
        call.out += [f"{row[0].ljust(widths[0])}  {row[1].ljust(widths[1])}  {row[2]}" for row in table]
    if not shown:
        call.complain("no datasets available")
    return int(failed)


def _when(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%a %b %e %k:%M %Y")
