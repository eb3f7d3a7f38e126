"""Where filesystems are mounted, and whether they are."""

from __future__ import annotations

from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool


def mountpoint_of(pool: SimPool, dataset: SimDataset) -> str:
    """The mountpoint property's value: a path, none or legacy; an inherited path ends in what follows its origin."""
    name = dataset.name
    while True:
        each = pool.datasets.get(name)
        value = None if each is None else each.properties.get("mountpoint", each.received.get("mountpoint"))
        if value is not None:
            below = dataset.name[len(name) :]
            return value if value in ("none", "legacy") else (value.rstrip("/") + below or "/")
        parent = name.rpartition("/")[0]
        if not parent:
            return f"/{dataset.name}"
        name = parent


def canmount_of(dataset: SimDataset) -> str:
    """on, off or noauto; canmount is not inherited."""
    return dataset.properties.get("canmount", dataset.received.get("canmount", "on"))


def has_path(pool: SimPool, dataset: SimDataset) -> bool:
    """Whether a filesystem has a place where ZFS itself would mount it."""
    return mountpoint_of(pool, dataset) not in ("none", "legacy")


def default_mounted(pool: SimPool, dataset: SimDataset) -> bool:
    """Whether a filesystem is mounted unless someone unmounted it."""
    return (
        dataset.is_filesystem
        and canmount_of(dataset) == "on"
        and has_path(pool, dataset)
        and dataset.keystatus != "unavailable"
        and not dataset.inconsistent
        and not pool.readonly
    )
