"""Snapshots as `zfs list -t snapshot` prints them, up to a million of them, read as they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    numbers: dict[str, int] = {}
    dataset = ""
    into: list[Snapshot] = []
    own_here = _NONE_OWN
    for line in lines:
        columns = line.split("\t")
        if len(columns) != 8:
            columns_of(_WHAT, line, 8)
        full, guid, createtxg, creation, used, written, userrefs, clones = columns
        above, _, short = full.partition("@")
        if above != dataset:
            dataset = above
            into = found.setdefault(dataset, [])
            own_here = own.get(dataset, _NONE_OWN)
        try:
            txg, taken = numbers[createtxg], numbers[creation]
        except KeyError:
            if len(numbers) > _MOST_REMEMBERED:
                numbers.clear()
            txg = numbers[createtxg] = whole_number(_WHAT, line, createtxg)
            taken = numbers[creation] = whole_number(_WHAT, line, creation)
        digits = guid + used + written + userrefs
        if not (short and dataset and digits.isascii() and digits.isdigit() and guid and used and written and userrefs):
            raise _why_unreadable(line, full, (guid, used, written, userrefs))
        if len(names) > _MOST_REMEMBERED:
            names.clear()
        mine = own_here.get(short, NOTHING_OWN)
        if mine.guid is not None and mine.guid != guid:
            mine = NOTHING_OWN
        into.append(
            Snapshot(
                dataset,
                names.setdefault(short, short),
                int(guid),
                txg,
                taken,
                int(used),
                int(written),
                int(userrefs),
                _NO_CLONES if clones in ("-", "") else tuple(clones.split(",")),
                mine.policy,
                mine.reason,
                mine.expires,
            )
        )


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


def _why_unreadable(line: str, name: str, numbers: tuple[str, ...]) -> UnreadableOutputError:
    dataset, at, short = name.partition("@")
    if not (dataset and at and short):
        return unreadable(_WHAT, line, f"{name!r} is no name of a snapshot")
    for number in numbers:
        whole_number(_WHAT, line, number)
    raise AssertionError(f"readable after all: {line!r}")
