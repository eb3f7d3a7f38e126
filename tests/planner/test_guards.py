"""The guards: what the rules allow and a person must see first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, dataset, destroyed, host, keep, policy, rules_of
from tests.planner.test_retention_laws import histories, rules, zones
from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts
from zfsctl.model.names import scheduled_name
from zfsctl.model.policy import KeepRule, Policy
from zfsctl.model.verdicts import Rule, Verdict
from zfsctl.planner.guards import MASS_DESTROY, WINDOW_EXPIRY, Guarded, guard, holders_after, may_be_mass
from zfsctl.planner.keeping import fingerprint_of_rules
from zfsctl.planner.retention import Retention, plan_retention

TANK = dataset()
HOUR = 3600


def hours(first: str, count: int, *, step: int = HOUR) -> tuple[Snapshot, ...]:
    """`count` scheduled snapshots from `first` on, one every `step` seconds."""
    times = [at(first) + number * step for number in range(count)]
    return tuple(
        Snapshot("tank/a", scheduled_name("zfsctl", time), number, number, time) for number, time in enumerate(times, 1)
    )


def joined(*histories_: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    """One history after the other, numbered anew."""
    return tuple(
        replace(one, guid=number, createtxg=number)
        for number, one in enumerate((one for history in histories_ for one in history), 1)
    )


def guarded(
    keep_text: str,
    history: Sequence[Snapshot],
    *,
    clock: str | int,
    known: bool = True,
    elsewhere: Sequence[int] = (),
    approvals: Sequence[Approval] = (),
    now: str = "2026-12-31T00",
    adopt: Sequence[str] = (),
) -> Guarded:
    time = at(clock) if isinstance(clock, str) else clock
    retention = Retention(policy(keep_text), adopt=adopt, prefix="zfsctl", zone=UTC)
    return guard(
        plan_retention("local", history, retention, clock=time),
        retention,
        host="local",
        dataset=TANK,
        clock=time,
        known=known,
        holders={guid: {4711} for guid in elsewhere},
        approvals=approvals,
        now=at(now),
    )


def withheld(result: Guarded) -> set[int]:
    return {decision.guid for decision in result.decisions if rules_of(decision) == [Rule.WITHHELD]}


def approval(request: ApprovalRequest, status: ApprovalStatus, *, expires: str = "2027-01-31T00") -> Approval:
    return Approval(request, status, filed_at=0, expires_at=at(expires))


# Mass destroy.


@pytest.mark.parametrize(
    ("keep_text", "count", "known", "elsewhere", "asked"),
    [
        pytest.param("last=11", 22, False, 0, False, id="half-is-not-more-than-half"),
        pytest.param("last=11", 23, False, 0, True, id="more-than-half-asks"),
        pytest.param("last=1", 11, False, 0, False, id="ten-are-no-mass"),
        pytest.param("last=1", 12, False, 0, True, id="eleven-of-twelve-are"),
        pytest.param("last=11", 23, True, 0, False, id="rules-that-pruned-here-before-go-on"),
        pytest.param("last=11", 23, False, 12, False, id="what-another-host-holds-does-not-count"),
        pytest.param("last=11", 23, False, 1, False, id="one-held-elsewhere-makes-it-no-more-than-half"),
        pytest.param("last=11", 25, False, 1, True, id="one-held-elsewhere-may-not-be-enough"),
    ],
)
def test_a_mass_destroy_by_new_rules_asks(keep_text: str, count: int, known: bool, elsewhere: int, asked: bool) -> None:
    history = hours("01T00", count)
    result = guarded(keep_text, history, clock="30T00", known=known, elsewhere=range(1, elsewhere + 1))
    lost = count - keep(keep_text)[0].count

    assert len(destroyed(result.decisions)) == (0 if asked else lost)
    assert len(withheld(result)) == (lost if asked else 0)
    assert [request.kind for request in result.requests] == [MASS_DESTROY] * asked


def test_a_request_names_all_that_would_go_and_is_the_same_when_asked_again() -> None:
    history = hours("01T00", 23)
    result = guarded("last=11", history, clock="30T00", known=False)
    again = guarded("last=11", history, clock="30T12", known=False)

    (request,) = result.requests
    assert (request.host, request.dataset, request.dataset_guid) == ("local", "tank/a", TANK.guid)
    assert set(request.snapshots) == {(one.name, one.guid) for one in history[:12]}
    assert "12 of 23" in request.why
    assert again.requests[0].id == request.id
    assert guarded("last=10", history, clock="30T00", known=False).requests[0].id != request.id


def test_an_approval_lets_exactly_those_go() -> None:
    history = hours("01T00", 24)
    asked = guarded("last=11", history[:23], clock="30T00", known=False)
    yes = approval(asked.requests[0], ApprovalStatus.APPROVED)

    result = guarded("last=11", history, clock="30T00", known=False, approvals=[yes])

    # One more became due meanwhile; alone it is no mass.
    assert destroyed(result.decisions) == set(range(1, 14))
    assert result.requests == ()


def test_what_was_not_approved_still_asks_when_it_is_a_mass_of_its_own() -> None:
    history = hours("01T00", 60)
    asked = guarded("last=40", history, clock="30T00", known=True)
    assert asked.requests == ()
    small = ApprovalRequest("x", MASS_DESTROY, "local", "tank/a", TANK.guid, (("s", 1), ("s", 2)), "")
    result = guarded(
        "last=5", history, clock="30T00", known=False, approvals=[approval(small, ApprovalStatus.APPROVED)]
    )

    assert destroyed(result.decisions) == {1, 2}
    assert len(withheld(result)) == 53
    assert len(result.requests[0].snapshots) == 53


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": ApprovalStatus.WAITING}, id="not-decided"),
        pytest.param({"status": ApprovalStatus.DENIED}, id="denied"),
        pytest.param({"expires_at": at("2026-12-31T00")}, id="run-out"),
        pytest.param({"host": "alpha"}, id="another-host"),
        pytest.param({"dataset_guid": 1}, id="another-dataset-of-that-name"),
    ],
)
def test_no_other_approval_lets_anything_go(change: dict[str, object]) -> None:
    history = hours("01T00", 23)
    request = guarded("last=11", history, clock="30T00", known=False).requests[0]
    fields = {name: value for name, value in change.items() if name in ("host", "dataset_guid")}
    yes = approval(replace(request, **fields), ApprovalStatus.APPROVED)
    yes = replace(yes, **{name: value for name, value in change.items() if name not in fields})

    assert destroyed(guarded("last=11", history, clock="30T00", known=False, approvals=[yes]).decisions) == set()


def test_a_request_that_a_person_already_sees_is_not_replaced_every_hour() -> None:
    history = hours("01T00", 40)
    seen = approval(guarded("last=11", history[:30], clock="30T00", known=False).requests[0], ApprovalStatus.WAITING)

    assert guarded("last=11", history, clock="30T00", known=False, approvals=[seen]).requests == (seen.request,)
    denied = replace(seen, status=ApprovalStatus.DENIED)
    assert guarded("last=11", history, clock="30T00", known=False, approvals=[denied]).requests == (denied.request,)
    later = guarded("last=11", hours("01T00", 60), clock="30T00", known=False, approvals=[seen]).requests
    assert later != (seen.request,)


def test_expired_manual_snapshots_count_among_what_would_go() -> None:
    by_hand = [
        replace(one, name=one.name.replace("zfsctl-", "zfsctl-manual-"), expires=one.creation + HOUR)
        for one in hours("01T00", 12)
    ]
    history = joined(by_hand, hours("20T00", 1))

    assert len(withheld(guarded("last=1", history, clock="30T00", known=False))) == 12
    assert len(destroyed(guarded("last=1", history, clock="30T00", known=True).decisions)) == 12


def test_foreign_snapshots_do_not_count_among_ours() -> None:
    foreign = [replace(one, name=f"auto-{one.guid}") for one in hours("01T00", 100)]
    history = joined(foreign, hours("20T00", 12))

    assert len(withheld(guarded("last=1", history, clock="30T00", known=False))) == 11
    assert len(withheld(guarded("last=99", history, clock="30T00", known=False, adopt=["auto-*"]))) == 0


# Window expiry.


@pytest.mark.parametrize(
    ("keep_text", "pause", "after", "clock", "lost", "held_back"),
    [
        pytest.param("within=2d", "30d", 0, "", 11, 0, id="without-a-pause-the-window-lets-go"),
        pytest.param("within=2d", "30d", 1, "", 0, 60, id="the-first-snapshot-after-a-month-pushes-nothing-out"),
        pytest.param("within=2d", "30d", 2, "", 11, 49, id="nor-the-second-what-was-inside-before"),
        pytest.param("within=2d", "30d", 24, "", 11, 49, id="nor-any-of-the-first-day"),
        pytest.param("within=2d", "30d", 26, "", 60, 0, id="the-day-after-it-heals-by-itself"),
        pytest.param("within=2d", "47h", 1, "", 58, 0, id="a-pause-shorter-than-the-window-is-none"),
        pytest.param("hourly=2d", "30d", 1, "", 0, 60, id="a-window-of-periods-is-a-window"),
        pytest.param("last=10", "30d", 1, "", 51, 0, id="a-count-is-no-window"),
        pytest.param("last=1 within=2d", "30d", 1, "", 0, 60, id="a-count-that-let-go-before-does-not-matter"),
        pytest.param("within=1h last=55", "30d", 1, "", 0, 6, id="whatever-a-count-would-do"),
        pytest.param("hourly=2d last=1", "30d", 1, "", 0, 60, id="a-window-of-periods-and-a-count"),
        pytest.param("within=2d", "30d", 1, "20T00", 0, 60, id="the-newest-dated-after-now"),
    ],
)
def test_a_window_pushes_nothing_out_right_after_a_pause(
    keep_text: str, pause: str, after: int, clock: str, lost: int, held_back: int
) -> None:
    before = hours("2026-10-01T00", 60)
    seconds = int(pause[:-1]) * {"d": 86_400, "h": HOUR}[pause[-1]]
    start = before[-1].creation + seconds
    later = [
        Snapshot("tank/a", scheduled_name("zfsctl", time), 0, 0, time)
        for time in range(start, start + after * HOUR, HOUR)
    ]
    history = joined(before, later)
    now = at(clock) if clock else history[-1].creation + HOUR // 2
    result = guarded(keep_text, history, clock=now)

    assert (len(destroyed(result.decisions)), len(withheld(result))) == (lost, held_back)
    assert [request.kind for request in result.requests] == [WINDOW_EXPIRY] * (held_back > 0)


def test_a_window_expiry_can_be_approved() -> None:
    history = joined(hours("01T00", 30), hours("25T00", 1))
    asked = guarded("within=1d", history, clock="25T01")
    yes = approval(asked.requests[0], ApprovalStatus.APPROVED)
    result = guarded("within=1d", history, clock="25T01", approvals=[yes])

    assert withheld(asked) == set(range(1, 31))
    assert destroyed(result.decisions) == set(range(1, 31))


def test_an_approved_mass_destroy_needs_no_second_approval_for_its_window() -> None:
    history = joined(hours("01T00", 30), hours("25T00", 1))
    asked = guarded("within=1d", history, clock="25T01", known=False)
    yes = approval(asked.requests[0], ApprovalStatus.APPROVED)

    assert [request.kind for request in asked.requests] == [MASS_DESTROY]
    assert len(destroyed(guarded("within=1d", history, clock="25T01", known=False, approvals=[yes]).decisions)) == 30


@pytest.mark.parametrize(
    ("every", "step", "count", "withheld_count"),
    [
        pytest.param("daily", 24, 5, 0, id="daily-snapshots-are-a-day-apart"),
        pytest.param("weekly", 24 * 7, 4, 0, id="weekly-ones-a-week"),
        pytest.param("hourly", 24, 5, 4, id="but-hourly-ones-a-day-apart-are-a-pause"),
        pytest.param(None, 24, 5, 4, id="and-without-a-schedule-nobody-knows"),
    ],
)
def test_what_the_schedule_wants_is_no_pause(every: str | None, step: int, count: int, withheld_count: int) -> None:
    history = hours("01T00", count, step=step * HOUR)
    retention = Retention(policy("within=12h", every=every), prefix="zfsctl", zone=UTC)
    clock = history[-1].creation + HOUR
    result = guard(
        plan_retention("local", history, retention, clock=clock),
        retention,
        host="local",
        dataset=TANK,
        clock=clock,
        known=True,
        now=clock,
    )

    assert len(withheld(result)) == withheld_count
    assert len(destroyed(result.decisions)) == count - 1 - withheld_count


def test_a_manual_snapshot_after_the_pause_does_not_hide_it() -> None:
    by_hand = replace(hours("25T00", 1)[0], name="zfsctl-manual-20261125T000000Z")
    history = joined(hours("01T00", 30), [by_hand], hours("25T01", 1))

    assert len(withheld(guarded("within=1d", history, clock="25T02"))) == 30


def test_a_manual_snapshot_alone_after_the_pause_counts_as_the_newest() -> None:
    by_hand = replace(hours("25T00", 1)[0], name="zfsctl-manual-20261125T000000Z")
    history = joined(hours("01T00", 30), [by_hand])

    assert destroyed(guarded("within=1d", history, clock="25T02").decisions) == set()


def test_a_machine_that_is_off_every_night_does_not_gather_snapshots_for_ever() -> None:
    retention = Retention(policy("within=8h"), prefix="zfsctl", zone=UTC)
    left: tuple[Snapshot, ...] = ()
    most = 0
    for day in range(1, 21):
        for hour in range(9, 18):
            clock = at(f"{day:02}T{hour:02}")
            left = joined(left, hours(f"{day:02}T{hour:02}", 1))
            judgement = plan_retention("local", left, retention, clock=clock)
            result = guard(judgement, retention, host="local", dataset=TANK, clock=clock, known=True, now=clock)
            gone = destroyed(result.decisions)
            left = tuple(one for one in left if one.guid not in gone)
            most = max(most, len(left))

    assert most <= 27


def test_a_ten_day_outage_heals_with_nobodys_help() -> None:
    """Ten days without a prune, snapshots going on; then ten days of neither. Nobody answers any request."""
    retention = Retention(policy("hourly=48 daily=14 within=2d"), prefix="zfsctl", zone=UTC)
    left = hours("2026-10-01T00", 24 * 20)
    for start in ("2026-10-21T00", "2026-11-05T00"):
        for hour in range(30):
            clock = at(start) + hour * HOUR
            judgement = plan_retention("local", left, retention, clock=clock)
            result = guard(judgement, retention, host="local", dataset=TANK, clock=clock, known=True, now=clock)
            gone = destroyed(result.decisions)
            taken = Snapshot("tank/a", scheduled_name("zfsctl", clock), 0, 0, clock)
            left = joined([one for one in left if one.guid not in gone], [taken])

        assert destroyed(plan_retention("local", left[:-1], retention, clock=clock).decisions) == set()


def test_on_its_first_day_a_machine_that_was_off_for_a_month_loses_nothing_by_a_window() -> None:
    rules_ = policy("hourly=7d daily=30d within=2d")
    retention = Retention(rules_, prefix="zfsctl", zone=UTC)
    before = hours("2026-09-01T00", 24 * 9)
    steady = destroyed(plan_retention("local", before, retention, clock=before[-1].creation).decisions)
    left = joined([one for one in before if one.guid not in steady])
    for hour in range(24):
        clock = at("2026-10-12T08") + hour * HOUR
        judgement = plan_retention("local", left, retention, clock=clock)
        result = guard(judgement, retention, host="local", dataset=TANK, clock=clock, known=True, now=clock)

        assert destroyed(result.decisions) == set()
        left = joined(left, [Snapshot("tank/a", scheduled_name("zfsctl", clock), 0, 0, clock)])


@given(histories(), rules, zones, st.booleans(), st.integers(at("01T00"), at("29T00")))
def test_guards_only_turn_destroys_into_keeps_and_say_which(
    history: tuple[Snapshot, ...], keep_rules: tuple[KeepRule, ...], zone: object, known: bool, clock: int
) -> None:
    retention = Retention(Policy("p", keep_rules), prefix="zfsctl", zone=zone)
    judgement = plan_retention("local", history, retention, clock=clock)
    result = guard(judgement, retention, host="local", dataset=TANK, clock=clock, known=known, now=clock)

    assert len(result.requests) <= 1
    assert destroyed(result.decisions) | withheld(result) == destroyed(judgement.decisions)
    assert withheld(result) == {guid for request in result.requests for _, guid in request.snapshots}
    for before, after in zip(judgement.decisions, result.decisions, strict=True):
        assert before == after or (after.verdict is Verdict.KEEP and rules_of(after) == [Rule.WITHHELD])
    if not known:
        assert may_be_mass(judgement, known=False) == any(one.kind == MASS_DESTROY for one in result.requests)
    assert len(destroyed(result.decisions)) <= max(10, len(judgement.owned) // 2) or known


# Fingerprints.


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        pytest.param(("daily=7 last=2", ()), ("last=2 daily=7", ()), True, id="the-order-of-rules"),
        pytest.param(("within=7d", ()), ("within=1w", ()), True, id="how-a-window-is-written"),
        pytest.param(("last=1", ("a*", "b*")), ("last=1", ("b*", "a*")), True, id="the-order-of-adopt-patterns"),
        pytest.param(("daily=7", ()), ("daily=8", ()), False, id="a-count"),
        pytest.param(("daily=7", ()), ("weekly=7", ()), False, id="a-rule"),
        pytest.param(("within=7d", ()), ("daily=7d", ()), False, id="what-a-window-is-about"),
        pytest.param(("last=1", ()), ("last=1", ("a*",)), False, id="whose-snapshots"),
    ],
)
def test_a_fingerprint_changes_with_what_decides(
    first: tuple[str, tuple[str, ...]], second: tuple[str, tuple[str, ...]], same: bool
) -> None:
    one, other = (
        fingerprint_of_rules(policy(keep_text, name=name), adopt=adopt, prefix="zfsctl", timezone="UTC")
        for name, (keep_text, adopt) in (("a", first), ("b", second))
    )

    assert (one == other) is same


def test_a_fingerprint_knows_prefix_zone_and_no_policy() -> None:
    every = {
        fingerprint_of_rules(of, prefix=prefix, timezone=zone)
        for of in (policy("last=1"), None)
        for prefix in ("zfsctl", "other")
        for zone in ("UTC", "Europe/Berlin")
    }

    assert len(every) == 8


def test_nobody_holds_what_is_doomed_everywhere() -> None:
    sender = host((dataset("tank/a", guid=1), hours("01T00", 3)), name="alpha")
    receiver = host((dataset("tank/b", guid=2), hours("01T00", 3)), name="vault")
    silent = host((dataset("tank/c", guid=3), hours("01T00", 3)), name="node01", problems=["stderr"])
    facts = Facts({one.host: one for one in (sender, receiver, silent)})

    found = holders_after(facts, {("alpha", "tank/a"): {1, 2}, ("vault", "tank/b"): {2}}, {1, 2})

    assert found == {1: {2}}
