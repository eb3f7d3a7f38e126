"""Which rows `zfs list` and `zfs get` are about, and in which order (zfs_for_each in zfs_iter.c)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from zfsctl.sandbox.calls import HEADS, Call, Found, Kinds
from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.mounts import mountpoint_of
from zfsctl.sandbox.natives import NATIVES
from zfsctl.sandbox.options import Options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.values import NOT_APPLICABLE, Values

TYPES = {
    "filesystem": Kinds.FILESYSTEM,
    "fs": Kinds.FILESYSTEM,
    "volume": Kinds.VOLUME,
    "vol": Kinds.VOLUME,
    "snapshot": Kinds.SNAPSHOT,
    "snap": Kinds.SNAPSHOT,
    "bookmark": Kinds.BOOKMARK,
    "all": HEADS | Kinds.SNAPSHOT | Kinds.BOOKMARK,
}


class Row(NamedTuple):
    """One line of a listing: a dataset, or one of its snapshots or bookmarks."""

    pool: SimPool
    dataset: SimDataset
    snapshot: SimSnapshot | None
    place: int
    """The snapshot's place among those of its dataset, oldest first."""
    bookmark: SimBookmark | None

    @property
    def found(self) -> Found:
        """The same as what a name stands for."""
        return Found(self.pool, self.dataset, self.snapshot, self.bookmark)

    @property
    def kind(self) -> Kinds:
        """Which of the four it is."""
        return self.found.kind

    @property
    def name(self) -> str:
        """Its full name."""
        return self.found.name


def types_of(call: Call, text: str) -> Kinds:
    """The kinds that `-t` names; a wrong word ends the command with exit code 2."""
    kinds = Kinds(0)
    for word in text.split(","):
        if word not in TYPES:
            call.usage(f"invalid type '{word}'")
        kinds |= TYPES[word]
    return kinds


def depth_of(call: Call, options: Options) -> int | None:
    """How deep `-d` (or `-r`, without an end) lets a listing go; 0 for the operands alone, None for no end."""
    text = options.last("d")
    if text is None:
        return None if "r" in options else 0
    digits = text.removeprefix("-")
    if text and not digits.isdigit():
        call.usage(f"{text} is not an integer")
    if text.startswith("-"):
        call.usage("Depth can not be negative.")
    return int(text or 0)


def select(
    call: Call, operands: Sequence[str], kinds: Kinds, inside: Kinds, depth: int | None, *, recursive: bool
) -> tuple[list[Row], int]:
    """The rows for some operands (everything if there are none), each once, in no order, and the exit code so far.

    Args:
        kinds: What may be shown of the operands themselves.
        inside: What is shown of what lies below them.
        recursive: Whether `-r` or `-d` was given or is implied.
    """
    rows: dict[tuple[int, int], Row] = {}
    if not operands:
        for pool in call.machine.pools.values():
            if pool.readable:
                _add(rows, pool, pool.root, kinds, inside, depth if recursive and depth else None)
        return list(rows.values()), 0
    wanted = kinds
    if recursive:
        wanted |= Kinds.FILESYSTEM
        if kinds & (Kinds.SNAPSHOT | Kinds.BOOKMARK):
            wanted |= Kinds.VOLUME
    code = 0
    for operand in operands:
        found = _open_path(call, operand) if operand.startswith(("/", "./")) else call.open(operand, wanted)
        if found is None:
            code = 1
        elif found.snapshot:
            index = list(found.dataset.snapshots).index(found.snapshot.name)
            rows[id(found.dataset), id(found.snapshot)] = Row(found.pool, found.dataset, found.snapshot, index, None)
        elif found.bookmark:
            rows[id(found.dataset), id(found.bookmark)] = Row(found.pool, found.dataset, None, 0, found.bookmark)
        else:
            _add(rows, found.pool, found.dataset, kinds, inside, depth)
    return list(rows.values()), code


def _open_path(call: Call, path: str) -> Found | None:
    """The filesystem that is mounted at a path; None after a complaint. Nothing else has paths here."""
    for pool in call.machine.pools.values():
        for dataset in pool.tree(pool.name):
            if dataset.mounted and mountpoint_of(pool, dataset) == path:
                return Found(pool, dataset)
    call.complain(f"cannot open '{path}': No such file or directory")
    return None


def _add(
    rows: dict[tuple[int, int], Row],
    pool: SimPool,
    top: SimDataset,
    kinds: Kinds,
    inside: Kinds,
    depth: int | None,
) -> None:
    level = top.name.count("/")
    for dataset in [top] if depth == 0 else pool.tree(top.name):
        below = dataset.name.count("/") - level
        if depth is not None and below > depth:
            continue
        kind = Kinds.FILESYSTEM if dataset.is_filesystem else Kinds.VOLUME
        if kind & (inside if below else kinds):
            rows[id(dataset), 0] = Row(pool, dataset, None, 0, None)
        if depth is not None and below >= depth:
            continue
        if Kinds.SNAPSHOT in inside:
            for index, snapshot in enumerate(dataset.snapshots.values()):
                rows[id(dataset), id(snapshot)] = Row(pool, dataset, snapshot, index, None)
        if Kinds.BOOKMARK in inside:
            for bookmark in dataset.bookmarks.values():
                rows[id(dataset), id(bookmark)] = Row(pool, dataset, None, 0, bookmark)


def default_order(row: Row) -> tuple[str, bool, int]:
    """By name, snapshots under their dataset by createtxg (zfs_compare)."""
    if row.snapshot:
        return row.dataset.name, True, row.snapshot.createtxg
    if row.bookmark:
        return f"{row.dataset.name}#{row.bookmark.name}", False, 0
    return row.dataset.name, False, 0


def in_order(values: Values, rows: Iterable[Row], columns: Sequence[tuple[str, bool]]) -> list[Row]:
    """The rows sorted by some properties, each with whether it is reversed; rows that lack one come last."""
    ordered = sorted(rows, key=default_order)
    for name, reverse in reversed(columns):
        valid: list[tuple[tuple[int, str], Row]] = []
        lacking: list[Row] = []
        for row in ordered:
            key = _sort_key(values, row, name)
            if key is None:
                lacking.append(row)
            else:
                valid.append((key, row))
        valid.sort(key=lambda pair: pair[0], reverse=reverse)
        ordered = [row for _, row in valid] + lacking
    return ordered


def _sort_key(values: Values, row: Row, name: str) -> tuple[int, str] | None:
    if name == "name":
        return 0, row.name
    if row.snapshot and name in ("creation", "createtxg"):
        return (row.snapshot.creation if name == "creation" else row.snapshot.createtxg), ""
    value = values.value(row.found, name)
    native = NATIVES.get(name)
    if value == NOT_APPLICABLE:
        return None
    return (int(value), "") if native and native.number and value.isdigit() else (0, value)
