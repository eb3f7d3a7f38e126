"""What a status costs, and what it knows after a run."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from tests.operations.test_repair import Pair, new_pair
from tests.operations.world import HOUR, POLICY, World, new_world
from zfsctl.documents.status import status_from_document
from zfsctl.model.lineage import LinkState
from zfsctl.model.replication_status import LinkHealth, ReplicationStatus
from zfsctl.model.transfer import REPLICATION_LOCK
from zfsctl.operations.explain import explain
from zfsctl.operations.status import status
from zfsctl.sandbox.faults import KilledAt

REPLICATED = """
[[replications]]
name = "out"
sender = "alpha:tank"
receiver = "beta:bk/tank"
keep = { last = 3 }
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Everything below tank on alpha is to be copied to beta."""
    found = new_world(tmp_path)
    found.policy_text = POLICY + REPLICATED
    return found


def exchanges(world: World) -> dict[str, int]:
    """How many questions each host was asked so far."""
    return {name: world.fleet.host(name).exchanges for name in ("alpha", "beta")}


def ask(world: World, *hosts: str) -> ReplicationStatus:
    with world.session(dry_run=True, hosts=hosts) as session:
        (found,) = status(session).replications
        return found


def cost(world: World, *hosts: str) -> dict[str, int]:
    before = exchanges(world)
    ask(world, *hosts)
    return {name: count - before[name] for name, count in exchanges(world).items()}


@pytest.mark.parametrize("hosts", [(), ("beta",)])
def test_a_status_asks_each_host_four_questions_whatever_it_holds(world: World, hosts: tuple[str, ...]) -> None:
    for number in range(20):
        world.zfs("alpha", "create", f"tank/more{number}")
    before = cost(world, *hosts)
    world.run()
    for _ in range(3):
        world.advance(HOUR)
        world.run()

    assert len(ask(world).pairs) == 24
    assert (before, cost(world, *hosts)) == ({"alpha": 4, "beta": 4}, {"alpha": 4, "beta": 4})


def test_what_is_kept_after_a_run_is_what_the_hosts_then_say(world: World) -> None:
    for _ in range(3):
        world.advance(HOUR)
        assert world.run().exit_code == 0
        with world.session(dry_run=True) as session:
            kept = session.journal.cached_status()
            assert kept is not None
            known = status_from_document(json.loads(kept.document))
            asked = status(session)

        assert known.replications == asked.replications
        assert [pair.health for one in asked.replications for pair in one.pairs] == [LinkHealth.HEALTHY] * 4


def test_a_run_that_leaves_a_replication_to_another_run_knows_how_it_stands(world: World) -> None:
    world.run()
    world.advance(HOUR)
    with world.session() as other:
        assert other.locks.acquire(REPLICATION_LOCK, "out")
        world.run()
    with world.session(dry_run=True) as session:
        kept = session.journal.cached_status()

    assert kept is not None
    known = status_from_document(json.loads(kept.document))
    assert {pair.state for pair in known.replications[0].pairs} == {LinkState.BEHIND}


def test_a_run_sends_what_it_takes_also_where_only_a_bookmark_of_the_base_is_left(world: World) -> None:
    for _ in range(2):
        world.advance(HOUR)
        world.run()
    newest = max(name for name in world.snapshots() if name.startswith("tank/a@"))
    world.zfs("alpha", "destroy", newest)
    world.advance(HOUR)
    world.run()

    assert {pair.state for pair in ask(world).pairs} == {LinkState.CURRENT}
    with world.session(dry_run=True) as session:
        kept = session.journal.cached_status()
    assert kept is not None
    known = status_from_document(json.loads(kept.document)).replications
    assert {pair.state for one in known for pair in one.pairs} == {LinkState.CURRENT}


def stands(world: World) -> tuple[set[tuple[str, str]], str]:
    """Health and state of the pairs, and the state of the receiver's root as `explain` has it."""
    with world.session(dry_run=True) as session:
        (seen,) = status(session).replications
        (first, *_) = explain(session, "copy").pairs
    return {(pair.health.value, pair.state.value) for pair in seen.pairs}, first.status.next


def test_a_repair_is_seen_to_be_needed_and_to_be_done(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    pair.writes_to("bk/copies/a", snapshot="theirs")
    before = stands(pair.world)
    pair.world.run()
    with pair.world.session(dry_run=True) as session:
        kept = session.journal.cached_status()
        seen = status(session)
        changes = [(change.old, change.new) for change in session.journal.health_changes()]

    assert before[0] == {("warning", "diverged"), ("healthy", "behind")}
    assert before[1].startswith("the next run builds a new receiver beside it")
    assert {one.health for one in seen.replications} == {LinkHealth.HEALTHY}
    assert kept is not None
    assert status_from_document(json.loads(kept.document)).replications == seen.replications
    assert changes[:2] == [(LinkHealth.WARNING, LinkHealth.HEALTHY), (LinkHealth.HEALTHY, LinkHealth.WARNING)]


def test_a_repair_that_is_half_done_is_repairing_until_a_run_finishes_it(tmp_path: Path) -> None:
    seen: set[str] = set()
    first = tmp_path / "first"
    first.mkdir()
    current = new_pair(first)
    current.writes_to("bk/copies/a", snapshot="theirs")
    for number in range(1, 40, 3):
        pair = Pair(current.world.copy(tmp_path / str(number)))
        pair.world.fleet.faults.kill(number, after=True)
        with contextlib.suppress(KilledAt):
            pair.replicate()
        pair.world.fleet.faults.clear()
        health, _ = stands(pair.world)
        seen |= {word for word, _ in health}
        pair.replicate()

        assert {word for word, _ in stands(pair.world)[0]} == {"healthy"}
    assert "repairing" in seen
    assert seen <= {"repairing", "warning", "healthy"}
