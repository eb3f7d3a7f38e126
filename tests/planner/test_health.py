"""How the snapshots of a dataset stand."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from tests.planner.notation import at, dataset, host, policy, snapshots
from zfsctl.model.facts import HostFacts
from zfsctl.model.policy import Policy
from zfsctl.model.status import DatasetStatus, Health
from zfsctl.planner.health import dataset_status
from zfsctl.planner.selection import Selected

HOURLY = policy("last=1")


def status(
    here: HostFacts, *, by: Policy | None = HOURLY, zone: str = "UTC", looked_at: str | None = None
) -> DatasetStatus:
    one = here.datasets["tank/a"]
    selected = Selected(here.host, one, None, by)
    return dataset_status(
        selected, here, prefix="zfsctl", zone=ZoneInfo(zone), looked_at=at(looked_at) if looked_at else None
    )


@pytest.mark.parametrize(
    ("every", "history", "clock", "health"),
    [
        pytest.param("hourly", "20T13:00", "20T13:59", Health.OK, id="nothing-is-due"),
        pytest.param("hourly", "20T13:00", "20T14:59", Health.OK, id="due-is-not-yet-late"),
        pytest.param("hourly", "20T13:00", "20T15:00", Health.WARNING, id="one-interval-late"),
        pytest.param("hourly", "20T13:00", "20T15:59", Health.WARNING, id="not-yet-two"),
        pytest.param("hourly", "20T13:00", "20T16:00", Health.CRITICAL, id="two-intervals-late"),
        pytest.param("daily", "18T23:59", "20T00", Health.WARNING, id="daily-one-day-late"),
        pytest.param("daily", "18T23:59", "21T00", Health.CRITICAL, id="daily-two-days-late"),
        pytest.param("monthly", "09-15T00", "20T00", Health.WARNING, id="months-differ-in-length"),
        pytest.param("hourly", "20T13:00 20T15:30m 20T15:40f", "20T16:00", Health.CRITICAL, id="others-answer-nothing"),
        pytest.param("hourly", "20T13:00 21T13:00", "20T13:30", Health.WARNING, id="a-date-to-come"),
        pytest.param("hourly", "20T13:00 21T13:00", "20T16:00", Health.CRITICAL, id="a-date-to-come-hides-nothing"),
        pytest.param("hourly", "21T13:00 20T15:10", "20T15:30", Health.OK, id="a-wrong-date-long-ago-is-over"),
        pytest.param(None, "18T13:00", "20T16:00", Health.OK, id="without-a-schedule-nothing-is-late"),
    ],
)
def test_late_by_one_interval_warns_and_by_two_is_critical(
    every: str | None, history: str, clock: str, health: Health
) -> None:
    found = status(host(history, clock=clock), by=policy("last=1", every=every))

    assert found.health is health
    assert bool(found.why) is (health is not Health.OK)


@pytest.mark.parametrize(
    ("created", "health"),
    [
        pytest.param("20T13:30", Health.OK, id="a-new-dataset"),
        pytest.param("20T12:30", Health.WARNING, id="an-hour-older"),
        pytest.param("01T00", Health.CRITICAL, id="an-old-one"),
    ],
)
def test_a_dataset_without_snapshots_is_late_counting_from_its_creation(created: str, health: Health) -> None:
    found = status(host((replace(dataset(), creation=at(created)), ()), clock="20T14:30"))

    assert found.health is health
    assert (found.newest, found.newest_at, found.next_due) == (None, None, at("20T14:30"))


@pytest.mark.parametrize(
    ("written", "looked_at", "health"),
    [
        pytest.param(0, None, Health.OK, id="nothing-was-written"),
        pytest.param(1, None, Health.CRITICAL, id="something-was-written-who-knows-when"),
        pytest.param(1, "20T14:00", Health.OK, id="the-last-run-found-nothing-written"),
        pytest.param(1, "20T12:59", Health.WARNING, id="runs-stopped-meanwhile"),
        pytest.param(1, "2027-01-01T00", Health.OK, id="a-run-of-another-clock"),
    ],
)
def test_where_empty_snapshots_are_skipped_only_what_was_written_is_late(
    written: int, looked_at: str | None, health: Health
) -> None:
    here = host((dataset(written=written), snapshots("01T00")), clock="20T14:30")
    found = status(here, by=policy("last=1", skip_empty=True), looked_at=looked_at)

    assert found.health is health


def test_what_was_written_before_anothers_snapshot_is_late_too() -> None:
    ours, foreign = snapshots("01T00 02T00f")
    here = host((dataset(written=0), (ours, replace(foreign, written=5))), clock="20T14:30")

    assert status(here, by=policy("last=1", skip_empty=True)).health is Health.CRITICAL


def test_everything_that_a_line_of_status_needs() -> None:
    here = host("20T12:00 20T12:30m 20T12:40f 20T12:50a 20T13:00", clock="20T13:30")
    here = replace(here, datasets={"tank/a": replace(here.datasets["tank/a"], used_by_snapshots=42)})

    assert status(here) == DatasetStatus(
        host="local",
        dataset="tank/a",
        policy="critical",
        health=Health.OK,
        why="",
        newest="zfsctl-20261120T130000Z",
        newest_at=at("20T13:00"),
        next_due=at("20T14:00"),
        scheduled=2,
        manual=1,
        foreign=2,
        used_by_snapshots=42,
    )


@pytest.mark.parametrize(
    ("history", "clock", "skip_empty", "due"),
    [
        pytest.param("20T13:00", "20T13:30", False, "20T14:00", id="to-come"),
        pytest.param("20T11:10", "20T13:30", False, "20T12:00", id="since-when-it-is-due"),
        pytest.param("20T11:10", "20T13:30", True, "20T14:00", id="nothing-written-is-due-later-at-the-earliest"),
    ],
)
def test_the_next_instant_is_told(history: str, clock: str, skip_empty: bool, due: str) -> None:
    assert status(host(history, clock=clock), by=policy("last=1", skip_empty=skip_empty)).next_due == at(due)


def test_what_could_not_be_looked_at_is_unknown() -> None:
    late = "18T00"
    incomplete = status(host(late, clock="20T00", problems=["stderr: I/O error"]))
    unlisted = status(replace(host(late, clock="20T00"), snapshots={}))

    assert (incomplete.health, incomplete.why) == (Health.UNKNOWN, "stderr: I/O error")
    assert unlisted.health is Health.UNKNOWN
    assert status(replace(host(late, clock="20T00"), snapshots={}), by=None).health is Health.OK


def test_an_unfinished_first_receive_is_a_warning() -> None:
    assert status(host((dataset(inconsistent=True), ()), clock="20T00")).health is Health.WARNING


def test_how_late_is_said_in_the_policys_zone() -> None:
    found = status(host("20T10:00", clock="20T14:30"), zone="Europe/Berlin")

    assert found.why == "hourly is 3 h late, the newest is of 2026-11-20 11:00"
