"""What people and programs do to simulated data: they write, overwrite and delete while time passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.errors import RefusedError, UnknownNameError
from zfsctl.sandbox.accounts import fits
from zfsctl.sandbox.building import machine_of
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.extents import Extent, kill
from zfsctl.sandbox.machines import SimFleet, scramble
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.streams import LARGE_BLOCK, block_size
from zfsctl.sandbox.unfinished import end_receives

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Load:
    """Writes that come again and again, at every multiple of `every` since the epoch."""

    host: str
    dataset: str
    size: int
    """Bytes each time."""
    every: int
    """Seconds."""
    overwritten: int = 50
    """How many of a hundred bytes replace older ones."""


def find_dataset(fleet: SimFleet, host: str, dataset: str) -> tuple[SimPool, SimDataset]:
    """A dataset with its pool.

    Raises:
        UnknownNameError: There is no such host or dataset.
    """
    machine = machine_of(fleet, host)
    pool = machine.pools.get(dataset.partition("/")[0])
    found = pool.datasets.get(dataset) if pool else None
    if pool is None or found is None:
        raise UnknownNameError(f"{host} has no dataset {dataset}", where=f"{host}:{dataset}")
    return pool, found


def write(fleet: SimFleet, host: str, dataset: str, size: int = 0, *, path: str = "", text: str = "") -> None:
    """Write new bytes into a dataset, or a file's text.

    Args:
        size: Bytes; for a file the length of its text if that is more.
        path: A file below the mountpoint, for filesystems.

    Raises:
        UnknownNameError: There is no such host or dataset.
        RefusedError: The pool or the dataset takes no writes, or is full.
    """
    pool, found = find_dataset(fleet, host, dataset)
    size = max(size, len(text.encode()))
    _check_writable(fleet, pool, found, host, size)
    if path:
        found.content = {**found.content, path: text}
    _store(pool, found, size)
    fleet.changes += 1


def overwrite(fleet: SimFleet, host: str, dataset: str, size: int, *, oldest: bool = False) -> None:
    """Replace the newest (or oldest) bytes of a dataset by as many new ones; errors as those of `write`."""
    pool, found = find_dataset(fleet, host, dataset)
    _check_writable(fleet, pool, found, host, size)
    kill(found.extents, size, pool.txg + 1, newest=not oldest)
    _store(pool, found, size)
    fleet.changes += 1


def discard(fleet: SimFleet, host: str, dataset: str, size: int = 0, *, path: str = "") -> None:
    """Delete the oldest bytes of a dataset, or a file; errors as those of `write`."""
    pool, found = find_dataset(fleet, host, dataset)
    _check_writable(fleet, pool, found, host, 0)
    if path:
        found.content = {each: text for each, text in found.content.items() if each != path}
    kill(found.extents, size, pool.txg + 1)
    _store(pool, found, 0)
    fleet.changes += 1


def advance(fleet: SimFleet, seconds: int, load: Sequence[Load] = ()) -> None:
    """Move the clock on, with the writes that fall due in between. A dataset that takes none is passed over.

    Raises:
        UnknownNameError: A load names a dataset that is not there.
        ValueError: `seconds` is negative.
    """
    if seconds < 0:
        raise ValueError("time does not go back")
    end = fleet.now + seconds
    due = sorted(
        (instant, place)
        for place, each in enumerate(load)
        for instant in range(fleet.now - fleet.now % each.every + each.every, end + 1, each.every)
    )
    for instant, place in due:
        fleet.now = instant
        each = load[place]
        replaced = each.size * each.overwritten // 100
        try:
            overwrite(fleet, each.host, each.dataset, replaced)
            write(fleet, each.host, each.dataset, each.size - replaced)
        except RefusedError:
            continue
    fleet.now = end
    end_receives(fleet)
    fleet.changes += 1


def usual_load(fleet: SimFleet) -> tuple[Load, ...]:
    """Some work for every dataset of a fleet that has nothing below it; the same for the same fleet."""
    loads = []
    for machine in fleet.hosts.values():
        for pool in machine.pools.values():
            for dataset in pool.datasets.values():
                if not (pool.children(dataset.name) or dataset.inconsistent):
                    chance = scramble(dataset.guid, 3)
                    size = (1 + chance % 48) * MEBIBYTE
                    every = (3600, 7200, 21600, 86400)[chance >> 32 & 3]
                    loads.append(Load(machine.name, dataset.name, size, every, 40 + (chance >> 40) % 50))
    return tuple(loads)


def _check_writable(fleet: SimFleet, pool: SimPool, dataset: SimDataset, host: str, size: int) -> None:
    why = ""
    if pool.health not in ("ONLINE", "DEGRADED") or pool.readonly:
        why = f"the pool is {'read-only' if pool.readonly else pool.health}"
    elif dataset.inconsistent:
        why = "it is being received"
    elif dataset.properties.get("readonly", dataset.received.get("readonly")) == "on":
        why = "it is read-only"
    elif not fits(pool, dataset.name, size):
        why = "no space left on device"
    if why:
        raise RefusedError(f"{host}:{dataset.name}: not written", why=why, where=f"{host}:{dataset.name}")


def _store(pool: SimPool, dataset: SimDataset, size: int) -> None:
    """Add bytes, and rewrite the metadata as every transaction group does that touches a dataset."""
    txg = pool.next_txg()
    for extent in [extent for extent in dataset.extents if extent.key < 0 and extent.death is None]:
        extent.death = txg
        dataset.extents.append(Extent(txg, None, extent.size, -pool.next_key()))
    if size > LARGE_BLOCK and block_size(pool, dataset) > LARGE_BLOCK:
        dataset.large_blocks = dataset.large_blocks or txg
    if size:
        dataset.extents.append(Extent(txg, None, size, pool.next_key()))
    dataset.drop_unreferenced()
