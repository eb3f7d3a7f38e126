"""The same reading on a simulated host, and on a real OpenZFS host over SSH."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.testbed.host import Host
from tests.testbed.pools import Pool
from zfsctl.executor.collect import FactsRequest, collect_facts
from zfsctl.executor.recheck import SnapshotState, check_snapshots
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.command import Command
from zfsctl.model.dataset import DatasetKind
from zfsctl.model.facts import HostFacts
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.model.policy import HostEntry, SshSettings
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.zfs.destroying import argv_destroy, argv_destroy_estimate, parse_destroy_estimate
from zfsctl.zfs.failures import FailureKind, parse_failure

NOW = 1_795_000_000
LONGEST = 300  # emulated hosts that share a busy machine are slow
SCHEDULED = "zfsctl-20261101T000000Z"
MANUAL = "zfsctl-manual-20261102T000000Z"
SIMULATED = {"now": NOW, "hosts": {"alpha": {"version": "2.3.9", "pools": {"tank": {"size": 1 << 30}}}}}


@dataclass(frozen=True, slots=True)
class World:
    """A host called alpha with an empty pool, and what it is reached through."""

    fleet: Fleet
    pool: str
    version: str
    real: Pool | None = None

    def do(self, *lines: str) -> None:
        """Run commands that must succeed; POOL stands for the pool."""
        script = [line.replace("POOL", self.pool) for line in lines]
        if self.real is not None:
            self.real.host.ssh("set -e\n" + "\n".join(script), timeout=LONGEST)
            return
        for line in script:
            done = self.fleet.host("alpha").run(Command(tuple(shlex.split(line))))
            assert done.exit_code == 0, done

    def build(self) -> None:
        """Most of what a listing can hold."""
        self.do(
            "zfs create POOL/a",
            "zfs create 'POOL/b c'",
            "zfs create -V 8M POOL/vol",
            "zfs set zfsctl:expires=5 POOL",
            f"zfs snapshot -o zfsctl:policy=critical POOL/a@{SCHEDULED} POOL/vol@{SCHEDULED} 'POOL/b c@x: y'",
            f"zfs snapshot -o 'zfsctl:reason=before, größer' -o zfsctl:expires=1793491200 POOL/a@{MANUAL}",
            "zfs snapshot POOL/a@plain",
        )

    def collect(self) -> HostFacts:
        """The facts about the host with the snapshots of the pool.

        Read again while another test's pool comes or goes, which rightly makes them incomplete.
        """
        request = FactsRequest("alpha", lambda facts: [name for name in facts.datasets if name.startswith(self.pool)])
        for _ in range(5):
            facts = collect_facts(self.fleet, [request], now=NOW).hosts["alpha"]
            if facts.complete or any(self.pool in problem for problem in facts.problems):
                break
        return facts

    def planned(self) -> DestroySnapshots:
        """The destroy of every snapshot of POOL/a."""
        facts = self.collect()
        dataset = facts.datasets[f"{self.pool}/a"]
        refs = tuple(SnapshotRef(snapshot.name, snapshot.guid) for snapshot in facts.snapshots[dataset.name])
        return DestroySnapshots(
            id="s1", host="alpha", why="", dataset=dataset.name, dataset_guid=dataset.guid, snapshots=refs
        )


def reached_over_ssh(alpha: Host) -> RealFleet:
    """Alpha, reached as zfsctl reaches it."""
    ssh = SshSettings(
        user="root", port=alpha.port, identity_file=str(alpha.identity_file), known_hosts=str(alpha.known_hosts)
    )
    return RealFleet({"alpha": HostEntry("alpha", alpha.address, ssh)})


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.zfs)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Every test runs on both."""
    if request.param == "simulated":
        yield World(SandboxFleet(load_fleet(SIMULATED)), "tank", "2.3.9")
        return
    pool: Pool = request.getfixturevalue("alpha_pool")
    fleet = reached_over_ssh(pool.host)
    yield World(fleet, pool.name, pool.host.zfs_version, pool)
    fleet.close()


def test_a_host_is_read_whole_and_a_value_of_two_lines_makes_it_doubtful(world: World) -> None:
    world.build()
    pool = world.pool

    before = world.fleet.host("alpha").exchanges
    facts = world.collect()
    exchanges = world.fleet.host("alpha").exchanges - before

    assert facts.problems == ()
    assert exchanges % 3 == 0
    assert facts.version == world.version
    listed = facts.pool(pool)
    assert listed is not None
    assert listed.takes_writes
    assert listed.size
    assert [name for name in facts.datasets if name.startswith(pool)] == list(facts.snapshots)
    assert facts.datasets[f"{pool}/vol"].kind is DatasetKind.VOLUME
    assert facts.datasets[f"{pool}/a"].mountpoint == f"/{pool}/a"
    assert [snapshot.name for snapshot in facts.snapshots[f"{pool}/a"]] == [SCHEDULED, MANUAL, "plain"]
    assert [snapshot.name for snapshot in facts.snapshots[f"{pool}/b c"]] == ["x: y"]
    assert facts.snapshots[pool] == ()
    scheduled, manual, plain = facts.snapshots[f"{pool}/a"]
    assert (scheduled.policy, scheduled.reason, scheduled.expires) == ("critical", None, None)
    assert (manual.policy, manual.reason, manual.expires) == (None, "before, größer", 1793491200)
    assert (plain.policy, plain.reason, plain.expires) == (None, None, None)
    assert scheduled.createtxg == facts.snapshots[f"{pool}/vol"][0].createtxg

    world.do(f"zfs set 'zfsctl:expires=9\tlocal\nPOOL/vol@{SCHEDULED}\tzfsctl:expires\t1' POOL/a@plain")
    doubtful = world.collect()

    assert not doubtful.complete
    assert [snapshot.expires for snapshot in doubtful.snapshots[f"{pool}/vol"]] == [None]

    world.do("zfs inherit zfsctl:expires POOL/a@plain", "zfs create -o canmount=off -o 'mountpoint=/x\ny' POOL/odd")
    doubtful = world.collect()

    assert not doubtful.complete
    assert f"{pool}/vol" in doubtful.datasets
    assert len(doubtful.snapshots[f"{pool}/a"]) == 3


def test_the_last_look_sees_what_happened_since(world: World) -> None:
    world.build()
    world.do(*(f"zfs snapshot POOL/a@s{number}" for number in (1, 2, 3)))
    step = world.planned()
    world.do(
        "zfs hold keep POOL/a@plain",
        "zfs clone POOL/a@s1 POOL/clone",
        "zfs destroy POOL/a@s2",
        "zfs snapshot POOL/a@s2",
        "zfs destroy POOL/a@s3",
    )
    host = world.fleet.host("alpha")

    (recheck,) = check_snapshots(host, [step])

    assert {check.ref.name: check.state for check in recheck.snapshots} == {
        SCHEDULED: SnapshotState.UNCHANGED,
        MANUAL: SnapshotState.UNCHANGED,
        "plain": SnapshotState.HELD,
        "s1": SnapshotState.CLONED,
        "s2": SnapshotState.OTHER_GUID,
        "s3": SnapshotState.GONE,
    }

    world.do("zfs rename POOL/a POOL/other")
    (gone,) = check_snapshots(host, [step])
    world.do("zfs create POOL/a", f"zfs snapshot POOL/a@{SCHEDULED}")
    (replaced,) = check_snapshots(host, [step])

    assert {check.state for check in gone.snapshots} == {SnapshotState.GONE}
    assert [check.state for check in replaced.snapshots] == [SnapshotState.OTHER_GUID, *[SnapshotState.GONE] * 5]


def test_a_failed_destroy_names_every_member_that_cannot_go(world: World) -> None:
    world.build()
    names = (SCHEDULED, MANUAL, "plain")
    a = f"{world.pool}/a"
    world.do(f"zfs hold keep POOL/a@{SCHEDULED}", "zfs hold keep POOL/a@plain")
    host = world.fleet.host("alpha")

    failure = parse_failure(host.run(argv_destroy(a, names)), [f"{a}@{name}" for name in names])
    estimate = host.run(argv_destroy_estimate(a, (*names, "gone")))

    assert failure is not None
    assert {member.name for member in failure.members} == {f"{a}@{SCHEDULED}", f"{a}@plain"}
    assert {member.kind for member in failure.members} <= {FailureKind.HELD, FailureKind.BUSY}
    assert failure.others == ()
    assert parse_destroy_estimate(estimate.stdout).snapshots == tuple(f"{a}@{name}" for name in names)


@pytest.mark.zfs
def test_the_last_look_sees_a_partial_receive_and_an_absent_pool(alpha_pool: Pool) -> None:
    fleet = reached_over_ssh(alpha_pool.host)
    world = World(fleet, alpha_pool.name, alpha_pool.host.zfs_version, alpha_pool)
    world.do(
        "zfs create POOL/a",
        "zfs snapshot POOL/a@one",
        "zfs send POOL/a@one | zfs receive -u POOL/copy",
        "head -c 2000000 /dev/urandom > /POOL/a/data",
        "zfs snapshot POOL/a@big",
        "zfs send -i @one POOL/a@big | head -c 700000 | zfs receive -u -s POOL/copy || true",
    )
    facts = world.collect()
    copy = facts.datasets[f"{alpha_pool}/copy"]
    received = facts.snapshots[copy.name][0]
    step = DestroySnapshots(
        id="s1",
        host="alpha",
        why="",
        dataset=copy.name,
        dataset_guid=copy.guid,
        snapshots=(SnapshotRef(received.name, received.guid),),
    )

    (partial,) = check_snapshots(fleet.host("alpha"), [step])
    world.do("zpool export POOL")
    (absent,) = check_snapshots(fleet.host("alpha"), [step])
    world.do(f"zpool import -o cachefile=none -d {alpha_pool.device} POOL")
    fleet.close()

    assert copy.receive_resume_token
    assert partial.receive_resume_token == copy.receive_resume_token
    assert received.guid == facts.snapshots[f"{alpha_pool}/a"][0].guid
    assert "%recv" in partial.snapshots[0].detail
    assert [check.state for check in absent.snapshots] == [SnapshotState.UNKNOWN]
