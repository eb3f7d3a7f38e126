"""When snapshots will go, and what is kept on the days to come."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, destroyed, policy, snapshots
from tests.planner.test_retention_laws import history_of
from zfsctl.model.dataset import Snapshot
from zfsctl.model.explanation import KeptOn, Outlook
from zfsctl.model.names import scheduled_name
from zfsctl.model.policy import Policy
from zfsctl.model.verdicts import Rule
from zfsctl.planner.calendar import upcoming
from zfsctl.planner.forecast import Forecast, forecast
from zfsctl.planner.retention import Retention, plan_retention

DAY = 86_400


def foretell(
    rules: Policy, history: Sequence[Snapshot] | str, *, clock: str = "20T14:30", days: int = 90, zone: str = "UTC"
) -> Forecast:
    listed = snapshots(history) if isinstance(history, str) else tuple(history)
    retention = Retention(rules, adopt=("autosnap_*",), prefix="zfsctl", zone=ZoneInfo(zone))
    decisions = plan_retention("local", listed, retention, clock=at(clock)).decisions
    return forecast(
        listed,
        decisions,
        policy=rules,
        adopt=("autosnap_*",),
        prefix="zfsctl",
        zone=ZoneInfo(zone),
        clock=at(clock),
        days=days,
    )


@pytest.mark.parametrize(
    ("keep_text", "history", "goes", "detail"),
    [
        pytest.param("last=2", "20T14", "20T16", "last = 2 lets go of it on 2026-11-20 16:00", id="last"),
        pytest.param("hourly=48", "20T14", "22T14", "hourly = 48 lets go of it on 2026-11-22 14:00", id="hourly"),
        pytest.param("within=2d", "20T14", "22T15", 'within = "2d" lets go of it on 2026-11-22 15:00', id="a-window"),
        pytest.param("hourly=1 daily=2", "20T14", "20T15", "hourly = 1 lets go of it on 2026-11-20 15:00", id="two"),
        pytest.param(
            "hourly=1 daily=2", "20T14a", "20T15", "hourly = 1 lets go of it on 2026-11-20 15:00", id="adopted"
        ),
        pytest.param("yearly=5", "2025-12-31T23", None, "yearly = 5 keeps it", id="longer-than-it-looks"),
        pytest.param("last=1", "20T13 20T14", "20T14:30", "no rule keeps it, it goes with the next prune", id="now"),
        pytest.param("last=1", "20T14m", None, "taken by hand, kept for ever", id="manual"),
        pytest.param("last=1", "20T14m>25T00", "25T00", "taken by hand, expires on 2026-11-25 00:00", id="expiring"),
        pytest.param(
            "last=1", "20T13m>20T14 20T14", "20T14:30", "taken by hand, expires on 2026-11-20 14:00", id="gone"
        ),
        pytest.param(
            "last=1", "20T14m>2028-01-01T00", None, "taken by hand, expires later than the days looked at", id="later"
        ),
        pytest.param("last=1", "20T13h 20T14", None, "kept as long as this lasts: held: 1 hold", id="held"),
        pytest.param(
            "last=1", "20T13c 20T14", None, "kept as long as this lasts: clones: origin of tank/clone", id="clones"
        ),
        pytest.param(
            "last=1",
            "21T14",
            None,
            "kept as long as this lasts: future: dated 2026-11-21 14:00, after its host's now",
            id="from-the-future",
        ),
    ],
)
def test_when_the_oldest_snapshot_goes(keep_text: str, history: str, goes: str | None, detail: str) -> None:
    oldest = foretell(policy(keep_text), history).snapshots[-1]

    assert oldest.outlook == Outlook(at(goes) if goes else None, detail)


def test_nothing_is_foretold_of_others_snapshots() -> None:
    assert foretell(policy("last=1"), "20T14f").snapshots[0].outlook is None


def test_each_rule_says_when_it_ends() -> None:
    (newest, older) = foretell(policy("last=1 hourly=3 yearly=1"), "20T13 20T14").snapshots

    assert [(end.rule.rule, end.ends_at, end.ended) for end in newest.rules] == [
        (Rule.LAST, at("20T15"), False),
        (Rule.HOURLY, at("20T17"), False),
        (Rule.YEARLY, at("20T15"), False),
    ]
    assert [(end.rule.rule, end.ends_at, end.ended) for end in older.rules] == [
        (Rule.LAST, None, True),
        (Rule.HOURLY, at("20T16"), False),
        (Rule.YEARLY, None, True),
    ]


def test_without_a_schedule_everything_stays_as_it_is() -> None:
    found = foretell(policy("last=1", every=None), "20T13 20T14", days=3)

    assert found.snapshots[0].outlook == Outlook(None, "last = 1 keeps it")
    assert [one.snapshots for one in found.kept] == [1, 1, 1]


def test_what_is_kept_on_each_day() -> None:
    found = foretell(policy("hourly=24 daily=7"), "", clock="20T00:30", days=10)

    assert found.kept[0] == KeptOn(at("21T00:30"), 24, at("20T01"))
    assert [one.snapshots for one in found.kept] == [24, 25, 26, 27, 28, 29, 29, 29, 29, 29]
    assert found.until == at("30T00:30")


def test_a_schedule_that_comes_all_the_time_is_foretold_for_fewer_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zfsctl.planner.forecast.MOST_INSTANTS", 100)
    found = foretell(policy("last=3"), "", clock="20T00", days=3650)

    assert found.until == at("20T00") + 100 * 3600
    assert [one.snapshots for one in found.kept] == [3, 3, 3, 3]


@given(
    st.lists(st.integers(at("10-20T00"), at("20T14:30")), max_size=12).map(sorted),
    st.sampled_from(["last=3", "hourly=5 daily=2", "within=30h", "hourly=12h daily=3 weekly=1"]),
    st.sampled_from(["hourly", "0 */6 * * *", "daily"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_what_is_foretold_is_what_happens(times: list[int], keep_text: str, every: str, zone: str) -> None:
    """Live through four days: at each instant a snapshot is taken and what no rule keeps is destroyed."""
    rules = policy(keep_text, every=every)
    history = history_of(times)
    found = foretell(rules, history, days=4, zone=zone)
    retention = Retention(rules, prefix="zfsctl", zone=ZoneInfo(zone))

    clock = at("20T14:30")
    left = [
        one
        for one in history
        if one.guid not in destroyed(plan_retention("l", history, retention, clock=clock).decisions)
    ]
    gone = {one.guid: clock for one in history if one not in left}
    kept = dict.fromkeys(range(clock + DAY, clock + 4 * DAY + 1, DAY), (0, 0))
    for instant in upcoming(rules.schedule, now=clock, zone=ZoneInfo(zone)):
        for day in [day for day in kept if clock <= day < instant]:
            kept[day] = (len(left), min((one.creation for one in left), default=0))
        if instant > at("20T14:30") + 4 * DAY:
            break
        clock = instant
        left.append(Snapshot("tank/a", scheduled_name("zfsctl", instant), instant, instant, instant))
        lost = destroyed(plan_retention("l", left, retention, clock=clock).decisions)
        gone.update(dict.fromkeys(lost, clock))
        left = [one for one in left if one.guid not in lost]

    assert {one.guid: one.outlook.goes_at for one in found.snapshots if one.outlook} == {
        one.guid: gone.get(one.guid) for one in history
    }
    assert [(one.at, one.snapshots, one.oldest) for one in found.kept] == [
        (day, count, oldest) for day, (count, oldest) in kept.items() if count
    ]
