"""Holds of many snapshots are changed by few commands, and never of any other snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.executor.conftest import Asked
from zfsctl.executor.holding import HOLD, RELEASE, Changed, HoldChange, change_holds, whole_trees
from zfsctl.model.command import CONDITION_FAILED, Command
from zfsctl.model.names import is_at_or_below
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.machines import SimFleet

TAG = "zfsctl:r:base"
TREE = ("tank/a", "tank/a-b", "tank/a/b", "tank/a/b/c", "tank/a/b-c", "tank/z")


class World:
    """One host whose pool has the datasets of TREE, each with the snapshots s and t."""

    def __init__(self) -> None:
        self.sim: SimFleet = create_fleet(1_795_000_000, ["alpha"])
        create_pool(self.sim, "alpha", "tank", size=1 << 30)
        for name in TREE:
            self.zfs("create", name)
        for short in "st":
            self.zfs("snapshot", *(f"{name}@{short}" for name in TREE))
        self.fleet = SandboxFleet(self.sim)

    def zfs(self, *words: str) -> list[str]:
        return do(self.sim, "alpha", "zfs", *words)

    def held(self, tag: str = TAG) -> set[str]:
        """The snapshots that carry the hold, written short: a/b@s."""
        names = self.zfs("list", "-H", "-r", "-t", "snapshot", "-o", "name", "tank")
        rows = [row.split("\t") for row in self.zfs("holds", "-H", *names)]
        return {name.removeprefix("tank/") for name, found, _ in rows if found == tag}

    def change(self, change: HoldChange, wanted: str, looks: Sequence[Command] = ()) -> list[Changed]:
        done, _ = change_holds(self.fleet.host("alpha"), change, TAG, names(wanted), looks)
        return done


def names(wanted: str) -> list[str]:
    return [f"tank/{name}" for name in wanted.split()]


def commands(asked: Asked) -> list[str]:
    return [str(command).replace("tank/", "") for some, _ in asked for command in some]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("wanted", "by"),
    [
        pytest.param("a@s", [f"zfs hold {TAG} a@s"], id="one"),
        pytest.param(
            "a@s a/b@s a/b/c@s a/b-c@s", [f"zfs hold -r {TAG} a@s"], id="a whole tree, whatever order names come in"
        ),
        pytest.param(
            "a/b@s a/b/c@s z@s",
            [f"zfs hold -r {TAG} a/b@s", f"zfs hold {TAG} z@s"],
            id="a tree and something beside it",
        ),
        pytest.param(
            "a/b@s a/b/c@s a/b@t a/b/c@t",
            [f"zfs hold -r {TAG} a/b@s", f"zfs hold -r {TAG} a/b@t"],
            id="two snapshots of each",
        ),
        pytest.param("a/b@s a/b/c@t", [f"zfs hold {TAG} a/b@s", f"zfs hold {TAG} a/b/c@t"], id="no name in common"),
        pytest.param("a/b/c@s a/b-c@s", [f"zfs hold {TAG} a/b/c@s", f"zfs hold {TAG} a/b-c@s"], id="no common top"),
    ],
)
def test_what_is_held_by_one_command(world: World, asked: Asked, wanted: str, by: list[str]) -> None:
    done = world.change(HOLD, wanted)

    assert sorted(commands(asked)) == sorted(by)
    assert len(asked) == 1
    assert world.held() == set(wanted.split())
    assert all(one.answer.clean for one in done)


def test_what_lies_in_the_tree_and_is_not_wanted_stays_as_it_is(world: World, asked: Asked) -> None:
    done = world.change(HOLD, "a@s a/b@s a/b-c@s")

    assert world.held() == {"a@s", "a/b@s", "a/b-c@s"}, "a/b/c is left out"
    assert len(asked) == 2
    assert sorted(name for one in done for name in one.snapshots) == names("a/b-c@s a/b@s a@s")
    assert all(one.answer.clean for one in done)


def test_a_part_of_the_tree_that_is_held_already_keeps_nothing_from_the_others(world: World) -> None:
    """OpenZFS refuses the whole tree for it."""
    world.zfs("hold", TAG, "tank/a/b@s")

    done = world.change(HOLD, "a@s a/b@s a/b/c@s a/b-c@s")

    assert world.held() == {"a@s", "a/b@s", "a/b/c@s", "a/b-c@s"}
    assert [one.snapshots for one in done if not one.answer.clean] == [("tank/a/b@s",)]


@pytest.mark.parametrize("also", ["", "a/b/c@s"], ids=["the whole tree", "all but one"])
def test_holds_are_let_go_of_as_they_were_put(world: World, asked: Asked, also: str) -> None:
    wanted = {"a@s", "a/b@s", "a/b/c@s", "a/b-c@s"} - {also}
    world.zfs("hold", TAG, *names("a@s a/b@s a/b/c@s a/b-c@s z@s a@t"))
    world.zfs("hold", "other", "tank/a/b@s")

    done = world.change(RELEASE, " ".join(wanted))

    assert world.held() == {"z@s", "a@t"} | ({also} if also else set())
    assert world.held("other") == {"a/b@s"}
    assert all(one.answer.clean for one in done)
    assert len(asked) == (2 if also else 1)


def test_a_refusal_of_the_tree_is_not_the_last_word(world: World) -> None:
    world.fleet.faults.fail("zfs hold -r", "cannot hold snapshot 'tank/a/b@s': out of space")

    done = world.change(HOLD, "a/b@s a/b/c@s")

    assert all(one.answer.clean for one in done)
    assert world.held() == {"a/b@s", "a/b/c@s"}


def test_what_cannot_be_held_is_told_of_its_own(world: World) -> None:
    world.fleet.faults.fail("zfs hold", "cannot hold snapshot 'tank/a/b@s': permission denied", times=None)

    done = world.change(HOLD, "a/b@s a/b/c@s")

    assert {one.snapshots for one in done} == {("tank/a/b@s",), ("tank/a/b/c@s",)}
    assert not any(one.answer.clean for one in done)


def test_a_dataset_made_after_the_last_look_is_not_touched(world: World) -> None:
    """The remote shell looks itself, right before."""
    world.zfs("create", "tank/a/b/new")
    world.zfs("snapshot", "tank/a/b/new@s")

    (first, *_) = world.fleet.host("alpha").run_all([HOLD.tree(TAG, "tank/a/b@s", names("a/b a/b/c"))])

    assert first.exit_code == CONDITION_FAILED
    assert world.held() == set()


def test_looks_tell_how_it_ended_in_the_end(world: World) -> None:
    look = Command(("zfs", "holds", "-H", "tank/a@s", "tank/a/b@s"))

    _, (answers,) = change_holds(world.fleet.host("alpha"), HOLD, TAG, names("a@s a/b@s"), [look])

    assert [row.split("\t")[0] for answer in answers for row in answer.stdout.splitlines()] == names("a@s a/b@s")


def test_nothing_is_asked_about_nothing(world: World, asked: Asked) -> None:
    assert change_holds(world.fleet.host("alpha"), HOLD, TAG, [], []) == ([], [()])
    assert asked == []


trees = st.sets(
    st.builds(
        lambda parts, short: f"{'/'.join(['tank', *parts])}@{short}",
        st.lists(st.sampled_from(["a", "a-b", "b", "a.c"]), max_size=3),
        st.sampled_from("st"),
    )
)


@given(trees)
def test_every_snapshot_is_in_one_group_below_the_first_of_it(wanted: set[str]) -> None:
    groups = list(whole_trees(wanted))

    assert sorted(name for group in groups for name in group) == sorted(wanted)
    for group in groups:
        tops = {name.partition("@")[0] for name in group}
        assert len({name.partition("@")[2] for name in group}) == 1
        assert all(is_at_or_below(name, group[0].partition("@")[0]) for name in tops)
    firsts = [group[0] for group in groups]
    for one in firsts:
        (top, _, short) = one.partition("@")
        others = [other.partition("@")[0] for other in firsts if other != one and other.endswith(f"@{short}")]
        assert not any(is_at_or_below(top, other) for other in others), "no group could have been part of another"


ALL = [f"{name.removeprefix('tank/')}@{short}" for name in TREE for short in "st"]


@given(st.sets(st.sampled_from(ALL)), st.sets(st.sampled_from(ALL)), st.booleans())
def test_just_what_was_asked_for_is_changed_whatever_was_held_before(
    wanted: set[str], before: set[str], hold: bool
) -> None:
    world = World()
    if before:
        world.zfs("hold", TAG, *names(" ".join(sorted(before))))

    world.change(HOLD if hold else RELEASE, " ".join(sorted(wanted)))

    assert world.held() == (before | wanted if hold else before - wanted)
