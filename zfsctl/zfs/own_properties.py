"""What was set on the snapshots themselves: zfsctl:policy, zfsctl:reason and zfsctl:expires.

A snapshot inherits the user properties of its dataset, so only `zfs get` with its source column can tell.

The value of a user property is any text, newlines included, and nothing in the output is quoted. A user who may
set properties on one snapshot could therefore write lines that speak of another, and let a snapshot expire that
was to be kept for ever. So the guid of every snapshot is asked for as well: it comes first among the lines of its
snapshot, once, and has no source. A line of a snapshot that does not stand below its own guid makes the whole
output unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from zfsctl.model.command import Command
from zfsctl.model.names import EXPIRES_PROPERTY, POLICY_PROPERTY, REASON_PROPERTY
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.text import columns_of, text_lines, unreadable, whole_number

_GUID = "guid"
_WHAT = "the properties of the snapshots"
_SET = ("local", "received")
_PROPERTIES = (POLICY_PROPERTY, REASON_PROPERTY, EXPIRES_PROPERTY)
_MOST_REMEMBERED = 100_000
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
    return _asking(*(("-r",) if scope.recursive else ("-d", "1")), operands=scope.operands)


def argv_own_properties_of(snapshots: Sequence[str]) -> Command:
    """Ask what was set on `snapshots` (full names), with their guids.

    Raises:
        ValueError: No snapshot, or something that is none.
    """
    if not snapshots or not all("@" in name for name in snapshots):
        raise ValueError("a question about snapshots needs at least one")
    return _asking(operands=snapshots)


def _asking(*depth: str, operands: Sequence[str]) -> Command:
    return Command(
        (
            *("zfs", "get", *depth, "-Hp", "-t", "snapshot"),
            *("-s", "local,received,none", "-o", "name,property,value,source"),
            *(",".join((_GUID, *_PROPERTIES)), *operands),
        )
    )


def parse_own_properties(lines: Iterable[str]) -> dict[str, dict[str, OwnProperties]]:
    """By dataset and by the part after the @: what was set on that snapshot. One without any has no entry.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or stands where it does not belong.
    """
    reader = _Reader()
    start, cut, said = "\n", 0, reader.said  # no line begins with a newline
    own = ""
    for line in lines:
        if not line.startswith(start):
            if own:
                reader.put_away(own)
                own = ""
            start = reader.begin_snapshot(line)
            cut = len(start)
            continue
        tail = line[cut:]
        if tail not in said:
            reader.learn(line, tail)
        if said[tail]:
            own += tail + "\n"
    if own:
        reader.put_away(own)
    return reader.found


class _Reader:
    """What is known of the snapshot whose lines are being read, and what was learnt from earlier ones.

    A million snapshots say much the same: each thing said is looked at once, and shared.
    """

    def __init__(self) -> None:
        self.found: dict[str, dict[str, OwnProperties]] = {}
        self.said: dict[str, bool] = {}
        """Property, value and source, as read, and whether it is one that was set."""
        self._own: dict[str, OwnProperties] = {}
        self._here: dict[str, OwnProperties] = {}
        self._names: dict[str, str] = {}
        self._seen: set[str] = set()
        self._dataset = ""
        self._short = ""
        self._guid = ""

    def begin_snapshot(self, line: str) -> str:
        """Read the guid of a snapshot, which must come first; what its other lines begin with."""
        name, prop, guid, source = columns_of(_WHAT, line, 4)
        dataset, at, short = name.partition("@")
        if prop != _GUID or source != "-" or not (dataset and at and short):
            raise unreadable(_WHAT, line, "something other than a snapshot with its guid")
        whole_number(_WHAT, line, guid)
        if dataset != self._dataset:
            if dataset in self.found:
                raise unreadable(_WHAT, line, "a dataset that came before")
            self._here = self.found[dataset] = {}
            self._dataset = dataset
            self._seen = set()
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
        if short in self._seen:
            raise unreadable(_WHAT, line, "a snapshot that came before")
        self._short = self._names.setdefault(short, short)
        self._seen.add(self._short)
        self._guid = guid
        return f"{name}\t"

    def learn(self, line: str, tail: str) -> None:
        """Look at a property, its value and source for the first time."""
        prop, value, source = columns_of(_WHAT, tail, 3)
        if prop not in _PROPERTIES:
            raise unreadable(_WHAT, line, f"{prop!r}, which does not belong there,")
        if source not in _SET and (value, source) != ("-", "-"):
            raise unreadable(_WHAT, line, f"{source!r}, which is no source that was asked for,")
        if len(self.said) >= _MOST_REMEMBERED:
            self.said.clear()
        self.said[tail] = source in _SET

    def put_away(self, own: str) -> None:
        """Keep what was said of the present snapshot: the lines of the properties set on it, without its name."""
        known = self._own.get(own) or self._understand(own)
        self._here[self._short] = known if known.expires is None else replace(known, guid=self._guid)

    def _understand(self, own: str) -> OwnProperties:
        values: dict[str, str] = {}
        for tail in text_lines(own):
            prop, value, _ = columns_of(_WHAT, tail, 3)
            if prop in values:
                raise unreadable(_WHAT, f"{self._dataset}@{self._short}\t{tail}", "a property that came before")
            values[prop] = value
        known = OwnProperties(
            values.get(POLICY_PROPERTY), values.get(REASON_PROPERTY), _epoch(values.get(EXPIRES_PROPERTY, ""))
        )
        if len(self._own) >= _MOST_REMEMBERED:
            self._own.clear()
        self._own[own] = known
        return known


def _epoch(text: str) -> int | None:
    """The time that `text` says, epoch seconds; None when it says none."""
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    epoch = int(text)
    return epoch if epoch <= _LATEST else None
