"""A copy that was set aside goes only when nothing needs it, and nothing else ever goes with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.operations.test_doctor import OBSTACLES, forget, look, repair_again, with_an_older_base
from tests.operations.test_repair import COPY, MOST_CHANGES, Pair, diverges, new_pair
from zfsctl.documents.envelope import document_text, envelope
from zfsctl.documents.plan import document_of_plan
from zfsctl.documents.reading import read_plan
from zfsctl.errors import (
    ExitCode,
    LockedError,
    RefusedError,
    StaleError,
    UnknownNameError,
    UnreachableError,
    UsageError,
)
from zfsctl.executor.locks import PoolLocks
from zfsctl.model.event import Result
from zfsctl.model.plan import DestroyDataset, Plan, Risk, risk_of
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.doctor import plan_doctor_release, view_of
from zfsctl.operations.saved import check_saved_plan
from zfsctl.planner.releasing import check_saved_releases, plan_release
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.workload import write


def release(pair: Pair, aside: str, *, between: Callable[[], None] | None = None) -> Applied:
    with pair.world.session() as session:
        plan = plan_doctor_release(session, f"beta:{aside}")
        if between is not None:
            between()
        return apply_plan(session, plan)


def planned(pair: Pair, aside: str) -> Plan:
    with pair.world.session(dry_run=True) as session:
        return plan_doctor_release(session, f"beta:{aside}")


def everything(pair: Pair) -> set[str]:
    """Every dataset, snapshot and bookmark, by name and guid."""
    return {
        line
        for host, pool in (("alpha", "tank"), ("beta", "bk"))
        for line in pair.world.zfs(host, "list", "-Hp", "-r", "-t", "all", "-o", "name,guid", pool)
    }


def lost(pair: Pair, before: set[str]) -> set[str]:
    return {line.partition("\t")[0] for line in before - everything(pair)}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A pair whose receiver has diverged once and was repaired: one copy is set aside."""
    pair = new_pair(tmp_path_factory.mktemp("pair"))
    diverges(pair)
    assert pair.replicate().exit_code is ExitCode.DONE
    return pair


@pytest.fixture
def pair(broken: Pair, tmp_path: Path) -> Pair:
    return Pair(broken.world.copy(tmp_path / "world"))


@pytest.fixture
def aside(pair: Pair) -> str:
    (name,) = pair.asides()
    return name


def test_a_copy_goes_with_its_own_snapshots_and_nothing_else(pair: Pair, aside: str) -> None:
    before = everything(pair)

    done = release(pair, aside)

    assert done.exit_code is ExitCode.DONE
    assert lost(pair, before) == {aside, f"{aside}@own"}
    assert not look(pair).found_something
    assert pair.is_current()
    assert pair.replicate().plan.steps == ()


def test_every_destroy_names_what_it_destroys(pair: Pair, aside: str) -> None:
    pair.world.fleet.faults.log.clear()

    release(pair, aside)

    destroys = [line for _, line in pair.world.fleet.faults.log if line.startswith("zfs destroy")]
    assert destroys == [f"zfs destroy {aside}@own", f"zfs destroy {aside}"]


def test_a_release_is_a_destructive_plan_that_names_every_snapshot(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "hold", "zfsctl:copy:base", f"{aside}@own")

    (step,) = planned(pair, aside).steps

    assert isinstance(step, DestroyDataset)
    assert risk_of(step) is Risk.DESTRUCTIVE
    assert [ref.name for ref in step.snapshots] == ["own"]
    assert step.holds == (("own", "zfsctl:copy:base"),)
    assert step.dataset_guid == int(pair.world.zfs("beta", "get", "-Hp", "-o", "value", "guid", aside)[0])


def test_two_repairs_in_a_row_are_released_one_after_the_other(pair: Pair) -> None:
    before = everything(pair)
    repair_again(pair, "own2")
    after = everything(pair)

    for one in look(pair).asides:
        assert release(pair, one.dataset).exit_code is ExitCode.DONE

    assert pair.asides() == []
    assert all(".zfsctl-aside-" in name for name in lost(pair, after))
    assert {"own", "own2"} == {name.partition("@")[2] for name in lost(pair, after) if "@" in name}
    assert pair.is_current()
    assert before


def test_a_copy_whose_snapshot_another_is_a_clone_of_has_to_wait_for_that(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    with_an_older_base(pair)
    first, second = look(pair).asides
    before = everything(pair)

    with pytest.raises(RefusedError) as refused:
        planned(pair, second.dataset)

    assert refused.value.hint == f"zfsctl doctor --release beta:{first.dataset}"
    assert release(pair, first.dataset).exit_code is ExitCode.DONE
    assert release(pair, second.dataset).exit_code is ExitCode.DONE
    assert all(".zfsctl-aside-" in name for name in lost(pair, before))
    assert pair.is_current()


QUICK = ((False, False, False), (True, False, True))


@pytest.mark.parametrize(
    "older",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in product((False, True), repeat=3)],
)
def test_after_any_three_repairs_every_copy_goes_in_its_order_and_in_no_other(
    pair: Pair, older: tuple[bool, ...]
) -> None:
    for number, one in enumerate(older):
        if one:
            forget(pair)
        repair_again(pair, f"own{number}")
    before = everything(pair)

    while copies := look(pair).asides:
        for copy in copies:
            if copy.after:
                with pytest.raises(RefusedError, match="has to go first"):
                    planned(pair, copy.dataset)
        assert copies[0].after == ()
        assert release(pair, copies[0].dataset).exit_code is ExitCode.DONE

    assert all(".zfsctl-aside-" in name for name in lost(pair, before))
    assert pair.asides() == []
    assert pair.is_current()
    assert pair.replicate().plan.steps == ()


@pytest.mark.parametrize(("state", "said"), OBSTACLES, ids=lambda one: getattr(one, "__name__", ""))
def test_what_something_speaks_against_is_refused(
    pair: Pair, aside: str, state: Callable[[Pair, str], None], said: str
) -> None:
    state(pair, aside)
    before = everything(pair)

    with pytest.raises(RefusedError, match="it stays") as refused:
        release(pair, aside)

    assert said in refused.value.why
    assert lost(pair, before) == set()


def test_holds_of_zfsctl_are_released(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "hold", "zfsctl:copy:base", f"{aside}@own")
    pair.world.zfs("beta", "hold", "zfsctl:gone:send", f"{aside}@own")

    assert release(pair, aside).exit_code is ExitCode.DONE
    assert pair.asides() == []


def test_what_lies_below_goes_first_and_each_by_its_name(pair: Pair, aside: str) -> None:
    """What shared the encryption root of a copy stays below it, and was sent anew."""
    for name in ("x", "x/y"):
        pair.world.zfs("beta", "create", "-o", "canmount=noauto", f"{aside}/{name}")
        pair.world.zfs("beta", "snapshot", f"{aside}/{name}@old")
    before = everything(pair)

    done = release(pair, aside)

    assert [step.dataset for step in done.plan.steps] == [f"{aside}/x/y", f"{aside}/x", aside]
    assert done.exit_code is ExitCode.DONE
    assert all(name.startswith(aside) for name in lost(pair, before))


def test_a_copy_inside_another_goes_before_it(broken: Pair, tmp_path: Path) -> None:
    """The old copy of a child that was repaired with its parent stays in the old copy of that."""
    pair = Pair(broken.world.copy(tmp_path / "world"))
    (outer,) = pair.asides()
    pair.takes()
    pair.writes_to(f"{COPY}/x", snapshot="own-x")
    pair.replicate()
    (child,) = set(pair.asides()) - {outer}
    inner = f"{outer}/{child.rpartition('/')[2]}"
    pair.world.zfs("beta", "rename", child, inner)
    before = everything(pair)

    first, second = look(pair).asides

    assert (first.dataset, first.home, first.after) == (inner, f"{COPY}/x", ())
    assert (second.dataset, second.after) == (outer, (inner,))
    with pytest.raises(RefusedError, match="has to go first"):
        release(pair, outer)
    assert [release(pair, one).exit_code for one in (inner, outer)] == [ExitCode.DONE, ExitCode.DONE]
    assert lost(pair, before) == {outer, f"{outer}@own", inner, f"{inner}@own-x"}
    assert pair.is_current()


def takes_a_snapshot(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "snapshot", f"{aside}@new")


def holds_it(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "hold", "mine", f"{aside}@own")


def clones_it(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "clone", f"{aside}@own", "bk/mine")


def creates_below_it(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "create", "-o", "canmount=noauto", f"{aside}/new")


def takes_the_mark_away(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "inherit", "zfsctl:aside", aside)


def brings_another_one_there(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "rename", aside, "bk/rescued")
    pair.world.zfs("beta", "create", aside)


def brings_another_snapshot_there(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "rename", f"{aside}@own", f"{aside}@rescued")
    pair.world.zfs("beta", "snapshot", f"{aside}@own")


def replaces_its_snapshot(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "destroy", f"{aside}@own")
    pair.world.zfs("beta", "snapshot", f"{aside}@own")


def mounts_it(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "set", "readonly=off", aside)
    pair.world.zfs("beta", "set", "mountpoint=/rescue", aside)
    pair.world.zfs("beta", "mount", aside)


def writes_to_it(pair: Pair, aside: str) -> None:
    mounts_it(pair, aside)
    write(pair.world.sim, "beta", aside, 5 << 20)
    pair.world.zfs("beta", "unmount", aside)


CHANGES = [
    mounts_it,
    takes_a_snapshot,
    holds_it,
    clones_it,
    creates_below_it,
    takes_the_mark_away,
    brings_another_one_there,
    brings_another_snapshot_there,
    replaces_its_snapshot,
]
changes = pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__)


@pytest.mark.parametrize("change", [*CHANGES, writes_to_it], ids=lambda one: one.__name__)
def test_what_changed_since_the_plan_was_made_keeps_all_of_it(
    pair: Pair, aside: str, change: Callable[[Pair, str], None]
) -> None:
    before: set[str] = set()

    def between() -> None:
        change(pair, aside)
        before.update(everything(pair))

    done = release(pair, aside, between=between)

    assert [outcome.result for outcome in done.outcomes] == [Result.STALE]
    assert done.exit_code is ExitCode.REFUSED
    assert lost(pair, before) == set()


@changes
def test_what_changes_at_the_last_moment_is_seen_by_the_shell_that_destroys(
    pair: Pair, aside: str, change: Callable[[Pair, str], None]
) -> None:
    """Between the last look and the destroys: nothing goes that was not planned by this guid."""
    by_plan = {f"{aside}@{ref.name}\t{ref.guid}" for step in planned(pair, aside).steps for ref in step.snapshots}
    before: set[str] = set()

    def after_the_look(text: str) -> str:
        if not before:
            before.add("")
            change(pair, aside)
            before.update(everything(pair))
        return text

    pair.world.fleet.faults.edit("clones,receive_resume_token,zfsctl:aside", after_the_look)

    done = release(pair, aside)

    assert before - {""}
    assert done.exit_code in (ExitCode.FAILED, ExitCode.PARTIAL)
    assert (before - {""}) - everything(pair) <= by_plan


@pytest.mark.parametrize("after", [False, True])
def test_a_release_that_is_killed_anywhere_is_finished_by_the_next(broken: Pair, tmp_path: Path, after: bool) -> None:
    for number in range(1, MOST_CHANGES):
        pair = Pair(broken.world.copy(tmp_path / str(number)))
        (aside,) = pair.asides()
        pair.world.zfs("beta", "hold", "zfsctl:copy:base", f"{aside}@own")
        pair.world.zfs("beta", "create", "-o", "canmount=noauto", f"{aside}/x")
        before = everything(pair)
        pair.world.fleet.faults.kill(number, after=after)
        killed = True
        with contextlib.suppress(KilledAt):
            release(pair, aside)
            killed = False
        pair.world.fleet.faults.clear()

        if pair.asides():
            assert release(pair, aside).exit_code is ExitCode.DONE

        assert lost(pair, before) == {aside, f"{aside}@own", f"{aside}/x"}
        assert pair.is_current()
        if not killed:
            break
    assert number == 5, "a hold, a snapshot and two datasets go, one by one"


def saved(pair: Pair, aside: str) -> Plan:
    """As it comes back from a file."""
    text = document_text(envelope("plan", document_of_plan(planned(pair, aside)), at=pair.world.sim.now))
    return read_plan(text, source="plan.json")


def test_a_saved_release_is_applied(pair: Pair, aside: str) -> None:
    plan = saved(pair, aside)

    with pair.world.session() as session:
        done = apply_plan(session, check_saved_plan(session, plan))

    assert done.exit_code is ExitCode.DONE
    assert pair.asides() == []


@changes
def test_a_saved_release_of_what_has_changed_is_stale(
    pair: Pair, aside: str, change: Callable[[Pair, str], None]
) -> None:
    plan = saved(pair, aside)
    change(pair, aside)
    before = everything(pair)

    with pair.world.session() as session, pytest.raises(StaleError):
        apply_plan(session, check_saved_plan(session, plan))

    assert lost(pair, before) == set()


def test_a_saved_release_of_a_copy_that_lost_a_snapshot_is_about_the_rest(pair: Pair, aside: str) -> None:
    plan = saved(pair, aside)
    pair.world.zfs("beta", "destroy", f"{aside}@own")

    with pair.world.session() as session:
        done = apply_plan(session, check_saved_plan(session, plan))

    assert done.exit_code is ExitCode.DONE
    assert pair.asides() == []


def test_a_saved_release_of_a_copy_that_was_written_to_since_keeps_all_of_it(pair: Pair, aside: str) -> None:
    plan = saved(pair, aside)
    writes_to_it(pair, aside)
    before = everything(pair)

    with pair.world.session() as session, pytest.raises(StaleError, match="was written to since"):
        check_saved_plan(session, plan)

    assert lost(pair, before) == set()


def test_a_saved_release_waits_for_a_copy_that_has_to_go_first(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    with_an_older_base(pair)
    first, second = look(pair).asides
    with pair.world.session(dry_run=True) as session:
        view = view_of(session, ("beta",))
    host, links = view.facts.hosts["beta"], view.replicating.links

    kept, findings = check_saved_releases(plan_release(host, second), host, links)

    assert kept == ()
    assert [finding.message for finding in findings] == [
        f"beta:{second.dataset}: not released, {first.dataset} has to go before it"
    ]
    assert check_saved_releases(plan_release(host, first), host, links) == (plan_release(host, first), ())


NAMES = [
    (f"beta:{COPY}", UsageError, "it is no copy that a repair set aside"),
    ("beta:bk", UsageError, "it is no copy that a repair set aside"),
    ("beta:bk/*", UsageError, "one copy on one host goes at a time"),
    ("*:bk/copies", UsageError, "one copy on one host goes at a time"),
    ("beta:bk/a.zfsctl-aside-20261118T000000Z", UnknownNameError, "there is no such dataset on beta"),
    ("gamma:bk/a", UnknownNameError, "the policy has no host gamma"),
]


@pytest.mark.parametrize(("text", "error", "said"), NAMES)
def test_only_the_name_of_one_copy_is_taken(pair: Pair, text: str, error: type[Exception], said: str) -> None:
    with pair.world.session(dry_run=True) as session, pytest.raises(error, match=said):
        plan_doctor_release(session, text)


def test_nothing_is_released_on_a_host_that_does_not_answer(pair: Pair, aside: str) -> None:
    pair.world.sim.hosts["beta"].reachable = False

    with pytest.raises(UnreachableError):
        planned(pair, aside)


def test_nothing_is_released_while_the_sender_is_not_known(pair: Pair, aside: str) -> None:
    pair.world.sim.hosts["alpha"].reachable = False

    with pytest.raises(RefusedError) as refused:
        planned(pair, aside)

    assert "not known how" in refused.value.why


def test_nothing_is_released_while_another_run_is_at_work_on_the_pool(pair: Pair, aside: str) -> None:
    with pair.world.session() as session:
        other = PoolLocks(session.paths.lock_dir)
        assert other.acquire("beta", "bk")
        with pytest.raises(LockedError):
            plan_doctor_release(session, f"beta:{aside}")
        other.release()


def test_what_was_released_is_in_the_journal(pair: Pair, aside: str) -> None:
    done = release(pair, aside)

    with pair.world.session(dry_run=True) as session:
        run = session.journal.run(done.run)
        (step,) = session.journal.steps(done.run)

    assert (run.command, run.destroyed, run.failed) == ("doctor --release", 1, 0)
    assert (step.kind, step.dataset, step.snapshots) == ("destroy-dataset", aside, (f"{aside}@own",))
