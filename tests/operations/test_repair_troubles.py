"""Repairs that cannot go on as planned: what is in its place goes home all the same, and nothing half-made does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.test_repair import COPY, Pair, a_child_diverges, diverges, is_modified, new_pair, shares_nothing
from zfsctl.errors import ExitCode, UsageError
from zfsctl.model.approval import ApprovalStatus
from zfsctl.model.event import Result
from zfsctl.model.plan import Plan
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.doctor import examine
from zfsctl.operations.saved import check_saved_plan
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.workload import write

TREE = [COPY, f"{COPY}/vol", f"{COPY}/x", f"{COPY}/x/y"]
MOST_CHANGES = 60


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return new_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(current: Pair, tmp_path: Path) -> Pair:
    return Pair(current.world.copy(tmp_path / "world"))


def at_home(pair: Pair) -> list[str]:
    names = pair.world.zfs("beta", "list", "-H", "-r", "-o", "name", "bk/copies")
    return [name for name in TREE if name in names]


def releases_the_sender(pair: Pair) -> None:
    for name in pair.world.zfs("alpha", "list", "-H", "-r", "-o", "name", "-t", "snapshot", "tank/a"):
        with contextlib.suppress(UsageError):  # it is not held
            pair.world.zfs("alpha", "release", "zfsctl:copy:send", name)


def the_sender_is_gone(pair: Pair) -> None:
    releases_the_sender(pair)
    pair.world.zfs("alpha", "destroy", "-r", "tank/a")


def the_sender_is_empty(pair: Pair) -> None:
    the_sender_is_gone(pair)
    for name in ("tank/a", "tank/a/x", "tank/a/x/y"):
        pair.world.zfs("alpha", "create", name)
    pair.world.zfs("alpha", "create", "-s", "-V", "1G", "tank/a/vol")


def the_sender_is_another(pair: Pair) -> None:
    the_sender_is_empty(pair)
    pair.takes()


def the_sender_is_away(pair: Pair) -> None:
    pair.world.sim.hosts["alpha"].reachable = False


@pytest.mark.parametrize("broken", [diverges, a_child_diverges])
@pytest.mark.parametrize("then", [the_sender_is_gone, the_sender_is_empty, the_sender_is_another, the_sender_is_away])
def test_a_swap_that_was_cut_off_is_ended_whatever_became_of_the_sender(
    current: Pair, tmp_path: Path, then: Callable[[Pair], None], broken: Callable[[Pair], None]
) -> None:
    """Between its two renames nothing is in the receiver's place, and the next who looks there may want to restore."""
    torn = 0
    for number in range(1, MOST_CHANGES):
        pair = Pair(current.world.copy(tmp_path / str(number)))
        broken(pair)
        pair.world.fleet.faults.kill(number)
        try:
            pair.replicate()
            break
        except KilledAt:
            pair.world.fleet.faults.clear()
        if at_home(pair) == TREE:
            continue
        torn += 1
        then(pair)

        pair.replicate()

        assert at_home(pair) == TREE, number
        assert not pair.beside()
    assert torn >= 2, "between the renames, and before what lies below is home"


def test_a_name_alone_makes_no_swap_that_was_cut_off(current: Pair, tmp_path: Path) -> None:
    """Somebody moves the receiver away by hand, to the very name that a repair would have given it."""
    moved = 0
    for number in range(1, MOST_CHANGES):
        pair = Pair(current.world.copy(tmp_path / str(number)))
        diverges(pair)
        pair.world.fleet.faults.kill(number)
        with contextlib.suppress(KilledAt):
            pair.replicate()
        pair.world.fleet.faults.clear()
        built = pair.beside()
        if at_home(pair) != TREE:
            break
        if not built or pair.world.zfs("beta", "get", "-H", "-o", "value", "origin", built[0]) == ["-"]:
            continue
        moved += 1
        pair.world.zfs("beta", "rename", COPY, built[0].replace("-new-", "-aside-"))

        for _ in range(2):
            assert pair.replicate().exit_code is not ExitCode.DONE

        assert COPY not in at_home(pair), "a clone without its history is no copy"
        assert pair.beside() == built
    assert moved


def may_not(pair: Pair, *rights: str) -> None:
    pair.world.sim.hosts["beta"].denied = frozenset(rights)


def test_a_first_copy_that_came_open_does_not_take_the_place_of_one_that_is_closed(pair: Pair) -> None:
    shares_nothing(pair)
    may_not(pair, "readonly", "canmount")
    pair.replicate()

    again = pair.replicate()

    built = sorted(pair.beside())
    assert again.exit_code is ExitCode.REFUSED
    assert [(one.code, one.hint) for one in again.plan.findings] == [
        ("repairing", f"ssh beta.lan zfs set canmount=noauto {name}") for name in built
    ]
    closed = pair.world.zfs("beta", "get", "-H", "-o", "value", "canmount", f"{COPY}/x")
    assert closed == ["noauto"], "the old one is still in its place"

    may_not(pair)
    for name in built:
        pair.world.zfs("beta", "set", "canmount=noauto", name)
    assert pair.replicate().exit_code is ExitCode.DONE
    assert pair.is_current()


def test_beside_a_copy_without_its_mark_no_other_is_begun(pair: Pair) -> None:
    """Whoever may not set it would get a whole copy more by every run."""
    shares_nothing(pair)
    may_not(pair, "userprop")
    pair.replicate()
    built = pair.beside()
    pair.takes()

    again = pair.replicate()

    assert built
    assert pair.beside() == built
    said = [one.message for one in again.plan.findings if one.code == "unrelated"]
    assert all("is there already and does not say whose repair it is" in one for one in said)
    assert said
    with pair.world.session(dry_run=True) as session:
        assert sorted(one.dataset for one in examine(session).findings if one.code == "half-built") == sorted(built)


def approves(pair: Pair, plan: Plan) -> None:
    with pair.world.session() as session:
        for request in plan.approvals:
            session.required_journal.decide_approvals([request.id], ApprovalStatus.APPROVED, session.clock())


@pytest.mark.parametrize("more", [0, 3 << 30])
def test_an_approval_is_for_what_was_written_until_then(tmp_path: Path, more: int) -> None:
    pair = new_pair(tmp_path, "ask")
    is_modified(pair)
    approves(pair, pair.replicate().plan)
    if more:
        pair.world.zfs("beta", "set", "readonly=off", COPY)
        write(pair.world.sim, "beta", COPY, more)
        pair.world.zfs("beta", "set", "readonly=on", COPY)

    done = pair.replicate()

    assert done.exit_code is (ExitCode.REFUSED if more else ExitCode.DONE)
    assert len(done.plan.approvals) == bool(more)
    assert len(pair.asides()) == (not more)


def test_what_is_taken_into_use_while_others_are_sent_is_left_alone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan may be days old by the time of its last stream."""
    monkeypatch.setattr("zfsctl.executor.replication_lane.LONGEST_UNSEEN_SECONDS", -1)
    pair.takes()
    before = {name: guid for name, guid in pair.received().items() if name.startswith(f"{COPY}@")}
    plan = pair.plan()
    for argv in (("set", "readonly=off", COPY), ("set", "mountpoint=/live", COPY), ("mount", COPY)):
        pair.world.zfs("beta", *argv)
    with pair.world.session() as session:
        done = apply_plan(session, plan)

    refused = {outcome.code: outcome for outcome in done.outcomes if outcome.result is Result.STALE}
    assert "mounted and writable" in refused["taken-over"].detail
    assert {name: guid for name, guid in pair.received().items() if name.startswith(f"{COPY}@")} == before
    assert done.exit_code is ExitCode.PARTIAL


@pytest.mark.parametrize("times", [1, 2])
def test_a_look_that_fails_stops_no_transfer(pair: Pair, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The stream itself would have waited for the host."""
    monkeypatch.setattr("zfsctl.executor.replication_lane.LONGEST_UNSEEN_SECONDS", -1)
    pair.takes()
    pair.world.fleet.faults.cut("name,guid,type,origin", 0, host="beta", times=times)

    assert pair.replicate().exit_code is ExitCode.DONE
    assert pair.is_current()


@pytest.mark.parametrize("policy", ["auto", "never"])
def test_a_saved_repair_is_not_begun_once_the_policy_forbids_it(pair: Pair, policy: str) -> None:
    diverges(pair)
    plan = pair.plan()
    pair.world.policy_text = pair.world.policy_text.replace('repair = "auto"', f'repair = "{policy}"')

    with pair.world.session() as session:
        checked = check_saved_plan(session, plan)
        apply_plan(session, checked)

    said = [finding.message for finding in checked.findings if finding.code == "stale"]
    assert any('repair = "never"' in one for one in said) == (policy == "never")
    assert len(pair.asides()) == (policy == "auto")
    assert not pair.beside()


def test_what_took_the_name_of_the_copy_set_aside_is_not_marked_as_one(current: Pair, tmp_path: Path) -> None:
    """The mark is what a release goes by."""
    for number in range(1, MOST_CHANGES):
        pair = Pair(current.world.copy(tmp_path / str(number)))
        diverges(pair)
        pair.world.fleet.faults.kill(number)
        with contextlib.suppress(KilledAt):
            pair.replicate()
        pair.world.fleet.faults.clear()
        if COPY not in at_home(pair):
            break
    (aside,) = [name for name in pair.asides() if name.count("/") == 2]
    plan = pair.plan()
    pair.world.zfs("beta", "rename", aside, "bk/rescued")
    pair.world.zfs("beta", "create", "-o", "canmount=noauto", aside)

    with pair.world.session() as session:
        done = apply_plan(session, plan)

    assert "is not what was in its place" in " ".join(outcome.detail for outcome in done.outcomes)
    assert pair.world.zfs("beta", "get", "-H", "-o", "value", "zfsctl:aside", aside) == ["-"]
