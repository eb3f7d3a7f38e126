"""Datasets of a fleet document, with their snapshots and bookmarks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

from zfsctl.errors import ConfigError
from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.datasets import Origin, SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.extents_load import Stated
from zfsctl.sandbox.naming import NameKind, name_fault
from zfsctl.sandbox.pools import RECV, SimPool
from zfsctl.sandbox.reading import (
    Json,
    check_fields,
    flag_of,
    list_of,
    number_of,
    table_of,
    text_of,
    texts_of,
    wrong,
)

_DATASET = frozenset(
    [
        "type",
        "guid",
        "createtxg",
        "creation",
        "written",
        "referenced",
        "origin",
        "encryption",
        "encryptionroot",
        "keystatus",
        "properties",
        "received",
        "content",
        "snapshots",
        "bookmarks",
        "receive_resume_token",
        "inconsistent",
        "receiving",
        "keyguid",
        "large_blocks",
        "mounted",
        "snapshots_changed",
        "blocks",
    ]
)
_SNAPSHOT = frozenset(
    [
        "name",
        "guid",
        "createtxg",
        "creation",
        "used",
        "written",
        "holds",
        "properties",
        "received",
        "defer_destroy",
        "ivsetguid",
        "volsize",
        "content",
    ]
)
_BOOKMARK = frozenset(("name", "guid", "createtxg", "creation", "ivsetguid"))
_STAMP = re.compile(r"(\d{8}T\d{6})Z$")

GuidFor = Callable[[str], int]


def load_dataset(
    name: str, table: Json, path: str, pool: SimPool, now: int, guid_for: GuidFor
) -> tuple[SimDataset, str, Stated]:
    """One dataset without its origin and its blocks, the name of the snapshot that is its origin (empty for none),
    and what the document says of the sizes of its snapshots.

    Raises:
        ConfigError: A field is unknown or is not what it should be.
    """
    check_fields(table, path, _DATASET)
    fault = name_fault(name, NameKind.DATASET, modifying=not name.endswith(f"/{RECV}"))
    if fault:
        raise ConfigError(f"{path} is no dataset name", why=fault, where=path)
    kind = text_of(table.get("type"), f"{path}.type", "filesystem")
    if kind not in tuple(DatasetKind):
        raise wrong(f"{path}.type", "filesystem or volume", kind)
    encryption = text_of(table.get("encryption"), f"{path}.encryption", _parent_encryption(name, pool))
    dataset = SimDataset(
        name,
        DatasetKind(kind),
        guid=number_of(table.get("guid"), f"{path}.guid", guid_for(name), least=1),
        createtxg=number_of(table.get("createtxg"), f"{path}.createtxg", 1, least=1),
        creation=0,
        properties=texts_of(table.get("properties"), f"{path}.properties"),
        received=texts_of(table.get("received"), f"{path}.received"),
        content=texts_of(table.get("content"), f"{path}.content"),
        encryption=encryption,
        keyguid=number_of(table.get("keyguid"), f"{path}.keyguid", 0, least=0),
        large_blocks=number_of(table.get("large_blocks"), f"{path}.large_blocks", 0, least=0),
        inconsistent=flag_of(table.get("inconsistent"), f"{path}.inconsistent", False),
        receiving=flag_of(table.get("receiving"), f"{path}.receiving", False),
        receive_resume_token=text_of(table.get("receive_resume_token"), f"{path}.receive_resume_token"),
        snapshots_changed=number_of(table.get("snapshots_changed"), f"{path}.snapshots_changed"),
    )
    if dataset.kind is DatasetKind.VOLUME:
        dataset.properties.setdefault("volsize", str(1 << 30))
    if encryption != "off":
        dataset.encryptionroot = text_of(
            table.get("encryptionroot"), f"{path}.encryptionroot", _encryption_root(name, pool)
        )
        dataset.keystatus = text_of(table.get("keystatus"), f"{path}.keystatus", "available")
    stated = _load_snapshots(dataset, table, path, now, guid_for)
    oldest = next(iter(dataset.snapshots.values()), None)
    dataset.creation = number_of(table.get("creation"), f"{path}.creation", oldest.creation if oldest else now)
    _load_bookmarks(dataset, table, path)
    if not dataset.snapshots_changed and dataset.snapshots:
        dataset.snapshots_changed = max(snapshot.creation for snapshot in dataset.snapshots.values())
    return dataset, text_of(table.get("origin"), f"{path}.origin"), stated


def _parent_encryption(name: str, pool: SimPool) -> str:
    parent = pool.datasets.get(name.rpartition("/")[0])
    return parent.encryption if parent else "off"


def _encryption_root(name: str, pool: SimPool) -> str:
    parent = pool.datasets.get(name.rpartition("/")[0])
    return parent.encryptionroot if parent and parent.encryptionroot else name


def _load_snapshots(dataset: SimDataset, table: Json, path: str, now: int, guid_for: GuidFor) -> Stated:
    """Put the snapshots in, and return what the document says of each one's `used` and `written`."""
    stated: Stated = {}
    before = dataset.createtxg
    found: list[SimSnapshot] = []
    names: set[str] = set()
    for index, raw in enumerate(list_of(table.get("snapshots"), f"{path}.snapshots")):
        where = f"{path}.snapshots[{index}]"
        entry = table_of(raw, where)
        if not entry.keys() <= _SNAPSHOT:
            check_fields(entry, where, _SNAPSHOT)
        name = text_of(entry.get("name"), f"{where}.name")
        fault = name_fault(f"{dataset.name}@{name}", NameKind.SNAPSHOT)
        if fault or name in names:
            raise ConfigError(
                f"{where}.name is no snapshot name", why=fault or f"{name!r} stands there twice", where=where
            )
        names.add(name)
        before = number_of(entry.get("createtxg"), f"{where}.createtxg", before + 1, least=1)
        guid = entry.get("guid")
        snapshot = SimSnapshot(
            name,
            guid_for(f"{dataset.name}@{name}") if guid is None else number_of(guid, f"{where}.guid", least=1),
            before,
            number_of(entry.get("creation"), f"{where}.creation", -1),
        )
        if snapshot.creation < 0:
            snapshot.creation = _stamp_of(name, now)
        if entry.get("holds"):
            snapshot.holds = _holds(entry["holds"], f"{where}.holds", snapshot.creation)
        if entry.get("properties"):
            snapshot.properties = texts_of(entry["properties"], f"{where}.properties")
        if entry.get("received"):
            snapshot.received = texts_of(entry["received"], f"{where}.received")
        if entry.get("ivsetguid"):
            snapshot.ivsetguid = number_of(entry["ivsetguid"], f"{where}.ivsetguid", least=1)
        if entry.get("content"):
            snapshot.content = texts_of(entry["content"], f"{where}.content")
        snapshot.defer_destroy = flag_of(entry.get("defer_destroy"), f"{where}.defer_destroy", False)
        snapshot.volsize = text_of(entry.get("volsize"), f"{where}.volsize")
        used, written = entry.get("used"), entry.get("written")
        stated[name] = (
            None if used is None else number_of(used, f"{where}.used", least=0),
            None if written is None else number_of(written, f"{where}.written", least=0),
        )
        found.append(snapshot)
    found.sort(key=lambda snapshot: snapshot.createtxg)
    for older, newer in pairwise(found):
        if older.createtxg == newer.createtxg:
            raise ConfigError(
                f"{path}.snapshots: {older.name} and {newer.name} have the same createtxg",
                why="OpenZFS takes no two snapshots of a dataset in one txg",
                where=f"{path}.snapshots",
            )
    dataset.snapshots = {snapshot.name: snapshot for snapshot in found}
    return stated


def _load_bookmarks(dataset: SimDataset, table: Json, path: str) -> None:
    for index, raw in enumerate(list_of(table.get("bookmarks"), f"{path}.bookmarks")):
        where = f"{path}.bookmarks[{index}]"
        entry = table_of(raw, where)
        check_fields(entry, where, _BOOKMARK)
        name = text_of(entry.get("name"), f"{where}.name")
        fault = name_fault(f"{dataset.name}#{name}", NameKind.BOOKMARK)
        if fault:
            raise ConfigError(f"{where}.name is no bookmark name", why=fault, where=where)
        guid = number_of(entry.get("guid"), f"{where}.guid", 0, least=1)
        of = next((each for each in dataset.snapshots.values() if each.guid == guid), None)
        dataset.bookmarks[name] = SimBookmark(
            name,
            guid,
            number_of(entry.get("createtxg"), f"{where}.createtxg", of.createtxg if of else 1),
            number_of(entry.get("creation"), f"{where}.creation", of.creation if of else dataset.creation),
            number_of(entry.get("ivsetguid"), f"{where}.ivsetguid", 0, least=0),
        )


def _holds(value: object, path: str, creation: int) -> dict[str, int]:
    """Holds are a list of tags, or an object of tags and the epochs at which they were put on."""
    if isinstance(value, list):
        return {text_of(tag, path): creation for tag in value}
    return {tag: number_of(epoch, f"{path}.{tag}") for tag, epoch in table_of(value, path).items()}


def _stamp_of(name: str, now: int) -> int:
    found = _STAMP.search(name)
    if not found:
        return now
    try:
        return int(datetime.strptime(found.group(1), "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return now


def link_origins(pool: SimPool, origins: list[tuple[SimDataset, str, str]]) -> None:
    """Tie clones to what they were made from; each entry is the clone, the origin's name and the field's path."""
    for dataset, origin, path in origins:
        name, _, snapshot = origin.partition("@")
        found = pool.datasets[name].snapshots.get(snapshot) if name in pool.datasets else None
        if found is None or name == dataset.name:
            raise ConfigError(f"{path} names no snapshot of this pool", why=f"it is {origin!r}", where=path)
        dataset.origin = Origin(pool.datasets[name], found)
