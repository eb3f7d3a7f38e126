"""Whose past a snapshot or a bookmark lies in, and where a guid is found."""

from __future__ import annotations

from collections.abc import Iterator

from zfsctl.sandbox.calls import Found
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool


def is_in_past(found: Found, dataset: SimDataset) -> bool:
    """Whether a snapshot or a bookmark lies in the dataset's own past, its origins included."""
    return _in_past(found, dataset, None)


def is_ancestor(base: Found, found: Found) -> bool:
    """Whether `base`, a snapshot or a bookmark, is older than the snapshot `found` and of its past."""
    assert found.snapshot is not None
    of = base.snapshot or base.bookmark
    if of is None or (base.dataset is found.dataset and of.createtxg >= found.snapshot.createtxg):
        return False
    return _in_past(base, found.dataset, found.snapshot.createtxg)


def _in_past(found: Found, dataset: SimDataset, upto: int | None) -> bool:
    of = found.snapshot or found.bookmark
    assert of is not None
    each: SimDataset | None = dataset
    while each is not None:
        if each is found.dataset:
            return upto is None or of.createtxg <= upto
        if each.origin is None:
            return False
        upto = each.origin.snapshot.createtxg
        each = each.origin.dataset
    return False


def find_guid(pool: SimPool, near: str, guid: int, *, bookmarks: bool = False) -> Found | None:
    """The snapshot (or bookmark, if allowed) with a guid, looked for in `near` first, then ever further up.

    libzfs looks in the same order (guid_to_name), so that of two copies in one pool the nearer one is found.
    """
    for dataset in _outwards(pool, near):
        for snapshot in dataset.snapshots.values():
            if snapshot.guid == guid:
                return Found(pool, dataset, snapshot=snapshot)
        if bookmarks:
            for bookmark in dataset.bookmarks.values():
                if bookmark.guid == guid:
                    return Found(pool, dataset, bookmark=bookmark)
    return None


def _outwards(pool: SimPool, near: str) -> Iterator[SimDataset]:
    name = near
    while name:
        yield from pool.tree(name)
        name = name.rpartition("/")[0]
