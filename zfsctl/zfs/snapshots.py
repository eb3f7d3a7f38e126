"""Snapshots as `zfs list -t snapshot` prints them, up to a million of them, read as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import cast

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.command import Command
from zfsctl.model.dataset import Snapshot
from zfsctl.zfs.own_properties import NOTHING_OWN, OwnProperties
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.text import columns_of, unreadable, whole_number

SNAPSHOT_COLUMNS = ("name", "guid", "createtxg", "creation", "used", "written", "userrefs", "clones")
"""All of them exist since OpenZFS 2.1, and none can hold a TAB or a newline."""

_WHAT = "the list of snapshots"
_MOST_REMEMBERED = 100_000
_NO_CLONES: tuple[str, ...] = ()
_NONE_OWN: Mapping[str, OwnProperties] = {}

# The constructor of a frozen dataclass takes more than half of the time that a million lines need. Writing the
# slots of a snapshot that nobody else has seen yet takes half of that. A new field makes this line fail at import.
(
    _set_dataset,
    _set_name,
    _set_guid,
    _set_createtxg,
    _set_creation,
    _set_used,
    _set_written,
    _set_userrefs,
    _set_clones,
    _set_policy,
    _set_reason,
    _set_expires,
) = (cast(Callable[[Snapshot, object], None], getattr(Snapshot, field.name).__set__) for field in fields(Snapshot))


def argv_list_snapshots(scope: Scope) -> Command:
    """List the snapshots of `scope`: by dataset, and within a dataset by createtxg (the order of `zfs list`).

    Raises:
        ValueError: No operand; that would list every snapshot of the host.
    """
    if not scope.operands:
        raise ValueError("a list of snapshots needs at least one dataset")
    depth = ("-r",) if scope.recursive else ("-d", "1")
    columns = ",".join(SNAPSHOT_COLUMNS)
    return Command(("zfs", "list", *depth, "-Hp", "-t", "snapshot", "-o", columns, *scope.operands))


def argv_named_snapshots(snapshots: Sequence[str], more: Sequence[str] = ()) -> Command:
    """List `snapshots` (full names), with `more` columns behind those of any list of snapshots.

    Raises:
        ValueError: No snapshot, or something that is none.
    """
    if not snapshots or not all("@" in name for name in snapshots):
        raise ValueError("a list of snapshots by name needs at least one")
    return Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", ",".join((*SNAPSHOT_COLUMNS, *more)), *snapshots))


def parse_snapshots(
    lines: Iterable[str], own: Mapping[str, Mapping[str, OwnProperties]] | None = None
) -> dict[str, tuple[Snapshot, ...]]:
    """The snapshots of each dataset, oldest first (createtxg). A dataset without any has no entry.

    Args:
        lines: Read once, as they arrive.
        own: What `parse_own_properties` returned, to be attached.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, list[Snapshot]] = {}
    read_snapshots(lines, own or {}, found)
    return {dataset: in_order(snapshots) for dataset, snapshots in found.items()}


def read_snapshots(
    lines: Iterable[str], own: Mapping[str, Mapping[str, OwnProperties]], found: dict[str, list[Snapshot]]
) -> None:
    """Add the snapshot of each line to the list of its dataset in `found`, in the order of the lines.

    When it raises, or `lines` does, `found` holds what was readable before that line.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    # Snapshots of one command share txg, time and name, so most of these texts come again and again.
    names: dict[str, str] = {}
    numbers = _Numbers()
    prefix = "@"
    into: list[Snapshot] = []
    own_here = _NONE_OWN
    dataset = ""
    for line in lines:
        columns = line.split("\t")
        if len(columns) != 8 or not line.isascii():
            raise _why_unreadable(line)
        full, guid, createtxg, creation, used, written, userrefs, clones = columns
        if not full.startswith(prefix):
            dataset, at, short = full.partition("@")
            if not (dataset and at):
                raise _why_unreadable(line)
            prefix = f"{dataset}@"
            into = found.setdefault(dataset, [])
            own_here = own.get(dataset, _NONE_OWN)
            names = names if len(names) < _MOST_REMEMBERED else {}
        short = full[len(prefix) :]
        if not (short and guid.isdigit()):
            raise _why_unreadable(line)
        mine = own_here.get(short, NOTHING_OWN)
        if mine.guid is not None and mine.guid != guid:
            mine = NOTHING_OWN
        snapshot = object.__new__(Snapshot)
        try:
            _set_guid(snapshot, int(guid))
            _set_createtxg(snapshot, numbers[createtxg])
            _set_creation(snapshot, numbers[creation])
            _set_used(snapshot, numbers[used])
            _set_written(snapshot, numbers[written])
            _set_userrefs(snapshot, numbers[userrefs])
        except ValueError:
            raise _why_unreadable(line) from None
        _set_dataset(snapshot, dataset)
        _set_name(snapshot, names.setdefault(short, short))
        _set_clones(snapshot, _NO_CLONES if clones in ("-", "") else tuple(clones.split(",")))
        _set_policy(snapshot, mine.policy)
        _set_reason(snapshot, mine.reason)
        _set_expires(snapshot, mine.expires)
        into.append(snapshot)


class _Numbers(dict[str, int]):
    """Numbers by their text, each read once and shared; never grows beyond bounds."""

    def __missing__(self, text: str) -> int:
        if not text.isdigit():
            raise ValueError(text)
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        number = self[text] = int(text)
        return number


def in_order(snapshots: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    """The snapshots of one dataset, oldest first (createtxg).

    Raises:
        UnreadableOutputError: A name comes twice.
    """
    ordered = sorted(snapshots, key=_createtxg)
    if len({snapshot.name for snapshot in ordered}) != len(ordered):
        seen: set[str] = set()
        for snapshot in ordered:
            if snapshot.name in seen:
                raise unreadable(_WHAT, str(snapshot), "a name that came before")
            seen.add(snapshot.name)
    return tuple(ordered)


def _createtxg(snapshot: Snapshot) -> int:
    return snapshot.createtxg


def _why_unreadable(line: str) -> UnreadableOutputError:
    name, *numbers, _ = columns_of(_WHAT, line, len(SNAPSHOT_COLUMNS))
    dataset, at, short = name.partition("@")
    if not (dataset and at and short and line.isascii()):
        return unreadable(_WHAT, line, f"{name!r} is no name of a snapshot")
    for number in numbers:
        whole_number(_WHAT, line, number)
    raise AssertionError(f"readable after all: {line!r}")
