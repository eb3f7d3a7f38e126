"""A run that sends is killed before or after any change, and started again: all arrives, and nothing is left over."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.replicating import (
    HOSTS,
    MEMORY,
    Copies,
    an_hour,
    dataset_on,
    lawful_run,
    look,
    new_copies,
    states,
)
from zfsctl.errors import ZfsctlError
from zfsctl.model.lineage import LinkState
from zfsctl.sandbox.faults import KilledAt, is_change
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance

MOST_CHANGES = 60
QUICK = (5, 20, 35)


@pytest.fixture(scope="module")
def busy() -> Iterator[Copies]:
    """A run has much to do: an increment everywhere, one to go on with, a name in the way, a child that is new, and
    something to prune on every host."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = new_copies(Path(folder))
        for _ in range(5):
            an_hour(world)
            world.run()
        an_hour(world)
        world.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5, match="vault/far/a")
        world.run()
        assert states(world)["alpha:tank/a → gamma:vault/far/a"] is LinkState.PARTIAL
        world.zfs("alpha", "create", "tank/a/new")
        for host, name in (("alpha", "tank/a"), ("beta", "bk/a")):
            world.zfs(host, "snapshot", f"{name}@adopted-1")
        assert states(world)["alpha:tank/a → beta:bk/a"] is LinkState.CONFLICT
        an_hour(world)
        yield world


@pytest.fixture
def world(busy: Copies) -> Iterator[Copies]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield busy.copy(Path(folder))


_CHANCE = re.compile(r"[0-9a-f]{16}|[0-9]{2}Z")
"""Guids, and the second in which a run came to take a snapshot."""


def picture(world: Copies) -> dict[str, list[str]]:
    """All that there is, by names: snapshots with the holds on them, and of whom there are cursors."""
    found: dict[str, list[str]] = {}
    for host in HOSTS:
        for name in look(world, host).datasets:
            dataset = dataset_on(world, host, name)
            assert dataset is not None
            snapshots = [f"{one.name} {' '.join(sorted(one.holds))}" for one in dataset.snapshots.values()]
            found[f"{host}:{name}"] = [_CHANCE.sub("", text) for text in (*snapshots, *sorted(dataset.bookmarks))]
    return found


@pytest.fixture(scope="module")
def finished(busy: Copies) -> dict[str, list[str]]:
    """What is there when nothing goes wrong."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = busy.copy(Path(folder))
        changes = len(world.fleet.faults.log)
        for _ in range(4):
            world.run()
        assert world.plan().steps == ()
        assert set(states(world).values()) == {LinkState.CURRENT}
        made = [line for _, line in world.fleet.faults.log[changes:] if is_change(line.split())]
        assert len(made) > MOST_CHANGES // 2, "the table of kills is about a run with much to do"
        return picture(world)


def is_healed(world: Copies, finished: dict[str, list[str]], number: int, *, after: bool) -> None:
    """A run is killed at a change, and the next ones come to where it would have come."""
    world.fleet.faults.kill(number, after=after)
    lawful_run(world)
    world.fleet.faults.clear()
    advance(world.sim, 1)

    for _ in range(5):
        lawful_run(world)

    assert picture(world) == finished
    assert world.plan().steps == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "number",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in range(1, MOST_CHANGES + 1)],
)
def test_a_kill_at_any_change_is_healed_by_the_next_runs(
    world: Copies, finished: dict[str, list[str]], number: int, after: bool
) -> None:
    is_healed(world, finished, number, after=after)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "number",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in range(2, MOST_CHANGES + 1, 3)],
)
def test_so_is_one_while_anchors_are_moved_beside_transfers(
    world: Copies, finished: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    """Which change is hit is left to chance: whatever it is, a base is left, and nothing stays behind."""
    monkeypatch.setattr("zfsctl.executor.replication_lane.LONGEST_UNSETTLED_SECONDS", -1)
    is_healed(world, finished, number, after=after)


@pytest.mark.parametrize(
    "part", [pytest.param(0.0, marks=pytest.mark.slow), 0.4, pytest.param(0.9, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("end", [StreamEnd.KILLED, StreamEnd.KILLED_LOST])
def test_a_kill_in_the_middle_of_a_stream(
    world: Copies, finished: dict[str, list[str]], end: StreamEnd, part: float
) -> None:
    for _ in range(2):
        world.fleet.faults.end_stream(end, part)
        with contextlib.suppress(ZfsctlError, KilledAt):
            world.run(only=("replicate",))
        advance(world.sim, 1)
    world.fleet.faults.clear()

    for _ in range(5):
        lawful_run(world)

    assert picture(world) == finished
