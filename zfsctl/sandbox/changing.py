"""The changes that several commands make: snapshots come and go, datasets begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.calls import TEXTS, Call, unreadable
from zfsctl.sandbox.datasets import Origin, SimDataset, SimSnapshot
from zfsctl.sandbox.extents import EMPTY_BYTES, METADATA_BYTES, Extent
from zfsctl.sandbox.keys import key_guid
from zfsctl.sandbox.mounts import default_mounted
from zfsctl.sandbox.pools import RECV, SimPool


def take_snapshots(
    call: Call, pool: SimPool, wanted: Iterable[tuple[SimDataset, str]], properties: Mapping[str, str]
) -> None:
    """Take snapshots in one txg."""
    txg = pool.next_txg()
    for dataset, name in wanted:
        dataset.snapshots[name] = SimSnapshot(
            name,
            call.fleet.next_guid(),
            txg,
            call.now,
            properties=dict(properties),
            content=dataset.content,
        )
        dataset.snapshots_changed = call.now
    pool.next_txg()
    call.changed()


def remove_snapshot(call: Call, dataset: SimDataset, snapshot: SimSnapshot) -> None:
    """Let a snapshot go; what only it held is free."""
    del dataset.snapshots[snapshot.name]
    dataset.drop_unreferenced()
    dataset.snapshots_changed = call.now
    call.changed()


def reap_deferred(call: Call, pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot) -> None:
    """Destroy a snapshot that was marked by `destroy -d`, once no hold and no clone is left."""
    if snapshot.defer_destroy and not snapshot.holds and not pool.clones_of(dataset, snapshot):
        remove_snapshot(call, dataset, snapshot)


def add_dataset(
    call: Call,
    pool: SimPool,
    name: str,
    kind: DatasetKind,
    properties: Mapping[str, str],
    *,
    origin: Origin | None = None,
    mount: bool = True,
) -> SimDataset:
    """Create a dataset, or a clone of `origin`, and mount it if it is to be mounted."""
    txg = pool.next_txg()
    dataset = SimDataset(name, kind, call.fleet.next_guid(), txg, call.now, properties=dict(properties), origin=origin)
    parent = pool.datasets.get(name.rpartition("/")[0])
    if origin:
        source, at = origin.dataset, origin.snapshot.createtxg
        dataset.content = origin.snapshot.content
        dataset.large_blocks = txg if 0 < source.large_blocks <= at else 0
        dataset.extents = [
            Extent(extent.birth, None, extent.size, extent.key)
            for extent in source.extents
            if extent.birth <= at and (extent.death is None or extent.death > at)
        ]
        dataset.encryption, dataset.keyguid = source.encryption, key_guid(source)
        dataset.encryptionroot, dataset.keystatus = source.encryptionroot, source.keystatus
        for size_property in ("volsize", "volblocksize"):
            if size_property in source.properties:
                dataset.properties.setdefault(size_property, source.properties[size_property])
        if origin.snapshot.volsize:
            dataset.properties["volsize"] = origin.snapshot.volsize
    else:
        dataset.extents = [
            Extent(txg, None, METADATA_BYTES, -pool.next_key()),
            Extent(txg, None, EMPTY_BYTES, pool.next_key()),
        ]
        if parent:
            dataset.encryption = parent.encryption
            dataset.encryptionroot, dataset.keystatus = parent.encryptionroot, parent.keystatus
    pool.datasets[name] = dataset
    dataset.mounted = mount and default_mounted(pool, dataset)
    call.changed()
    return dataset


def remove_dataset(call: Call, pool: SimPool, dataset: SimDataset) -> None:
    """Let a dataset without snapshots and children go, and what an unfinished receive left below it."""
    hidden = pool.datasets.get(f"{dataset.name}/{RECV}")
    if hidden:
        remove_dataset(call, pool, hidden)
    del pool.datasets[dataset.name]
    pool.next_txg()
    call.changed()
    if dataset.origin:
        reap_deferred(call, pool, dataset.origin.dataset, dataset.origin.snapshot)


def check_parent(call: Call, target: str) -> bool:
    """Whether a dataset can be made under that name as far as its parent goes (check_parents in libzfs)."""
    parent = target.rpartition("/")[0]
    if not parent:
        call.complain(f"cannot create '{target}': missing dataset name")
        return False
    pool = call.pool_of(target)
    if pool is None:
        call.complain(f"cannot create '{target}': no such pool '{target.partition('/')[0]}'")
        return False
    if not pool.readable:
        call.complain(f"cannot create '{target}': {TEXTS[unreadable(pool)]}")
        return False
    found = pool.datasets.get(parent)
    if found is None:
        call.complain(f"cannot create '{target}': parent does not exist")
        return False
    if not found.is_filesystem:
        call.complain(f"cannot create '{target}': parent is not a filesystem")
        return False
    return True


def create_ancestors(call: Call, target: str) -> bool:
    """Create every missing filesystem above a name; False after a complaint."""
    pool = call.pool_of(target)
    if pool is None:
        call.complain(f"cannot create '{target}': no such pool '{target.partition('/')[0]}'")
        return False
    parts = target.split("/")
    for length in range(2, len(parts)):
        name = "/".join(parts[:length])
        if name not in pool.datasets:
            add_dataset(call, pool, name, DatasetKind.FILESYSTEM, {})
    return True
