"""What holds for every history and every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, destroyed, keep, policy
from tests.planner.oracle import kept_by_rules
from zfsctl.model.dataset import Snapshot
from zfsctl.model.names import manual_name, scheduled_name
from zfsctl.model.policy import KeepRule, Policy
from zfsctl.model.verdicts import Rule, Verdict
from zfsctl.planner.keeping import Keeping
from zfsctl.planner.ownership import newest_first
from zfsctl.planner.retention import Retention, plan_retention

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
)
CHANGES = tuple(
    at(stamp)
    for stamp in (
        *("2026-03-29T01", "2026-10-25T01"),  # Berlin, one hour
        *("2026-04-04T15", "2026-10-03T15:30"),  # Lord Howe, half an hour
        *("2010-03-14T03:31", "2010-11-07T02:31"),  # St John's, at one minute past midnight
        *("2026-04-23T22", "2026-10-29T21"),  # Cairo, at midnight
        *("2011-12-30T10",),  # Apia, a day left out
        *("2026-01-01T00", "2024-12-29T23"),
    )
)
"""Instants around which civil time is at its oddest."""


creations = st.one_of(
    st.integers(at("2026-10-01T00"), at("2026-11-29T00")),
    st.builds(lambda change, off: change + off, st.sampled_from(CHANGES), st.integers(-4 * 3600, 4 * 3600)),
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
rule = st.one_of(
    st.builds(
        lambda kind, count: KeepRule(kind, count=count, text=str(count)),
        st.sampled_from([Rule.LAST, Rule.HOURLY, Rule.DAILY, Rule.WEEKLY, Rule.MONTHLY, Rule.YEARLY]),
        st.integers(1, 6),
    ),
    st.builds(
        lambda kind, hours: KeepRule(kind, window=hours * 3600, text=f"{hours}h"),
        st.sampled_from([Rule.WITHIN, Rule.HOURLY, Rule.DAILY, Rule.WEEKLY, Rule.MONTHLY, Rule.YEARLY]),
        st.integers(1, 24 * 40),
    ),
)
rules = st.lists(rule, min_size=1, max_size=5).map(tuple)


def history_of(times: Sequence[int]) -> tuple[Snapshot, ...]:
    """Scheduled snapshots in createtxg order, whatever their dates say."""
    return tuple(
        Snapshot("tank/a", scheduled_name("zfsctl", time), number, number, time) for number, time in enumerate(times, 1)
    )


@st.composite
def histories(draw: st.DrawFn, *, clock_was_right: bool = False) -> tuple[Snapshot, ...]:
    """All sorts of snapshots, in the order of time unless a clock was wrong."""
    times = draw(st.lists(creations, max_size=25))
    if clock_was_right or draw(st.booleans()):
        times.sort()
    found = []
    for number, time in enumerate(times, 1):
        kind = draw(st.sampled_from("ssssssmf"))
        names = {"s": scheduled_name("zfsctl", time), "m": manual_name("zfsctl", time), "f": f"auto-{number}"}
        found.append(
            Snapshot(
                "tank/a",
                names[kind],
                number,
                number,
                time,
                userrefs=int(draw(st.integers(0, 9)) == 0),
                clones=("tank/c",) if draw(st.integers(0, 9)) == 0 else (),
                expires=draw(st.none() | creations) if kind == "m" else None,
            )
        )
    return tuple(found)


def lost(history: Sequence[Snapshot], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int) -> set[int]:
    retention = Retention(Policy("p", keep_rules), prefix="zfsctl", zone=zone)
    return destroyed(plan_retention("local", history, retention, clock=clock).decisions)


@given(st.lists(creations, max_size=30), st.booleans(), rules, zones)
def test_it_keeps_what_the_rules_tell_in_their_plainest_form(
    times: list[int], clock_was_right: bool, keep_rules: tuple[KeepRule, ...], zone: ZoneInfo
) -> None:
    history = history_of(sorted(times) if clock_was_right else times)

    kept = {one.guid for one in history} - lost(history, keep_rules, zone, at("30T00"))

    # The newest is kept besides; it always is a rule's choice too, because every policy has a rule.
    assert kept == kept_by_rules(history, keep_rules, zone)


@given(histories(), rules, zones, creations)
def test_every_snapshot_is_decided_once_with_a_reason_and_the_order_of_the_input_does_not_matter(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int
) -> None:
    retention = Retention(Policy("p", keep_rules), prefix="zfsctl", zone=zone)
    decisions = plan_retention("local", history, retention, clock=clock).decisions

    assert [decision.guid for decision in decisions] == [one.guid for one in newest_first(history)]
    assert all(decision.reasons for decision in decisions)
    assert plan_retention("local", history[::-1], retention, clock=clock).decisions == decisions
    assert plan_retention("local", sorted(history, key=hash), retention, clock=clock).decisions == decisions


@given(histories(), rules, zones, creations)
def test_planning_again_after_applying_gives_nothing(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int
) -> None:
    gone = lost(history, keep_rules, zone, clock)
    left = [one for one in history if one.guid not in gone]

    assert lost(left, keep_rules, zone, clock) == set()


@given(histories(), rules, zones, creations)
def test_what_is_protected_is_never_destroyed(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int
) -> None:
    gone = {one.guid: one for one in history if one.guid in lost(history, keep_rules, zone, clock)}
    ours = [one for one in newest_first(history) if one.name.startswith("zfsctl-")]
    scheduled = [one for one in ours if "manual" not in one.name and one.creation <= clock + 300]

    assert not any(one.name.startswith("auto-") or one.userrefs or one.clones for one in gone.values())
    assert not any("manual" in one.name and (one.expires is None or one.expires > clock) for one in gone.values())
    assert not any("manual" not in one.name and one.creation > clock + 300 for one in gone.values())
    assert not {one.guid for one in (*ours[:1], *scheduled[:1])} & gone.keys()


@given(histories(), rules, zones, creations, rule)
def test_one_more_rule_never_destroys_more(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int, more: KeepRule
) -> None:
    assert lost(history, (*keep_rules, more), zone, clock) <= lost(history, keep_rules, zone, clock)


@given(histories(), rules, zones, creations, st.integers(1, 9))
def test_a_larger_rule_never_destroys_more(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo, clock: int, more: int
) -> None:
    first = keep_rules[0]
    larger = (
        replace(first, count=first.count + more)
        if first.count is not None
        else replace(first, window=(first.window or 0) + more * 3600)
    )

    assert lost(history, (larger, *keep_rules[1:]), zone, clock) <= lost(history, keep_rules, zone, clock)


@given(st.lists(creations, min_size=1, max_size=25), rules, zones)
def test_a_snapshot_that_a_rule_let_go_is_never_taken_back(
    times: list[int], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo
) -> None:
    keeping = Keeping(keep_rules, zone)
    kept_before: list[bool] = []
    for length in range(1, len(times) + 1):
        series = keeping.series(sorted(times)[:length][::-1])
        kept = [bool(reasons) for reasons in keeping.reasons(series)][::-1]

        assert not any(now and not before for before, now in zip(kept_before, kept, strict=False))
        kept_before = kept


@given(st.lists(creations, max_size=25), st.booleans(), rules, zones)
def test_a_rule_keeps_what_it_has_not_let_go(
    times: list[int], clock_was_right: bool, keep_rules: tuple[KeepRule, ...], zone: ZoneInfo
) -> None:
    times = sorted(times, reverse=True) if clock_was_right else times
    for one in keep_rules:
        keeping = Keeping((one,), zone)
        series = keeping.series(times)
        kept = [bool(reasons) for reasons in keeping.reasons(series)]
        let_go = keeping.let_go(one, series)

        assert kept == [by is None for by in let_go]
        assert all(by is None or 0 <= by < index for index, by in enumerate(let_go))


@given(st.lists(creations, min_size=1, max_size=20, unique=True), rules, zones)
def test_it_tells_which_arrival_pushed_a_snapshot_out(
    times: list[int], keep_rules: tuple[KeepRule, ...], zone: ZoneInfo
) -> None:
    newest_to_oldest = sorted(times, reverse=True)
    keeping = Keeping(keep_rules, zone)
    for index, ending in enumerate(keeping.endings(keeping.series(newest_to_oldest))):
        if ending is None:
            continue
        before = keeping.reasons(keeping.series(newest_to_oldest[ending.by + 1 :]))
        after = keeping.reasons(keeping.series(newest_to_oldest[ending.by :]))

        assert ending.rule.rule in {reason.rule for reason in before[index - ending.by - 1]}
        assert after[index - ending.by] == ()


GRID = [at("20T22"), at("20T23:30"), at("21T00"), at("21T06"), at("22T06"), at("27T12"), at("30T00"), at("12-01T06")]
POLICIES = [
    f"{first}={count} {second}".strip()
    for first, count, second in product(
        ["last", "hourly", "daily", "weekly", "monthly"], ["1", "2", "36h"], ["", "last=2", "within=26h"]
    )
    if not (first == "last" and count == "36h")
]


@pytest.mark.parametrize("keep_text", POLICIES)
def test_every_short_history_obeys_the_rules(keep_text: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    retention = Retention(policy(keep_text), prefix="zfsctl", zone=zone)
    for size in range(len(GRID) + 1):
        for times in combinations(GRID, size):
            history = history_of(times)
            decisions = plan_retention("local", history, retention, clock=GRID[-1]).decisions

            kept = {decision.guid for decision in decisions if decision.verdict is Verdict.KEEP}
            assert kept == kept_by_rules(history, keep(keep_text), zone), times
