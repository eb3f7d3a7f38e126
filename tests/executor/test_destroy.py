"""How destroys go out: long enough to be carried out, and what could not be looked at is no change of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from zfsctl.errors import HostTimeoutError
from zfsctl.executor.destroy import apply_destroys
from zfsctl.hosts.protocol import Host
from zfsctl.model.command import Command, Completed
from zfsctl.model.event import Result
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.fleet import SandboxFleet

NUMBER = 80


@pytest.fixture
def fleet() -> SandboxFleet:
    sim = create_fleet(1_795_000_000, ("alpha",))
    create_pool(sim, "alpha", "tank", 1 << 30)
    for number in range(NUMBER):
        do(sim, "alpha", "zfs", "create", f"tank/{number}")
    do(sim, "alpha", "zfs", "snapshot", "-r", "tank@x")
    return SandboxFleet(sim)


def steps(fleet: SandboxFleet) -> list[DestroySnapshots]:
    with fleet.state() as sim:
        rows = do(sim, "alpha", "zfs", "list", "-Hp", "-r", "-t", "all", "-o", "name,guid", "tank")
    guids = {name: int(guid) for name, guid in (row.split("\t") for row in rows)}
    return [
        DestroySnapshots(
            id=f"destroy-{number}",
            host="alpha",
            why="",
            dataset=f"tank/{number}",
            dataset_guid=guids[f"tank/{number}"],
            snapshots=(SnapshotRef("x", guids[f"tank/{number}@x"]),),
        )
        for number in range(NUMBER)
    ]


class Meddled:
    """A host on which something happens once, between the last look and the destroys."""

    def __init__(self, host: Host, happens: Callable[[], object]) -> None:
        self._host = host
        self._happens = happens
        self.happened = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._host, name)

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        if not self.happened and any(command.argv[1] == "destroy" for command in commands):
            self.happened = True
            self._happens()
        return self._host.run_all(commands)


class Slow:
    """A host that needs four seconds for each destroy, and carries out what fits into the time it is given."""

    def __init__(self, host: Host, usual: float = 60) -> None:
        self._host = host
        self._usual = usual
        self.exchanges = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._host, name)

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        self.exchanges += 1
        destroys = [command for command in commands if command.argv[1] == "destroy"]
        fitting = int((self._usual if timeout is None else timeout) // 4)
        if len(destroys) > fitting:
            self._host.run_all(commands[:fitting])
            raise HostTimeoutError("no answer in time")
        return self._host.run_all(commands)


def test_many_slow_destroys_are_no_short_question(fleet: SandboxFleet) -> None:
    host = Slow(fleet.host("alpha"))

    outcomes = apply_destroys(steps(fleet), host)

    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert host.exchanges == 3


def test_what_could_not_be_looked_at_has_failed_and_is_not_called_stale(fleet: SandboxFleet) -> None:
    fleet.faults.fail("userrefs", "cannot open 'tank/1@x': I/O error")

    (outcome,) = apply_destroys(steps(fleet)[1:2], fleet.host("alpha"))

    assert outcome.result is Result.FAILED
    assert "I/O error" in outcome.detail
    with fleet.state() as sim:
        assert do(sim, "alpha", "zfs", "list", "-H", "-o", "name", "-t", "snapshot", "tank/1@x")


def test_a_copy_that_was_swapped_in_after_the_look_keeps_what_its_former_self_was_to_lose(fleet: SandboxFleet) -> None:
    planned = steps(fleet)[1:3]

    def happens() -> None:
        send, receive = Command(("zfs", "send", "tank/1@x")), Command(("zfs", "receive", "-u", "tank/built"))
        assert fleet.pipe("alpha", send, "alpha", receive).receiver.exit_code == 0
        with fleet.state() as sim:
            do(sim, "alpha", "zfs", "rename", "tank/1", "tank/aside")
            do(sim, "alpha", "zfs", "rename", "tank/built", "tank/1")

    swapped, other = apply_destroys(planned, Meddled(fleet.host("alpha"), happens))

    assert (swapped.result, other.result) == (Result.STALE, Result.DONE)
    assert "tank/1 is another dataset now" in swapped.detail
    assert kept(fleet) >= {"tank/1@x", "tank/aside@x"}
    assert "tank/2@x" not in kept(fleet)


def test_a_snapshot_that_took_the_name_after_the_look_stays_and_its_neighbour_goes(fleet: SandboxFleet) -> None:
    with fleet.state() as sim:
        do(sim, "alpha", "zfs", "snapshot", "tank/1@y")
        (guid,) = do(sim, "alpha", "zfs", "list", "-Hp", "-o", "guid", "tank/1@y")
    (planned,) = steps(fleet)[1:2]
    planned = replace(planned, snapshots=(*planned.snapshots, SnapshotRef("y", int(guid))))

    def happens() -> None:
        with fleet.state() as sim:
            do(sim, "alpha", "zfs", "destroy", "tank/1@x")
            do(sim, "alpha", "zfs", "snapshot", "tank/1@x")

    (outcome,) = apply_destroys([planned], Meddled(fleet.host("alpha"), happens))

    assert outcome.result is Result.PARTIAL
    assert [member.result for member in outcome.members] == [Result.STALE, Result.DONE]
    assert "another snapshot has this name now" in outcome.detail
    assert "tank/1@x" in kept(fleet)
    assert "tank/1@y" not in kept(fleet)


def kept(fleet: SandboxFleet) -> set[str]:
    with fleet.state() as sim:
        return set(do(sim, "alpha", "zfs", "list", "-H", "-r", "-t", "snapshot", "-o", "name", "tank"))
