"""zfs get."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zfsctl.sandbox.calls import ANYTHING, Call, Found, Kinds
from zfsctl.sandbox.datasets import SimSnapshot
from zfsctl.sandbox.inheritance import Setting, user_properties
from zfsctl.sandbox.listing import columns_of
from zfsctl.sandbox.natives import HIDDEN, NATIVES
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.selecting import Row, depth_of, in_order, select, types_of
from zfsctl.sandbox.values import NOT_APPLICABLE, Values

SYNOPSIS = (
    'get [-rHp] [-d max] [-o "all" | field[,...]]\n'
    "\t    [-t type[,...]] [-s source[,...]]\n"
    '\t    <"all" | property[,...]> [filesystem|volume|snapshot|bookmark] ...'
)
Reader = Callable[[SimSnapshot, int], Setting]

_FIELDS = ("name", "property", "value", "received", "source")
_SOURCES = ("local", "default", "inherited", "received", "temporary", "none")


def zfs_get(call: Call, arguments: Sequence[str]) -> int:
    """Print properties, one line for each property of each dataset."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "d:o:s:jrt:Hp", complain_missing=True)
    fields = _words(call, options.last("o"), _FIELDS, "column name", ("name", "property", "value", "source"))
    if options.last("o") == "all":
        fields = _FIELDS
    sources = _words(call, options.last("s"), _SOURCES, "source", _SOURCES)
    depth = depth_of(call, options)
    recursive = "r" in options or "d" in options
    types = options.last("t")
    kinds = ANYTHING if types is None else types_of(call, types)
    if not options.operands:
        call.usage("missing property argument")
    wanted, *operands = options.operands
    if kinds in (Kinds.SNAPSHOT, Kinds.BOOKMARK) and operands and not recursive:
        depth, recursive = 1, True
    names = None if wanted == "all" else columns_of(call, wanted)
    rows, code = select(call, operands, kinds, kinds, depth, recursive=recursive)
    values = Values(call, literal="p" in options)
    lines = []
    readers: dict[tuple[int, str], Reader] = {}
    for row in in_order(values, rows, ()):
        full = row.name
        for name, setting in _settings(values, row, names, readers):
            if setting.kind in sources:
                cells = {
                    "name": full,
                    "property": name,
                    "value": setting.value,
                    "received": _received(row.found, name),
                    "source": setting.source,
                }
                lines.append([cells[field] for field in fields])
    if "H" in options:
        call.out += ["\t".join(line) for line in lines]
    elif lines:
        table = [[field.upper() for field in fields], *lines]
        widths = [max(len(line[place]) for line in table) for place in range(len(fields))]
        call.out += [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table
        ]
    return code


def _words(call: Call, text: str | None, known: Sequence[str], what: str, default: Sequence[str]) -> Sequence[str]:
    if text is None:
        return default
    words = text.split(",")
    for word in words:
        if word not in known and not (word == "all" and known is _FIELDS):
            call.usage(f"invalid {what} '{word}'")
    return words


def _settings(
    values: Values, row: Row, names: list[str] | None, readers: dict[tuple[int, str], Reader]
) -> list[tuple[str, Setting]]:
    """The properties of one row; the named ones, or all that it has."""
    found = row.found
    if names is None:
        return _every(values, found)
    if row.snapshot is None:
        return [(name, values.setting(found, name)) for name in names]
    settings = []
    for name in names:
        key = (id(row.dataset), name)
        if key not in readers:
            readers[key] = values.snapshot_setting(row.pool, row.dataset, name)
        settings.append((name, readers[key](row.snapshot, row.place)))
    return settings


def _every(values: Values, found: Found) -> list[tuple[str, Setting]]:
    natives = ((name, values.setting(found, name)) for name in NATIVES if name not in HIDDEN)
    shown = [(name, setting) for name, setting in natives if setting.value != NOT_APPLICABLE]
    if found.bookmark:
        return shown
    names = user_properties(found.pool, found.dataset, found.snapshot)
    return shown + [(name, values.setting(found, name)) for name in names]


def _received(found: Found, name: str) -> str:
    received = found.snapshot.received if found.snapshot else found.dataset.received
    return received.get(name, NOT_APPLICABLE)
