"""Properties of datasets, snapshots and volumes as `zfs get` prints them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command
from zfsctl.zfs.text import rows, unreadable

LONGEST_VALUE_BYTES = 8191
"""ZAP_MAXVALUELEN, less the NUL."""

_USER_PROPERTY = re.compile(r"[a-z0-9:._][a-z0-9:._-]*")
_WHAT = "the list of properties"


def check_user_property(name: str, value: str = "") -> str:
    """Return `name` if OpenZFS takes it, with `value`, for a user property; else ValueError (zfsprops(7)).

    A value with a TAB or a newline is refused too: OpenZFS would take it, but no listing could be read again.
    """
    if ":" not in name or not _USER_PROPERTY.fullmatch(name) or len(name) > 255:
        raise ValueError(f"{name!r} is no name of a user property")
    if len(value.encode("utf-8", "surrogateescape")) > LONGEST_VALUE_BYTES:
        raise ValueError(f"the value of {name} is longer than the {LONGEST_VALUE_BYTES} bytes that OpenZFS allows")
    if any(character in value for character in "\t\n\r\0"):
        raise ValueError(f"the value of {name} holds a TAB, a newline or a NUL")
    return name


@dataclass(frozen=True, slots=True)
class Property:
    """One property of one dataset or snapshot."""

    name: str
    """Of the dataset or snapshot."""
    property: str
    value: str
    source: str
    """local, default, received, temporary, `inherited from DATASET`, or - for none."""


def argv_get_properties(properties: Sequence[str], operands: Sequence[str], *, sources: Sequence[str] = ()) -> Command:
    """Ask for `properties` of `operands`, raw values; with `sources` only those that are set so.

    Raises:
        ValueError: No property or no operand.
    """
    if not properties or not operands:
        raise ValueError("a question about properties needs properties and datasets")
    only = ("-s", ",".join(sources)) if sources else ()
    return Command(("zfs", "get", "-Hp", *only, "-o", "name,property,value,source", ",".join(properties), *operands))


def parse_properties(stdout: str) -> tuple[Property, ...]:
    """Every line in its order.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a property of one name comes twice.
    """
    found: dict[tuple[str, str], Property] = {}
    for line, (name, prop, value, source) in rows(_WHAT, stdout, 4):
        if not name or not prop or not source:
            raise unreadable(_WHAT, line, "an empty column")
        if (name, prop) in found:
            raise unreadable(_WHAT, line, "a property that came before")
        found[name, prop] = Property(name, prop, value, source)
    return tuple(found.values())
