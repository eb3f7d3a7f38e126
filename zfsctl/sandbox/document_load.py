"""From a fleet document, `zfsctl.sandbox/1`, to the state of a fleet. What is missing takes a sensible value."""

from __future__ import annotations

from datetime import datetime

from zfsctl.errors import ConfigError
from zfsctl.sandbox.dataset_load import link_origins, load_dataset
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.extents_load import Stated, load_extents
from zfsctl.sandbox.machines import DEFAULT_VERSION, SimFleet, SimMachine
from zfsctl.sandbox.mounts import default_mounted
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.reading import Json, check_fields, flag_of, list_of, number_of, table_of, text_of, texts_of, wrong
from zfsctl.sandbox.scans import Scan, Trim
from zfsctl.sandbox.unfinished import hide_written_token

SCHEMA = "zfsctl.sandbox/1"
DEFAULT_POOL_SIZE = 1 << 40

_FLEET = ("schema", "now", "seed", "guids", "hosts")
_HOST = ("version", "reachable", "clock_offset", "denied", "pools")
_POOL = ("guid", "size", "health", "readonly", "hung", "txg", "keys", "properties", "vdevs", "scan", "trim", "datasets")
_SCAN = (
    "function",
    "started",
    "to_examine",
    "paused_at",
    "paused_seconds",
    "canceled_at",
    "errors",
    "repaired",
)
_TRIM = ("started", "size", "suspended_at", "canceled")


def load_fleet(document: object) -> SimFleet:
    """The fleet that a document describes.

    Raises:
        ConfigError: A field is unknown or is not what it should be; `where` is its path.
    """
    table = table_of(document, "the document")
    check_fields(table, "", _FLEET)
    schema = text_of(table.get("schema"), "schema", SCHEMA)
    if schema != SCHEMA:
        raise ConfigError(f"schema is {schema!r}", why=f"this program reads {SCHEMA}", where="schema")
    fleet = SimFleet(
        now=_instant(table.get("now"), "now"),
        seed=number_of(table.get("seed"), "seed", 1),
        guids=number_of(table.get("guids"), "guids", 0, least=0),
    )
    for name, entry in table_of(table.get("hosts"), "hosts").items():
        fleet.hosts[name] = _host(name, table_of(entry, f"hosts.{name}"), f"hosts.{name}", fleet)
    return fleet


def _instant(value: object, path: str) -> int:
    if value is None:
        raise ConfigError(f"{path} is missing", why="it is the clock for everything", where=path)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = text_of(value, path)
    if text.isdigit():
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(path, "an instant such as 2026-11-20T12:00:00Z", value) from None
    if instant.tzinfo is None:
        raise ConfigError(f"{path} has no time zone", why=f"it is {text!r}", hint=f"{text}Z", where=path)
    return int(instant.timestamp())


def _host(name: str, table: Json, path: str, fleet: SimFleet) -> SimMachine:
    check_fields(table, path, _HOST)
    machine = SimMachine(
        name,
        version=text_of(table.get("version"), f"{path}.version", DEFAULT_VERSION),
        reachable=flag_of(table.get("reachable"), f"{path}.reachable", True),
        clock_offset=number_of(table.get("clock_offset"), f"{path}.clock_offset"),
        denied=frozenset(text_of(each, f"{path}.denied") for each in list_of(table.get("denied"), f"{path}.denied")),
    )
    for pool, entry in table_of(table.get("pools"), f"{path}.pools").items():
        machine.pools[pool] = _pool(
            pool, table_of(entry, f"{path}.pools.{pool}"), f"{path}.pools.{pool}", machine, fleet
        )
    return machine


def _pool(name: str, table: Json, path: str, machine: SimMachine, fleet: SimFleet) -> SimPool:
    check_fields(table, path, _POOL)
    where = f"{machine.name}:{name}"
    now = fleet.now + machine.clock_offset
    pool = SimPool(
        name,
        guid=number_of(table.get("guid"), f"{path}.guid", guid_for(fleet, f"pool {where}"), least=1),
        size=number_of(table.get("size"), f"{path}.size", DEFAULT_POOL_SIZE, least=1),
        health=text_of(table.get("health"), f"{path}.health", "ONLINE"),
        readonly=flag_of(table.get("readonly"), f"{path}.readonly", False),
        hung=flag_of(table.get("hung"), f"{path}.hung", False),
        properties=texts_of(table.get("properties"), f"{path}.properties"),
        vdevs=tuple(text_of(each, f"{path}.vdevs") for each in list_of(table.get("vdevs"), f"{path}.vdevs")),
        keys=number_of(table.get("keys"), f"{path}.keys", 0, least=0),
    )
    if table.get("scan") is not None:
        pool.scan = _scan(table_of(table["scan"], f"{path}.scan"), f"{path}.scan", now)
    if table.get("trim") is not None:
        pool.trim = _trim(table_of(table["trim"], f"{path}.trim"), f"{path}.trim", now)
    entries = dict(table_of(table.get("datasets"), f"{path}.datasets"))
    for full in list(entries):
        _add_ancestors(full, name, entries, f"{path}.datasets.{full}")
    entries.setdefault(name, None)
    origins: list[tuple[SimDataset, str, str]] = []
    stated: dict[str, Stated] = {}
    for full in sorted(entries):
        where_dataset = f"{path}.datasets.{full}"
        dataset, origin, stated[full] = load_dataset(
            full,
            table_of(entries[full], where_dataset),
            where_dataset,
            pool,
            now,
            lambda text: guid_for(fleet, f"{machine.name}:{text}"),
        )
        pool.datasets[full] = dataset
        if origin:
            origins.append((dataset, origin, f"{where_dataset}.origin"))
    link_origins(pool, origins)
    for full, dataset in pool.datasets.items():
        load_extents(dataset, table_of(entries[full], full), f"{path}.datasets.{full}", pool, stated[full])
    for dataset in list(pool.datasets.values()):
        hide_written_token(pool, dataset, guid_for(fleet, f"{where}/{dataset.name} hidden"))
    newest = max(
        *(snapshot.createtxg for _, snapshot in pool.snapshots()),
        *(dataset.createtxg for dataset in pool.datasets.values()),
        *(extent.birth for dataset in pool.datasets.values() for extent in dataset.extents),
        0,
    )
    pool.txg = max(number_of(table.get("txg"), f"{path}.txg", newest + 1, least=0), newest)
    for full, dataset in pool.datasets.items():
        table_entry = table_of(entries.get(full), full)
        dataset.mounted = flag_of(
            table_entry.get("mounted"), f"{path}.datasets.{full}.mounted", default_mounted(pool, dataset)
        )
    return pool


def _add_ancestors(full: str, pool: str, entries: dict[str, object], path: str) -> None:
    if full != pool and not full.startswith(f"{pool}/"):
        raise ConfigError(f"{path} does not lie in the pool {pool}", where=path)
    parent = full.rpartition("/")[0]
    while parent and parent not in entries:
        entries[parent] = None
        parent = parent.rpartition("/")[0]


def _scan(table: Json, path: str, now: int) -> Scan:
    check_fields(table, path, _SCAN)
    return Scan(
        text_of(table.get("function"), f"{path}.function", "scrub"),
        started=number_of(table.get("started"), f"{path}.started", now),
        to_examine=number_of(table.get("to_examine"), f"{path}.to_examine"),
        paused_at=_optional(table, "paused_at", path),
        paused_seconds=number_of(table.get("paused_seconds"), f"{path}.paused_seconds"),
        canceled_at=_optional(table, "canceled_at", path),
        errors=number_of(table.get("errors"), f"{path}.errors"),
        repaired=number_of(table.get("repaired"), f"{path}.repaired"),
    )


def _trim(table: Json, path: str, now: int) -> Trim:
    check_fields(table, path, _TRIM)
    return Trim(
        number_of(table.get("started"), f"{path}.started", now),
        number_of(table.get("size"), f"{path}.size"),
        suspended_at=_optional(table, "suspended_at", path),
        canceled=flag_of(table.get("canceled"), f"{path}.canceled", False),
    )


def _optional(table: Json, key: str, path: str) -> int | None:
    return None if table.get(key) is None else number_of(table[key], f"{path}.{key}")


def guid_for(fleet: SimFleet, what: str) -> int:
    """The guid of something that a hand-written document gives none: the same at every load."""
    from hashlib import blake2b

    digest = blake2b(f"{fleet.seed} {what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
