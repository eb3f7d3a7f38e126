"""The blocks of a dataset of a fleet document: as they were stored, and as a person's `used` and `written` ask for."""

from __future__ import annotations

from bisect import bisect_left

from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.extents import DISTANT, EMPTY_BYTES, METADATA_BYTES, Extent
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.reading import Json, list_of, number_of, wrong

Stated = dict[str, tuple[int | None, int | None]]
"""Snapshot name to its `used` and `written` as the document gives them."""


def load_extents(dataset: SimDataset, table: Json, path: str, pool: SimPool, stated: Stated) -> None:
    """Set `dataset.extents` so that the dataset shows the sizes that its document states.

    `blocks` is what this program stored. A `used` or `written` that a person put in beside it wins: the
    difference is added to, or taken from, the blocks that make up that number.
    """
    if table.get("blocks") is None:
        _make(dataset, table, path, pool, stated)
    else:
        dataset.extents = [
            _extent(raw, f"{path}.blocks[{index}]")
            for index, raw in enumerate(list_of(table["blocks"], f"{path}.blocks"))
        ]
        own = (abs(extent.key) for extent in dataset.extents)
        pool.keys = max([pool.keys, *(key for key in own if key < DISTANT)])
        _reconcile(dataset, table, path, pool, stated)
    dataset.drop_unreferenced()


def _extent(raw: object, path: str) -> Extent:
    """An extent is stored as [birth, death or null, size, key]."""
    row = list_of(raw, path)
    if len(row) != 4:
        raise wrong(path, "[birth, death, size, key]", raw)
    birth, death, size, key = row
    if type(birth) is int and type(size) is int and type(key) is int and (death is None or type(death) is int):
        return Extent(birth, death, size, key)
    return Extent(
        number_of(birth, path),
        None if death is None else number_of(death, path),
        number_of(size, path),
        number_of(key, path),
    )


def _make(dataset: SimDataset, table: Json, path: str, pool: SimPool, stated: Stated) -> None:
    dataset.extents = [
        Extent(dataset.createtxg, None, METADATA_BYTES, -pool.next_key()),
        Extent(dataset.createtxg, None, EMPTY_BYTES, pool.next_key()),
    ]
    for snapshot in dataset.snapshots.values():
        used, written = stated[snapshot.name]
        txg = snapshot.createtxg
        if used:
            dataset.extents.append(Extent(txg, txg + 1, used, pool.next_key()))
        if written and written > (used or 0):
            dataset.extents.append(Extent(txg, None, written - (used or 0), pool.next_key()))
    written_now = number_of(table.get("written"), f"{path}.written", 0, least=0)
    newest = dataset.newest()
    if written_now and newest:
        dataset.extents.append(Extent(newest.createtxg + 1, None, written_now, pool.next_key()))
    held = sum(extent.size for extent in dataset.extents if extent.death is None)
    wanted = number_of(table.get("referenced"), f"{path}.referenced", held, least=0)
    if newest is None:
        wanted = max(wanted, written_now)
    if wanted > held:
        dataset.extents.append(Extent(dataset.createtxg, None, wanted - held, pool.next_key()))


def _reconcile(dataset: SimDataset, table: Json, path: str, pool: SimPool, stated: Stated) -> None:
    space = dataset.space()
    txgs = dataset.txgs
    for index, snapshot in enumerate(dataset.snapshots.values()):
        wanted = stated[snapshot.name][0]
        if wanted is None or wanted == space.used[index]:
            continue
        if wanted > space.used[index]:
            txg = snapshot.createtxg
            dataset.extents.append(Extent(txg, txg + 1, wanted - space.used[index], pool.next_key()))
        else:
            own = [
                extent
                for extent in dataset.extents
                if extent.death is not None
                and bisect_left(txgs, extent.birth) == index
                and bisect_left(txgs, extent.death) == index + 1
            ]
            _shrink(own, space.used[index] - wanted)
    written = number_of(table.get("written"), f"{path}.written", space.head_written, least=0)
    last = txgs[-1] if txgs else 0
    if written > space.head_written:
        dataset.extents.append(Extent(last + 1, None, written - space.head_written, pool.next_key()))
    elif written < space.head_written:
        _shrink(
            [extent for extent in dataset.extents if extent.death is None and extent.birth > last],
            space.head_written - written,
        )


def _shrink(extents: list[Extent], size: int) -> None:
    for extent in sorted(extents, key=lambda extent: extent.key, reverse=True):
        cut = min(size, extent.size)
        extent.size -= cut
        size -= cut
