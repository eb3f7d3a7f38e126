"""zfs rename, of datasets and of snapshots."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from zfsctl.model.names import is_at_or_below
from zfsctl.sandbox.accounts import account_for, may_move
from zfsctl.sandbox.calls import DATASETS, HEADS, TEXTS, Call, Found, Kinds
from zfsctl.sandbox.changing import check_parent, create_ancestors
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.mounts import has_path
from zfsctl.sandbox.naming import MAX_NAME_BYTES, NameKind, name_fault
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.unfinished import end_receive

SYNOPSIS = (
    "rename [-f] <filesystem|volume|snapshot> <filesystem|volume|snapshot>\n"
    "\trename -p [-f] <filesystem|volume> <filesystem|volume>\n"
    "\trename -u [-f] <filesystem> <filesystem>\n"
    "\trename -r <snapshot> <snapshot>"
)


def zfs_rename(call: Call, arguments: Sequence[str]) -> int:
    """Give a dataset or a snapshot another name."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "pruf")
    if not options.operands:
        call.usage("missing source dataset argument")
    if len(options.operands) == 1:
        call.usage("missing target dataset argument")
    if len(options.operands) > 2:
        call.usage("too many arguments")
    if "r" in options and "p" in options:
        call.usage("-p and -r options are mutually exclusive")
    if "u" in options and "p" in options:
        call.usage("-u and -p options are mutually exclusive")
    source, target = options.operands
    if "r" in options and "@" not in source:
        call.usage("source dataset for recursive rename must be a snapshot")
    kinds = DATASETS
    if "u" in options:
        kinds = Kinds.FILESYSTEM
    elif "p" in options:
        kinds = HEADS
    found = call.open_or_stop(source, kinds)
    if "p" in options and not name_fault(target, NameKind.DATASET) and not create_ancestors(call, target):
        return 1
    if found.name == target:
        return 0
    if found.snapshot:
        _rename_snapshot(call, found, target, recursive="r" in options)
    else:
        _rename_dataset(call, found, target)
        if "u" not in options:
            _mount_again(found)
    call.changed()
    return 0


def _rename_snapshot(call: Call, found: Found, target: str, *, recursive: bool) -> None:
    assert found.snapshot is not None
    action = f"cannot rename to '{target}'"
    head, at, new = target.partition("@")
    if not at:
        head, new = found.dataset.name, target
    elif not head:
        head = found.dataset.name
    elif head != found.dataset.name:
        call.stop(f"{action}: snapshots must be part of same dataset")
    fault = name_fault(f"{head}@{new}", NameKind.SNAPSHOT)
    if fault:
        call.stop(f"{action}: {fault}")
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.stop(f"cannot rename '{found.name}': {TEXTS[refused]}")
    old = found.snapshot.name
    tree = found.pool.tree(head) if recursive else [found.dataset]
    affected = [dataset for dataset in tree if old in dataset.snapshots]
    if any(new in dataset.snapshots for dataset in affected):
        why = "a child dataset already has a snapshot with the new name" if recursive else "dataset already exists"
        call.stop(f"cannot rename '{found.name}': {why}")
    if any(len(f"{dataset.name}@{new}".encode()) > MAX_NAME_BYTES for dataset in affected):
        call.stop(f"cannot rename '{found.name}': dataset name is too long")
    for dataset in affected:
        dataset.snapshots[old].name = new
        dataset.snapshots = {snapshot.name: snapshot for snapshot in dataset.snapshots.values()}
        dataset.snapshots_changed = call.now
    found.pool.next_txg()


def _rename_dataset(call: Call, found: Found, target: str) -> None:
    pool, dataset = found.pool, found.dataset
    fault = name_fault(target, NameKind.DATASET)
    if fault:
        call.stop(f"cannot rename to '{target}': {fault}")
    if not check_parent(call, target):
        call.stop_quietly()
    if call.pool_of(target) is not pool or dataset is pool.root:
        call.stop(f"cannot rename to '{target}': datasets must be within same pool")
    if is_at_or_below(target, dataset.name):
        call.stop(f"cannot rename to '{target}': New dataset name cannot be a descendant of current dataset name")
    action = f"cannot rename '{dataset.name}'"
    refused = call.refusal(pool, needs_space=False)
    if refused:
        call.stop(f"{action}: {TEXTS[refused]}")
    if target in pool.datasets:
        call.stop(f"{action}: dataset already exists")
    tree = pool.tree(dataset.name)
    if any(_longest(each) + len(target) - len(dataset.name) > MAX_NAME_BYTES for each in tree):
        call.stop(f"{action}: dataset name is too long")
    above = pool.datasets[target.rpartition("/")[0]]
    before = dataset.name.rpartition("/")[0]
    moves = before != above.name
    if moves and not may_move(pool, account_for(pool)[dataset.name].charged, before, above.name):
        call.stop(f"{action}: {TEXTS[errno.ENOSPC]}")
    if moves and dataset.encryptionroot not in ("", dataset.name) and above.encryptionroot != dataset.encryptionroot:
        call.stop(f"{action}: cannot move encrypted child outside of its encryption root")
    move_tree(pool, dataset, target)


def _mount_again(found: Found) -> None:
    """Mount at its new place what was mounted; what has no place there any more stays unmounted."""
    for each in found.pool.tree(found.dataset.name):
        each.mounted = each.mounted and has_path(found.pool, each)


def move_tree(pool: SimPool, dataset: SimDataset, target: str) -> None:
    """Give a dataset and all below it their new names. A receive that runs there ends."""
    old = dataset.name
    for each in pool.tree(old, hidden=True):
        if each.receiving:
            end_receive(pool, each)
    for each in pool.tree(old, hidden=True):
        del pool.datasets[each.name]
        each.name = target + each.name[len(old) :]
        pool.datasets[each.name] = each
    for each in pool.datasets.values():
        if each.encryptionroot and is_at_or_below(each.encryptionroot, old):
            each.encryptionroot = target + each.encryptionroot[len(old) :]
    pool.next_txg()


def _longest(dataset: SimDataset) -> int:
    return len(dataset.name) + max((len(name) + 1 for name in dataset.snapshots), default=0)
