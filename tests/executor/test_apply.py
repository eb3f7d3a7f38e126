"""The order of steps: hosts beside each other, steps of a host after each other, and what a failure stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from zfsctl.errors import StateError, UnreachableError
from zfsctl.executor.apply import Stop, apply_steps
from zfsctl.executor.create import next_second
from zfsctl.executor.locks import PoolLocks
from zfsctl.model.event import Event, Result, StepFinished, StepOutcome, StepStarted
from zfsctl.model.plan import CreateSnapshots, DatasetRef, Plan, RunHook, Step
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.fleet import SandboxFleet

NOW = 1_795_000_000


@pytest.fixture
def fleet() -> SandboxFleet:
    sim = create_fleet(NOW, ("alpha", "beta"))
    for host in ("alpha", "beta"):
        create_pool(sim, host, "tank", 1 << 30)
    return SandboxFleet(sim)


def guid(fleet: SandboxFleet, host: str, dataset: str = "tank") -> int:
    with fleet.state() as sim:
        return int(do(sim, host, "zfs", "list", "-Hp", "-o", "guid", dataset)[0])


def create(
    fleet: SandboxFleet, identity: str, host: str = "alpha", *, after: tuple[str, ...] = (), name: str = "s"
) -> Step:
    return CreateSnapshots(
        id=identity,
        host=host,
        why="",
        pool="tank",
        snapshot=name,
        datasets=(DatasetRef("tank", guid(fleet, host)),),
        after=after,
    )


def hook(identity: str, argv: tuple[str, ...], *, after: tuple[str, ...] = (), always: bool = False) -> Step:
    return RunHook(
        id=identity, host="alpha", why="", name=identity, argv=argv, timeout_seconds=5, after=after, always=always
    )


def apply(
    fleet: SandboxFleet,
    *steps: Step,
    stop: Stop | None = None,
    locked: tuple[str, ...] = (),
    may_change: Callable[[str, str], bool] | None = None,
    listen: Callable[[Event], None] = lambda _: None,
) -> tuple[dict[str, StepOutcome], list[Event]]:
    events: list[Event] = []

    def told(event: Event) -> None:
        events.append(event)
        listen(event)

    plan = Plan("p", "run", NOW, NOW + 60, "", steps=steps)
    outcomes = apply_steps(
        plan,
        fleet,
        run="r",
        now=lambda: NOW,
        listen=told,
        may_change=may_change or (lambda host, _: host not in locked),
        stop=stop or Stop(),
    )
    assert [outcome.step for outcome in outcomes] == [step.id for step in steps]
    return {outcome.step: outcome for outcome in outcomes}, events


WORKS = ("date", "+%s")
FAILS = ("zfs", "list", "nothing")


def test_a_failed_hook_stops_what_waits_for_it_and_nothing_else(fleet: SandboxFleet) -> None:
    outcomes, _ = apply(
        fleet,
        hook("freeze", FAILS),
        create(fleet, "take", after=("freeze",)),
        hook("thaw", WORKS, after=("take",), always=True),
        create(fleet, "other", "beta"),
    )

    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "freeze": Result.FAILED,
        "take": Result.SKIPPED,
        "thaw": Result.DONE,
        "other": Result.DONE,
    }
    assert "freeze" in outcomes["take"].detail


def test_what_always_runs_also_runs_after_a_failed_snapshot(fleet: SandboxFleet) -> None:
    fleet.faults.fail("zfs snapshot", "out of space")

    outcomes, _ = apply(
        fleet,
        hook("freeze", WORKS),
        create(fleet, "take", after=("freeze",)),
        hook("thaw", WORKS, after=("take",), always=True),
    )

    assert outcomes["take"].result is Result.FAILED
    assert outcomes["thaw"].result is Result.DONE


def test_what_was_frozen_is_thawed_when_the_connection_comes_back(fleet: SandboxFleet) -> None:
    """Only the host's answer is missing: a connection that broke between two steps can be dialled again."""

    def weather(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step.id in ("freeze", "take"):
            with fleet.state() as sim:
                sim.hosts["alpha"].reachable = event.step.id == "take"

    outcomes, _ = apply(
        fleet,
        hook("freeze", WORKS),
        create(fleet, "take", after=("freeze",)),
        create(fleet, "more", name="t"),
        hook("thaw", WORKS, after=("freeze", "take"), always=True),
        listen=weather,
    )

    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "freeze": Result.DONE,
        "take": Result.UNREACHABLE,
        "more": Result.UNREACHABLE,
        "thaw": Result.DONE,
    }


def test_nothing_is_thawed_on_a_host_where_nothing_was_begun(fleet: SandboxFleet) -> None:
    steps = (hook("freeze", WORKS), hook("thaw", WORKS, after=("freeze",), always=True))
    with fleet.state() as sim:
        sim.hosts["alpha"].reachable = False

    outcomes, events = apply(fleet, *steps)

    assert outcomes["thaw"].result is Result.UNREACHABLE
    assert StepStarted not in [type(event) for event in events if event.step.id == "thaw"]


@pytest.mark.parametrize("told", [StepStarted, StepFinished])
@pytest.mark.parametrize("broken", ["freeze", "take", "thaw"])
def test_what_was_frozen_is_thawed_when_the_journal_breaks(fleet: SandboxFleet, broken: str, told: type[Event]) -> None:
    def full(event: Event) -> None:
        if isinstance(event, told) and event.step.id == broken:
            raise StateError("the journal was not written", why="disk full")

    with pytest.raises(StateError):
        apply(
            fleet,
            hook("freeze", ("date", "+%s")),
            create(fleet, "take", after=("freeze",)),
            hook("thaw", ("date", "+%s"), after=("freeze", "take"), always=True),
            listen=full,
        )

    hooks = [line for _, line in fleet.faults.log if "date" in line]
    assert len(hooks) == (0 if (broken, told) == ("freeze", StepStarted) else 2)


def test_a_stop_ends_the_run_before_the_next_step_but_thaws(fleet: SandboxFleet) -> None:
    stop = Stop()
    stop.ask()

    outcomes, events = apply(fleet, create(fleet, "take"), hook("thaw", WORKS, after=("take",), always=True), stop=stop)

    assert outcomes["take"].result is Result.SKIPPED
    assert outcomes["thaw"].result is Result.DONE
    assert [type(event) for event in events if event.step.id == "take"] == [StepFinished]


def test_a_host_that_goes_away_is_left_alone_for_the_rest_of_the_run(fleet: SandboxFleet) -> None:
    steps = (create(fleet, "one"), create(fleet, "two", name="t"), create(fleet, "three", "beta"))
    with fleet.state() as sim:
        sim.hosts["alpha"].reachable = False

    outcomes, _ = apply(fleet, *steps)

    assert [outcomes[name].result for name in ("one", "two", "three")] == [
        Result.UNREACHABLE,
        Result.UNREACHABLE,
        Result.DONE,
    ]
    assert outcomes["one"].code == UnreachableError.code


def test_what_another_run_holds_is_not_touched(fleet: SandboxFleet) -> None:
    outcomes, _ = apply(fleet, create(fleet, "one"), create(fleet, "two", "beta"), locked=("alpha",))

    assert outcomes["one"].result is Result.RUNNING
    assert outcomes["two"].result is Result.DONE


def test_hooks_do_not_run_around_snapshots_that_another_run_takes(fleet: SandboxFleet) -> None:
    """That run's own hooks are at work: ours would thaw what it has frozen."""
    outcomes, _ = apply(
        fleet,
        hook("freeze", WORKS),
        create(fleet, "take", after=("freeze",)),
        hook("thaw", WORKS, after=("freeze", "take"), always=True),
        locked=("alpha",),
    )

    assert {outcome.result for outcome in outcomes.values()} == {Result.RUNNING}
    assert [line for _, line in fleet.faults.log if "date" in line] == []


def test_a_hook_runs_for_the_snapshots_that_are_not_left_to_another_run(fleet: SandboxFleet) -> None:
    with fleet.state() as sim:
        create_pool(sim, "alpha", "usb", 1 << 30)
    usb = replace(
        create(fleet, "usb", after=("freeze",)), pool="usb", datasets=(DatasetRef("usb", guid(fleet, "alpha", "usb")),)
    )
    outcomes, _ = apply(
        fleet,
        hook("freeze", WORKS),
        create(fleet, "take", after=("freeze",)),
        usb,
        hook("thaw", WORKS, after=("freeze", "take", "usb"), always=True),
        may_change=lambda _, pool: pool != "tank",
    )

    assert {name: outcome.result for name, outcome in outcomes.items()} == {
        "freeze": Result.DONE,
        "take": Result.RUNNING,
        "usb": Result.DONE,
        "thaw": Result.DONE,
    }


def test_every_step_is_told_before_and_after(fleet: SandboxFleet) -> None:
    _, events = apply(fleet, create(fleet, "one"), create(fleet, "two", name="t"))

    assert [(type(event), event.step.id) for event in events] == [
        (StepStarted, "one"),
        (StepFinished, "one"),
        (StepStarted, "two"),
        (StepFinished, "two"),
    ]


def test_a_death_on_one_host_leaves_no_other_waiting(fleet: SandboxFleet) -> None:
    fleet.faults.kill(1, changes_only=True)

    with pytest.raises(KilledAt):
        apply(fleet, create(fleet, "one"), create(fleet, "two", "beta", after=("one",)))


def test_a_dataset_that_could_not_be_looked_at_has_failed_and_is_not_called_stale(fleet: SandboxFleet) -> None:
    fleet.faults.fail("receive_resume_token", "cannot open 'tank': I/O error")

    outcomes, _ = apply(fleet, create(fleet, "take"))

    assert outcomes["take"].result is Result.FAILED
    assert "I/O error" in outcomes["take"].detail


def test_a_hook_that_does_not_end_is_a_failure(fleet: SandboxFleet) -> None:
    fleet.faults.hang("date")

    outcomes, _ = apply(fleet, hook("slow", WORKS))

    assert outcomes["slow"].result is Result.FAILED
    assert "5 s" in outcomes["slow"].detail


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("zfsctl-20261120T143000Z", "zfsctl-20261120T143001Z"),
        ("zfsctl-manual-20261231T235959Z", "zfsctl-manual-20270101T000000Z"),
        ("zfsctl-20280228T235959Z", "zfsctl-20280229T000000Z"),
    ],
)
def test_the_next_second(name: str, later: str) -> None:
    assert next_second(name) == later


class TestLocks:
    def test_one_run_holds_a_pool_of_a_host_and_no_other_gets_it(self, tmp_path: Path) -> None:
        first, second = PoolLocks(tmp_path / "locks"), PoolLocks(tmp_path / "locks")

        assert first.acquire("alpha", "tank")
        assert first.acquire("alpha", "tank"), "asking again is free"
        assert not second.acquire("alpha", "tank")
        assert second.acquire("alpha", "other pool")
        assert second.acquire("beta", "tank")
        assert second.busy == (("alpha", "tank"),)

    def test_names_with_dots_are_never_taken_for_each_other(self, tmp_path: Path) -> None:
        locks = PoolLocks(tmp_path)

        assert locks.acquire("nas", "lan.tank")
        assert locks.acquire("nas.lan", "tank")

    def test_what_was_busy_stays_so_for_one_command(self, tmp_path: Path) -> None:
        first, second = PoolLocks(tmp_path), PoolLocks(tmp_path)
        first.acquire("alpha", "tank")
        second.acquire("alpha", "tank")
        first.release()

        assert not second.acquire("alpha", "tank"), "the facts were read while another run changed the pool"
        second.release()
        assert second.acquire("alpha", "tank")
