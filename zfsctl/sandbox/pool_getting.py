"""zpool get."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import Call
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pool_listing import ALIASES, COLUMNS, pool_value, pools_named
from zfsctl.sandbox.pools import SimPool

SYNOPSIS = 'get [-Hp] [-o "all" | field[,...]] <"all" | property[,...]> <pool> ...'
FEATURES = {
    "async_destroy": "enabled",
    "bookmark_v2": "enabled",
    "bookmark_written": "enabled",
    "bookmarks": "enabled",
    "device_removal": "enabled",
    "embedded_data": "active",
    "encryption": "enabled",
    "extensible_dataset": "active",
    "large_blocks": "enabled",
    "large_dnode": "enabled",
    "lz4_compress": "active",
    "zstd_compress": "enabled",
}
"""Those that say something about streams, and their states in a pool that was made with all of them.

A pool's own property `feature@…` of the document wins.
"""

_FIELDS = ("name", "property", "value", "source")
_PREFIX = "feature@"


def zpool_get(call: Call, arguments: Sequence[str]) -> int:
    """Print properties and features of pools, one line for each of each pool."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "Hpo:")
    fields = (options.last("o") or ",".join(_FIELDS)).split(",")
    for field in fields:
        if field not in _FIELDS:
            call.usage(f"invalid column name '{field}'")
    if not options.operands:
        call.usage("missing property argument")
    wanted, *operands = options.operands
    names = [*COLUMNS, *(_PREFIX + feature for feature in FEATURES)] if wanted == "all" else wanted.split(",")
    for place, word in enumerate(names):
        names[place] = ALIASES.get(word, word)
        if names[place] not in (*COLUMNS, *(_PREFIX + feature for feature in FEATURES)):
            call.usage(f"bad property list: invalid property '{word}'")
    pools, code = pools_named(call, operands)
    rows = [
        [cells[field] for field in fields]
        for pool in pools
        for name in names
        for cells in [_cells(pool, name, literal="p" in options)]
    ]
    if "H" in options:
        call.out += ["\t".join(row) for row in rows]
    elif rows:
        table = [[field.upper() for field in fields], *rows]
        widths = [max(len(row[place]) for row in table) for place in range(len(fields))]
        call.out += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
    return code


def _cells(pool: SimPool, name: str, *, literal: bool) -> dict[str, str]:
    feature = name.removeprefix(_PREFIX)
    if name.startswith(_PREFIX):
        value = pool.properties.get(name, FEATURES[feature]) if pool.readable else "-"
        return {"name": pool.name, "property": name, "value": value, "source": "local"}
    value = pool_value(pool, name, literal=literal)
    return {"name": pool.name, "property": name, "value": value, "source": "local" if name in pool.properties else "-"}
