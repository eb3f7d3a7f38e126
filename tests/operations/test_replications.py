"""Replications as they run day by day on simulated hosts: chains, two receivers, receivers that are away."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operations.replicating import (
    MEMORY,
    Copies,
    an_hour,
    dataset_on,
    is_current,
    lawful_run,
    look,
    new_copies,
    states,
)
from tests.operations.world import HOUR
from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command
from zfsctl.model.event import Event, Result, StepStarted
from zfsctl.model.lineage import LinkState
from zfsctl.model.plan import DestroySnapshots
from zfsctl.model.transfer import REPLICATION_LOCK, ReplicationStep, Transfer
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.sandbox.building import do
from zfsctl.sandbox.workload import advance, write


@pytest.fixture(scope="module")
def aged() -> Iterator[Copies]:
    """Six hourly runs: everything is copied, and the rules prune on every hop."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = new_copies(Path(folder))
        for _ in range(6):
            an_hour(world)
            assert world.run().exit_code == 0
        yield world


@pytest.fixture
def world(aged: Copies) -> Iterator[Copies]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield aged.copy(Path(folder))


def names(world: Copies, host: str, dataset: str) -> list[str]:
    return [snapshot.name for snapshot in look(world, host).snapshots[dataset].values()]


def anchors(world: Copies, host: str, dataset: str) -> dict[str, list[str]]:
    found = dataset_on(world, host, dataset)
    assert found is not None
    return {name: sorted(one.holds) for name, one in found.snapshots.items() if one.holds}


def settle(world: Copies, runs: int = 3) -> None:
    for _ in range(runs):
        lawful_run(world)


def test_a_chain_is_pruned_on_every_hop_by_its_own_rules(world: Copies) -> None:
    settle(world)

    # hourly = 3 and last = 2 on the sender; last = 3 and 4 on the hops.
    newest = names(world, "alpha", "tank/a")[-1]
    assert len(names(world, "alpha", "tank/a")) == 3
    assert len(names(world, "beta", "bk/a")) == 3
    assert len(names(world, "gamma", "vault/far/a")) == 3
    assert len(names(world, "gamma", "vault/chain")) == 4
    for host, dataset in (("beta", "bk/a"), ("gamma", "vault/far/a"), ("gamma", "vault/chain")):
        assert names(world, host, dataset)[-1] == newest
    assert world.plan().steps == ()
    assert set(states(world).values()) == {LinkState.CURRENT}


def test_each_hop_rests_on_a_cursor_and_a_hold_and_nothing_else(world: Copies) -> None:
    settle(world)

    newest = names(world, "alpha", "tank/a")[-1]
    assert anchors(world, "alpha", "tank/a") == {}
    assert anchors(world, "beta", "bk/a") == {newest: ["zfsctl:near:base"]}
    assert anchors(world, "gamma", "vault/far/a") == {newest: ["zfsctl:far:base"]}
    assert anchors(world, "gamma", "vault/chain") == {newest: ["zfsctl:chain:base"]}
    alpha, beta = dataset_on(world, "alpha", "tank/a"), dataset_on(world, "beta", "bk/a")
    assert alpha is not None
    assert beta is not None
    guid = alpha.snapshots[newest].guid
    assert sorted(alpha.bookmarks) == [f"zfsctl-far-{guid:016x}", f"zfsctl-near-{guid:016x}"]
    assert list(beta.bookmarks) == [f"zfsctl-chain-{guid:016x}"]


def test_a_chain_is_one_run_behind_for_each_hop_and_no_more(world: Copies) -> None:
    settle(world)
    an_hour(world)
    world.run()
    newest = names(world, "alpha", "tank/a")[-1]

    assert names(world, "beta", "bk/a")[-1] == newest
    assert names(world, "gamma", "vault/chain")[-1] != newest
    world.run()
    assert names(world, "gamma", "vault/chain")[-1] == newest


def test_more_datasets_cost_their_transfers_and_nothing_else(world: Copies) -> None:
    def asked() -> dict[str, int]:
        before = {host: world.fleet.host(host).exchanges for host in ("alpha", "beta", "gamma")}
        an_hour(world)
        world.run()
        return {host: world.fleet.host(host).exchanges - before[host] for host in before}

    settle(world)
    few = asked()
    for number in range(12):
        world.zfs("alpha", "create", f"tank/a/more{number}")
    settle(world)
    many = asked()

    # A transfer is an exchange at each of its ends; alpha sends each new dataset twice, to beta and to gamma.
    assert many["alpha"] <= few["alpha"] + 12 * 2
    assert many["beta"] <= few["beta"] + 12 * 2


def test_a_receiver_that_is_down_holds_nothing_back_from_the_other(world: Copies) -> None:
    world.sim.hosts["beta"].reachable = False
    for _ in range(4):
        an_hour(world)
        assert world.run().exit_code != 0

    assert names(world, "gamma", "vault/far/a")[-1] == names(world, "alpha", "tank/a")[-1]
    assert len(names(world, "alpha", "tank/a")) > 3, "what waits for beta is pending"
    world.sim.hosts["beta"].reachable = True
    settle(world, 4)
    assert is_current(world)
    assert len(names(world, "alpha", "tank/a")) == 3


def test_past_pending_limit_the_rules_of_the_sender_go_on_and_the_cursor_is_left(world: Copies) -> None:
    settle(world)
    base = names(world, "alpha", "tank/a")[-1]
    world.sim.hosts["beta"].reachable = False
    late: set[str] = set()
    for _ in range(14):
        an_hour(world)
        late |= {finding.dataset for finding in world.plan().findings if finding.code == "pending-limit"}
        lawful_run(world)

    sent = names(world, "alpha", "tank/a")
    assert base not in sent
    # Those of the last twelve hours wait; the rules keep fewer.
    assert len(sent) <= 13
    alpha = dataset_on(world, "alpha", "tank/a")
    assert alpha is not None
    assert [name for name in alpha.bookmarks if "-near-" in name]
    assert late == {"tank/a", "tank/a/kid"}, "and it was said"

    world.sim.hosts["beta"].reachable = True
    settle(world, 5)
    assert set(states(world).values()) == {LinkState.CURRENT}, "an increment from the cursor"


def test_a_month_without_its_receiver_ends_in_an_increment(world: Copies) -> None:
    """Only the cursor remembers; the receiver holds its end of it."""
    world.sim.hosts["gamma"].reachable = False
    for _ in range(6):
        advance(world.sim, 5 * 24 * HOUR)
        write(world.sim, "alpha", "tank/a", 1 << 20)
        lawful_run(world)
    world.sim.hosts["gamma"].reachable = True
    first = [step for step in world.plan().steps if isinstance(step, Transfer)]

    assert {step.state for step in first} == {LinkState.BEHIND}
    assert all(step.sends[0].source_guid is not None for step in first)
    settle(world, 4)
    assert is_current(world)


def test_an_unplugged_receiver_is_quiet_and_then_an_alarm(world: Copies) -> None:
    settle(world)
    world.policy_text = world.policy_text.replace('name = "chain"', 'name = "chain"\naway = "6h"')
    world.plug()
    an_hour(world)
    quiet = world.run()
    # Told once for each of the two trees that arrive there, not for each of their four datasets.
    assert (quiet.exit_code, [finding.code for finding in quiet.plan.findings]) == (0, ["unplugged"] * 2)
    assert sorted(states(world).values()) == [LinkState.AWAY] * 4 + [LinkState.CURRENT] * 2

    for _ in range(7):
        an_hour(world)
        alarm = world.run()
    assert "away" in {finding.code for finding in alarm.plan.findings}
    assert alarm.exit_code != 0

    world.plug()
    settle(world, 4)
    assert is_current(world)
    assert {finding.code for finding in world.plan().findings} <= {"withheld-expiry"}


@pytest.mark.parametrize("health", ["SUSPENDED", "FAULTED", "UNAVAIL"])
def test_a_pool_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(world: Copies, health: str) -> None:
    """As sender and as receiver in turn: nothing is planned for it, nothing is lost, and then an increment follows."""
    before = {host: look(world, host) for host in ("alpha", "beta", "gamma")}
    for host in ("beta", "alpha"):
        (pool,) = world.pools(host).values()
        pool.health = health
        an_hour(world)
        applied = world.run()
        said = {(finding.code, finding.host) for finding in applied.plan.findings}
        pool.health = "ONLINE"

        assert not [step for step in applied.plan.steps if host in (step.host, getattr(step, "sender_host", ""))]
        assert "no-match" not in {code for code, _ in said}
        assert {("link-unknown", "beta"), ("link-unknown", "gamma")} & said
        assert set(states(world).values()) <= {LinkState.CURRENT, LinkState.BEHIND}
    for host, seen in before.items():
        assert set(seen.snapshots) <= set(look(world, host).snapshots)
    settle(world)
    assert is_current(world)


def test_what_is_sent_in_a_run_is_set_free_by_the_next(world: Copies) -> None:
    settle(world)
    an_hour(world)
    first = world.run()
    destroyed = {ref.guid for step in first.plan.steps if isinstance(step, DestroySnapshots) for ref in step.snapshots}
    sent = {
        guid
        for step in first.plan.steps
        if isinstance(step, Transfer)
        for send in step.sends
        for guid in (send.source_guid, *(ref.guid for ref in send.snapshots))
    }

    assert not destroyed & sent
    assert all(outcome.result is Result.DONE for outcome in first.outcomes)


def test_new_and_destroyed_children(world: Copies) -> None:
    world.zfs("alpha", "create", "tank/a/new")
    an_hour(world)
    settle(world, 4)
    assert dataset_on(world, "beta", "bk/a/new") is not None
    assert dataset_on(world, "gamma", "vault/chain/new") is not None

    world.zfs("alpha", "destroy", "-r", "tank/a/new")
    an_hour(world)
    for _ in range(3):
        gone = world.run()

    assert dataset_on(world, "beta", "bk/a/new") is not None, "a copy outlives its sender"
    assert {finding.code for finding in gone.plan.findings} == {"sender-gone"}
    assert is_current(world)


def test_a_snapshot_taken_by_hand_arrives_with_its_reason_and_its_end(world: Copies) -> None:
    settle(world)
    world.zfs(
        "alpha",
        "snapshot",
        "-o",
        "zfsctl:reason=before the upgrade",
        "-o",
        f"zfsctl:expires={world.sim.now + 5 * HOUR}",
        "tank/a@zfsctl-manual-20261118T200000Z",
    )
    settle(world)
    for host, dataset in (("beta", "bk/a"), ("gamma", "vault/chain")):
        (row,) = world.zfs(
            host, "list", "-Hp", "-o", "zfsctl:reason,zfsctl:expires", f"{dataset}@zfsctl-manual-20261118T200000Z"
        )
        assert row.split("\t") == ["before the upgrade", str(world.sim.now + 5 * HOUR)]

    for _ in range(14):
        an_hour(world)
        world.run()
    for host, dataset in (("alpha", "tank/a"), ("beta", "bk/a"), ("gamma", "vault/chain")):
        assert "zfsctl-manual-20261118T200000Z" not in names(world, host, dataset), "it has expired everywhere"


def test_what_the_sender_adopts_goes_down_the_whole_chain(world: Copies) -> None:
    settle(world)
    world.zfs("alpha", "snapshot", "tank/a@adopted-1")
    settle(world)
    for host, dataset in (("beta", "bk/a"), ("gamma", "vault/chain")):
        assert names(world, host, dataset)[-1] == "adopted-1"

    for _ in range(6):
        an_hour(world)
        lawful_run(world)
    assert "adopted-1" not in names(world, "beta", "bk/a")


@pytest.mark.parametrize("first_copy", [False, True], ids=["an increment", "a first copy"])
def test_hours_of_snapshots_and_prunes_go_by_while_a_stream_is_under_way(
    world: Copies, first_copy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other runs take and prune every hour meanwhile, on both ends; what is sent, and what it goes on from, stays."""
    if first_copy:
        do(world.sim, "gamma", "zfs", "rename", "vault/far/a", "vault/before")
    an_hour(world)
    meanwhile: list[int] = []
    pipe = world.fleet.pipe

    def long_pipe(sender: str, send: Command, receiver: str, receive: Command, **options: Any) -> PipeResult:
        if receive.argv[-1] == "vault/far/a" and not meanwhile:
            deadline = time.monotonic() + 30
            while session.locks.hosts - {REPLICATION_LOCK} and time.monotonic() < deadline:
                time.sleep(0.01)
            for _ in range(9):
                an_hour(world)
                meanwhile.append(int(world.run(only=("snapshot", "prune")).exit_code))
        return pipe(sender, send, receiver, receive, **options)

    monkeypatch.setattr(world.fleet, "pipe", long_pipe)
    oldest = names(world, "alpha", "tank/a")[0]
    with world.session() as session:
        plan = plan_run(session, RunRequest())
        done = apply_plan(session, plan)

    assert meanwhile == [0] * 9
    assert {outcome.result for outcome in done.outcomes if outcome.step.startswith("transfer")} == {Result.DONE}
    assert (oldest in names(world, "alpha", "tank/a")) is first_copy, "the rules went on where nothing rests on them"
    settle(world)
    assert is_current(world)
    assert set(states(world).values()) == {LinkState.CURRENT}


def test_where_only_replications_are_at_work_no_pool_is_locked(world: Copies) -> None:
    an_hour(world)
    for _ in range(2):
        world.run(only=("snapshot", "prune"))
    held: list[frozenset[str]] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Transfer):
            held.append(session.locks.hosts)

    with world.session() as session:
        plan = plan_run(session, RunRequest())
        apply_plan(session, plan, listeners=(listen,))

    assert {step.host for step in plan.steps if not isinstance(step, ReplicationStep)} == set()
    assert held
    assert set(held) == {frozenset({REPLICATION_LOCK})}


def test_deleting_the_state_file_changes_nothing(world: Copies) -> None:
    settle(world)
    an_hour(world)
    before = [type(step) for step in world.plan().steps]
    for file in world.folder.glob("state.db*"):
        file.unlink()

    assert [type(step) for step in world.plan().steps] == before
    settle(world, 4)
    assert is_current(world)
