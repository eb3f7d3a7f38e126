"""What was set on the snapshots themselves: zfsctl:policy, zfsctl:reason and zfsctl:expires.

A snapshot inherits the user properties of its dataset, so only `zfs get` with its source column can tell.

The value of a user property is any text, newlines included, and nothing in the output is quoted. A user who may
set properties on one snapshot could therefore write lines that speak of another, and let a snapshot expire that
was to be kept for ever. So the guid of every snapshot is asked for as well: it comes first among the lines of its
snapshot, once, and has no source. A line of a snapshot that does not stand below its own guid makes the whole
output unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zfsctl.model.command import Command
from zfsctl.model.names import EXPIRES_PROPERTY, POLICY_PROPERTY, REASON_PROPERTY
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.text import columns_of, unreadable, whole_number

_GUID = "guid"
_WHAT = "the properties of the snapshots"
_SET = ("local", "received")
_UNSET = "\t-\t-"
_LATEST = 253_402_300_799
"""The end of the year 9999; a later time is no time that zfsctl wrote."""


@dataclass(frozen=True, slots=True)
class OwnProperties:
    """The properties of ours that were set on one snapshot itself."""

    policy: str | None = None
    reason: str | None = None
    expires: int | None = None
    """Epoch seconds. None when not set, and when the value is no time: such a snapshot never expires."""
    guid: str | None = None
    """The snapshot's guid where `expires` is set, so that the time is never taken for that of a namesake."""


NOTHING_OWN = OwnProperties()


def argv_own_properties(scope: Scope) -> Command:
    """Ask what was set on the snapshots of `scope` themselves, with their guids (see above).

    Raises:
        ValueError: No operand.
    """
    if not scope.operands:
        raise ValueError("a question about snapshots needs at least one dataset")
    depth = ("-r",) if scope.recursive else ("-d", "1")
    asked = ",".join((_GUID, POLICY_PROPERTY, REASON_PROPERTY, EXPIRES_PROPERTY))
    return Command(
        (
            *("zfs", "get", *depth, "-Hp", "-t", "snapshot"),
            *("-s", "local,received,none", "-o", "name,property,value,source"),
            *(asked, *scope.operands),
        )
    )


def parse_own_properties(lines: Iterable[str]) -> dict[str, dict[str, OwnProperties]]:
    """By dataset and by the part after the @: what was set on that snapshot. One without any has no entry.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or stands where it does not belong.
    """
    found: dict[str, dict[str, OwnProperties]] = {}
    reader = _Reader(found)
    for line in lines:
        # Most lines say only that something is not set on the snapshot they belong to.
        if line.endswith(_UNSET) and line.startswith(reader.unset_start):
            continue
        reader.read(line)
    reader.end_snapshot()
    return found


class _Reader:
    """Collects the lines of one snapshot after another."""

    def __init__(self, found: dict[str, dict[str, OwnProperties]]) -> None:
        self.unset_start = "\n"
        """What a line about the present snapshot begins with; at first something that no line does."""
        self._found = found
        self._seen: set[str] = set()
        self._name = ""
        self._guid = ""
        self._values: dict[str, str] = {}
        self._shared: dict[OwnProperties, OwnProperties] = {}
        self._names: dict[str, str] = {}
        self._dataset = ""

    def read(self, line: str) -> None:
        name, prop, value, source = columns_of(_WHAT, line, 4)
        if prop == _GUID:
            self._begin_snapshot(line, name, value, source)
        elif name != self._name:
            raise unreadable(_WHAT, line, "a property that does not follow the guid of its snapshot")
        elif prop not in (POLICY_PROPERTY, REASON_PROPERTY, EXPIRES_PROPERTY):
            raise unreadable(_WHAT, line, f"{prop!r}, which was not asked for,")
        elif prop in self._values:
            raise unreadable(_WHAT, line, "a property that came before")
        elif source in _SET:
            self._values[prop] = value
        elif (value, source) != ("-", "-"):
            raise unreadable(_WHAT, line, f"{source!r} is no source that was asked for")

    def _begin_snapshot(self, line: str, name: str, guid: str, source: str) -> None:
        self.end_snapshot()
        dataset, at, short = name.partition("@")
        if not (dataset and at and short) or source != "-":
            raise unreadable(_WHAT, line, "no snapshot with its guid")
        whole_number(_WHAT, line, guid)
        if dataset != self._dataset:
            if dataset in self._found:
                raise unreadable(_WHAT, line, "a dataset that came before")
            self._found[dataset] = {}
            self._dataset = dataset
            self._seen.clear()
        if short in self._seen:
            raise unreadable(_WHAT, line, "a snapshot that came before")
        self._seen.add(short)
        self._name, self._guid = name, guid
        self.unset_start = f"{name}\tzfsctl:"

    def end_snapshot(self) -> None:
        """Put away what was read of the present snapshot, if anything was set on it."""
        if not self._values:
            return
        expires = _epoch(self._values.get(EXPIRES_PROPERTY, ""))
        own = OwnProperties(
            self._values.get(POLICY_PROPERTY),
            self._values.get(REASON_PROPERTY),
            expires,
            self._guid if expires is not None else None,
        )
        dataset, _, short = self._name.partition("@")
        self._found[dataset][self._names.setdefault(short, short)] = self._shared.setdefault(own, own)
        self._values = {}


def _epoch(text: str) -> int | None:
    """The time that `text` says, epoch seconds; None when it says none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    epoch = int(text)
    return epoch if epoch <= _LATEST else None
