"""Pools as `zpool list` prints them."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.command import Command
from zfsctl.model.pool import Pool
from zfsctl.zfs.text import number_if_applicable, rows, text_if_applicable, unreadable, whole_number

STREAM_FEATURES = ("large_blocks", "embedded_data", "lz4_compress", "zstd_compress")
"""Features of a pool that decide with which flags a stream may be made for it."""

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


def argv_pool_features(pools: Sequence[str]) -> Command:
    """Ask which of STREAM_FEATURES the `pools` have.

    Raises:
        ValueError: No pool.
    """
    if not pools:
        raise ValueError("a question about features needs a pool")
    asked = ",".join(f"feature@{feature}" for feature in STREAM_FEATURES)
    return Command(("zpool", "get", "-Hp", "-o", "name,property,value", asked, *pools))


def parse_pool_features(stdout: str) -> dict[str, frozenset[str]]:
    """By pool, the features that are enabled or active.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: dict[str, set[str]] = {}
    for line, (pool, feature, value) in rows("the list of pool features", stdout, 3):
        name = feature.removeprefix("feature@")
        if not pool or name not in STREAM_FEATURES:
            raise unreadable("the list of pool features", line, "no feature that was asked for")
        features = found.setdefault(pool, set())
        if value in ("enabled", "active"):
            features.add(name)
    return {pool: frozenset(features) for pool, features in found.items()}
