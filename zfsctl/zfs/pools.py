"""Pools as `zpool list` prints them."""

from __future__ import annotations

from zfsctl.model.command import Command
from zfsctl.model.pool import Pool
from zfsctl.zfs.text import number_if_applicable, rows, text_if_applicable, unreadable, whole_number

POOL_COLUMNS = ("name", "guid", "size", "allocated", "free", "capacity", "health", "readonly")

_WHAT = "the list of pools"


def argv_list_pools() -> Command:
    """List every imported pool. Without pools nothing is printed (`-H`)."""
    return Command(("zpool", "list", "-Hp", "-o", ",".join(POOL_COLUMNS)))


def parse_pools(stdout: str) -> tuple[Pool, ...]:
    """Every pool in listing order. An unavailable pool has '-' in most columns, hence None for its sizes.

    Health is taken as it is, so a word of a newer OpenZFS is no error.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    pools: dict[str, Pool] = {}
    for line, (name, guid, size, allocated, free, capacity, health, readonly) in rows(_WHAT, stdout, len(POOL_COLUMNS)):
        if not name or text_if_applicable(health) is None:
            raise unreadable(_WHAT, line, "no name or no health")
        if name in pools:
            raise unreadable(_WHAT, line, "a name that came before")
        if readonly not in ("on", "off", "-"):
            raise unreadable(_WHAT, line, f"{readonly!r} is neither 'on' nor 'off'")
        pools[name] = Pool(
            name=name,
            guid=whole_number(_WHAT, line, guid),
            size=number_if_applicable(_WHAT, line, size),
            allocated=number_if_applicable(_WHAT, line, allocated),
            free=number_if_applicable(_WHAT, line, free),
            capacity=number_if_applicable(_WHAT, line, capacity),
            health=health,
            readonly=readonly == "on",
        )
    return tuple(pools.values())
