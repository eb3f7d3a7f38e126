"""What the keep rules keep, one sentence a case."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from tests.planner.notation import at, destroyed, keep, line_of, policy, rules_of, snapshots
from zfsctl.errors import ConfigError
from zfsctl.model.policy import Policy
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.planner.retention import Retention, plan_retention

CLOCK = at("30T00")


def decide(
    keep_text: str, history: str, *, clock: int = CLOCK, zone: str = "UTC", adopt: tuple[str, ...] = ()
) -> tuple[Decision, ...]:
    retention = Retention(policy(keep_text), adopt=adopt, prefix="zfsctl", zone=ZoneInfo(zone))
    return plan_retention("local", snapshots(history), retention, clock=clock).decisions


@pytest.mark.parametrize(
    ("keep_text", "history", "lost"),
    [
        pytest.param("last=1", "", "", id="nothing-to-decide"),
        pytest.param("last=1", "20T06", "", id="the-only-snapshot-stays"),
        pytest.param("last=2", "20T06 20T07 20T08 20T09", "20T06 20T07", id="last-keeps-the-newest-n"),
        pytest.param("last=9", "20T06 20T07", "", id="last-of-more-than-there-are-keeps-all"),
        pytest.param("within=2h", "20T06 20T07 20T08 20T09", "20T06", id="within-reaches-back-from-the-newest"),
        pytest.param("within=3h", "20T06 20T07 20T08 20T09", "", id="the-edge-of-a-window-is-inside"),
        pytest.param("within=2h", "01T06 01T07", "", id="a-stopped-machine-loses-nothing-while-stopped"),
        pytest.param("daily=2", "20T06 20T18 21T06 22T06", "20T06 20T18", id="daily-keeps-the-newest-of-recent-days"),
        pytest.param("daily=3", "20T06 20T18 21T06 22T06", "20T06", id="only-the-newest-of-a-day-stands-for-it"),
        pytest.param("daily=2", "01T06 10T06 20T06", "01T06", id="a-day-without-snapshots-does-not-count"),
        pytest.param("hourly=2", "20T06:10 20T06:50 20T07:10 20T07:20 20T08:00", "20T06 20T06 20T07", id="hourly"),
        pytest.param("hourly=2h", "20T06:10 20T07:10 20T07:20 20T08:10 20T09:10", "20T06 20T07", id="hourly-window"),
        pytest.param("hourly=1h", "20T06:10 20T06:30 20T07:30", "20T06", id="the-window-of-hourly-includes-its-edge"),
        pytest.param("daily=1d", "18T12 19T11 19T13 20T12", "18T12 19T11", id="daily-window-cuts-a-day"),
        pytest.param("weekly=2", "08T12 09T12 15T12 16T12 22T12", "08T12 09T12 16T12", id="weeks-begin-on-monday"),
        pytest.param(
            "weekly=1", "2025-12-29T00 2026-01-01T00 2026-01-04T00", "29T00 01T00", id="an-iso-week-spans-years"
        ),
        pytest.param("monthly=2", "09-30T00 10-01T00 10-31T23 11-01T00", "30T00 01T00", id="monthly"),
        pytest.param("yearly=2", "2024-12-31T00 2025-01-01T00 2025-12-31T00 2026-01-01T00", "31T00 01T00", id="yearly"),
        pytest.param("last=1 daily=2", "19T06 20T06 20T07 21T01 21T02", "19T06 20T06 21T01", id="rules-add-up"),
        pytest.param("last=3 within=2h", "20T01 20T02 20T03", "", id="last-keeps-more-than-the-window"),
        pytest.param("last=1 within=2h", "20T01 20T02 20T03", "", id="the-window-keeps-more-than-last"),
        pytest.param("last=1", "20T06f 20T07", "", id="another-tools-snapshot-is-left-alone"),
        pytest.param("last=1", "20T06a 20T07", "", id="a-name-is-foreign-until-adopted"),
        pytest.param("last=1", "20T06m 20T07", "", id="a-manual-snapshot-stays-for-ever"),
        pytest.param("last=2", "20T06 20T07 20T08m 20T09m", "", id="manual-snapshots-use-up-no-place"),
        pytest.param("last=1", "20T06m>29T00 20T07", "20T06", id="an-expired-manual-snapshot-goes"),
        pytest.param("last=1", "20T06m>30T00 20T07", "20T06", id="it-goes-at-the-second-it-was-given"),
        pytest.param("last=1", "20T06m>30T00:00:01 20T07", "", id="and-not-a-second-before"),
        pytest.param("last=1", "20T06 20T07m>29T00", "", id="the-newest-of-ours-stays-although-it-expired"),
        pytest.param(
            "last=1", "20T06m>29T00 20T07m>29T00", "20T06", id="the-newest-stays-where-all-were-taken-by-hand"
        ),
        pytest.param("last=1", "20T06mh>29T00 20T07", "", id="a-held-snapshot-stays-although-it-expired"),
        pytest.param("last=1", "20T06mc>29T00 20T07", "", id="an-origin-stays-although-it-expired"),
        pytest.param("last=1", "20T06h 20T07 20T08", "20T07", id="a-hold-beats-the-rules"),
        pytest.param("last=1", "20T06c 20T07 20T08", "20T07", id="a-clone-beats-the-rules"),
        pytest.param("last=1", "20T06 20T07 20T08f", "20T06", id="the-newest-of-ours-stays-below-a-foreign-one"),
        pytest.param("last=1", "20T06 20T07 12-01T00", "20T06", id="one-from-the-future-fills-no-place"),
        pytest.param("within=1h", "20T06 20T07 12-01T00", "", id="one-from-the-future-is-no-reference"),
        pytest.param("daily=1", "20T06 30T00:05", "20T06", id="five-minutes-ahead-is-no-future"),
        pytest.param("daily=1", "20T06 30T00:05:01", "", id="more-than-five-minutes-ahead-is"),
        pytest.param("last=1", "12-01T00 20T06 20T07", "20T06", id="after-a-clock-was-set-back-rules-go-on"),
        pytest.param("last=1", "20T07 20T06", "20T07", id="newest-is-by-createtxg-not-by-date"),
        pytest.param("daily=2", "18T06 20T06 2025-11-20T06 21T06", "18T06 20T06", id="recent-is-by-createtxg-too"),
        pytest.param("last=1", "20T06 20T06 20T06", "20T06 20T06", id="equal-creation-is-ordered-by-createtxg"),
    ],
)
def test_rules_keep_what_they_say(keep_text: str, history: str, lost: str) -> None:
    decisions = decide(keep_text, history)

    assert lost == line_of(snapshots(history), destroyed(decisions))
    assert len(decisions) == len(history.split())
    assert all(decision.reasons for decision in decisions)


@pytest.mark.parametrize(
    ("keep_text", "history", "reasons"),
    [
        pytest.param(
            "last=2 hourly=48",
            "20T13:30 20T14:10",
            [
                [
                    Reason(Rule.LAST, "1 of 2"),
                    Reason(Rule.HOURLY, "hour 14:00, 1 of 48"),
                    Reason(Rule.NEWEST, "the newest of ours"),
                ],
                [Reason(Rule.LAST, "2 of 2"), Reason(Rule.HOURLY, "hour 13:00, 2 of 48")],
            ],
            id="each-rule-names-its-period-and-place",
        ),
        pytest.param(
            "daily=7d weekly=1 monthly=1 yearly=1 within=1h",
            "20T14",
            [
                [
                    Reason(Rule.DAILY, "day 2026-11-20, within 7d of the newest"),
                    Reason(Rule.WEEKLY, "week 2026-W47, 1 of 1"),
                    Reason(Rule.MONTHLY, "month 2026-11, 1 of 1"),
                    Reason(Rule.YEARLY, "year 2026, 1 of 1"),
                    Reason(Rule.WITHIN, "within 1h of the newest"),
                    Reason(Rule.NEWEST, "the newest of ours"),
                ]
            ],
            id="all-of-them",
        ),
        pytest.param(
            "hourly=2",
            "29T21 29T22 29T23",
            [
                [Reason(Rule.HOURLY, "hour 23:00, 1 of 2"), Reason(Rule.NEWEST, "the newest of ours")],
                [Reason(Rule.HOURLY, "hour 22:00, 2 of 2")],
                [Reason(Rule.NO_RULE, "no rule keeps it; hourly ended 1 h ago")],
            ],
            id="a-destroy-says-which-rule-ended-last-and-when",
        ),
        pytest.param(
            "hourly=3 daily=2",
            "27T21 28T21 29T21 29T22 29T23",
            [
                [
                    Reason(Rule.HOURLY, "hour 23:00, 1 of 3"),
                    Reason(Rule.DAILY, "day 2026-11-29, 1 of 2"),
                    Reason(Rule.NEWEST, "the newest of ours"),
                ],
                [Reason(Rule.HOURLY, "hour 22:00, 2 of 3")],
                [Reason(Rule.HOURLY, "hour 21:00, 3 of 3")],
                [Reason(Rule.DAILY, "day 2026-11-28, 2 of 2")],
                [Reason(Rule.NO_RULE, "no rule keeps it; hourly has ended")],
            ],
            id="what-was-thinned-out-does-not-tell-when-a-count-ended",
        ),
        pytest.param(
            "last=1 within=2h",
            "29T19 29T20 29T21 29T22",
            [
                [
                    Reason(Rule.LAST, "1 of 1"),
                    Reason(Rule.WITHIN, "within 2h of the newest"),
                    Reason(Rule.NEWEST, "the newest of ours"),
                ],
                [Reason(Rule.WITHIN, "within 2h of the newest")],
                [Reason(Rule.WITHIN, "within 2h of the newest")],
                [Reason(Rule.NO_RULE, "no rule keeps it; within ended 2 h ago")],
            ],
            id="the-rule-that-kept-it-longest-is-named",
        ),
        pytest.param(
            "last=1",
            "20T10m>29T12 20T11m>12-05T00 20T12f 20T13hh 20T14",
            [
                [Reason(Rule.LAST, "1 of 1"), Reason(Rule.NEWEST, "the newest of ours")],
                [Reason(Rule.HELD, "2 holds")],
                [Reason(Rule.NOT_OURS, "its name is not one of ours, and no adopt pattern matches it")],
                [Reason(Rule.MANUAL, "taken by hand, expires 2026-12-05 00:00")],
                [Reason(Rule.EXPIRED, "taken by hand, expired 12 h ago")],
            ],
            id="what-stands-beside-the-rules-says-so",
        ),
    ],
)
def test_every_decision_says_why(keep_text: str, history: str, reasons: list[list[Reason]]) -> None:
    decisions = decide(keep_text, history)

    assert reasons == [list(decision.reasons) for decision in decisions]


def test_a_day_begins_in_the_policys_zone() -> None:
    # 22:30 UTC is 23:30 in Berlin, 23:30 UTC is 00:30 of the next day.
    history = "20T22:30 20T23:30"

    assert destroyed(decide("daily=1", history)) == destroyed(decide("daily=2", history)) | {1}
    assert destroyed(decide("daily=2", history, zone="Europe/Berlin")) == set()


@pytest.mark.parametrize(
    ("zone", "history", "hours"),
    [
        pytest.param(
            "Europe/Berlin", "10-25T00:10 10-25T00:40 10-25T01:10 10-25T01:40", 2, id="the-repeated-hour-is-two"
        ),
        pytest.param("Europe/Berlin", "03-29T00:10 03-29T01:10", 2, id="the-skipped-hour-is-none"),
        pytest.param(
            "Australia/Lord_Howe", "2026-04-04T14:40 2026-04-04T15:10", 2, id="half-an-hour-repeated-is-an-hour-more"
        ),
        pytest.param("Asia/Kolkata", "20T00:10 20T00:40", 2, id="hours-begin-at-half-past-utc"),
        pytest.param("America/St_Johns", "2010-11-07T02:30:30 2010-11-07T02:31:30", 2, id="clocks-changed-at-00:01"),
    ],
)
def test_hours_are_civil_and_never_shared_across_a_change_of_clocks(zone: str, history: str, hours: int) -> None:
    assert len(history.split()) - len(destroyed(decide("hourly=99", history, zone=zone))) == hours


def test_the_repeated_hour_is_told_apart_in_words() -> None:
    decisions = decide("hourly=9", "10-25T00:10 10-25T01:10 10-25T02:10", zone="Europe/Berlin")

    assert [decision.reasons[0].detail for decision in decisions] == [
        "hour 03:00, 1 of 9",
        "hour 02:00 +01:00, 2 of 9",
        "hour 02:00 +02:00, 3 of 9",
    ]


def test_adopted_snapshots_follow_the_rules_and_ours_stay_ours() -> None:
    decisions = decide("last=1", "20T06a 20T07f 20T08m 20T09", adopt=("autosnap_*", "zfsctl-manual-*"))

    assert [rules_of(decision)[0] for decision in decisions] == [Rule.LAST, Rule.MANUAL, Rule.NOT_OURS, Rule.NO_RULE]


def test_only_the_whole_name_is_adopted_and_only_stars_and_question_marks_are_special() -> None:
    history = snapshots("20T06a 20T07a 20T08")

    def lost(*adopt: str) -> set[int]:
        retention = Retention(policy("last=1"), adopt=adopt, prefix="zfsctl", zone=UTC)
        return destroyed(plan_retention("local", history, retention, clock=CLOCK).decisions)

    assert lost("autosnap") == set()
    assert lost("autosnap_?") == {1, 2}
    assert lost("autosnap_1") == {1}
    assert lost("auto.*") == set()
    assert lost("autosnap_[12]") == set()


def test_the_prefix_decides_what_is_ours() -> None:
    retention = Retention(policy("last=1"), prefix="other", zone=UTC)
    decisions = plan_retention("local", snapshots("20T06 20T07"), retention, clock=CLOCK).decisions

    assert [rules_of(decision) for decision in decisions] == [[Rule.NOT_OURS], [Rule.NOT_OURS]]


def test_nothing_goes_from_a_host_whose_listing_is_not_known() -> None:
    retention = Retention(policy("last=1"), prefix="zfsctl", zone=UTC)
    history = snapshots("20T06 20T07m>21T00 20T08")
    decisions = plan_retention("local", history, retention, clock=CLOCK, unknown="stderr: I/O error").decisions

    assert {(decision.verdict, decision.reasons) for decision in decisions} == {
        (Verdict.KEEP, (Reason(Rule.UNKNOWN, "stderr: I/O error"),))
    }


def test_nothing_goes_from_a_pool_that_takes_no_changes_and_what_would_go_says_so() -> None:
    retention = Retention(policy("last=1"), prefix="zfsctl", zone=UTC)
    history = snapshots("20T06 20T07m>21T00 20T08")
    decisions = plan_retention("local", history, retention, clock=CLOCK, read_only="pool tank is SUSPENDED").decisions

    assert [rules_of(decision)[0] for decision in decisions] == [Rule.LAST, Rule.READ_ONLY, Rule.READ_ONLY]
    assert destroyed(decisions) == set()


def test_an_anchor_stays_whatever_the_rules_say() -> None:
    retention = Retention(policy("last=1"), prefix="zfsctl", zone=UTC)
    base = Reason(Rule.BASE, "the base of nodes-to-vault")
    decisions = plan_retention(
        "local", snapshots("20T06 20T07 20T08"), retention, clock=CLOCK, anchors={1: base}
    ).decisions

    assert destroyed(decisions) == {2}
    assert decisions[-1].reasons == (base,)


def test_what_was_taken_by_hand_expires_only_when_both_clocks_say_so() -> None:
    retention = Retention(policy("last=1"), prefix="zfsctl", zone=UTC)
    history = snapshots("20T06m>25T00 20T08")

    def lost(clock: str, now: str) -> set[int]:
        return destroyed(plan_retention("local", history, retention, clock=at(clock), now=at(now)).decisions)

    assert lost("26T00", "26T00") == {1}
    assert lost("26T00", "24T00") == set()
    assert lost("24T00", "26T00") == set()


def test_what_was_taken_by_hand_expires_only_when_snapshots_bear_the_clocks_out() -> None:
    retention = Retention(policy("last=1"), prefix="zfsctl", zone=UTC)
    history = snapshots("20T06m>25T00 20T08")

    def judged(witness: int | None) -> Decision:
        return plan_retention("local", history, retention, clock=at("26T00"), witness=witness).decisions[-1]

    assert judged(at("25T00")).verdict is judged(None).verdict is Verdict.DESTROY
    assert judged(at("24T23")).reasons == (
        Reason(Rule.MANUAL, "taken by hand, expired 24 h ago; kept until the clock was right for a day"),
    )


def test_without_a_policy_only_what_was_taken_by_hand_expires() -> None:
    retention = Retention(None, adopt=("*",), prefix="zfsctl", zone=UTC)
    decisions = plan_retention(
        "local", snapshots("20T05a 20T06 20T07m>21T00 20T08m 20T09"), retention, clock=CLOCK
    ).decisions

    assert [rules_of(decision)[0] for decision in decisions] == [
        Rule.NO_POLICY,
        Rule.MANUAL,
        Rule.EXPIRED,
        Rule.NO_POLICY,
        Rule.NOT_OURS,
    ]


@pytest.mark.parametrize("rules", [(), (keep("last=1")[0].__class__(Rule.DAILY),)], ids=["no-rule", "an-empty-rule"])
def test_a_policy_that_keeps_nothing_is_refused(rules: tuple[object, ...]) -> None:
    with pytest.raises(ConfigError):
        Retention(Policy("p", rules), prefix="zfsctl", zone=UTC)


def test_dates_beyond_the_calendar_are_kept_and_worded() -> None:
    history = snapshots("20T06 20T07")
    odd = [*history, history[0].__class__("tank/a", "zfsctl-20261120T080000Z", 3, 3, 10**17)]
    retention = Retention(policy("hourly=1 monthly=1"), prefix="zfsctl", zone=ZoneInfo("Europe/Berlin"))
    decisions = plan_retention("local", odd, retention, clock=CLOCK).decisions

    assert rules_of(decisions[0]) == [Rule.FUTURE, Rule.NEWEST]
    assert destroyed(decisions) == {1}
