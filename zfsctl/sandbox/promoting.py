"""zfs promote: a clone and what it was cloned from change places."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from zfsctl.sandbox.accounts import may_move
from zfsctl.sandbox.calls import HEADS, TEXTS, Call, Hang
from zfsctl.sandbox.datasets import Origin, SimDataset
from zfsctl.sandbox.extents import Extent
from zfsctl.sandbox.pools import SimPool

SYNOPSIS = "promote <clone-filesystem>"


def zfs_promote(call: Call, arguments: Sequence[str]) -> int:
    """Move the snapshots up to a clone's origin to the clone.

    A bookmark name that the clone and its origin's head share hangs the pool for good, as the kernel does
    (VERIFY in dsl_bookmark_node_add, seen on 2.1 and 2.3).
    """
    call.synopsis = SYNOPSIS
    if arguments and arguments[0].startswith("-"):
        call.usage(f"invalid option '{arguments[0][1:2]}'")
    if not arguments:
        call.usage("missing clone filesystem argument")
    if len(arguments) > 1:
        call.usage("too many arguments")
    found = call.open_or_stop(arguments[0], HEADS)
    clone, pool = found.dataset, found.pool
    action = f"cannot promote '{clone.name}'"
    if clone.origin is None:
        call.stop(f"{action}: not a cloned filesystem")
    refused = call.refusal(pool, needs_space=False)
    if refused:
        call.stop(f"{action}: {TEXTS[refused]}")
    origin = clone.origin
    taken = next((name for name in moving_snapshots(origin)[::-1] if name in clone.snapshots), None)
    if taken is not None:
        call.stop(f"{action}: conflicting snapshot '{taken}' from parent '{origin}'")
    if not _keeps_encryption_root(pool, clone, origin.dataset):
        call.stop(f"{action}: cannot promote dataset outside its encryption root")
    if not may_move(pool, _moving_bytes(origin), origin.dataset.name, clone.name):
        call.stop(f"{action}: {TEXTS[errno.ENOSPC]}")
    if hangs(clone):
        pool.hung = True
        call.changed()
        raise Hang
    _promote(pool, clone, origin, call.now)
    call.changed()
    return 0


def moving_snapshots(origin: Origin) -> list[str]:
    """The names of the snapshots that a promotion moves, oldest first."""
    until = origin.snapshot.createtxg
    return [name for name, each in origin.dataset.snapshots.items() if each.createtxg <= until]


def hangs(clone: SimDataset) -> bool:
    """Whether promoting it would hang the pool: it shares a bookmark's name with its origin's head."""
    if clone.origin is None:
        return False
    until = clone.origin.snapshot.createtxg
    moving = {name for name, each in clone.origin.dataset.bookmarks.items() if each.createtxg <= until}
    return bool(moving & clone.bookmarks.keys())


def _moving_bytes(origin: Origin) -> int:
    """What a promotion lets the clone be charged for: all that was written until its origin was taken."""
    dataset, until = origin.dataset, origin.snapshot.createtxg
    return sum(extent.size for extent in dataset.extents if dataset.floor < extent.birth <= until)


def _promote(pool: SimPool, clone: SimDataset, origin: Origin, now: int) -> None:
    former, until = origin.dataset, origin.snapshot.createtxg
    former.keep_volsize()
    clone.keep_volsize()
    moved = {name: former.snapshots.pop(name) for name in moving_snapshots(origin)}
    clone.snapshots = moved | clone.snapshots
    gone = {id(snapshot) for snapshot in moved.values()}
    _divide_extents(former, clone, until)
    clone.origin, former.origin = former.origin, Origin(clone, origin.snapshot)
    if 0 < former.large_blocks <= until:
        clone.large_blocks = former.large_blocks
    for each in pool.datasets.values():
        if each.origin and id(each.origin.snapshot) in gone:
            each.origin.dataset = clone
    for name in [name for name, each in former.bookmarks.items() if each.createtxg <= until]:
        clone.bookmarks[name] = former.bookmarks.pop(name)
    if former.encryptionroot == former.name and former.origin.dataset is clone and clone.origin is None:
        _hand_over_encryption_root(pool, former, clone)
    former.drop_unreferenced()
    clone.drop_unreferenced()
    clone.snapshots_changed = former.snapshots_changed = now
    pool.next_txg()


def _keeps_encryption_root(pool: SimPool, clone: SimDataset, former: SimDataset) -> bool:
    """Whether a promotion leaves no dataset outside its encryption root (dsl_dataset_promote_crypt_check)."""
    if former.encryption == "off" or former.origin or former.encryptionroot == former.name:
        return True
    above = [pool.datasets[each.name.rpartition("/")[0]].encryptionroot for each in (former, clone)]
    return above[0] == above[1]


def _hand_over_encryption_root(pool: SimPool, former: SimDataset, clone: SimDataset) -> None:
    """The clone becomes the encryption root of all that had its origin as theirs, its origin too. The kernel keeps
    loaded keys by their root, so the key is not loaded any more then (seen on 2.3.9).
    """
    for each in pool.datasets.values():
        if each.encryptionroot == former.name:
            each.encryptionroot, each.keystatus = clone.name, "unavailable"
    for name in ("keylocation", "keyformat"):
        if name in former.properties:
            clone.properties[name] = former.properties.pop(name)


def _divide_extents(former: SimDataset, clone: SimDataset, until: int) -> None:
    """Give the clone what the moved snapshots hold; both keep what was alive at the origin."""
    left: dict[int, int] = {}
    births: dict[int, int] = {}
    staying: list[Extent] = []
    moving: list[Extent] = []
    for extent in former.extents:
        if extent.birth > until:
            staying.append(extent)
        elif extent.death is not None and extent.death <= until:
            moving.append(extent)
        else:
            staying.append(extent)
            left[extent.key] = left.get(extent.key, 0) + extent.size
            births[extent.key] = extent.birth
    for extent in clone.extents:
        if extent.birth <= until and extent.key in left:
            left[extent.key] -= extent.size
    moving += [Extent(births[key], until + 1, size, key) for key, size in left.items() if size > 0]
    former.extents = staying
    clone.extents = moving + clone.extents
