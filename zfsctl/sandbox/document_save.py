"""From the state of a fleet to its document: one line a snapshot, so that people can read and edit it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.document_load import SCHEMA
from zfsctl.sandbox.machines import SimFleet, SimMachine
from zfsctl.sandbox.mounts import default_mounted
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.scans import Scan, Trim

Table = dict[str, object]


def fleet_document(fleet: SimFleet) -> Table:
    """The document of a fleet, as JSON values; `load_fleet` gives the same fleet again."""
    return {
        "schema": SCHEMA,
        "now": datetime.fromtimestamp(fleet.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seed": fleet.seed,
        "guids": fleet.guids,
        "hosts": {name: _host(machine) for name, machine in fleet.hosts.items()},
    }


def document_text(document: Table) -> str:
    """A fleet document as text. Objects are indented; snapshots, bookmarks and blocks take a line each."""
    return _text(document, 0) + "\n"


def _text(value: object, depth: int) -> str:
    if isinstance(value, dict) and value and any(isinstance(each, (dict, list)) for each in value.values()):
        pad = " " * (depth + 1)
        inner = ",\n".join(
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {_text(each, depth + 1)}" for key, each in value.items()
        )
        return f"{{\n{inner}\n{' ' * depth}}}"
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        pad = " " * (depth + 1)
        inner = ",\n".join(f"{pad}{json.dumps(each, ensure_ascii=False)}" for each in value)
        return f"[\n{inner}\n{' ' * depth}]"
    return json.dumps(value, ensure_ascii=False)


def _host(machine: SimMachine) -> Table:
    table: Table = {
        "version": machine.version,
        "reachable": machine.reachable,
        "clock_offset": machine.clock_offset,
    }
    if machine.denied:
        table["denied"] = sorted(machine.denied)
    return table | {"pools": {name: _pool(pool) for name, pool in machine.pools.items()}}


def _pool(pool: SimPool) -> Table:
    table: Table = {
        "guid": str(pool.guid),
        "size": pool.size,
        "health": pool.health,
        "readonly": pool.readonly,
        "txg": pool.txg,
        "keys": pool.keys,
    }
    if pool.hung:
        table["hung"] = True
    if pool.properties:
        table["properties"] = dict(pool.properties)
    if pool.vdevs:
        table["vdevs"] = list(pool.vdevs)
    if pool.scan:
        table["scan"] = _scan(pool.scan)
    if pool.trim:
        table["trim"] = _trim(pool.trim)
    table["datasets"] = {name: _dataset(pool, pool.datasets[name]) for name in sorted(pool.datasets)}
    return table


def _dataset(pool: SimPool, dataset: SimDataset) -> Table:
    space = dataset.space()
    table: Table = {
        "type": dataset.kind.value,
        "guid": str(dataset.guid),
        "createtxg": dataset.createtxg,
        "creation": dataset.creation,
        "written": space.head_written,
        "origin": str(dataset.origin) if dataset.origin else None,
        "encryption": dataset.encryption,
    }
    if dataset.encryption != "off":
        table |= {"encryptionroot": dataset.encryptionroot, "keystatus": dataset.keystatus}
    table["properties"] = dict(dataset.properties)
    if dataset.received:
        table["received"] = dict(dataset.received)
    if dataset.content:
        table["content"] = dict(dataset.content)
    if dataset.keyguid:
        table["keyguid"] = str(dataset.keyguid)
    if dataset.large_blocks:
        table["large_blocks"] = dataset.large_blocks
    if dataset.inconsistent:
        table["inconsistent"] = True
    if dataset.receiving:
        table["receiving"] = True
    if dataset.is_filesystem and dataset.mounted != default_mounted(pool, dataset):
        table["mounted"] = dataset.mounted
    if dataset.snapshots_changed:
        table["snapshots_changed"] = dataset.snapshots_changed
    table["snapshots"] = [
        _snapshot(snapshot, used) for snapshot, used in zip(dataset.snapshots.values(), space.used, strict=True)
    ]
    table["bookmarks"] = [_bookmark(bookmark) for bookmark in dataset.bookmarks.values()]
    table["receive_resume_token"] = dataset.receive_resume_token or None
    table["blocks"] = [[extent.birth, extent.death, extent.size, extent.key] for extent in dataset.extents]
    return table


def _snapshot(snapshot: SimSnapshot, used: int) -> Table:
    table: Table = {
        "name": snapshot.name,
        "guid": str(snapshot.guid),
        "createtxg": snapshot.createtxg,
        "creation": snapshot.creation,
        "used": used,
        "holds": dict(snapshot.holds),
    }
    if snapshot.properties:
        table["properties"] = dict(snapshot.properties)
    if snapshot.received:
        table["received"] = dict(snapshot.received)
    if snapshot.defer_destroy:
        table["defer_destroy"] = True
    if snapshot.ivsetguid:
        table["ivsetguid"] = str(snapshot.ivsetguid)
    if snapshot.volsize:
        table["volsize"] = snapshot.volsize
    if snapshot.content:
        table["content"] = dict(snapshot.content)
    return table


def _bookmark(bookmark: SimBookmark) -> Table:
    table: Table = {
        "name": bookmark.name,
        "guid": str(bookmark.guid),
        "createtxg": bookmark.createtxg,
        "creation": bookmark.creation,
    }
    return table | {"ivsetguid": str(bookmark.ivsetguid)} if bookmark.ivsetguid else table


def _scan(scan: Scan) -> Table:
    return {
        "function": scan.function,
        "started": scan.started,
        "to_examine": scan.to_examine,
        "paused_at": scan.paused_at,
        "paused_seconds": scan.paused_seconds,
        "canceled_at": scan.canceled_at,
        "errors": scan.errors,
        "repaired": scan.repaired,
    }


def _trim(trim: Trim) -> Table:
    return {
        "started": trim.started,
        "size": trim.size,
        "suspended_at": trim.suspended_at,
        "canceled": trim.canceled,
    }
