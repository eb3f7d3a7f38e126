"""Laws over generated histories: writes, runs, snapshots by others, holds, faults and kills, in any order."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.operations.world import HOUR, World
from zfsctl.errors import ZfsctlError
from zfsctl.model.verdicts import Verdict
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.sandbox.faults import Fault, FaultKind, KilledAt

DATASETS = (("alpha", "tank/a"), ("alpha", "tank/b"), ("beta", "bk/vm/one"))
FAULTS = (FaultKind.CUT, FaultKind.CUT_BEFORE, FaultKind.NOISE, FaultKind.FAIL, FaultKind.FAIL_AFTER, FaultKind.LIE,
          FaultKind.HANG, FaultKind.HANG_AFTER, FaultKind.KILL_BEFORE, FaultKind.KILL_AFTER)  # fmt: skip

place = st.sampled_from(DATASETS)
actions = st.one_of(
    st.tuples(st.just("advance"), st.integers(0, 5)),
    st.tuples(st.just("foreign"), place),
    st.tuples(st.just("hold"), place),
    st.tuples(st.just("clone"), place),
    st.tuples(st.just("destroy"), place),
    st.tuples(st.just("clock"), st.integers(-100, 100)),
    st.tuples(st.just("fault"), st.tuples(st.sampled_from(FAULTS), st.integers(0, 12))),
    st.tuples(st.just("run"), st.none()),
)


def names_of(world: World) -> set[tuple[str, int]]:
    return {
        (f"{host}:{name}", guid)
        for host, below in (("alpha", "tank"), ("beta", "bk"))
        for name, guid in world.snapshots(host, below).items()
    }


def act(world: World, action: tuple[str, object], number: int) -> None:
    """One thing that happens beside zfsctl."""
    match action:
        case ("advance", int(hours)):
            world.advance(hours * HOUR + 60)
        case ("foreign", (str(host), str(dataset))):
            world.zfs(host, "snapshot", f"{dataset}@autosnap_{number}")
        case ("hold" | "clone" | "destroy" as what, (str(host), str(dataset))):
            listed = [name for name in world.snapshots(host, dataset) if name.startswith(f"{dataset}@")]
            if not listed:
                return
            chosen = listed[number % len(listed)]
            with contextlib.suppress(ZfsctlError):
                if what == "hold":
                    world.zfs(host, "hold", f"tag{number}", chosen)
                elif what == "clone":
                    world.zfs(host, "clone", chosen, f"{dataset.partition('/')[0]}/clone{number}")
                else:
                    world.zfs(host, "destroy", chosen)
        case ("clock", int(hours)):
            world.sim.hosts["alpha"].clock_offset = hours * HOUR
        case ("fault", (kind, int(skip))):
            world.fleet.faults.add(Fault(kind, skip=skip, text="I/O error", lines=1))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(actions, min_size=5, max_size=25))
def test_a_run_loses_only_what_its_plan_says_and_no_history_loses_what_a_rule_keeps(
    eight_hours: World, history: list[tuple[str, object]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = eight_hours.copy(Path(folder))
        for number, action in enumerate(history):
            if action[0] != "run":
                act(world, action, number)
                continue
            before = names_of(world)
            planned: dict[tuple[str, int], Verdict] = {}
            with contextlib.suppress(ZfsctlError, KilledAt), world.session() as session:
                plan = plan_run(session, RunRequest())
                planned = {
                    (f"{each.host}:{each.dataset}@{each.snapshot}", each.guid): each.verdict for each in plan.decisions
                }
                apply_plan(session, plan)
            lost = before - names_of(world)
            assert all(planned.get(name) is Verdict.DESTROY for name in lost)
            assert not [name for name, _ in lost if "autosnap" in name]
        world.fleet.faults.clear()
        world.sim.hosts["alpha"].clock_offset = 0
        for _ in range(3):
            with contextlib.suppress(ZfsctlError):
                world.run()
        assert world.plan().steps == (), "the world settles"
