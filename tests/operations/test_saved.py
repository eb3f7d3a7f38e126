"""A saved plan is applied exactly, or less, and never more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.operations.world import HOUR, World
from zfsctl.errors import StaleError, UnknownNameError
from zfsctl.model.plan import CreateSnapshots, DestroySnapshots, Plan, RunHook, SnapshotRef
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.saved import check_saved_plan
from zfsctl.state.cached import read_cached_status


def apply_saved(world: World, plan: Plan) -> Applied:
    with world.session() as session:
        return apply_plan(session, check_saved_plan(session, plan))


def destroys(plan: Plan, dataset: str) -> DestroySnapshots:
    return next(step for step in plan.steps if isinstance(step, DestroySnapshots) and step.dataset == dataset)


def with_step(plan: Plan, old: DestroySnapshots, new: DestroySnapshots) -> Plan:
    return replace(plan, steps=tuple(new if step is old else step for step in plan.steps))


def test_a_plan_applied_at_once_does_exactly_what_it_says(aged: World) -> None:
    plan = aged.plan()
    doomed = {
        f"{step.dataset}@{ref.name}"
        for step in plan.steps
        if isinstance(step, DestroySnapshots) and step.host == "alpha"
        for ref in step.snapshots
    }
    before = set(aged.snapshots())

    applied = apply_saved(aged, plan)

    assert applied.exit_code == 0
    assert [step.id for step in applied.plan.steps] == [step.id for step in plan.steps]
    assert before - set(aged.snapshots()) == doomed
    assert {name.partition("@")[2] for name in set(aged.snapshots()) - before} == {
        step.snapshot for step in plan.steps if isinstance(step, CreateSnapshots) and step.host == "alpha"
    }


def test_a_plan_that_is_too_old_is_refused(aged: World) -> None:
    plan = aged.plan()
    before = aged.everything()
    aged.advance(HOUR)

    with pytest.raises(StaleError, match="too old"):
        apply_saved(aged, plan)
    assert aged.everything() == before


def test_a_plan_of_another_clock_is_refused(aged: World) -> None:
    plan = replace(aged.plan(), created_at=aged.sim.now + 3600, valid_until=aged.sim.now + 7200)

    with pytest.raises(StaleError, match="dated in the future"):
        apply_saved(aged, plan)


def test_a_host_that_the_policy_no_longer_has_is_refused(aged: World) -> None:
    plan = aged.plan()
    aged.policy_text = aged.policy_text.replace('beta = "beta.lan"\n', "").replace(', "beta:bk/vm"', "")

    with pytest.raises(UnknownNameError):
        apply_saved(aged, plan)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda w, n: w.zfs("alpha", "hold", "legal", f"tank/a@{n}"), id="held since"),
        pytest.param(lambda w, n: w.zfs("alpha", "clone", f"tank/a@{n}", "tank/clone"), id="cloned since"),
        pytest.param(
            lambda w, n: (w.zfs("alpha", "destroy", f"tank/a@{n}"), w.zfs("alpha", "snapshot", f"tank/a@{n}")),
            id="made anew since",
        ),
    ],
)
def test_what_changed_since_is_dropped_and_the_rest_is_done(aged: World, change: Callable[[World, str], None]) -> None:
    plan = aged.plan()
    name = destroys(plan, "tank/a").snapshots[0].name
    change(aged, name)

    applied = apply_saved(aged, plan)

    assert f"tank/a@{name}" in aged.snapshots()
    assert f"tank/b@{name}" not in aged.snapshots()
    assert applied.exit_code == 3
    assert any(finding.code == "stale" and finding.dataset == "tank/a" for finding in applied.plan.findings)


def test_a_snapshot_taken_since_is_not_taken_again(aged: World) -> None:
    plan = aged.plan()
    aged.advance(60)
    aged.run()
    before = aged.everything()

    with pytest.raises(StaleError, match="nothing of the plan is left"):
        apply_saved(aged, plan)
    assert aged.everything() == before


def test_a_plan_applied_twice_within_a_second_does_nothing_the_second_time(aged: World) -> None:
    plan = aged.plan()
    apply_saved(aged, plan)
    before = aged.everything()

    with pytest.raises(StaleError):
        apply_saved(aged, plan)
    assert aged.everything() == before


def test_a_host_whose_clock_is_ahead_is_judged_by_its_own_clock(aged: World) -> None:
    aged.sim.hosts["alpha"].clock_offset = 240
    aged.run()
    aged.advance(HOUR)
    plan = aged.plan()
    before = set(aged.snapshots())

    applied = apply_saved(aged, plan)

    assert applied.exit_code == 0
    assert len({name.partition("@")[0] for name in set(aged.snapshots()) - before}) == 4


def test_what_is_gone_already_is_no_failure(aged: World) -> None:
    plan = aged.plan()
    aged.zfs("alpha", "destroy", f"tank/a@{destroys(plan, 'tank/a').snapshots[0].name}")

    applied = apply_saved(aged, plan)

    assert applied.exit_code == 0
    assert [(finding.code, finding.dataset) for finding in applied.plan.findings] == [("gone", "tank/a")]


def test_a_rule_that_keeps_more_today_saves_what_the_plan_would_destroy(aged: World) -> None:
    plan = aged.plan()
    before = set(aged.snapshots())
    aged.policy_text = aged.policy_text.replace("hourly = 6", "hourly = 60")

    apply_saved(aged, plan)

    assert before <= set(aged.snapshots())


@pytest.mark.parametrize("victim", ["the newest", "a foreign one", "one that a rule keeps"])
def test_a_plan_that_somebody_changed_destroys_nothing_that_the_rules_keep(aged: World, victim: str) -> None:
    aged.zfs("alpha", "snapshot", "tank/a@foreign")
    plan = aged.plan()
    step = destroys(plan, "tank/a")
    there = aged.snapshots()
    ours = sorted(name for name in there if name.startswith("tank/a@zfsctl-"))
    full = {"the newest": ours[-1], "a foreign one": "tank/a@foreign", "one that a rule keeps": ours[-2]}[victim]
    ref = SnapshotRef(full.partition("@")[2], there[full])
    changed = with_step(plan, step, replace(step, snapshots=(*step.snapshots, ref)))

    applied = apply_saved(aged, changed)

    assert full in aged.snapshots()
    assert ref not in destroys(applied.plan, "tank/a").snapshots
    assert f"tank/a@{step.snapshots[0].name}" not in aged.snapshots()


def test_a_command_that_somebody_put_into_a_plan_is_not_run(aged: World) -> None:
    plan = aged.plan()
    hook = RunHook(id="h", host="alpha", why="", name="evil", argv=("rm", "-rf", "/"), timeout_seconds=5)

    applied = apply_saved(aged, replace(plan, steps=(hook, *plan.steps)))

    assert not [line for _, line in aged.fleet.faults.log if "rm -rf" in line]
    assert any("evil" in finding.message for finding in applied.plan.findings)


HOOK = """
[[hooks]]
name = "db"
select = ["alpha:tank/a"]
before = ["date", "+freeze"]
after = ["date", "+thaw"]
"""


def commands(world: World, word: str) -> list[str]:
    return [line for _, line in world.fleet.faults.log if word in line]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('before = ["date", "+freeze"]', "", id="it no longer freezes"),
        pytest.param('"+freeze"', '"+%s"', id="it freezes otherwise"),
        pytest.param('after = ["date", "+thaw"]', "", id="it no longer thaws"),
        pytest.param('"+thaw"', '"+%s"', id="it thaws otherwise"),
        pytest.param('"db"', '"other"', id="it is gone"),
        pytest.param("alpha:tank/a", "beta:bk", id="it is about another host"),
    ],
)
def test_a_hook_that_was_changed_since_is_left_out_whole_with_its_snapshots(aged: World, old: str, new: str) -> None:
    aged.policy_text += HOOK
    plan = aged.plan()
    before = set(aged.snapshots())
    aged.policy_text = aged.policy_text.replace(old, new)

    applied = apply_saved(aged, plan)

    assert not commands(aged, "date +freeze") + commands(aged, "date +thaw")
    assert {name.partition("@")[0] for name in set(aged.snapshots()) - before} == {"tank", "tank/b", "tank/vol"}
    assert applied.exit_code == 3


def test_a_hook_that_was_given_a_second_side_since_is_left_out(aged: World) -> None:
    aged.policy_text += HOOK.replace('after = ["date", "+thaw"]', "")
    plan = aged.plan()
    aged.policy_text += 'after = ["date", "+thaw"]\n'

    apply_saved(aged, plan)

    assert not commands(aged, "date +freeze")


def test_a_hook_does_not_run_for_a_snapshot_that_is_no_longer_taken(aged: World) -> None:
    aged.policy_text += HOOK
    plan = aged.plan()
    aged.zfs("alpha", "destroy", "-r", "tank/a")
    aged.zfs("alpha", "create", "tank/a")

    apply_saved(aged, plan)

    assert not commands(aged, "date +freeze") + commands(aged, "date +thaw")


def test_the_hooks_of_a_plan_run_around_what_is_left_of_it(aged: World) -> None:
    aged.policy_text += HOOK
    plan = aged.plan()
    aged.zfs("alpha", "destroy", "-r", "tank/b")

    apply_saved(aged, plan)

    order = [line.split()[1] for host, line in aged.fleet.faults.log if host == "alpha" and "date +" in line]
    assert [word for word in order if word != "+%s"] == ["+freeze", "+thaw"]


def test_what_another_run_holds_is_not_said_to_be_done(aged: World) -> None:
    plan = aged.plan()
    with aged.session() as other, aged.session() as session:
        other.locks.acquire("alpha", "tank")

        checked = check_saved_plan(session, plan)

    assert not [finding for finding in checked.findings if finding.code == "gone"]
    assert not [step for step in checked.steps if isinstance(step, DestroySnapshots) and step.host == "alpha"]


def test_nothing_is_destroyed_where_the_listing_is_not_complete(aged: World) -> None:
    plan = aged.plan()
    before = aged.everything()["alpha"]
    aged.fleet.faults.noise("-t snapshot", "cannot iterate filesystems: I/O error", host="alpha")

    apply_saved(aged, plan)

    assert before <= aged.everything()["alpha"]


def test_a_dataset_made_anew_gets_no_snapshot_of_the_old_plan(aged: World) -> None:
    plan = aged.plan()
    aged.zfs("alpha", "destroy", "-r", "tank/a")
    aged.zfs("alpha", "create", "tank/a")

    applied = apply_saved(aged, plan)

    assert not [name for name in aged.snapshots() if name.startswith("tank/a@")]
    assert any(finding.code == "stale" for finding in applied.plan.findings)


def test_the_kept_view_stays_whole_when_a_plan_about_a_part_is_applied(aged: World) -> None:
    aged.zfs("alpha", "snapshot", "tank/a@other")
    plan = aged.plan()
    part = replace(plan, steps=(destroys(plan, "tank/a"),))
    kept = read_cached_status(aged.folder / "state.db")

    apply_saved(aged, part)

    assert read_cached_status(aged.folder / "state.db") == kept


def test_a_plan_that_only_takes_snapshots_makes_no_rules_known(aged: World) -> None:
    aged.policy_text = aged.policy_text.replace("hourly = 6", "hourly = 7")
    plan = aged.plan()
    taking = replace(plan, steps=tuple(step for step in plan.steps if isinstance(step, CreateSnapshots)))
    with aged.session() as session:
        known = session.journal.known_rules()

    apply_saved(aged, taking)

    with aged.session() as session:
        assert session.journal.known_rules() == known
