"""What the types of a plan file cannot say of its steps: names that OpenZFS allows, and nothing but what zfsctl does.

A plan file is data that somebody may have written: no option, tag, bookmark or property may come in by it that no
plan of zfsctl's own would hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from zfsctl.model.names import (
    EXPIRES_PROPERTY,
    REASON_PROPERTY,
    REPAIR_MARK,
    check_dataset_name,
    check_host_name,
    check_snapshot_part,
    is_at_or_below,
    pool_of,
)
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, RunHook, SnapshotRef, Step
from zfsctl.model.received import CARRIED, PROTECTING, SOURCE_PROPERTIES
from zfsctl.model.repair import (
    CloneDataset,
    PromoteClone,
    SwapDatasets,
    aside_name,
    home_of,
    is_aside,
    new_name,
    parse_repair_mark,
)
from zfsctl.model.route import Route
from zfsctl.model.transfer import (
    NOT_TAKEN_YET,
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Send,
    Transfer,
    base_tag,
    is_own_tag,
    send_tag,
)
from zfsctl.zfs.properties import check_user_property
from zfsctl.zfs.sending import SEND_FLAGS, check_token

_MAX_GUID = 2**64 - 1
_REPLICATION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_NOTES = (EXPIRES_PROPERTY, REASON_PROPERTY)


def check_step(step: Step) -> None:
    """Return if zfsctl itself could have planned `step`; ValueError says what is wrong."""
    check_host_name(step.host)
    match step:
        case CreateSnapshots():
            for ref in step.datasets:
                check_dataset_name(ref.name)
                check_snapshot_part(step.snapshot, dataset=ref.name)
                _check_guid(ref.guid)
                if pool_of(ref.name) != step.pool:
                    raise ValueError(f"{ref.name} is not in the pool {step.pool}")
        case DestroySnapshots():
            check_dataset_name(step.dataset)
            _check_guid(step.dataset_guid)
            _check_snapshots(step.snapshots, step.dataset)
        case DestroyDataset():
            _check_release(step)
        case RunHook():
            pass
        case _:
            _check_replication_step(step)


def _check_release(step: DestroyDataset) -> None:
    check_dataset_name(step.dataset)
    _check_guid(step.dataset_guid)
    if not is_aside(step.aside) or not is_at_or_below(step.dataset, step.aside):
        raise ValueError(f"{step.dataset} is no part of a copy that was set aside")
    if parse_repair_mark(step.mark) is None:
        raise ValueError(f"{step.mark!r} is no mark of a copy that was set aside")
    _check_snapshots(step.snapshots, step.dataset)
    names = {ref.name for ref in step.snapshots}
    for snapshot, tag in step.holds:
        if snapshot not in names or not is_own_tag(tag):
            raise ValueError(f"{tag!r} is no hold of zfsctl's own on a snapshot of {step.dataset}")


def _check_replication_step(step: ReplicationStep) -> None:
    if not _REPLICATION.fullmatch(step.replication):
        raise ValueError(f"{step.replication!r} is no name of a replication")
    match step:
        case HoldSnapshots():
            if step.tag not in (send_tag(step.replication), base_tag(step.replication)):
                raise ValueError(f"{step.tag!r} is no hold of the replication {step.replication}")
            for held in step.snapshots:
                _check_snapshots((held.snapshot,), check_dataset_name(held.dataset), planned=True)
        case CreateParents():
            for name in step.datasets:
                _check_below_pool(name)
        case AbortReceive():
            _check_below_pool(step.dataset)
            check_token(step.token)
        case RenameSnapshot():
            _check_below_pool(step.dataset)
            _check_snapshots((step.snapshot,), step.dataset)
            check_snapshot_part(step.to, dataset=step.dataset)
        case Transfer():
            _check_transfer(step)
        case MoveAnchors():
            _check_anchors(step)
        case CloneDataset() | PromoteClone() | SwapDatasets():
            _check_repair(step)
        case _:
            assert_never(step)


def _check_repair(step: CloneDataset | PromoteClone | SwapDatasets) -> None:
    mark = parse_repair_mark(step.mark)
    if mark is None or mark.replication != step.replication:
        raise ValueError(f"{step.mark!r} is no mark of a repair of {step.replication}")
    match step:
        case CloneDataset():
            home, built = step.dataset, step.to
        case PromoteClone():
            home, built = step.origin, step.dataset
        case SwapDatasets():
            home, built = step.dataset, step.built
            if step.aside != aside_name(home, mark.stamp):
                raise ValueError(f"{home} is not set aside as {step.aside}")
    _check_below_pool(home)
    check_dataset_name(aside_name(home, mark.stamp))
    if built != new_name(home, mark.stamp) and not (isinstance(step, SwapDatasets) and built == home):
        raise ValueError(f"{built} is not what is built in place of {home}")
    if isinstance(step, CloneDataset | PromoteClone):
        _check_snapshots((step.base,), home)
    if isinstance(step, CloneDataset | SwapDatasets) and step.dataset_guid != mark.guid:
        raise ValueError(f"{step.mark!r} is not about the dataset with guid {step.dataset_guid}")


def _check_transfer(step: Transfer) -> None:
    check_host_name(step.sender_host)
    check_dataset_name(step.sender)
    _check_guid(step.sender_guid)
    _check_below_pool(step.receiver)
    is_built = home_of(step.receiver) != step.receiver
    if step.receiver_guid is not None and not (is_built and step.receiver_guid == NOT_TAKEN_YET):
        _check_guid(step.receiver_guid)
    if step.route is Route.LOCAL and step.sender_host != step.host:
        raise ValueError(f"the route is local, but {step.sender_host} is not {step.host}")
    if wrong := [flag for flag in step.flags if flag not in SEND_FLAGS]:
        raise ValueError(f"{wrong[0]!r} is never given to zfs send")
    if step.token:
        check_token(step.token)
    _check_received(step.properties)
    _check_received((name, "-") for name in step.carries)
    before: tuple[str, int | None] | None = None
    for number, send in enumerate(step.sends):
        _check_send(send, step, resumed=bool(step.token) and number == 0)
        if before is not None and (send.source, send.source_guid) != before:
            raise ValueError(f"what is sent of {step.sender} does not hang together")
        before = (f"@{send.last.name}", send.last.guid)


def _check_send(send: Send, step: Transfer, *, resumed: bool) -> None:
    _check_snapshots(send.snapshots, step.sender, planned=True)
    _check_snapshots(send.snapshots, step.receiver, planned=True)
    if send.source_guid is not None:
        _check_guid(send.source_guid)
    if bool(send.source) != (send.source_guid is not None) and not resumed:
        raise ValueError(f"the source {send.source!r} and its guid do not go together")
    if send.with_intermediates and "@" not in send.source:
        raise ValueError("a full stream, or one from a bookmark, brings one snapshot")
    if send.source.startswith("#"):
        check_snapshot_part(send.source[1:], dataset=step.sender)
    elif send.source:
        origin, mark, name = send.source.partition("@")
        if not mark:
            raise ValueError(f"{send.source!r} is no snapshot or bookmark")
        dataset = check_dataset_name(origin or step.sender)
        check_snapshot_part(name, dataset=dataset)
        if pool_of(dataset) != pool_of(step.sender):
            raise ValueError(f"{dataset} is not in the pool of {step.sender}")


def _check_anchors(step: MoveAnchors) -> None:
    check_host_name(step.sender_host)
    check_dataset_name(step.sender)
    _check_guid(step.sender_guid)
    _check_below_pool(step.receiver)
    for ref in step.chain[:1]:
        _check_snapshots((replace(ref, name=ref.name.removeprefix("#")),), step.sender, planned=True)
    _check_snapshots((*step.chain[1:], *step.in_flight), step.sender, planned=True)
    _check_snapshots(step.held, step.receiver)
    cursor = re.compile(rf"zfsctl-{re.escape(step.replication)}-[0-9a-f]{{16}}")
    for bookmark in step.bookmarks:
        _check_guid(bookmark.guid)
        if not cursor.fullmatch(bookmark.name):
            raise ValueError(f"#{bookmark.name} is no cursor of the replication {step.replication}")
    _check_received(step.properties)
    for ref, properties in step.notes:
        _check_snapshots((ref,), step.receiver)
        for name, value in properties:
            if name not in _NOTES:
                raise ValueError(f"{name!r} is not copied to a snapshot")
            check_user_property(name, value)


def _check_received(properties: Iterable[tuple[str, str]]) -> None:
    for name, value in properties:
        if name in PROTECTING:
            if value not in PROTECTING[name]:
                raise ValueError(f"a receiver never gets {name}={value}")
        elif ":" in name:
            check_user_property(name, value)
            if name == REPAIR_MARK:
                if parse_repair_mark(value) is None:
                    raise ValueError(f"{value!r} is no mark of a repair")
            elif name.startswith("zfsctl:") and name != SOURCE_PROPERTIES:
                raise ValueError(f"{name!r} is not set on a receiver")
        elif name not in CARRIED:
            raise ValueError(f"{name!r} is not set on a receiver")
        elif not value.isprintable() or not value:
            raise ValueError(f"{value!r} is no value of {name}")


def _check_below_pool(name: str) -> None:
    check_dataset_name(name)
    if "/" not in name:
        raise ValueError(f"{name} is the root of a pool, which is no receiver")


def _check_snapshots(snapshots: Iterable[SnapshotRef], dataset: str, *, planned: bool = False) -> None:
    """With `planned` also a snapshot that a step of the same plan takes."""
    for ref in snapshots:
        check_snapshot_part(ref.name, dataset=dataset)
        if not (planned and ref.guid == NOT_TAKEN_YET):
            _check_guid(ref.guid)


def _check_guid(guid: int) -> None:
    if not 0 < guid <= _MAX_GUID:
        raise ValueError(f"{guid} is no guid")
