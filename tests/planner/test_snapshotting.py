"""Which snapshots are taken, in how many commands, under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, dataset, host, policy, snapshots
from tests.planner.test_selection import pattern
from zfsctl.errors import UsageError
from zfsctl.model.batches import MOST_ARGUMENT_BYTES
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Severity
from zfsctl.model.plan import CreateSnapshots, DatasetRef, RunHook
from zfsctl.model.policy import DatasetRule, Hook, HostEntry, Policy, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.planner.selection import resolve_selection, select_datasets
from zfsctl.planner.snapshotting import Snapshotting, plan_manual_snapshots, plan_scheduled_snapshots

HOURLY = policy("last=1")


def file_of(
    *, critical: Policy = HOURLY, hooks: Sequence[Hook] = (), rules: dict[str, str | None] | None = None
) -> PolicyFile:
    """A policy file in which everything below tank of every host follows `critical`; more `rules` by pattern."""
    media = policy("last=1", every="daily", name="media")
    return PolicyFile(
        hosts={name: HostEntry(name, "") for name in ("local", "alpha")},
        policies={"critical": critical, "media": media},
        rules=tuple(
            DatasetRule(text, (pattern(text, without_host="local"),), name)
            for text, name in ({"*:tank": "critical"} | (rules or {})).items()
        ),
        hooks=tuple(hooks),
    )


def plan(*hosts: HostFacts, file: PolicyFile | None = None, zone: str = "UTC") -> Snapshotting:
    file = file or file_of()
    facts = Facts({one.host: one for one in hosts})
    selected = select_datasets(file, facts).datasets
    return plan_scheduled_snapshots(selected, facts, policy=file, zone=ZoneInfo(zone))


def created(part: Snapshotting) -> list[CreateSnapshots]:
    return [step for step in part.steps if isinstance(step, CreateSnapshots)]


def taken(part: Snapshotting) -> list[str]:
    """`host:dataset@name` of each snapshot."""
    return [f"{step.host}:{ref.name}@{step.snapshot}" for step in created(part) for ref in step.datasets]


@pytest.mark.parametrize(
    ("history", "due"),
    [
        pytest.param("", True, id="never-any"),
        pytest.param("20T13:30", True, id="due"),
        pytest.param("20T14:00", False, id="not-due"),
        pytest.param("20T14:10f", True, id="others-do-not-count"),
        pytest.param("2027-01-01T00", True, id="a-date-to-come-stops-nothing"),
    ],
)
def test_a_snapshot_is_taken_when_it_is_due(history: str, due: bool) -> None:
    assert taken(plan(host(history, clock="20T14:30"))) == ["local:tank/a@zfsctl-20261120T143000Z"] * due


def test_one_step_for_the_datasets_of_a_pool_and_policy() -> None:
    part = plan(host("20T13:30", "20T12:30", "20T14:10", clock="20T14:30"))

    assert part.steps == (
        CreateSnapshots(
            id="snapshot-1",
            host="local",
            why="hourly is due since 13:00",
            pool="tank",
            snapshot="zfsctl-20261120T143000Z",
            datasets=(DatasetRef("tank/a", 1000), DatasetRef("tank/b", 2000)),
            properties=(("zfsctl:policy", "critical"),),
        ),
    )
    assert [(one.dataset, one.policy, one.snapshots, one.guid) for one in part.datasets] == [
        ("tank/a", "critical", 1, 1000),
        ("tank/b", "critical", 1, 2000),
        ("tank/c", "critical", 1, 3000),
    ]
    assert part.findings == ()


def test_hosts_pools_and_policies_have_steps_of_their_own_with_ids_of_their_own() -> None:
    other = dataset("usb/a", guid=7)
    here = host("", "", (other, ()), clock="20T14:30")
    here = replace(here, pools=(*here.pools, Pool("usb", 2)))
    part = plan(
        host("", name="alpha", clock="20T14:31"), here, file=file_of(rules={"usb": "critical", "tank/b": "media"})
    )

    assert [(step.id, step.host, step.pool, step.properties[0][1]) for step in created(part)] == [
        ("snapshot-1", "alpha", "tank", "critical"),
        ("snapshot-2", "local", "tank", "critical"),
        ("snapshot-3", "local", "tank", "media"),
        ("snapshot-4", "local", "usb", "critical"),
    ]
    assert created(part)[0].snapshot == "zfsctl-20261120T143100Z"


@pytest.mark.parametrize(
    ("every", "zone", "history", "why"),
    [
        pytest.param("hourly", "UTC", "", "hourly is due, there is no snapshot of ours yet", id="first"),
        pytest.param(
            "hourly", "UTC", "20T16", "hourly is due, there is no snapshot of ours but from the future", id="set-back"
        ),
        pytest.param("hourly", "Europe/Berlin", "20T13:30", "hourly is due since 15:00", id="in-the-zone"),
        pytest.param("hourly", "UTC", "18T13:30", "hourly is due since 2026-11-18 14:00", id="another-day"),
        pytest.param("0 */6 * * *", "UTC", "20T11", '"0 */6 * * *" is due since 12:00', id="a-cron-line"),
    ],
)
def test_a_step_says_since_when_it_is_due(every: str, zone: str, history: str, why: str) -> None:
    part = plan(host(history, clock="20T14:30"), file=file_of(critical=policy("last=1", every=every)), zone=zone)

    assert [step.why for step in created(part)] == [why]


@pytest.mark.parametrize(
    ("history", "written", "head", "due"),
    [
        pytest.param("", (), 0, True, id="the-first-is-taken-even-of-an-empty-dataset"),
        pytest.param("20T13:30", (5,), 0, False, id="nothing-was-written"),
        pytest.param("20T13:30", (0,), 1, True, id="something-was-written"),
        pytest.param("20T13:30 20T14:10f", (5, 1), 0, True, id="it-was-written-before-anothers-snapshot"),
        pytest.param("20T13:30 20T14:10f", (5, 0), 0, False, id="anothers-snapshot-alone-is-nothing-written"),
        pytest.param("20T14:10", (0,), 1, False, id="what-is-not-due-is-not-due-by-being-written"),
    ],
)
def test_empty_snapshots_are_skipped_where_the_policy_says_so(
    history: str, written: tuple[int, ...], head: int, due: bool
) -> None:
    listed = [replace(one, written=count) for one, count in zip(snapshots(history), written, strict=True)]
    here = host((dataset(written=head), listed), clock="20T14:30")
    file = file_of(critical=policy("last=1", skip_empty=True))

    assert bool(plan(here, file=file).steps) is due
    assert bool(plan(here).steps) is (history != "20T14:10")


def test_a_name_that_is_taken_gives_way_to_the_next_free_second() -> None:
    one = snapshots("20T10")[0]
    held = replace(one, name="zfsctl-20261120T143000Z")
    ahead = replace(one, name="zfsctl-20261120T143001Z", guid=2, createtxg=2)
    here = host((dataset("tank/a"), (held,)), (dataset("tank/b", guid=2), (ahead,)), clock="20T14:30")

    assert taken(plan(here)) == ["local:tank/a@zfsctl-20261120T143002Z", "local:tank/b@zfsctl-20261120T143002Z"]


def test_a_dataset_whose_name_would_be_too_long_is_left_out_and_said_so() -> None:
    fits, too_long = f"tank/{'x' * 226}", f"tank/{'x' * 227}"
    here = host((dataset(fits, guid=1), ()), (dataset(too_long, guid=2), ()), clock="20T14:30")
    part = plan(here)

    assert [len(one.removeprefix("local:")) for one in taken(part)] == [255]
    assert [(one.severity, one.code, one.dataset) for one in part.findings] == [
        (Severity.CRITICAL, "name-too-long", too_long)
    ]


@pytest.mark.parametrize(
    "pool", [Pool("tank", 1, health="SUSPENDED"), Pool("tank", 1, readonly=True), Pool("tank", 1, health="FAULTED")]
)
def test_a_pool_that_takes_no_writes_gets_no_step_and_one_finding(pool: Pool) -> None:
    part = plan(host("", "", clock="20T14:30", pool=pool))

    assert part.steps == ()
    assert [(one.severity, one.code, one.host, one.dataset) for one in part.findings] == [
        (Severity.CRITICAL, "pool-takes-no-writes", "local", "tank")
    ]


def test_a_degraded_pool_still_gets_snapshots() -> None:
    assert len(plan(host("", clock="20T14:30", pool=Pool("tank", 1, health="DEGRADED"))).steps) == 1


def test_an_unfinished_first_receive_is_not_snapshotted() -> None:
    part = plan(host((dataset(inconsistent=True), ()), clock="20T14:30"))

    assert part.steps == ()
    assert [one.code for one in part.findings] == ["partial-receive"]


def test_a_dataset_whose_snapshots_were_not_listed_is_not_looked_at() -> None:
    here = host("", "", clock="20T14:30")
    here = replace(here, snapshots={"tank/b": ()})

    assert taken(plan(here)) == ["local:tank/b@zfsctl-20261120T143000Z"]
    assert [one.dataset for one in plan(here).datasets] == ["tank/b"]


def test_an_incomplete_listing_takes_one_too_many_but_not_one_each_run() -> None:
    part = plan(host("20T13:30", "", "20T14:00", clock="20T14:30", problems=["stderr: I/O error"]))

    assert taken(part) == ["local:tank/a@zfsctl-20261120T143000Z"]
    assert [(one.code, one.dataset) for one in part.findings] == [("unknown-newest", "tank/b")]


def test_a_host_that_did_not_answer_gets_nothing() -> None:
    here = replace(host("", clock="20T14:30", problems=["connection refused"]), reached=False)

    assert plan(here) == Snapshotting()


def test_no_schedule_and_no_policy_take_nothing() -> None:
    assert plan(host("", clock="20T14:30"), file=file_of(critical=policy("last=1", every=None))).steps == ()
    assert plan(host("", "", clock="20T14:30"), file=file_of(rules={"tank/a": None, "tank/b": None})).steps == ()


def test_many_datasets_are_taken_in_parts_that_fit_into_one_argument() -> None:
    many = [(dataset(f"tank/{'x' * 180}{number:04}", guid=number), ()) for number in range(1200)]
    part = plan(host(*many, clock="20T14:30"))

    sizes = [sum(len(f"{ref.name}@{step.snapshot}") + 3 for ref in step.datasets) for step in created(part)]
    assert len(sizes) == 3
    assert max(sizes) <= MOST_ARGUMENT_BYTES
    assert [one.split("@")[0] for one in taken(part)] == [f"local:{one.name}" for one, _ in many]
    assert len({step.id for step in created(part)}) == 3


@given(st.lists(st.sampled_from(["", "20T13:30", "20T14:00", "20T14:29 20T12:00"]), max_size=6), st.booleans())
def test_planning_again_after_taking_them_takes_nothing(histories: list[str], skip_empty: bool) -> None:
    file = file_of(critical=policy("last=1", skip_empty=skip_empty))
    here = host(*histories, clock="20T14:30")
    part = plan(here, file=file)
    listed = {name: list(history) for name, history in here.snapshots.items()}
    for step in created(part):
        for ref in step.datasets:
            listed[ref.name].append(Snapshot(ref.name, step.snapshot, 99, 99, here.clock))
    after = replace(here, snapshots={name: tuple(history) for name, history in listed.items()})

    assert plan(after, file=file).steps == ()


# By hand.


def by_hand(
    *texts: str, here: HostFacts, reason: str = "", expires: str = "", hooks: Sequence[Hook] = ()
) -> Snapshotting:
    file = file_of(hooks=hooks)
    facts = Facts({here.host: here})
    places = resolve_selection(texts, recursive=False, policy=file, facts=facts)
    return plan_manual_snapshots(
        places, facts, policy=file, zone=UTC, reason=reason, expires=at(expires) if expires else None
    )


def test_by_hand_the_reason_and_the_expiry_are_kept_with_the_snapshot() -> None:
    part = by_hand(
        "tank/a", "tank/b", here=host("20T14:00", "", clock="20T14:30"), reason="before the upgrade", expires="21T00"
    )

    assert part.steps == (
        CreateSnapshots(
            id="snapshot-1",
            host="local",
            why="taken by hand: before the upgrade",
            pool="tank",
            snapshot="zfsctl-manual-20261120T143000Z",
            datasets=(DatasetRef("tank/a", 1000), DatasetRef("tank/b", 2000)),
            properties=(("zfsctl:reason", "before the upgrade"), ("zfsctl:expires", str(at("21T00")))),
        ),
    )
    assert [(one.dataset, one.policy) for one in part.datasets] == [("tank/a", ""), ("tank/b", "")]


def test_by_hand_without_words_there_are_no_properties() -> None:
    part = by_hand("tank/a", here=host("", clock="20T14:30"))

    assert [(step.why, step.properties) for step in created(part)] == [("taken by hand", ())]


@pytest.mark.parametrize("reason", ["two\nlines", "a\ttab", "x" * 1025, "ü" * 513])
def test_a_reason_that_cannot_be_kept_is_refused(reason: str) -> None:
    with pytest.raises(UsageError):
        by_hand("tank/a", here=host("", clock="20T14:30"), reason=reason)


def test_an_expiry_that_has_passed_is_refused() -> None:
    with pytest.raises(UsageError):
        by_hand("tank/a", here=host("", clock="20T14:30"), expires="20T14:30")


# Hooks.

DB = Hook("db", (pattern("*:tank/a", without_host="local"),), ("freeze", "db"), ("thaw", "db"), 30)
ALL = Hook("all", (pattern("tank", without_host="local"),), ("flush",), ("note",))


def lines(part: Snapshotting) -> list[str]:
    """`id what waits-for` of each step."""
    found = []
    for step in part.steps:
        what = " ".join(step.argv) if isinstance(step, RunHook) else ",".join(ref.name for ref in step.datasets)
        found.append(f"{step.id}: {what} <- {' '.join(step.after)}".strip())
    return found


def test_a_hook_costs_only_what_it_selects() -> None:
    part = plan(host("", "", clock="20T14:30"), file=file_of(hooks=[DB]))

    assert lines(part) == [
        "hook-1: freeze db <-",
        "snapshot-1: tank/a <- hook-1",
        "snapshot-2: tank/b <-",
        "hook-2: thaw db <- hook-1 snapshot-1",
    ]
    before, after = (step for step in part.steps if isinstance(step, RunHook))
    assert (before.name, before.always, before.dataset, before.timeout_seconds) == ("db", False, "tank/a", 30)
    assert (after.name, after.always, after.dataset, after.timeout_seconds) == ("db", True, "tank/a", 30)


def test_hooks_nest_like_brackets() -> None:
    part = plan(host("", "", clock="20T14:30"), file=file_of(hooks=[ALL, DB]))

    assert lines(part) == [
        "hook-1: flush <-",
        "hook-2: freeze db <- hook-1",
        "snapshot-1: tank/a <- hook-1 hook-2",
        "snapshot-2: tank/b <- hook-1",
        "hook-3: thaw db <- hook-2 snapshot-1",
        "hook-4: note <- hook-1 snapshot-1 snapshot-2 hook-3",
    ]


def test_a_hook_does_not_wait_for_one_that_is_about_other_snapshots() -> None:
    other = Hook("web", (pattern("*:tank/b", without_host="local"),), ("pause",), ("resume",))

    part = plan(host("", "", clock="20T14:30"), file=file_of(hooks=[DB, other]))

    assert lines(part) == [
        "hook-1: freeze db <-",
        "hook-2: pause <-",
        "snapshot-1: tank/a <- hook-1",
        "snapshot-2: tank/b <- hook-2",
        "hook-3: resume <- hook-2 snapshot-2",
        "hook-4: thaw db <- hook-1 snapshot-1 hook-3",
    ]


def test_a_hook_with_nothing_due_does_not_run() -> None:
    assert (
        plan(host("20T14:00", "", clock="20T14:30"), file=file_of(hooks=[DB])).steps
        == plan(host("20T14:00", "", clock="20T14:30")).steps
    )


def test_a_hook_may_have_one_side_only() -> None:
    part = plan(host("", clock="20T14:30"), file=file_of(hooks=[replace(DB, before=()), replace(ALL, after=())]))

    assert lines(part) == [
        "hook-1: flush <-",
        "snapshot-1: tank/a <- hook-1",
        "hook-2: thaw db <- snapshot-1",
    ]


def test_hooks_of_several_hosts_have_ids_of_their_own() -> None:
    part = plan(host("", name="alpha", clock="20T14:30"), host("", clock="20T14:30"), file=file_of(hooks=[DB]))

    assert [step.id for step in part.steps] == ["hook-1", "snapshot-1", "hook-2", "hook-3", "snapshot-2", "hook-4"]
    assert [step.host for step in part.steps] == ["alpha"] * 3 + ["local"] * 3


def test_hooks_run_around_snapshots_by_hand_too() -> None:
    part = by_hand("tank/a", here=host("", clock="20T14:30"), hooks=[DB])

    assert [step.id for step in part.steps] == ["hook-1", "snapshot-1", "hook-2"]
