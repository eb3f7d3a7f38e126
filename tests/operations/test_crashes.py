"""Killed before or after any command, and started again: the work is finished and nothing is lost."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.operations.world import HOUR, World
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
