"""Where nothing is to be replicated the newest snapshots of both ends show it; elsewhere all are looked at."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.operations.replicating import MEMORY, Copies, an_hour, lawful_run, new_copies
from tests.operations.test_replication_laws import Copy, Life, histories, impatient
from zfsctl.errors import ZfsctlError
from zfsctl.model.facts import Facts
from zfsctl.model.repair import CloneDataset
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.model.transfer import Transfer
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.names_cache import SNAPSHOTS_FILE
from zfsctl.operations.planning import Scene, chained, prune_scene, scene_of_replications
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate
from zfsctl.planner.pairing import trees_of
from zfsctl.planner.receiving import adopts_of
from zfsctl.planner.replicating import Replicating, plan_replicating
from zfsctl.planner.replication_health import replication_statuses
from zfsctl.planner.unread import unread_hosts
from zfsctl.sandbox.faults import Faults, KilledAt
from zfsctl.sandbox.workload import write

__all__ = ["impatient"]


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


NOT_AS_LEFT = [
    pytest.param(zfs("beta", "snapshot bk/a@mine"), id="a-snapshot-on-the-copy"),
    pytest.param(zfs("beta", "set zfsctl:aside=x bk/a"), id="a-mark-of-what-was-set-aside"),
    pytest.param(zfs("beta", "create bk/a.zfsctl-new-20261120T140000Z"), id="something-that-a-repair-builds"),
    pytest.param(release_the_base, id="a-base-without-its-hold"),
    pytest.param(lose_the_cursor, id="a-cursor-that-is-gone"),
    pytest.param(leave_a_cursor_behind, id="a-cursor-left-behind"),
    pytest.param(hold_in_flight, id="something-held-in-flight"),
    pytest.param(write_to_the_copy, id="a-copy-that-was-written-to"),
]
"""What shows that a receiver is not as the last run left it, or may not be."""


@pytest.mark.parametrize(
    "happens",
    [
        *NOT_AS_LEFT,
        pytest.param(zfs("alpha", "snapshot tank/a@zfsctl-manual-20990101T000000Z"), id="a-new-snapshot-to-send"),
        pytest.param(zfs("alpha", "snapshot tank/a@foreign"), id="a-foreign-snapshot-on-the-sender"),
        pytest.param(zfs("beta", "set zfsctl:repair=x bk/a"), id="a-mark-of-a-repair"),
        pytest.param(replace_the_head, id="another-snapshot-with-the-name-of-the-newest"),
    ],
)
def test_whatever_else_there_is_has_all_snapshots_looked_at(world: Copies, happens: Callable[[Copies], object]) -> None:
    happens(world)

    _, asked = replicate(world)

    assert lists_all(asked)


def test_where_receivers_are_as_the_last_run_left_them_only_senders_are_listed(world: Copies) -> None:
    an_hour(world)
    world.run(only=("snapshot",))

    steps, _ = replicate(world)
    listed = {host for host, line in world.fleet.faults.log if lists_all([line])}

    assert steps == ["HoldSnapshots", "MoveAnchors", "Transfer"]
    assert listed == {"alpha", "beta"}, "beta sends what it has received on to gamma"


def is_taken_over(world: Copies) -> None:
    world.zfs("beta", "set", "readonly=off", "canmount=on", "bk/a")
    world.zfs("beta", "mount", "bk/a")


@pytest.mark.parametrize("happens", [*NOT_AS_LEFT, pytest.param(is_taken_over, id="a-copy-in-use")])
def test_while_something_waits_it_has_receivers_listed_too(world: Copies, happens: Callable[[Copies], object]) -> None:
    happens(world)
    an_hour(world)
    world.run(only=("snapshot",))

    replicate(world)

    listed = {host for host, line in world.fleet.faults.log if lists_all([line])}
    assert listed == {"alpha", "beta", "gamma"}


def test_a_clone_without_snapshots_of_its_own_is_not_taken_for_its_origin(world: Copies) -> None:
    """What `zfs list` tells of it is what its origin's older snapshot is called."""
    older = world.zfs("alpha", "list", "-H", "-d", "1", "-t", "snapshot", "-o", "name", "tank/a")[0]
    world.zfs("alpha", "clone", older, "tank/a/clone")

    steps, asked = replicate(world)

    assert (steps, lists_all(asked)) == ([], False)


def test_what_was_set_on_a_snapshot_goes_with_it(world: Copies) -> None:
    name = "zfsctl-manual-20990101T000000Z"
    world.zfs("alpha", "snapshot", "-o", "zfsctl:expires=4102444800", "-o", "zfsctl:reason=a word", f"tank/a@{name}")

    replicate(world)

    told = world.zfs("beta", "get", "-H", "-o", "value", "zfsctl:expires,zfsctl:reason", f"bk/a@{name}")
    assert told == ["4102444800", "a word"]


def renamed_to_what_comes(world: Copies) -> None:
    """An older snapshot of the copy has the name of one that is to be sent."""
    older = world.zfs("beta", "list", "-H", "-d", "1", "-t", "snapshot", "-o", "name", "bk/a")[0]
    world.zfs("beta", "rename", older, "bk/a@zfsctl-manual-20990101T000000Z")
    world.zfs("alpha", "snapshot", "tank/a@zfsctl-manual-20990101T000000Z")


def test_a_name_that_is_taken_on_the_receiver_is_seen(world: Copies) -> None:
    renamed_to_what_comes(world)

    steps, asked = replicate(world)

    assert "RenameSnapshot" in steps
    assert lists_all([line for line in asked if "bk/a" in line])


@pytest.mark.parametrize(
    "goes_wrong",
    [
        pytest.param(
            lambda faults: faults.noise("bk/a@zfsctl-manual-2099", "cannot open 'bk': I/O error", times=1),
            id="a-doubtful-name",
        ),
        pytest.param(lambda faults: faults.hang("bk/a@zfsctl-manual-2099"), id="no-answer-about-a-name"),
        pytest.param(lambda faults: faults.lie("bk/a@zfsctl-manual-2099"), id="a-name-of-which-nothing-is-said"),
        pytest.param(
            lambda faults: faults.noise("zfs get -Hp -t snapshot", "I/O error", times=1), id="doubtful-values"
        ),
        pytest.param(lambda faults: faults.lie("tank/a@zfsctl-manual-2099"), id="what-waits-is-not-listed"),
    ],
)
def test_a_doubt_about_what_waits_has_everything_read(world: Copies, goes_wrong: Callable[[Faults], object]) -> None:
    world.zfs("alpha", "snapshot", "tank/a@zfsctl-manual-20990101T000000Z")
    goes_wrong(world.fleet.faults)

    with world.session() as session:
        plan = plan_replicate(session, ReplicateRequest())
        asked = [line for host, line in world.fleet.faults.log if host == "gamma"]

    assert lists_all(asked)
    assert any(isinstance(step, Transfer) for step in plan.steps)


def test_what_changes_under_the_short_look_has_everything_read(world: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender loses what the receiver ends with: by newest snapshots alone the two would share nothing at all."""
    world.policy_text = world.policy_text.replace('repair = "never"', 'repair = "auto"')
    an_hour(world)
    world.run(only=("snapshot",))
    base = newest(world, "beta", "bk/a").partition("@")[2]

    def then_changed(*asked: Any) -> Collection[str] | None:
        left = unread_hosts(*asked)
        lose_the_cursor(world)
        world.zfs("alpha", "destroy", f"tank/a@{base}")
        return left

    monkeypatch.setattr("zfsctl.operations.planning.unread_hosts", then_changed)
    with world.session(dry_run=True) as session:
        plan = plan_replicate(session, ReplicateRequest())

    clones = [step.base.name for step in plan.steps if isinstance(step, CloneDataset) and step.dataset == "bk/a"]
    assert len(clones) == 1, "older snapshots that both have are the base of its repair"
    assert not any(isinstance(step, Transfer) and not step.sends[0].source for step in plan.steps)


def test_no_prune_is_decided_by_newest_snapshots_alone(world: Copies) -> None:
    heads: list[Facts] = []
    with world.session(dry_run=True) as session:
        session.collect({}, chained(trees_of(session.policy)), heads.append)
        with pytest.raises(ValueError, match="all snapshots"):
            prune_scene(session, Scene(heads[0], ()))


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
class Look:
    """What some facts tell."""

    statuses: tuple[ReplicationStatus, ...]
    plan: Replicating


class Short(Enum):
    """How much less was read than everything."""

    NOT_AT_ALL = auto()
    SENDERS = auto()
    NEWEST = auto()


def check(world: Copies) -> Short:
    """Whatever is read, it tells the same as everything does."""
    world.fleet.faults.clear()
    with world.session(dry_run=True) as session:
        policy = session.policy
        trees = trees_of(policy)
        heads: list[Facts] = []
        whole = session.collect({}, chained(trees), heads.append)
        left = unread_hosts(trees, heads[0], policy) if heads else None
        short = scene_of_replications(session, [one.name for one in policy.replications]).facts

    def told(facts: Facts) -> Look:
        plan = plan_replicating(trees, facts, policy=policy, adopts=adopts_of(policy), sends=lambda _: True)
        return Look(replication_statuses(trees, plan.links, plan.findings), plan)

    seen, true = told(short), told(whole)
    assert seen.statuses == true.statuses
    assert seen.plan.findings == true.plan.findings
    assert seen.plan.approvals == true.plan.approvals
    assert seen.plan.steps == true.plan.steps
    if not any(host.newest_only for host in short.hosts.values()):
        return Short.NOT_AT_ALL
    return Short.SENDERS if left else Short.NEWEST


def live_and_look(copy: Copy, history: list[tuple[str, object]]) -> set[Short]:
    """How much was read in the end after each of its events."""
    seen: set[Short] = set()
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        life = Life(copy(Path(folder)), repairs=True)
        for what, detail in history:
            life.go_on(what, detail)
            with contextlib.suppress(ZfsctlError, KilledAt):
                seen.add(check(life.world))
    return seen


@settings(max_examples=10)
@given(histories)
def test_what_the_short_look_tells_the_whole_one_tells_too(copied: Copy, history: list[tuple[str, object]]) -> None:
    live_and_look(copied, history)


@pytest.mark.slow
@settings(max_examples=300)
@given(histories)
def test_after_many_histories_both_looks_tell_the_same(copied: Copy, history: list[tuple[str, object]]) -> None:
    live_and_look(copied, history)


def test_an_ordinary_day_has_short_looks_of_both_kinds(copied: Copy) -> None:
    day: list[tuple[str, object]] = [("run", None), ("hours", 1), ("run", ("snapshot",)), ("run", None), ("run", None)]

    assert live_and_look(copied, day) >= {Short.SENDERS, Short.NEWEST}
