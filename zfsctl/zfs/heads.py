"""The newest snapshots of datasets, asked for by name, and whether a mark of a repair lies on their datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command
from zfsctl.model.dataset import Snapshot
from zfsctl.model.names import ASIDE_MARK, REPAIR_MARK
from zfsctl.zfs.snapshots import SNAPSHOT_COLUMNS, argv_named_snapshots, parse_snapshots
from zfsctl.zfs.text import columns_of, text_if_applicable, text_lines, unreadable, whole_number

_WHAT = "the newest snapshots"
_MORE = ("ivsetguid", REPAIR_MARK, ASIDE_MARK)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest snapshot of a dataset."""

    snapshot: Snapshot
    ivset: int
    """Its ivsetguid; 0 for one that is not encrypted."""
    marked: bool
    """Whether it inherits a mark that zfsctl sets while it repairs."""


def argv_list_heads(snapshots: Sequence[str]) -> Command:
    """Ask about `snapshots` (full names) alone.

    Raises:
        ValueError: No snapshot, or something that is none.
    """
    return argv_named_snapshots(snapshots, _MORE)


def parse_heads(stdout: str) -> dict[str, Head]:
    """By dataset. The marks are the last columns, so that a newline in one leaves a line that is none.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a dataset comes twice.
    """
    found: dict[str, Head] = {}
    for line in text_lines(stdout):
        *columns, ivset, repair, aside = columns_of(_WHAT, line, len(SNAPSHOT_COLUMNS) + len(_MORE))
        ((dataset, (snapshot,)),) = parse_snapshots(["\t".join(columns)]).items()
        if dataset in found:
            raise unreadable(_WHAT, line, "a dataset that came before")
        marked = text_if_applicable(repair) is not None or text_if_applicable(aside) is not None
        encrypted = text_if_applicable(ivset) is not None
        found[dataset] = Head(snapshot, whole_number(_WHAT, line, ivset) if encrypted else 0, marked)
    return found
