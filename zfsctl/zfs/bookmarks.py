"""Bookmarks: the places of snapshots in history, which stay when the snapshots go."""

from __future__ import annotations

from zfsctl.model.command import Command
from zfsctl.model.dataset import Bookmark
from zfsctl.model.names import check_dataset_name, check_snapshot_part
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.text import rows, unreadable, whole_number

BOOKMARK_COLUMNS = ("name", "guid", "createtxg", "creation")

_WHAT = "the list of bookmarks"


def argv_bookmark(dataset: str, snapshot: str, bookmark: str) -> Command:
    """Bookmark `snapshot` of `dataset` as `bookmark` (both the part after the delimiter).

    Made again it fails with EXISTS, so compare guids first.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_dataset_name(dataset)
    check_snapshot_part(snapshot, dataset=dataset)
    check_snapshot_part(bookmark, dataset=dataset)
    return Command(("zfs", "bookmark", f"{dataset}@{snapshot}", f"{dataset}#{bookmark}"))


def argv_destroy_bookmark(dataset: str, bookmark: str) -> Command:
    """Destroy one bookmark of `dataset`.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_dataset_name(dataset)
    check_snapshot_part(bookmark, dataset=dataset)
    return Command(("zfs", "destroy", f"{dataset}#{bookmark}"))


def argv_list_bookmarks(scope: Scope) -> Command:
    """List the bookmarks of `scope`.

    Raises:
        ValueError: No operand.
    """
    if not scope.operands:
        raise ValueError("a list of bookmarks needs at least one dataset")
    depth = ("-r",) if scope.recursive else ("-d", "1")
    columns = ",".join(BOOKMARK_COLUMNS)
    return Command(("zfs", "list", *depth, "-Hp", "-t", "bookmark", "-o", columns, *scope.operands))


def parse_bookmarks(stdout: str) -> dict[str, tuple[Bookmark, ...]]:
    """The bookmarks of each dataset, oldest first (createtxg). A dataset without any has no entry.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, dict[str, Bookmark]] = {}
    for line, (full, *numbers) in rows(_WHAT, stdout, len(BOOKMARK_COLUMNS)):
        dataset, mark, name = full.partition("#")
        if not (dataset and mark and name):
            raise unreadable(_WHAT, line, f"{full!r} is no name of a bookmark")
        here = found.setdefault(dataset, {})
        if name in here:
            raise unreadable(_WHAT, line, "a name that came before")
        guid, createtxg, creation = (whole_number(_WHAT, line, number) for number in numbers)
        here[name] = Bookmark(dataset, name, guid, createtxg, creation)
    return {
        dataset: tuple(sorted(here.values(), key=lambda bookmark: bookmark.createtxg))
        for dataset, here in found.items()
    }
