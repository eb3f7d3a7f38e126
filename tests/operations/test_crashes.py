"""Killed before or after any command, and started again: the work is finished and nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.world import HOUR, World
from zfsctl.documents.envelope import document_text, envelope
from zfsctl.documents.plan import document_of_plan
from zfsctl.model.event import Event, StepFinished
from zfsctl.model.plan import RunHook
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.sandbox.faults import KilledAt

MOST_CHANGES = 12


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory, eight_hours: World) -> World:
    """A world in which a run creates on two hosts and destroys several snapshots of each dataset."""
    world = eight_hours.copy(tmp_path_factory.mktemp("busy") / "world")
    for _ in range(2):
        world.run(only=("snapshot",))
        world.advance(HOUR)
    world.zfs("alpha", "snapshot", "tank/a@mine")
    return world


@pytest.fixture(scope="session")
def finished(busy: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What is there when nothing goes wrong."""
    world = busy.copy(tmp_path_factory.mktemp("finished") / "world")
    world.run()
    world.run()
    assert world.run().outcomes == ()
    return world.everything()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, MOST_CHANGES + 1))
def test_a_kill_at_any_change_is_healed_by_the_next_runs(
    busy: World, finished: dict[str, set[str]], tmp_path: Path, number: int, after: bool
) -> None:
    world = busy.copy(tmp_path / "world")
    world.fleet.faults.kill(number, after=after)
    with contextlib.suppress(KilledAt):
        world.run()
    world.fleet.faults.clear()

    world.run()
    world.run()

    assert world.everything() == finished
    assert world.run().outcomes == ()


def test_the_table_of_kills_reaches_every_change(busy: World, tmp_path: Path) -> None:
    world = busy.copy(tmp_path / "world")
    world.run()
    changes = [line for _, line in world.fleet.faults.log if line.startswith(("zfs snapshot", "zfs destroy"))]

    assert 2 < len(changes) <= MOST_CHANGES


HOOKS = """
[[hooks]]
name = "db"
select = ["alpha:tank/a"]
before = ["zfs", "list", "-H", "tank/a"]
after = ["zfs", "list", "-H", "tank/b"]
"""


def thaws(world: World) -> int:
    return sum(line.endswith("zfs list -H tank/b") for _, line in world.fleet.faults.log)


DYING = """
import os, signal, sys
from pathlib import Path
from zfsctl.documents.reading import read_plan
from zfsctl.model.event import Result, RunStarted, StepFinished, StepOutcome, StepStarted
from zfsctl.state.journal import open_journal

plan = read_plan(Path(sys.argv[1]).read_text(), source="plan")
journal = open_journal(Path(sys.argv[2]))
journal.record(RunStarted("killed", plan, plan.created_at))
for step in plan.steps[:2]:
    journal.record(StepStarted("killed", step, plan.created_at))
    journal.record(StepFinished("killed", step, StepOutcome(step.id, Result.DONE), plan.created_at))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def frozen(busy: World, tmp_path: Path) -> World:
    """By its journal a run was killed between freezing and thawing, and its process is gone."""
    world = busy.copy(tmp_path / "world")
    world.policy_text += HOOKS
    plan = world.plan()
    assert isinstance(plan.steps[0], RunHook)
    saved = tmp_path / "plan.json"
    saved.write_text(document_text(envelope("plan", document_of_plan(plan), at=plan.created_at)))
    words = [sys.executable, "-c", DYING, str(saved), str(world.folder / "state.db")]
    done = subprocess.run(words, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return world


def test_what_a_killed_run_froze_is_thawed_by_the_next(frozen: World) -> None:
    plan = frozen.plan()
    assert next(step.why for step in plan.steps if "/" in step.id).endswith("did not come to it")
    assert plan.steps[0].id.count("/") == 1, "before anything is frozen again"

    frozen.run()

    assert thaws(frozen) == 2, "what is owed, and what this run froze itself"
    frozen.run()
    assert thaws(frozen) == 2, "nothing is owed any more"


def test_a_hook_that_the_policy_no_longer_has_is_not_run(frozen: World) -> None:
    frozen.policy_text = frozen.policy_text.replace('"-H", "tank/b"', '"-H", "tank/vol"')

    frozen.run()

    assert thaws(frozen) == 0


def test_what_a_host_that_went_away_owes_is_done_when_it_is_back(busy: World, tmp_path: Path) -> None:
    world = busy.copy(tmp_path / "world")
    world.policy_text += HOOKS
    machine = world.sim.hosts["alpha"]

    def goes_away(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step.id == "snapshot-1":
            machine.reachable = False

    with world.session() as session:
        apply_plan(session, plan_run(session, RunRequest()), listeners=(goes_away,))
    machine.reachable = True
    assert thaws(world) == 0
    world.run()

    assert thaws(world) == 2, "what is owed, and what this run froze itself"
