"""Small changes of datasets and snapshots that replication needs."""

from __future__ import annotations

from zfsctl.model.command import Command, Condition
from zfsctl.model.names import PARENT_MARK, check_dataset_name, check_snapshot_part
from zfsctl.model.refs import SnapshotRef
from zfsctl.zfs.properties import check_user_property
from zfsctl.zfs.rereading import argv_guids


def argv_create_parent(dataset: str) -> Command:
    """Create a filesystem that is never mounted, so that copies can lie below it.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_dataset_name(dataset)
    options = ("-o", "canmount=off", "-o", "readonly=on", "-o", f"{PARENT_MARK}=on")
    return Command(("zfs", "create", *options, dataset))


def argv_rebookmark(dataset: str, old: str, new: str) -> Command:
    """Make the bookmark `new` at the place of the bookmark `old`, for a snapshot that is gone.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_snapshot_part(old, dataset=check_dataset_name(dataset))
    check_snapshot_part(new, dataset=dataset)
    return Command(("zfs", "bookmark", f"{dataset}#{old}", f"{dataset}#{new}"))


def argv_rename_snapshot(dataset: str, old: SnapshotRef, new: str) -> Command:
    """Rename one snapshot of `dataset`, as long as it is the one with its guid.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_snapshot_part(old.name, dataset=check_dataset_name(dataset))
    check_snapshot_part(new, dataset=dataset)
    full = f"{dataset}@{old.name}"
    return Command(("zfs", "rename", full, f"{dataset}@{new}"), only_if=_is(full, old))


def argv_set_user_properties(dataset: str, snapshot: SnapshotRef, properties: tuple[tuple[str, str], ...]) -> Command:
    """Set user properties on one snapshot of `dataset`, as long as it is the one with its guid.

    Raises:
        ValueError: A name or value that OpenZFS refuses, or no property.
    """
    check_snapshot_part(snapshot.name, dataset=check_dataset_name(dataset))
    if not properties:
        raise ValueError("there is nothing to set")
    for name, value in properties:
        check_user_property(name, value)
    full = f"{dataset}@{snapshot.name}"
    values = [f"{name}={value}" for name, value in properties]
    return Command(("zfs", "set", *values, full), only_if=_is(full, snapshot))


def _is(full: str, ref: SnapshotRef) -> Condition:
    """That the snapshot of this full name is the one meant."""
    return Condition(argv_guids([full]).argv, f"{full}\t{ref.guid}")
