"""What a status costs, and what it knows after a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.operations.world import HOUR, POLICY, World, new_world
from zfsctl.documents.status import status_from_document
from zfsctl.model.lineage import LinkState
from zfsctl.model.replication_status import LinkHealth, ReplicationStatus
from zfsctl.model.transfer import REPLICATION_LOCK
from zfsctl.operations.status import status

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
    for number in range(60):
        world.zfs("alpha", "create", f"tank/more{number}")
    before = cost(world, *hosts)
    world.run()
    for _ in range(3):
        world.advance(HOUR)
        world.run()

    assert len(ask(world).pairs) == 64
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
