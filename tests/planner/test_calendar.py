"""When a schedule is due, across changes of clocks and wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, schedule, snapshots
from tests.planner.test_retention_laws import CHANGES, ZONES
from zfsctl.errors import ConfigError
from zfsctl.planner.calendar import due_since, is_due, last_due, next_due, upcoming
from zfsctl.planner.ownership import newest_scheduled


def utc(epoch: int | None) -> str:
    return "never" if epoch is None else datetime.fromtimestamp(epoch, UTC).strftime("%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("line", "zone", "now", "last", "following"),
    [
        pytest.param("hourly", "UTC", "20T14:30", "11-20T14:00", "11-20T15:00", id="hourly"),
        pytest.param("hourly", "UTC", "20T14:00", "11-20T14:00", "11-20T15:00", id="an-instant-is-due-at-once"),
        pytest.param("hourly", "UTC", "20T13:59:59", "11-20T13:00", "11-20T14:00", id="and-not-a-second-before"),
        pytest.param("hourly", "Asia/Kolkata", "20T14:20", "11-20T13:30", "11-20T14:30", id="half-hour-zone"),
        pytest.param("daily", "Europe/Berlin", "20T14", "11-19T23:00", "11-20T23:00", id="a-day-begins-in-the-zone"),
        pytest.param("weekly", "UTC", "20T14", "11-16T00:00", "11-23T00:00", id="weeks-begin-on-monday"),
        pytest.param("monthly", "UTC", "20T14", "11-01T00:00", "12-01T00:00", id="monthly"),
        pytest.param("0 */6 * * *", "UTC", "20T14", "11-20T12:00", "11-20T18:00", id="a-cron-line"),
        pytest.param("0 0 29 2 *", "UTC", "20T14", "02-29T00:00", "02-29T00:00", id="a-leap-day"),
        pytest.param(
            "hourly", "Europe/Berlin", "10-25T00:30", "10-25T00:00", "10-25T01:00", id="into-the-repeated-hour"
        ),
        pytest.param("hourly", "Europe/Berlin", "10-25T01:30", "10-25T01:00", "10-25T02:00", id="in-the-repeated-hour"),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "10-25T01:10", "10-25T00:30", "10-26T01:30", id="repeated-time-once"
        ),
        pytest.param("30 2 * * *", "Europe/Berlin", "10-25T00:29", "10-24T00:30", "10-25T00:30", id="before-both"),
        pytest.param("30 2 * * *", "Europe/Berlin", "10-25T01:40", "10-25T00:30", "10-26T01:30", id="after-both"),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "03-29T00:59", "03-28T01:30", "03-29T01:00", id="skipped-time-late"
        ),
        pytest.param(
            "30 2 * * *", "Europe/Berlin", "03-29T01:00", "03-29T01:00", "03-30T00:30", id="skipped-time-done"
        ),
        pytest.param("daily", "Africa/Cairo", "04-24T12", "04-23T22:00", "04-24T21:00", id="midnight-is-skipped"),
        pytest.param(
            "hourly",
            "Australia/Lord_Howe",
            "2026-04-04T15:10",
            "04-04T14:00",
            "04-04T15:30",
            id="half-an-hour-repeated",
        ),
    ],
)
def test_the_instants_around_now(line: str, zone: str, now: str, last: str, following: str) -> None:
    when = {"now": at(now), "zone": ZoneInfo(zone)}

    assert utc(last_due(schedule(line), **when)) == last
    assert utc(next_due(schedule(line), **when)) == following


LINES = (
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "*/20 * * * *",
    "30 2 * * *",
    "15 1,13 * * *",
    "0 */6 * * *",
    "1 0 * * *",
)
instants = st.one_of(
    st.integers(at("2010-01-01T00"), at("2026-11-30T00")),
    st.builds(lambda change, off: change + off, st.sampled_from(CHANGES), st.integers(-5 * 3600, 5 * 3600)),
)


@given(st.sampled_from(LINES), st.sampled_from(ZONES), instants)
def test_last_and_next_enclose_now_with_nothing_between_them(line: str, zone_name: str, now: int) -> None:
    when, zone = schedule(line), ZoneInfo(zone_name)
    last, following = last_due(when, now=now, zone=zone), next_due(when, now=now, zone=zone)

    assert last is not None
    assert following is not None
    assert last <= now < following
    assert next_due(when, now=last, zone=zone) == following
    assert last_due(when, now=following, zone=zone) == following
    assert last_due(when, now=following - 1, zone=zone) == last


@given(st.sampled_from(LINES), st.sampled_from(ZONES), instants)
def test_upcoming_is_next_again_and_again(line: str, zone_name: str, now: int) -> None:
    when, zone = schedule(line), ZoneInfo(zone_name)
    found = list(islice(upcoming(when, now=now, zone=zone), 6))

    expected = []
    for _ in range(6):
        following = next_due(when, now=expected[-1] if expected else now, zone=zone)
        assert following is not None
        expected.append(following)
    assert found == expected


@given(
    st.sampled_from([("hourly", 60, 1), ("*/20 * * * *", 20, 1), ("0 */6 * * *", 60, 6), ("*/15 */2 * * *", 15, 2)]),
    st.sampled_from(ZONES),
    instants,
)
def test_a_line_with_stars_is_due_whenever_the_clock_on_the_wall_shows_it(
    every: tuple[str, int, int], zone_name: str, now: int
) -> None:
    line, minutes, hours = every
    zone = ZoneInfo(zone_name)
    shown = []
    for second in range(now - now % 60 + 60, now + 8 * 3600, 60):
        wall = datetime.fromtimestamp(second, UTC).astimezone(zone)
        if wall.minute % minutes == 0 and wall.hour % hours == 0:
            shown.append(second)

    assert list(islice(upcoming(schedule(line), now=now, zone=zone), len(shown))) == shown


@pytest.mark.parametrize(
    ("history", "now", "due"),
    [
        pytest.param("", "20T14:30", True, id="never-any-snapshot-is-due-at-once"),
        pytest.param("20T13:30", "20T14:30", True, id="an-instant-has-passed-since"),
        pytest.param("20T14:00", "20T14:30", False, id="taken-at-the-very-instant"),
        pytest.param("20T13:59:59", "20T14:00", True, id="a-second-before-the-instant-does-not-answer-it"),
        pytest.param("20T14:10", "20T14:59", False, id="a-late-snapshot-answers-its-instant"),
        pytest.param("20T14:59", "20T15:01", True, id="and-does-not-shift-the-next-one"),
        pytest.param("01T00", "20T14:30", True, id="what-was-missed-is-made-up-for-once"),
        pytest.param("20T13:30 20T14:20m", "20T14:30", True, id="a-manual-snapshot-answers-nothing"),
        pytest.param("20T13:30 20T14:20f", "20T14:30", True, id="nor-does-another-tools"),
        pytest.param("20T13:30 20T14:20a", "20T14:30", True, id="nor-does-an-adopted-one"),
        pytest.param("2027-11-20T00", "20T14:30", True, id="after-the-clock-was-set-back-a-year-it-goes-on"),
        pytest.param("20T14:10 2027-11-20T00", "20T14:30", False, id="by-the-newest-one-with-a-sane-date"),
        pytest.param("2027-11-20T00 20T14:10", "20T14:30", False, id="and-by-the-first-one-after"),
        pytest.param("2025-11-20T00 2025-11-20T01", "20T14:30", True, id="after-the-clock-was-set-right-again-too"),
        pytest.param("20T14:33", "20T14:30", False, id="a-few-minutes-ahead-is-a-sane-date"),
    ],
)
def test_due_is_an_instant_after_the_newest_scheduled_snapshot(history: str, now: str, due: bool) -> None:
    newest = newest_scheduled(snapshots(history), prefix="zfsctl", clock=at(now))

    assert is_due(schedule("hourly"), newest.creation if newest else None, now=at(now), zone=ZoneInfo("UTC")) is due


@pytest.mark.parametrize("line", ["0 0 30 2 *", "61 * * * *", "often"])
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        last_due(schedule(line), now=at("20T14"), zone=ZoneInfo("UTC"))
    with pytest.raises(ConfigError):
        next_due(schedule(line), now=at("20T14"), zone=ZoneInfo("UTC"))


def test_due_since_is_the_first_instant_without_an_answer() -> None:
    assert utc(due_since(schedule("hourly"), at("20T10:30"), zone=ZoneInfo("UTC"))) == "11-20T11:00"


@given(
    st.sampled_from(LINES),
    st.sampled_from(ZONES),
    instants,
    st.lists(st.integers(60, 4 * 3600), min_size=1, max_size=12),
)
def test_a_timer_of_any_rhythm_never_drifts_and_never_takes_two_for_one_instant(
    line: str, zone_name: str, start: int, pauses: list[int]
) -> None:
    when, zone = schedule(line), ZoneInfo(zone_name)
    taken = [start]
    now = start
    for pause in pauses:
        now += pause
        if is_due(when, taken[-1], now=now, zone=zone):
            taken.append(now)

    for before, after in pairwise(taken):
        first = due_since(when, before, zone=zone)
        assert first is not None
        assert first <= after
    assert not is_due(when, taken[-1], now=now, zone=zone)
