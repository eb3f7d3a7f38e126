"""zfs list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zfsctl.sandbox.calls import DATASETS, HEADS, Call, Kinds
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.natives import NATIVES, column
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.selecting import Row, depth_of, in_order, select, types_of
from zfsctl.sandbox.values import Values

SYNOPSIS = (
    "list [-Hp] [-j [--json-int]] [-r|-d max] [-o property[,...]] [-s property]...\n"
    "\t    [-S property]... [-t type[,...]] [filesystem|volume|snapshot] ..."
)
_DEFAULT = "name,used,available,referenced,mountpoint"
_SPACE = "name,available,used,usedbysnapshots,usedbydataset,usedbyrefreservation,usedbychildren"

Reader = Callable[[SimSnapshot, int], str]


def zfs_list(call: Call, arguments: Sequence[str]) -> int:
    """Print the properties of datasets, one line each."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "HS:d:o:prs:t:")
    wanted = options.last("o")
    names = columns_of(call, _DEFAULT if wanted is None else wanted)
    order: list[tuple[str, bool]] = []
    for letter, argument in options.given:
        if letter in "sS":
            name = column(argument)
            if name is None:
                call.usage(f"invalid property '{argument}'")
            order.append((name, letter == "S"))
    depth = depth_of(call, options)
    recursive = "r" in options or "d" in options
    types = options.last("t")
    kinds, inside = DATASETS, HEADS
    if types is not None:
        kinds = inside = types_of(call, types)
        if kinds in (Kinds.SNAPSHOT, Kinds.BOOKMARK) and options.operands and "r" not in options and not depth:
            depth, recursive = 1, True
    rows, code = select(call, options.operands, kinds, inside, depth, recursive=recursive)
    values = Values(call, literal="p" in options)
    readers: dict[int, list[Reader]] = {}
    lines = [_line(values, names, row, readers) for row in in_order(values, rows, order)]
    if "H" in options:
        call.out += ["\t".join(line) for line in lines]
    elif lines:
        call.out += _table(names, lines)
    elif code == 0:
        call.complain("no datasets available")
    return code


def columns_of(call: Call, text: str) -> list[str]:
    """The full names of a comma list of properties; an unknown one ends the command with exit code 2."""
    if not text:
        call.usage("bad property list: no properties specified")
    names = []
    for word in text.split(","):
        if word == "space":
            names += _SPACE.split(",")
            continue
        name = column(word)
        if name is None:
            call.usage(f"bad property list: invalid property '{word}'")
        names.append(name)
    return names


def _line(values: Values, names: list[str], row: Row, readers: dict[int, list[Reader]]) -> list[str]:
    if row.snapshot:
        return [read(row.snapshot, row.place) for read in _readers(values, names, row, row.dataset, readers)]
    return [values.value(row.found, name) for name in names]


def _readers(
    values: Values, names: list[str], row: Row, dataset: SimDataset, readers: dict[int, list[Reader]]
) -> list[Reader]:
    found = readers.get(id(dataset))
    if found is None:
        found = readers[id(dataset)] = [values.snapshot_column(row.pool, dataset, name) for name in names]
    return found


def _table(names: list[str], lines: list[list[str]]) -> list[str]:
    """The columns padded under their headings, for people."""
    headings = [{"available": "AVAIL", "referenced": "REFER"}.get(name, name.upper()) for name in names]
    widths = [max(len(row[place]) for row in [headings, *lines]) for place in range(len(names))]
    right = [name in NATIVES and NATIVES[name].number for name in names]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [headings, *lines]
    ]
