"""Where nothing is to be replicated the newest snapshots of both ends show it; elsewhere all are looked at."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.operations.replicating import MEMORY, Copies, an_hour, lawful_run, new_copies
from tests.operations.test_replication_laws import Copy, Life, histories
from zfsctl.errors import ZfsctlError
from zfsctl.model.facts import Facts
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.model.transfer import MoveAnchors
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.names_cache import SNAPSHOTS_FILE
from zfsctl.operations.planning import chained
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate
from zfsctl.planner.pairing import trees_of
from zfsctl.planner.receiving import adopts_of
from zfsctl.planner.replicating import Replicating, plan_replicating
from zfsctl.planner.replication_health import replication_statuses
from zfsctl.planner.settled import is_settled
from zfsctl.sandbox.faults import Faults, KilledAt
from zfsctl.sandbox.workload import write


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zfsctl.executor.transfer.BACK_OFF_SECONDS", (0, 0, 0))


@pytest.fixture(scope="module")
def copied() -> Iterator[Copy]:
    """Everything is copied everywhere, and nothing is left to do."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        world = new_copies(Path(folder))
        for _ in range(4):
            an_hour(world)
            lawful_run(world)
        lawful_run(world)
        lawful_run(world)
        yield world.copy


@pytest.fixture
def world(copied: Copy) -> Iterator[Copies]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield copied(Path(folder))


def replicate(world: Copies) -> tuple[list[str], list[str]]:
    """The kinds of the steps of `zfsctl replicate`, and what was asked of the hosts."""
    world.fleet.faults.log.clear()
    with world.session() as session:
        plan = plan_replicate(session, ReplicateRequest())
        asked = [line for _, line in world.fleet.faults.log]
        apply_plan(session, plan)
    return sorted({type(step).__name__ for step in plan.steps}), asked


def lists_all(asked: list[str]) -> bool:
    return any("-t snapshot" in line and ("-r" in line.split() or "-d" in line.split()) for line in asked)


def test_where_all_is_current_no_list_of_snapshots_is_asked_for(world: Copies) -> None:
    before = {host: world.fleet.host(host).exchanges for host in ("alpha", "beta", "gamma")}

    steps, asked = replicate(world)

    assert steps == []
    assert not lists_all(asked)
    assert {host: world.fleet.host(host).exchanges - count for host, count in before.items()} == {
        "alpha": 2,
        "beta": 2,
        "gamma": 2,
    }


def test_a_dataset_without_snapshots_is_seen_whole(world: Copies) -> None:
    world.zfs("alpha", "create", "tank/a/new")

    steps, asked = replicate(world)

    assert (steps, lists_all(asked)) == ([], False)


def test_more_datasets_cost_no_more_commands(world: Copies) -> None:
    _, few = replicate(world)
    for number in range(30):
        world.zfs("alpha", "create", f"tank/a/{number}")
    for _ in range(3):
        an_hour(world)
        lawful_run(world)
    lawful_run(world)
    lawful_run(world)

    steps, many = replicate(world)

    assert (steps, len(many)) == ([], len(few))


def test_the_names_of_snapshots_for_completion_stay(world: Copies) -> None:
    world.run()
    with world.session() as session:
        names = session.paths.cache_dir / SNAPSHOTS_FILE
    before = names.read_text()

    replicate(world)

    assert "\t" in before
    assert names.read_text() == before


def zfs(host: str, line: str) -> Callable[[Copies], object]:
    return lambda world: world.zfs(host, *line.split())


def newest(world: Copies, host: str, dataset: str) -> str:
    return world.zfs(host, "get", "-H", "-o", "value", "prevsnap", dataset)[0]


def release_the_base(world: Copies) -> None:
    world.zfs("beta", "release", "zfsctl:near:base", newest(world, "beta", "bk/a"))


def lose_the_cursor(world: Copies) -> None:
    for name in world.zfs("alpha", "list", "-H", "-t", "bookmark", "-o", "name", "tank/a"):
        world.zfs("alpha", "destroy", name)


def hold_in_flight(world: Copies) -> None:
    world.zfs("alpha", "hold", "zfsctl:near:send", newest(world, "alpha", "tank/a"))


def leave_a_cursor_behind(world: Copies) -> None:
    older = world.zfs("alpha", "list", "-H", "-d", "1", "-t", "snapshot", "-o", "name", "tank/a")[0]
    guid = int(world.zfs("alpha", "list", "-Hp", "-o", "guid", older)[0])
    world.zfs("alpha", "bookmark", older, f"tank/a#zfsctl-near-{guid:016x}")


def write_to_the_copy(world: Copies) -> None:
    world.zfs("beta", "set", "readonly=off", "bk/a")
    write(world.sim, "beta", "bk/a", 1 << 16)
    world.zfs("beta", "set", "readonly=on", "bk/a")


def replace_the_head(world: Copies) -> None:
    name = newest(world, "alpha", "tank/a")
    world.zfs("alpha", "destroy", name)
    world.zfs("alpha", "snapshot", name)


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(zfs("alpha", "snapshot tank/a@zfsctl-manual-20990101T000000Z"), id="a-new-snapshot-to-send"),
        pytest.param(zfs("alpha", "snapshot tank/a@foreign"), id="a-foreign-snapshot-on-the-sender"),
        pytest.param(zfs("beta", "snapshot bk/a@mine"), id="a-snapshot-on-the-copy"),
        pytest.param(zfs("beta", "set zfsctl:repair=x bk/a"), id="a-mark-of-a-repair"),
        pytest.param(zfs("beta", "set zfsctl:aside=x bk/a"), id="a-mark-of-what-was-set-aside"),
        pytest.param(zfs("beta", "create bk/a.zfsctl-new-20261120T140000Z"), id="something-that-a-repair-builds"),
        pytest.param(release_the_base, id="a-base-without-its-hold"),
        pytest.param(lose_the_cursor, id="a-cursor-that-is-gone"),
        pytest.param(leave_a_cursor_behind, id="a-cursor-left-behind"),
        pytest.param(hold_in_flight, id="something-held-in-flight"),
        pytest.param(write_to_the_copy, id="a-copy-that-was-written-to"),
        pytest.param(replace_the_head, id="another-snapshot-with-the-name-of-the-newest"),
    ],
)
def test_whatever_else_there_is_has_all_snapshots_looked_at(world: Copies, happens: Callable[[Copies], object]) -> None:
    happens(world)

    _, asked = replicate(world)

    assert lists_all(asked)


HEADS = "zfsctl:repair,zfsctl:aside"
"""In the question for the newest snapshots, and in no other."""


@pytest.mark.parametrize(
    "goes_wrong",
    [
        pytest.param(lambda faults: faults.noise(HEADS, "cannot open: I/O error"), id="a-word-on-stderr"),
        pytest.param(lambda faults: faults.noise("zfs holds", "cannot open: I/O error", times=1), id="doubtful-holds"),
        pytest.param(lambda faults: faults.fail(HEADS, "cannot open: I/O error"), id="a-failure"),
        pytest.param(lambda faults: faults.hang(HEADS), id="no-answer"),
        pytest.param(lambda faults: faults.cut(HEADS, 1), id="a-cut-connection"),
        pytest.param(lambda faults: faults.lie(HEADS), id="an-empty-answer"),
        pytest.param(lambda faults: faults.edit(HEADS, lambda text: text + text), id="a-line-that-comes-twice"),
        pytest.param(lambda faults: faults.edit(HEADS, lambda text: text[:-9] + "x\ny" + text[-9:]), id="an-odd-line"),
    ],
)
def test_a_doubtful_answer_has_all_snapshots_looked_at(world: Copies, goes_wrong: Callable[[Faults], object]) -> None:
    goes_wrong(world.fleet.faults)

    steps, asked = replicate(world)

    assert steps == []
    assert lists_all(asked)


@dataclass(frozen=True, slots=True)
class Both:
    """What the newest snapshots alone tell, and what all of them do."""

    short: tuple[ReplicationStatus, ...]
    short_plan: Replicating
    whole: tuple[ReplicationStatus, ...]
    whole_plan: Replicating


def look_twice(world: Copies) -> Both | None:
    """None where the newest snapshots are not enough."""
    heads: list[Facts] = []
    with world.session(dry_run=True) as session:
        policy = session.policy
        trees = trees_of(policy)
        session.collect({}, chained(trees), lambda facts: bool(heads.append(facts)))
        if not heads or not is_settled(trees, heads[0], policy):
            return None
        whole = session.collect({}, chained(trees))

        def seen(facts: Facts) -> tuple[tuple[ReplicationStatus, ...], Replicating]:
            plan = plan_replicating(trees, facts, policy=policy, adopts=adopts_of(policy), sends=lambda _: True)
            return replication_statuses(trees, plan.links, plan.findings), plan

        return Both(*seen(heads[0]), *seen(whole))


def check(world: Copies) -> bool:
    """Whether the short look was enough; if so the whole one tells the same."""
    world.fleet.faults.clear()
    both = look_twice(world)
    if both is None:
        return False
    assert both.short == both.whole
    assert both.short_plan.findings == both.whole_plan.findings
    assert both.short_plan.approvals == both.whole_plan.approvals == ()
    left = [step for step in both.whole_plan.steps if not isinstance(step, MoveAnchors)]
    assert left == [], "at most a hold is left over on something old"
    return True


def live_and_look(copy: Copy, history: list[tuple[str, object]]) -> int:
    """How often the short look was enough."""
    enough = 0
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        life = Life(copy(Path(folder)), repairs=True)
        for what, detail in history:
            life.number += 1
            if what == "run":
                lawful_run(life.world, detail)
            else:
                life.happen(what, detail)
            with contextlib.suppress(ZfsctlError, KilledAt):
                enough += check(life.world)
    return enough


@settings(max_examples=10)
@given(histories)
def test_what_the_short_look_tells_the_whole_one_tells_too(copied: Copy, history: list[tuple[str, object]]) -> None:
    live_and_look(copied, history)


@pytest.mark.slow
@settings(max_examples=300)
@given(histories)
def test_after_many_histories_both_looks_tell_the_same(copied: Copy, history: list[tuple[str, object]]) -> None:
    live_and_look(copied, history)


def test_an_ordinary_day_has_short_looks_that_are_enough(copied: Copy) -> None:
    assert live_and_look(copied, [("run", None), ("hours", 1), ("run", None), ("run", None), ("run", None)]) >= 2
