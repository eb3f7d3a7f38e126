"""A run on simulated hosts: what it does, and what it leaves alone when something is wrong."""

from __future__ import annotations

import pytest

from tests.operations.world import DAY, HOUR, NOW, World
from zfsctl.errors import ConfigError, ExitCode, LockedError, RefusedError, StateError
from zfsctl.model.event import Result
from zfsctl.model.names import POLICY_PROPERTY
from zfsctl.model.verdicts import Rule, Verdict
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.operations.snapshot import SnapshotRequest, plan_snapshot
from zfsctl.sandbox.faults import Fault, FaultKind
from zfsctl.sandbox.workload import write
from zfsctl.state.cached import read_cached_status


def commands(world: World, host: str, words: str) -> list[str]:
    return [line for name, line in world.fleet.faults.log if name == host and words in line]


def results(world_run: object) -> set[Result]:
    return {outcome.result for outcome in world_run.outcomes}


def test_all_datasets_of_a_pool_are_taken_by_one_command(world: World) -> None:
    applied = world.run()

    assert applied.exit_code == ExitCode.DONE
    assert len(commands(world, "alpha", "zfs snapshot")) == 1
    assert set(world.snapshots()) == {
        f"{dataset}@zfsctl-20261118T110640Z" for dataset in ("tank", "tank/a", "tank/b", "tank/vol")
    }
    set_by = world.zfs(
        "alpha", "get", "-Hp", "-s", "local", "-o", "value", POLICY_PROPERTY, "tank/a@zfsctl-20261118T110640Z"
    )
    assert set_by == ["p"]


def test_guids_are_read_back(world: World) -> None:
    applied = world.run()

    recorded = {
        f"{member.dataset}@{member.snapshot}": member.guid
        for outcome in applied.outcomes
        for member in outcome.members
        if member.dataset.startswith("tank")
    }
    assert recorded == world.snapshots()


def test_a_second_run_does_nothing(world: World) -> None:
    world.run()
    before = world.everything()

    again = world.run()

    assert again.outcomes == ()
    assert again.exit_code == ExitCode.DONE
    assert world.everything() == before


def test_a_run_asks_each_host_the_same_number_of_questions_whatever_it_holds(world: World) -> None:
    world.run()
    few = world.fleet.host("alpha").exchanges
    world.run()
    no_op = world.fleet.host("alpha").exchanges - few
    for number in range(60):
        world.zfs("alpha", "create", f"tank/more{number}")
    world.run()
    before = world.fleet.host("alpha").exchanges
    world.run()

    assert world.fleet.host("alpha").exchanges - before == no_op
    assert no_op <= 4


def test_what_no_rule_keeps_goes_and_the_rest_stays(world: World) -> None:
    world.hours(12)

    names = sorted(name for name in world.snapshots() if name.startswith("tank/a@"))
    assert len(names) == 7  # six hours, and the one that the newest of them sets free in the next run


def test_snapshots_of_others_are_never_touched(world: World) -> None:
    foreign = ("__replicate_1__", "autosnap_2020-01-01_00:00:01_daily", "auto-2020-01-01", "zfsctl-2020", "vzdump")
    for name in foreign:
        world.zfs("alpha", "snapshot", f"tank/a@{name}")

    world.hours(12)

    assert {f"tank/a@{name}" for name in foreign} <= set(world.snapshots())


def test_an_adopted_snapshot_goes_by_the_rules(world: World) -> None:
    world.policy_text = world.policy_text.replace('policy = "p"', 'policy = "p"\nadopt = ["autosnap_*"]')
    for _ in range(4):
        world.zfs("alpha", "snapshot", f"tank/a@autosnap_{world.sim.now}")
        world.advance(HOUR)

    world.hours(12)

    assert not [name for name in world.snapshots() if "autosnap" in name]


def test_a_host_that_does_not_answer_stops_no_other(world: World) -> None:
    world.sim.hosts["beta"].reachable = False

    applied = world.run()

    assert applied.exit_code == ExitCode.PARTIAL
    assert len(world.snapshots()) == 4
    assert [finding.code for finding in applied.plan.findings] == ["unreachable"]


def test_no_host_answers(world: World) -> None:
    for machine in world.sim.hosts.values():
        machine.reachable = False

    assert world.run().exit_code == ExitCode.UNREACHABLE


def always(kind: FaultKind, match: str, text: str = "", *, edit: object = None, lines: int = 0) -> Fault:
    return Fault(kind, "alpha", match, times=None, text=text, edit=edit, lines=lines)


LISTINGS = {
    "noise beside the datasets": always(FaultKind.NOISE, "-t filesystem", "cannot iterate filesystems: I/O error"),
    "noise beside the snapshots": always(FaultKind.NOISE, "-t snapshot", "cannot iterate snapshots: I/O error"),
    "snapshots cut in the middle": always(FaultKind.CUT, "-t snapshot", lines=3),
    "a value of a newer OpenZFS": always(
        FaultKind.EDIT, "-t snapshot", edit=lambda text: text.replace("\t0\t", "\tx\t")
    ),
    "half an answer": always(FaultKind.EDIT, "-t snapshot", edit=lambda text: text[: len(text) // 2]),
    "properties fail": always(FaultKind.FAIL, "zfs get", "cannot open 'tank': I/O error"),
    "no answer in time": always(FaultKind.HANG, "-t snapshot"),
    "no pools": always(FaultKind.FAIL, "zpool list", "internal error"),
    "no clock": always(FaultKind.FAIL, "date", "date: not found"),
}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in LISTINGS.items()])
def test_nothing_is_destroyed_on_a_listing_that_is_not_complete(aged: World, fault: Fault) -> None:
    assert any(decision.verdict is Verdict.DESTROY for decision in aged.plan().decisions)
    before = aged.everything()
    aged.fleet.faults.add(fault)

    applied = aged.run()

    assert before["alpha"] <= aged.everything()["alpha"]
    assert applied.exit_code != ExitCode.DONE
    assert any(finding.code == "incomplete" for finding in applied.plan.findings)


def test_a_pool_that_is_gone_is_an_alarm_and_never_a_reason(world: World) -> None:
    world.hours(3)
    del world.sim.hosts["beta"].pools["bk"]

    applied = world.run()

    assert applied.exit_code == ExitCode.PARTIAL
    assert [finding.code for finding in applied.plan.findings] == ["no-match"]


def test_a_policy_that_selects_nothing_is_refused(world: World) -> None:
    world.policy_text = world.policy_text.replace('"alpha:tank", "beta:bk/vm"', '"alpha:nothing"')

    with pytest.raises(ConfigError, match="no rule of the policy selects anything") as raised:
        world.run()

    assert 'toml: datasets[1].select[1]: "alpha:nothing" selects nothing on alpha' in raised.value.why
    assert raised.value.where.endswith("datasets[1].select[1]")


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        pytest.param('select = ["alpha:tank"]\nexclude = ["**"]\npolicy = "p"', "exclude every", id="all-excluded"),
        pytest.param('select = ["alpha:tank"]\npolicy = "none"', "about any host", id="only-rules-that-opt-out"),
    ],
)
def test_a_policy_whose_rules_leave_nothing_is_refused_with_the_reason(world: World, rules: str, why: str) -> None:
    world.policy_text = f"{world.policy_text.partition('[[datasets]]')[0]}[[datasets]]\n{rules}\n"

    with pytest.raises(ConfigError, match=why):
        world.run()


def member(applied: object, dataset: str) -> list[tuple[str, Result]]:
    return [
        (one.snapshot, one.result) for outcome in applied.outcomes for one in outcome.members if one.dataset == dataset
    ]


def oldest_of(world: World, dataset: str) -> str:
    """The snapshot of a dataset that the next run would destroy."""
    plan = world.plan()
    return next(d.snapshot for d in plan.decisions if d.dataset == dataset and d.verdict is Verdict.DESTROY)


@pytest.mark.parametrize(
    ("what", "result"),
    [
        pytest.param(lambda w, n: w.zfs("alpha", "hold", "legal", f"tank/a@{n}"), Result.STALE, id="it is held"),
        pytest.param(
            lambda w, n: w.zfs("alpha", "clone", f"tank/a@{n}", "tank/clone"), Result.STALE, id="it is cloned"
        ),
        pytest.param(lambda w, n: w.zfs("alpha", "destroy", f"tank/a@{n}"), Result.DONE, id="it is gone already"),
        pytest.param(
            lambda w, n: (w.zfs("alpha", "destroy", f"tank/a@{n}"), w.zfs("alpha", "snapshot", f"tank/a@{n}")),
            Result.STALE,
            id="another snapshot has its name",
        ),
    ],
)
def test_a_snapshot_that_changed_since_the_plan_costs_only_itself(aged: World, what: object, result: Result) -> None:
    name = oldest_of(aged, "tank/a")
    there = aged.snapshots()

    applied = aged.run(between=lambda: what(aged, name))

    assert (name, result) in member(applied, "tank/a")
    assert [one for _, one in member(applied, "tank/b") if one is not Result.DONE] == []
    if result is Result.STALE:
        assert f"tank/a@{name}" in aged.snapshots()
        assert applied.exit_code == ExitCode.PARTIAL
    else:
        assert applied.exit_code == ExitCode.DONE
    assert f"tank/b@{name}" in there
    assert f"tank/b@{name}" not in aged.snapshots()


def test_a_dataset_made_anew_under_the_same_name_loses_nothing(aged: World) -> None:
    name = oldest_of(aged, "tank/a")

    def replace() -> None:
        aged.zfs("alpha", "destroy", "-r", "tank/a")
        aged.zfs("alpha", "create", "tank/a")
        aged.zfs("alpha", "snapshot", f"tank/a@{name}")

    applied = aged.run(between=replace)

    assert f"tank/a@{name}" in aged.snapshots()
    assert set(member(applied, "tank/a")) >= {(name, Result.STALE)}
    assert not [full for full in aged.snapshots() if full.startswith("tank/a@") and not full.endswith(name)]


def test_a_dataset_that_vanished_is_left_out_of_the_atomic_snapshot(world: World) -> None:
    applied = world.run(between=lambda: world.zfs("alpha", "destroy", "tank/b"))

    assert set(world.snapshots()) == {
        f"{dataset}@zfsctl-20261118T110640Z" for dataset in ("tank", "tank/a", "tank/vol")
    }
    assert [result for _, result in member(applied, "tank/b")] == [Result.STALE]
    assert applied.exit_code == ExitCode.PARTIAL


def test_a_member_that_openzfs_names_is_left_out_and_the_rest_is_taken(world: World) -> None:
    world.fleet.faults.fail(
        "zfs snapshot",
        "cannot create snapshot 'tank/b@zfsctl-20261118T110640Z': out of space\nno snapshots were created",
    )

    applied = world.run()

    assert [result for _, result in member(applied, "tank/b")] == [Result.FAILED]
    assert [result for _, result in member(applied, "tank/a")] == [Result.DONE]
    assert len(commands(world, "alpha", "zfs snapshot")) == 2


def test_a_name_that_is_taken_becomes_the_next_second(world: World) -> None:
    applied = world.run(between=lambda: world.zfs("alpha", "snapshot", "tank/b@zfsctl-20261118T110640Z"))

    assert applied.exit_code == ExitCode.DONE
    assert member(applied, "tank/a") == [("zfsctl-20261118T110641Z", Result.DONE)]


def test_a_host_that_lies_about_a_snapshot_is_found_out(world: World) -> None:
    world.fleet.faults.lie("zfs snapshot", host="alpha")

    applied = world.run()

    assert world.snapshots() == {}
    assert [result for _, result in member(applied, "tank/a")] == [Result.FAILED]
    assert applied.exit_code == ExitCode.PARTIAL


def test_a_host_that_lies_about_a_destroy_is_found_out(aged: World) -> None:
    name = oldest_of(aged, "tank/a")
    aged.fleet.faults.lie("zfs destroy", host="alpha", times=None)

    applied = aged.run(only=("prune",))

    assert (name, Result.FAILED) in member(applied, "tank/a")
    assert f"tank/a@{name}" in aged.snapshots()


@pytest.mark.parametrize("kind", [FaultKind.CUT_BEFORE, FaultKind.CUT, FaultKind.HANG, FaultKind.HANG_AFTER])
@pytest.mark.parametrize("words", ["zfs snapshot", "zfs destroy tank/a", "userrefs,clones tank/a"])
def test_a_cut_connection_is_never_taken_for_an_answer(aged: World, kind: FaultKind, words: str) -> None:
    aged.fleet.faults.add(Fault(kind, "alpha", words))

    applied = aged.run()

    there = set(aged.snapshots())
    for outcome in applied.outcomes:
        for one in outcome.members:
            full = f"{one.dataset}@{one.snapshot}"
            if one.result is Result.DONE and one.dataset.startswith("tank"):
                created = one.guid is not None and full in there
                assert created or full not in there
    aged.fleet.faults.clear()
    aged.run()
    aged.run()
    assert aged.run().outcomes == ()


def test_a_batch_refused_for_one_member_goes_one_by_one(world: World) -> None:
    world.hours(6)
    for _ in range(4):
        world.advance(HOUR)
        world.run(only=("snapshot",))
    doomed = [d.snapshot for d in world.plan().decisions if d.dataset == "tank/a" and d.verdict is Verdict.DESTROY]
    assert len(doomed) > 2
    held = f"tank/a@{doomed[0]}"
    world.fleet.faults.fail("zfs destroy tank/a@", f"cannot destroy snapshot {held}: dataset is busy")

    applied = world.run(only=("prune",))

    ended = dict(member(applied, "tank/a"))
    assert ended[doomed[0]] is Result.FAILED
    assert {ended[name] for name in doomed[1:]} == {Result.DONE}


def test_a_full_pool_takes_no_snapshot_and_is_still_pruned(aged: World) -> None:
    name = oldest_of(aged, "tank/a")
    aged.fleet.faults.fail(
        "zfs snapshot", "cannot create snapshots : out of space\nno snapshots were created", host="alpha", times=None
    )

    applied = aged.run()

    assert f"tank/a@{name}" not in aged.snapshots()
    assert applied.exit_code == ExitCode.PARTIAL


@pytest.mark.parametrize(("health", "readonly"), [("SUSPENDED", False), ("FAULTED", False), ("ONLINE", True)])
def test_a_pool_that_takes_no_writes_is_left_alone(aged: World, health: str, readonly: bool) -> None:
    before = aged.everything()["alpha"]
    pool = aged.sim.hosts["alpha"].pools["tank"]
    pool.health, pool.readonly = health, readonly

    applied = aged.run()

    pool.health, pool.readonly = "ONLINE", False
    assert aged.everything()["alpha"] == before
    assert applied.exit_code == ExitCode.PARTIAL
    assert {finding.code for finding in applied.plan.findings} == {"pool-takes-no-writes"}
    assert health in str(applied.plan.findings) or readonly


def test_a_pool_that_takes_no_writes_is_told_of_once(aged: World) -> None:
    aged.sim.hosts["alpha"].pools["tank"].readonly = True

    findings = aged.run().plan.findings

    assert [(finding.code, finding.dataset) for finding in findings] == [("pool-takes-no-writes", "tank")]


def test_clocks_two_years_ahead_make_nothing_expire_while_older_snapshots_deny_it(aged: World) -> None:
    """The controller is that host, or both were set by the same wrong server. The rules reach back six hours."""
    taken = aged.sim.now
    aged.zfs("alpha", "snapshot", "-o", f"zfsctl:expires={taken + 7 * DAY}", "tank/a@zfsctl-manual-20261118T000000Z")
    aged.sim.now += 730 * DAY
    for _ in range(5):
        aged.run()
        aged.advance(HOUR)
    kept = "tank/a@zfsctl-manual-20261118T000000Z" in aged.snapshots()
    for _ in range(25):
        aged.run()
        aged.advance(HOUR)

    assert kept
    assert "tank/a@zfsctl-manual-20261118T000000Z" not in aged.snapshots(), "in the end the clock is believed"


def test_a_clock_set_back_a_year_loses_nothing(aged: World) -> None:
    before = aged.everything()["alpha"]
    aged.sim.hosts["alpha"].clock_offset = -365 * DAY

    for _ in range(3):
        aged.run()
        aged.advance(HOUR)

    assert before <= aged.everything()["alpha"]
    assert len(aged.everything()["alpha"]) > len(before), "snapshots go on"


def test_a_machine_that_was_off_for_a_month_loses_nothing_on_its_first_day(world: World) -> None:
    world.policy_text = world.policy_text.replace("{ last = 2, hourly = 6 }", '{ within = "6h" }')
    world.hours(7)
    before = set(world.snapshots())
    world.advance(30 * DAY)

    for _ in range(9):
        world.run()
        world.advance(HOUR)

    assert before <= set(world.snapshots())


def test_skip_empty_takes_nothing_where_nothing_was_written(world: World) -> None:
    world.policy_text = world.policy_text.replace('snapshot = "hourly"', 'snapshot = "hourly"\nskip_empty = true')
    world.run()
    world.advance(HOUR, writing=False)
    write(world.sim, "alpha", "tank/a", 1 << 20)
    world.zfs("alpha", "snapshot", "tank/a@foreign")
    before = set(world.snapshots())

    world.run()

    assert {name.partition("@")[0] for name in set(world.snapshots()) - before} == {"tank/a"}


def test_a_dry_run_changes_nothing_and_shows_what_the_run_does(aged: World) -> None:
    before = aged.everything()

    shown = aged.plan()

    assert aged.everything() == before
    done = aged.run().plan
    assert shown.decisions == done.decisions
    assert len(shown.steps) == len(done.steps)


def test_read_only_in_the_policy_makes_every_command_a_dry_run(world: World) -> None:
    world.policy_text = "read_only = true\n" + world.policy_text

    with pytest.raises(RefusedError, match="may only look"):
        world.run()
    assert world.everything() == {"alpha": set(), "beta": set()}


def test_two_runs_at_once_do_not_take_a_snapshot_twice(world: World) -> None:
    with world.session() as first:
        plan = plan_run(first, RunRequest())
        with pytest.raises(LockedError) as caught:
            world.run()
        apply_plan(first, plan)

    assert caught.value.exit_code == ExitCode.LOCKED
    assert len(world.snapshots()) == 4
    assert world.run().outcomes == ()


def test_what_another_run_holds_is_left_to_it(world: World) -> None:
    with world.session(hosts=("beta",)) as other:
        plan_run(other, RunRequest())
        applied = world.run()

    assert applied.exit_code == ExitCode.DONE
    assert [finding.code for finding in applied.plan.findings] == ["running"]
    assert len(world.snapshots()) == 4
    assert world.snapshots("beta", "bk") == {}


def test_what_another_run_holds_does_not_spoil_the_kept_view(world: World) -> None:
    world.run()
    world.advance(HOUR)
    with world.session() as other:
        kept = read_cached_status(other.paths.state_file)
        other.locks.acquire("alpha", "tank")
        world.run()

        assert read_cached_status(other.paths.state_file) == kept
    world.run()
    assert read_cached_status(other.paths.state_file) != kept


def test_the_names_of_a_host_that_was_not_asked_stay_known_to_completion(world: World) -> None:
    world.run()
    with world.session(hosts=("alpha",)) as session:
        apply_plan(session, plan_run(session, RunRequest()))
        names = (session.paths.cache_dir / "names").read_text().splitlines()

    assert {"alpha:tank/a", "beta:bk/vm/one"} <= set(names)


def snapshots_known(world: World) -> dict[str, set[str]]:
    """What completion knows of each dataset."""
    lines = (world.folder / "cache" / "snapshots").read_text().splitlines()
    return {place: set(names) for place, *names in (line.split("\t") for line in lines)}


def test_completion_knows_the_snapshots_that_there_are(aged: World) -> None:
    aged.run()
    there: dict[str, set[str]] = {}
    for host, names in aged.everything().items():
        for dataset, _, name in (full.partition("@") for full in names):
            there.setdefault(f"{host}:{dataset}", set()).add(name)

    assert snapshots_known(aged) == there


def test_snapshots_that_were_not_listed_stay_known_to_completion_and_those_of_a_dataset_that_is_gone_do_not(
    aged: World,
) -> None:
    aged.run()
    known = snapshots_known(aged)
    aged.zfs("alpha", "destroy", "-r", "tank/b")
    aged.advance(HOUR, writing=False)
    with aged.session(hosts=("alpha",)) as session:
        plan = plan_snapshot(session, SnapshotRequest(("alpha:tank/a",)))
        apply_plan(session, plan)
    found = snapshots_known(aged)

    assert "alpha:tank/b" in known
    assert "alpha:tank/b" not in found
    assert len(found["alpha:tank/a"] - known["alpha:tank/a"]) == 1
    assert {place: names for place, names in found.items() if place != "alpha:tank/a"} == {
        place: names for place, names in known.items() if place not in ("alpha:tank/a", "alpha:tank/b")
    }


def test_a_state_file_that_is_gone_costs_only_history(aged: World) -> None:
    shown = aged.plan()
    (aged.folder / "state.db").unlink()

    assert aged.plan().decisions == shown.decisions


def test_a_damaged_state_file_stops_a_run_and_no_dry_run(world: World) -> None:
    (world.folder / "state.db").write_bytes(b"not a database at all" * 400)

    with pytest.raises(StateError):
        world.run()
    assert world.everything() == {"alpha": set(), "beta": set()}
    plan = world.plan()
    assert len(plan.steps) == 2
    assert "state" in {finding.code for finding in plan.findings}


def test_a_changed_rule_that_would_lose_most_snapshots_asks_first(world: World) -> None:
    world.policy_text = world.policy_text.replace("hourly = 6", "hourly = 40")
    world.hours(30)
    before = world.everything()["alpha"]
    world.policy_text = world.policy_text.replace("hourly = 40", "hourly = 3")

    applied = world.run()

    assert before <= world.everything()["alpha"]
    assert applied.exit_code == ExitCode.REFUSED
    assert {request.kind for request in applied.plan.approvals} == {"mass-destroy"}
    assert all(
        decision.reasons[0].rule is Rule.WITHHELD
        for decision in applied.plan.decisions
        if decision.verdict is Verdict.KEEP and decision.reasons[0].rule not in (Rule.LAST, Rule.HOURLY)
    )


def test_the_names_are_of_the_hosts_clock_and_in_utc(world: World) -> None:
    assert world.sim.now == NOW
    world.sim.hosts["beta"].clock_offset = 7
    world.run()

    assert set(world.snapshots("beta", "bk")) == {f"{name}@zfsctl-20261118T110647Z" for name in ("bk/vm", "bk/vm/one")}
