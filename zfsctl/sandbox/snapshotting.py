"""zfs snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import ABORTED, HEADS, TEXTS, Call, Exit, Kinds
from zfsctl.sandbox.changing import take_snapshots
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.naming import NameKind, name_fault
from zfsctl.sandbox.natives import is_user_property
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.proplist import MAX_VALUE, check_properties, read_assignments

SYNOPSIS = "snapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ..."


def zfs_snapshot(call: Call, arguments: Sequence[str]) -> int:
    """Take snapshots, all in one txg or none."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "ro:")
    table = read_assignments(call, options.all("o"))
    if table is None:
        raise Exit(1)
    if not options.operands:
        call.usage("missing snapshot argument")
    several = len(options.operands) > 1 or "r" in options
    wanted: dict[str, tuple[SimPool, SimDataset, str]] = {}
    for operand in options.operands:
        head, at, name = operand.partition("@")
        if not at:
            call.usage()
        found = call.open(head, HEADS)
        if found is None:
            call.usage()
        for dataset in _complete(found.pool, found.dataset) if "r" in options else [found.dataset]:
            wanted[f"{dataset.name}@{name}"] = (found.pool, dataset, name)
    if wanted and _take(call, wanted, table):
        return 0
    if several:
        call.complain("no snapshots were created")
    return 1


def _complete(pool: SimPool, dataset: SimDataset) -> list[SimDataset]:
    """The dataset and what is below it, but nothing that is half received, nor what is below that."""
    if dataset.inconsistent:
        return []
    return [dataset, *(each for child in pool.children(dataset.name) for each in _complete(pool, child))]


def _take(call: Call, wanted: dict[str, tuple[SimPool, SimDataset, str]], table: dict[str, str]) -> bool:
    for full in wanted:
        fault = name_fault(full, NameKind.SNAPSHOT)
        if fault:
            call.complain(f"cannot create snapshot '{full}': {fault}")
            return False
    action = "cannot create snapshots "
    if any(not is_user_property(name) for name in table):
        check_properties(call, action, Kinds.SNAPSHOT, {n: v for n, v in table.items() if not is_user_property(n)})
        return False
    if any(len(value.encode(errors="surrogateescape")) > MAX_VALUE for value in table.values()):
        # libzfs has no word for E2BIG here and calls abort(3).
        call.complain(f"internal error: {action}: Argument list too long")
        raise Exit(ABORTED)
    properties = check_properties(call, action, Kinds.SNAPSHOT, table)
    if properties is None:
        return False
    pools = {id(pool): pool for pool, _, _ in wanted.values()}
    datasets = [dataset.name for _, dataset, _ in wanted.values()]
    if len(pools) > 1 or len(set(datasets)) < len(datasets):
        call.complain(f"{action}: multiple snapshots of same fs not allowed")
        return False
    pool = next(iter(pools.values()))
    refused = call.refusal(pool)
    if refused:
        call.complain(f"{action}: {TEXTS[refused]}")
        return False
    taken = [full for full, (_, dataset, name) in wanted.items() if name in dataset.snapshots]
    for full in taken:
        call.complain(f"cannot create snapshot '{full}': dataset already exists")
    busy = [full for full, (_, dataset, _) in wanted.items() if dataset.inconsistent]
    for full in busy:
        call.complain(f"cannot create snapshot '{full}': dataset is busy")
    if taken or busy:
        return False
    take_snapshots(call, pool, [(dataset, name) for _, dataset, name in wanted.values()], properties)
    return True
