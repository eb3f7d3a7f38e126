"""A saved plan that sends: applied as it was shown, and nothing of it once the world has moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.world import World, new_world
from zfsctl.documents.envelope import document_text, envelope
from zfsctl.documents.plan import document_of_plan
from zfsctl.documents.reading import read_plan
from zfsctl.errors import StaleError
from zfsctl.model.plan import DestroySnapshots, Plan, SnapshotRef
from zfsctl.model.transfer import Send, Transfer
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate
from zfsctl.operations.saved import check_saved_plan

REPLICATION = """
[[replications]]
name = "r"
sender = "alpha:tank"
receiver = "beta:bk/{host}/tank"
keep = { last = 5 }
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two snapshots of everything on alpha, and no copy of them yet."""
    made = new_world(tmp_path)
    made.hours(2)
    made.policy_text += REPLICATION
    return made


def saved(world: World) -> Plan:
    """The plan to replicate, as it comes back from its file."""
    with world.session(dry_run=True) as session:
        plan = plan_replicate(session, ReplicateRequest())
    text = document_text(envelope("plan", document_of_plan(plan), at=plan.created_at))
    again = read_plan(text, source="plan.json")
    assert again == plan
    return again


def apply_saved(world: World, plan: Plan) -> Applied:
    with world.session() as session:
        return apply_plan(session, check_saved_plan(session, plan))


def copies(world: World) -> dict[int, str]:
    return {guid: name for name, guid in world.snapshots("beta", "bk").items() if name.startswith("bk/alpha")}


@pytest.mark.parametrize("hours", [0, 1, 9], ids=["a first copy", "an increment", "from a cursor, the base is pruned"])
def test_a_plan_applied_at_once_sends_what_it_says(world: World, hours: int) -> None:
    if hours:
        apply_saved(world, saved(world))
        world.policy_text = world.policy_text.replace(REPLICATION, "")
        world.hours(hours)
        world.policy_text += REPLICATION
    plan = saved(world)

    applied = apply_saved(world, plan)

    assert applied.exit_code == 0
    assert applied.plan.steps == plan.steps
    assert applied.plan.findings == ()
    newest = max(world.snapshots())
    assert world.snapshots()[newest] in copies(world)
    assert not saved(world).steps


def test_what_another_run_has_sent_is_not_sent_again(world: World) -> None:
    plan = saved(world)
    world.run()
    before = world.everything()

    with pytest.raises(StaleError, match="nothing of the plan is left"):
        apply_saved(world, plan)
    assert world.everything() == before


def test_a_dataset_made_anew_is_not_sent_and_the_others_are(world: World) -> None:
    plan = saved(world)
    world.zfs("alpha", "destroy", "-r", "tank/a")
    world.zfs("alpha", "create", "tank/a")

    applied = apply_saved(world, plan)

    assert {name.partition("@")[0] for name in copies(world).values()} == {
        "bk/alpha/tank",
        "bk/alpha/tank/b",
        "bk/alpha/tank/vol",
    }
    assert applied.exit_code == 3
    assert [(one.code, one.dataset) for one in applied.plan.findings] == [("stale", "bk/alpha/tank/a")]


def test_a_plan_sends_nothing_to_another_place_than_the_policy_does(world: World) -> None:
    plan = saved(world)
    steps = tuple(
        replace(step, receiver=step.receiver.replace("bk/alpha", "bk/elsewhere"))
        if isinstance(step, Transfer)
        else step
        for step in plan.steps
    )

    with pytest.raises(StaleError):
        apply_saved(world, replace(plan, steps=steps))
    assert not copies(world)
    assert not [line for _, line in world.fleet.faults.log if "zfs receive" in line]


def test_a_plan_sends_no_other_snapshot_under_a_planned_name(world: World) -> None:
    plan = saved(world)
    steps = tuple(
        replace(step, sends=(Send("", None, (SnapshotRef(step.sends[0].last.name, 4711),)),))
        if isinstance(step, Transfer)
        else step
        for step in plan.steps
    )

    with pytest.raises(StaleError):
        apply_saved(world, replace(plan, steps=steps))
    assert not copies(world)


def test_the_pools_are_not_locked_while_a_saved_plan_sends(world: World) -> None:
    plan = saved(world)
    with world.session() as session, world.session() as other:
        check_saved_plan(session, plan)

        assert other.locks.acquire("alpha", "tank")
        assert other.locks.acquire("beta", "bk")


def test_a_saved_destroy_takes_nothing_that_waits_to_be_sent(world: World) -> None:
    world.policy_text = world.policy_text.replace(REPLICATION, "")
    world.hours(5)
    world.advance(3600)
    plan = world.plan()
    destroys = [step for step in plan.steps if isinstance(step, DestroySnapshots) and step.host == "alpha"]
    doomed = {ref.guid for step in destroys for ref in step.snapshots}
    world.policy_text += REPLICATION

    apply_saved(world, plan)

    assert doomed
    assert doomed <= set(world.snapshots().values())
