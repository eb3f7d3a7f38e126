"""What `zfs allow` has granted on one dataset, and how it is granted again on another (zfs-allow(8))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zfsctl.model.command import Command
from zfsctl.model.names import check_dataset_name
from zfsctl.zfs.text import text_lines, unreadable

_WHAT = "the rights granted on datasets"
_HEADING = "---- Permissions on "
"""Then the name, a space, and dashes up to the seventieth column: none after a long name."""
_SCOPES = {
    "Permission sets:": "-s",
    "Create time permissions:": "-c",
    "Local permissions:": "-l",
    "Descendent permissions:": "-d",
    "Local+Descendent permissions:": "",
}
_WHOM = {"user": "-u", "group": "-g"}
_RIGHTS = re.compile(r"[A-Za-z0-9@_:.,-]+")


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of what was granted."""

    scope: str
    """-s a named set, -c at creation, -l here, -d below, empty for both."""
    whom: tuple[str, ...]
    """-u NAME, -g NAME, -e, or the name of a set; nothing for what is granted at creation."""
    rights: str
    """With commas between."""


def argv_list_grants(dataset: str) -> Command:
    """List what was granted on `dataset` and on those above it.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "allow", check_dataset_name(dataset)))


def parse_grants(stdout: str, dataset: str) -> tuple[Grant, ...]:
    """What was granted on `dataset` itself, in the order of the output.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: list[Grant] = []
    here, scope = "", None
    for line in text_lines(stdout):
        if line.startswith(_HEADING):
            here, scope = _without_dashes(line.removeprefix(_HEADING)), None
        elif line in _SCOPES:
            scope = _SCOPES[line]
        elif not line.startswith("\t") or scope is None or not here:
            raise unreadable(_WHAT, line, "no right, and no heading")
        elif here == _without_dashes(dataset):
            found.append(_grant(line, scope))
    return tuple(found)


def _without_dashes(name: str) -> str:
    """A name may end in dashes too; those above it are shorter by a whole component, so this mixes none of them up."""
    return name.rstrip("- ")


def _grant(line: str, scope: str) -> Grant:
    words = line.strip().split(" ")
    if not _RIGHTS.fullmatch(words[-1]):
        raise unreadable(_WHAT, line, "something other than rights")
    if scope == "-c" and len(words) == 1:
        return Grant(scope, (), words[0])
    if scope == "-s" and len(words) == 2 and words[0].startswith("@"):
        return Grant(scope, (words[0],), words[1])
    if scope in ("-l", "-d", "") and len(words) == 2 and words[0] == "everyone":
        return Grant(scope, ("-e",), words[1])
    if scope in ("-l", "-d", "") and len(words) == 3 and words[0] in _WHOM and words[1]:
        return Grant(scope, (_WHOM[words[0]], words[1]), words[2])
    raise unreadable(_WHAT, line, "nobody to whom it is granted")


def argv_grant(grant: Grant, dataset: str) -> Command:
    """Grant it on `dataset`.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    scope = (grant.scope,) if grant.scope else ()
    return Command(("zfs", "allow", *scope, *grant.whom, grant.rights, check_dataset_name(dataset)))
