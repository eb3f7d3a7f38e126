"""Taking snapshots: several datasets of one pool in one command, hence in one transaction group."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.command import Command
from zfsctl.model.names import check_dataset_name, check_snapshot_part, pool_of
from zfsctl.zfs.properties import check_user_property

Properties = Sequence[tuple[str, str]]


def argv_snapshot(snapshots: Sequence[str], properties: Properties = ()) -> Command:
    """Take all of `snapshots` (full names) at once, all or none of them, and set `properties` on each.

    Raises:
        ValueError: None at all, no full name of a snapshot, two of one dataset, two pools, or no user property:
            OpenZFS would refuse the command, partly with misleading words.
    """
    if not snapshots:
        raise ValueError("no snapshot to take")
    datasets = [_dataset_of(snapshot) for snapshot in snapshots]
    if len(set(datasets)) != len(datasets):
        raise ValueError("one command takes at most one snapshot of a dataset")
    if len({pool_of(dataset) for dataset in datasets}) != 1:
        raise ValueError("one command takes snapshots of one pool only")
    return Command(("zfs", "snapshot", *_options(properties), *snapshots))


def _options(properties: Properties) -> tuple[str, ...]:
    options: list[str] = []
    for name, value in properties:
        check_user_property(name, value)
        options += ("-o", f"{name}={value}")
    return tuple(options)


def _dataset_of(snapshot: str) -> str:
    dataset, at, short = snapshot.partition("@")
    if not at:
        raise ValueError(f"{snapshot!r} names no snapshot")
    check_snapshot_part(short, dataset=check_dataset_name(dataset))
    return dataset
