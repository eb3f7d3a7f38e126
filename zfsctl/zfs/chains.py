"""What zfsctl marks the datasets with that it made itself, and the ivset guids by which raw chains are known."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.command import Command
from zfsctl.model.names import MARKS
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.text import rows, text_if_applicable, unreadable, whole_number

_MARKS = "the marks of datasets"
_IVSETS = "the list of ivset guids"


def argv_marks(datasets: Sequence[str]) -> Command:
    """Ask which of `datasets` and of all below carry a mark of ours, set on them and not inherited.

    Raises:
        ValueError: No dataset.
    """
    if not datasets:
        raise ValueError("a question about marks needs a dataset")
    return Command(
        (
            *("zfs", "get", "-r", "-Hp", "-t", "filesystem,volume", "-s", "local", "-o", "name,property,value"),
            *(",".join(MARKS), *datasets),
        )
    )


def parse_marks(stdout: str) -> dict[str, dict[str, str]]:
    """By dataset, its marks and their values. One without any has no entry.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: dict[str, dict[str, str]] = {}
    for line, (name, mark, value) in rows(_MARKS, stdout, 3):
        if not name or mark not in MARKS or mark in found.get(name, {}):
            raise unreadable(_MARKS, line, "no mark, or one that came before")
        found.setdefault(name, {})[mark] = value
    return found


def argv_list_ivsets(scope: Scope) -> Command:
    """Ask for the ivset guids of the snapshots and bookmarks of `scope`.

    Raises:
        ValueError: No operand.
    """
    if not scope.operands:
        raise ValueError("a list of ivset guids needs at least one dataset")
    depth = ("-r",) if scope.recursive else ("-d", "1")
    return Command(("zfs", "list", *depth, "-Hp", "-t", "snapshot,bookmark", "-o", "name,ivsetguid", *scope.operands))


def parse_ivsets(stdout: str) -> dict[str, int]:
    """By full name of a snapshot or bookmark, its ivset guid. One that is not encrypted has no entry.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: dict[str, int] = {}
    for line, (name, value) in rows(_IVSETS, stdout, 2):
        if text_if_applicable(value) is not None and (guid := whole_number(_IVSETS, line, value)):
            found[name] = guid
    return found
