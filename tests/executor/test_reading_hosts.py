"""The same reading on real OpenZFS hosts over SSH."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testbed.host import Host
from tests.testbed.pools import Pool
from zfsctl.executor.collect import FactsRequest, collect_facts
from zfsctl.executor.recheck import SnapshotState, check_snapshots
from zfsctl.hosts.fleet import RealFleet
from zfsctl.model.facts import HostFacts
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.model.policy import HostEntry, SshSettings
from zfsctl.zfs.destroying import argv_destroy, argv_destroy_estimate, parse_destroy_estimate
from zfsctl.zfs.failures import FailureKind, parse_failure

pytestmark = pytest.mark.zfs

NOW = 1_795_000_000
SCHEDULED = "zfsctl-20261101T000000Z"
MANUAL = "zfsctl-manual-20261102T000000Z"


@pytest.fixture
def fleet(alpha: Host) -> Iterator[RealFleet]:
    """Alpha, reached as zfsctl reaches it."""
    ssh = SshSettings(
        user="root", port=alpha.port, identity_file=str(alpha.identity_file), known_hosts=str(alpha.known_hosts)
    )
    fleet = RealFleet({"alpha": HostEntry("alpha", alpha.address, ssh)})
    yield fleet
    fleet.close()


def collect(fleet: RealFleet, pool: Pool) -> HostFacts:
    """The facts about alpha with the snapshots of `pool`.

    Read again while another test's pool comes or goes, which rightly makes them incomplete.
    """
    request = FactsRequest("alpha", lambda facts: [name for name in facts.datasets if name.startswith(str(pool))])
    for _ in range(5):
        facts = collect_facts(fleet, [request], now=NOW).hosts["alpha"]
        if facts.complete or any(str(pool) in problem for problem in facts.problems):
            break
    return facts


def build(pool: Pool) -> None:
    """A pool with most of what a listing can hold."""
    pool.host.ssh(
        f"""
        set -e
        zfs create {pool}/a; zfs create '{pool}/b c'; zfs create -V 8M {pool}/vol
        zfs set zfsctl:expires=5 {pool}
        zfs snapshot -o zfsctl:policy=critical {pool}/a@{SCHEDULED} {pool}/vol@{SCHEDULED} '{pool}/b c@x: y'
        zfs snapshot -o 'zfsctl:reason=before, größer' -o zfsctl:expires=1793491200 {pool}/a@{MANUAL}
        zfs snapshot {pool}/a@plain
        """
    )


def test_a_host_is_read_whole_in_three_exchanges(fleet: RealFleet, alpha: Host, alpha_pool: Pool) -> None:
    build(alpha_pool)

    facts = collect(fleet, alpha_pool)
    before = fleet.host("alpha").exchanges
    again = collect(fleet, alpha_pool)

    assert facts.problems == ()
    assert facts.version == alpha.zfs_version
    assert abs(facts.clock - again.clock) < 600
    listed = facts.pool(str(alpha_pool))
    assert listed is not None
    assert listed.takes_writes
    assert listed.size
    assert [name for name in facts.datasets if name.startswith(str(alpha_pool))] == list(facts.snapshots)
    assert [snapshot.name for snapshot in facts.snapshots[f"{alpha_pool}/a"]] == [SCHEDULED, MANUAL, "plain"]
    assert [s.name for s in facts.snapshots[f"{alpha_pool}/b c"]] == ["x: y"]
    assert facts.snapshots[str(alpha_pool)] == ()
    scheduled, manual, plain = facts.snapshots[f"{alpha_pool}/a"]
    assert (scheduled.policy, scheduled.reason, scheduled.expires) == ("critical", None, None)
    assert (manual.policy, manual.reason, manual.expires) == (None, "before, größer", 1793491200)
    assert (plain.policy, plain.reason, plain.expires) == (None, None, None)
    assert scheduled.createtxg == facts.snapshots[f"{alpha_pool}/vol"][0].createtxg
    assert (fleet.host("alpha").exchanges - before) % 3 == 0


def test_a_value_that_speaks_of_another_snapshot_makes_the_host_doubtful(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    victim = f"{alpha_pool}/b c@x: y"
    alpha_pool.host.ssh(
        ["zfs", "set", f"zfsctl:expires=9\tlocal\n{victim}\tzfsctl:expires\t1", f"{alpha_pool}/a@plain"]
    )

    facts = collect(fleet, alpha_pool)

    assert not facts.complete
    assert all(snapshot.expires is None for snapshot in facts.snapshots[f"{alpha_pool}/b c"])


def test_a_mountpoint_of_two_lines_hides_no_other_dataset(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    alpha_pool.host.ssh(["zfs", "create", "-o", "canmount=off", "-o", "mountpoint=/x\ny", f"{alpha_pool}/odd"])

    facts = collect(fleet, alpha_pool)

    assert not facts.complete
    assert f"{alpha_pool}/vol" in facts.datasets
    assert len(facts.snapshots[f"{alpha_pool}/a"]) == 3


def planned(pool: Pool, facts: HostFacts) -> DestroySnapshots:
    """The destroy of every snapshot of <pool>/a."""
    dataset = facts.datasets[f"{pool}/a"]
    refs = tuple(SnapshotRef(snapshot.name, snapshot.guid) for snapshot in facts.snapshots[dataset.name])
    return DestroySnapshots(
        id="s1", host="alpha", why="", dataset=dataset.name, dataset_guid=dataset.guid, snapshots=refs
    )


def test_the_last_look_sees_what_happened_since(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    alpha_pool.host.ssh(f"for i in 1 2 3; do zfs snapshot {alpha_pool}/a@s$i; done")
    step = planned(alpha_pool, collect(fleet, alpha_pool))
    a = f"{alpha_pool}/a"
    alpha_pool.host.ssh(
        f"zfs hold keep {a}@plain; zfs clone {a}@s1 {alpha_pool}/clone; zfs destroy {a}@s2; zfs snapshot {a}@s2; "
        f"zfs destroy {a}@s3"
    )

    (recheck,) = check_snapshots(fleet.host("alpha"), [step])

    assert {check.ref.name: check.state for check in recheck.snapshots} == {
        SCHEDULED: SnapshotState.UNCHANGED,
        MANUAL: SnapshotState.UNCHANGED,
        "plain": SnapshotState.HELD,
        "s1": SnapshotState.CLONED,
        "s2": SnapshotState.OTHER_GUID,
        "s3": SnapshotState.GONE,
    }


def test_the_last_look_sees_that_the_dataset_went_or_was_replaced(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    step = planned(alpha_pool, collect(fleet, alpha_pool))
    host = fleet.host("alpha")

    alpha_pool.host.ssh(f"zfs rename {alpha_pool}/a {alpha_pool}/other")
    gone = check_snapshots(host, [step])[0]
    alpha_pool.host.ssh(f"zfs create {alpha_pool}/a; zfs snapshot {alpha_pool}/a@{SCHEDULED}")
    replaced = check_snapshots(host, [step])[0]

    assert {check.state for check in gone.snapshots} == {SnapshotState.GONE}
    assert [check.state for check in replaced.snapshots] == [
        SnapshotState.OTHER_GUID,
        SnapshotState.GONE,
        SnapshotState.GONE,
    ]


def test_the_last_look_sees_a_partial_receive(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    a, copy = f"{alpha_pool}/a", f"{alpha_pool}/copy"
    alpha_pool.host.ssh(
        f"zfs send {a}@{SCHEDULED} | zfs receive -u {copy}; head -c 2000000 /dev/urandom > /{a}/data; "
        f"zfs snapshot {a}@big; zfs send -i @{SCHEDULED} {a}@big | head -c 700000 | zfs receive -u -s {copy}; :"
    )
    facts = collect(fleet, alpha_pool)
    received = facts.snapshots[copy][0]
    step = DestroySnapshots(
        id="s1",
        host="alpha",
        why="",
        dataset=copy,
        dataset_guid=facts.datasets[copy].guid,
        snapshots=(SnapshotRef(received.name, received.guid),),
    )

    (recheck,) = check_snapshots(fleet.host("alpha"), [step])

    assert facts.datasets[copy].receive_resume_token
    assert recheck.receive_resume_token == facts.datasets[copy].receive_resume_token
    assert received.guid == facts.snapshots[a][0].guid
    assert recheck.unchanged == ()
    assert "%recv" in recheck.snapshots[0].detail


def test_a_failed_destroy_names_every_member_that_cannot_go(fleet: RealFleet, alpha_pool: Pool) -> None:
    build(alpha_pool)
    names = (SCHEDULED, MANUAL, "plain")
    a = f"{alpha_pool}/a"
    alpha_pool.host.ssh(f"zfs hold keep {a}@{SCHEDULED}; zfs hold keep {a}@plain")
    host = fleet.host("alpha")

    failure = parse_failure(host.run(argv_destroy(a, names)), [f"{a}@{name}" for name in names])
    estimate = host.run(argv_destroy_estimate(a, (*names, "gone")))

    assert failure is not None
    assert {member.name for member in failure.members} == {f"{a}@{SCHEDULED}", f"{a}@plain"}
    assert {member.kind for member in failure.members} <= {FailureKind.HELD, FailureKind.BUSY}
    assert failure.others == ()
    assert parse_destroy_estimate(estimate.stdout).snapshots == tuple(f"{a}@{name}" for name in names)
