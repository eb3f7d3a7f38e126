"""What a host says of itself: its OpenZFS and its clock."""

from __future__ import annotations

import re

from zfsctl.model.command import Command
from zfsctl.zfs.text import text_lines, unreadable, whole_number

_USERLAND = re.compile(r"zfs-(\d+\.\d+(?:\.\d+)*)\S*", re.ASCII)
_VERSION = re.compile(r"(\d+(?:\.\d+)*)", re.ASCII)


def argv_version() -> Command:
    """Ask for the versions of OpenZFS: userland, then kernel module."""
    return Command(("zfs", "version"))


def parse_version(stdout: str) -> str:
    """The userland version, such as 2.3.9 for `zfs-2.3.9-1`. The kernel module's may differ and is not looked at.

    Raises:
        UnreadableOutputError: The first line names no version.
    """
    lines = text_lines(stdout)
    first = lines[0] if lines else ""
    found = _USERLAND.fullmatch(first)
    if found is None:
        raise unreadable("the version of OpenZFS", first, "no version")
    return found[1]


def format_version(version: str) -> str:
    """`version` as the first line of `zfs version` prints it."""
    return f"zfs-{version}-1"


def version_numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared: (2, 3, 9). Empty when `version` does not begin with a number."""
    found = _VERSION.match(version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def argv_clock() -> Command:
    """Ask for the host's own now."""
    return Command(("date", "+%s"))


def parse_clock(stdout: str) -> int:
    """The host's now, epoch seconds.

    Raises:
        UnreadableOutputError: It is no number.
    """
    lines = text_lines(stdout)
    first = lines[0] if len(lines) == 1 else stdout
    return whole_number("the clock", first, first)
