"""User holds: tags that keep a snapshot from being destroyed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command, Condition
from zfsctl.zfs.text import rows, unreadable

_WHAT = "the list of holds"
_LONGEST_TAG = 255


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold of one snapshot."""

    snapshot: str
    """Full name."""
    tag: str


def argv_hold(tag: str, snapshots: Sequence[str]) -> Command:
    """Put the hold `tag` on each of `snapshots` (full names), one by one: an early failure stops no later one.

    Raises:
        ValueError: No snapshot, or a tag that OpenZFS refuses.
    """
    return Command(("zfs", "hold", _checked(tag), *_some(snapshots)))


def argv_release(tag: str, snapshots: Sequence[str]) -> Command:
    """Take the hold `tag` from each of `snapshots` (full names), one by one.

    Raises:
        ValueError: No snapshot, or a tag that OpenZFS refuses.
    """
    return Command(("zfs", "release", _checked(tag), *_some(snapshots)))


def argv_hold_tree(tag: str, snapshot: str, datasets: Collection[str]) -> Command:
    """Put the hold `tag` on `snapshot` (full name) and on all of its short name below, in one transaction group.

    Not run where anything but `datasets` lies at and below its dataset. All or none: a single one that has the hold
    already is refused with all others, and those that do not exist are passed over (dsl_dataset_user_hold_check).

    Raises:
        ValueError: No snapshot, or a tag that OpenZFS refuses.
    """
    return Command(("zfs", "hold", "-r", _checked(tag), *_some([snapshot])), only_if=_just(snapshot, datasets))


def argv_release_tree(tag: str, snapshot: str, datasets: Collection[str]) -> Command:
    """Take the hold `tag` from `snapshot` (full name) and from all of its short name below, in one transaction group.

    Not run where anything but `datasets` lies at and below its dataset.

    Raises:
        ValueError: No snapshot, or a tag that OpenZFS refuses.
    """
    return Command(("zfs", "release", "-r", _checked(tag), *_some([snapshot])), only_if=_just(snapshot, datasets))


def argv_list_holds(snapshots: Sequence[str]) -> Command:
    """List the holds of `snapshots` (full names). One without any prints nothing.

    The third column, a local time, is not read: `-p` exists since 2.2 only.

    Raises:
        ValueError: No snapshot.
    """
    return Command(("zfs", "holds", "-H", *_some(snapshots)))


def parse_holds(stdout: str) -> tuple[Hold, ...]:
    """Every hold in listing order. Tags may hold blanks, but one with a TAB makes the list unreadable.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: list[Hold] = []
    for line, (snapshot, tag, _) in rows(_WHAT, stdout, 3):
        if "@" not in snapshot or not tag:
            raise unreadable(_WHAT, line, "no hold of a snapshot")
        found.append(Hold(snapshot, tag))
    return tuple(found)


def parse_held(stdout: str, tag: str) -> frozenset[str]:
    """The snapshots (full names) that a list of holds tells to be held by `tag`, which holds neither TAB nor newline.

    A line that cannot be read is about somebody else's tag, and says nothing about this one.
    """
    lines = (line.split("\t") for line in stdout.splitlines())
    return frozenset(columns[0] for columns in lines if len(columns) == 3 and columns[1] == tag)


def _just(snapshot: str, datasets: Collection[str]) -> Condition:
    """`zfs list` sorts by name, byte for byte."""
    listing = ("zfs", "list", "-H", "-r", "-t", "filesystem,volume", "-o", "name", snapshot.partition("@")[0])
    return Condition(listing, "\n".join(sorted(datasets)))


def _checked(tag: str) -> str:
    if not tag or tag[0] in ".-" or len(tag.encode()) > _LONGEST_TAG or any(c in tag for c in "\t\n\0"):
        raise ValueError(f"{tag!r} is no tag for a hold")
    return tag


def _some(snapshots: Sequence[str]) -> Sequence[str]:
    if not snapshots or not all("@" in snapshot for snapshot in snapshots):
        raise ValueError("a hold needs at least one snapshot")
    return snapshots
