"""A plan with a step of every kind that replication has, about tank/db on alpha and its receiver on beta."""

from __future__ import annotations

from zfsctl.model.lineage import LinkState
from zfsctl.model.plan import Plan, PlannedDataset, SnapshotRef
from zfsctl.model.route import Route
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    Send,
    Transfer,
)

AT = 1_795_185_000
"""2026-11-20T14:30:00Z"""
TOKEN = "1-e604ea4bf-e0-789c636064000310a5"
BASE = SnapshotRef("zfsctl-20261120T133000Z", 0xB1)
MIDDLE = SnapshotRef("zfsctl-20261120T140000Z", 0xB2)
NEWEST = SnapshotRef("zfsctl-20261120T143000Z", 2**64 - 1)
NEW = SnapshotRef("first", 5)

HOLD = HoldSnapshots(
    id="h1",
    host="alpha",
    why="in flight",
    replication="alpha-to-beta",
    tag="zfsctl:alpha-to-beta:send",
    snapshots=(HeldSnapshot("tank/db", BASE), HeldSnapshot("tank/db", NEWEST), HeldSnapshot("tank/new", NEW)),
)
PARENTS = CreateParents(
    id="c1",
    host="beta",
    why="the first copy of tank/new",
    replication="alpha-to-beta",
    datasets=("bk/alpha", "bk/alpha/tank"),
)
ABORT = AbortReceive(
    id="a1",
    host="beta",
    why="STUCK: its source is gone",
    replication="alpha-to-beta",
    dataset="bk/alpha/tank/db",
    token=TOKEN,
)
RENAME = RenameSnapshot(
    id="n1",
    host="beta",
    why="CONFLICT: the name belongs to another snapshot",
    replication="alpha-to-beta",
    dataset="bk/alpha/tank/db",
    snapshot=SnapshotRef(NEWEST.name, 77),
    to=f"{NEWEST.name}-0000004d",
    after=("a1",),
)
TRANSFER = Transfer(
    id="t1",
    host="beta",
    why="BEHIND by 2 snapshots",
    replication="alpha-to-beta",
    state=LinkState.BEHIND,
    sender_host="alpha",
    sender="tank/db",
    sender_guid=9,
    receiver="bk/alpha/tank/db",
    receiver_guid=90,
    sends=(Send(f"@{BASE.name}", BASE.guid, (MIDDLE, NEWEST)),),
    flags=("-L", "-e", "-c"),
    route=Route.PUSH,
    bandwidth=50 << 20,
    compress=True,
    parallel=2,
    estimate=14_889_779,
    after=("h1", "n1"),
)
FIRST = Transfer(
    id="t2",
    host="beta",
    why="MISSING: the first copy",
    replication="alpha-to-beta",
    state=LinkState.MISSING,
    sender_host="alpha",
    sender="tank/new",
    sender_guid=10,
    receiver="bk/alpha/tank/new",
    receiver_guid=None,
    sends=(Send("", None, (NEW,)),),
    flags=("-w",),
    properties=(("readonly", "on"), ("canmount", "noauto"), ("compression", "zstd-3")),
    after=("h1", "c1"),
)
ANCHORS = MoveAnchors(
    id="m1",
    host="beta",
    why="after the transfer",
    replication="alpha-to-beta",
    sender_host="alpha",
    sender="tank/db",
    sender_guid=9,
    receiver="bk/alpha/tank/db",
    chain=(BASE, MIDDLE, NEWEST),
    bookmarks=(SnapshotRef("zfsctl-alpha-to-beta-00000000000000b1", BASE.guid),),
    held=(BASE,),
    in_flight=(BASE, NEWEST),
    properties=(("readonly", "on"),),
    notes=((MIDDLE, (("zfsctl:reason", "before the upgrade"), ("zfsctl:expires", "1795200000"))),),
    after=("t1",),
)
STEPS = (HOLD, PARENTS, ABORT, RENAME, TRANSFER, FIRST, ANCHORS)
PLAN = Plan(
    id="p2",
    command="replicate",
    created_at=AT,
    valid_until=AT + 3600,
    fingerprint="abc",
    datasets=(PlannedDataset("alpha", "tank/db", "critical", 61, 1, 9),),
    steps=STEPS,
)
