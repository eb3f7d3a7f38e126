"""What no prune may take because a replication rests on it, on the sender and on the receiver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.planner.notation import at, guid_of, receiver, sender, token_of
from tests.planner.replicating import DAY, RULE, codes, kept, plan
from zfsctl.model.lineage import Lineage, LinkState
from zfsctl.model.verdicts import Rule
from zfsctl.planner.anchoring import is_begun_by_us, is_settled, standing_of
from zfsctl.planner.lineage import End, lineage

NOW = "20T15"


def broken(end: End) -> End:
    return replace(end, host=replace(end.host, problems=("stderr: I/O error",)))


def unplugged(end: End) -> End:
    return replace(end, host=replace(end.host, pools=(), datasets={}, snapshots={}))


@pytest.mark.parametrize(
    ("alpha", "beta", "on_sender", "on_receiver"),
    [
        pytest.param("20T12 20T13b", "20T12 20T13k", "", "20T13 base", id="current-and-settled-a-cursor-is-enough"),
        pytest.param("20T12 20T13", "20T12 20T13", "20T13 base", "20T13 base", id="without-a-cursor-the-base-stays"),
        pytest.param(
            "20T12b 20T13", "20T12k 20T13", "20T13 base", "20T13 base",
            id="a-cursor-at-an-older-snapshot-is-not-one-of-the-base",
        ),
        pytest.param(
            "20T12b 20T13 20T14", "20T12k", "20T13 pending, 20T14 pending", "20T12 base", id="what-waits-is-pending",
        ),
        pytest.param(
            "#20T11 20T12f 20T13", "20T10 20T11k", "20T13 pending", "20T11 base", id="others-do-not-wait",
        ),
        pytest.param("20T12 20T13 20T14", None, "20T12 pending, 20T13 pending, 20T14 pending", "", id="a-first-copy"),
        pytest.param(
            "20T12b 20T13", "20T12k 20T13xw", "20T13 pending", "20T12 base, 20T13 unknown",
            id="diverged-nothing-of-the-receiver-goes",
        ),
        pytest.param(
            "20T12 20T13", "20T12k 20T13xw", "20T12 base, 20T13 pending", "20T12 base, 20T13 unknown",
            id="diverged-without-a-cursor",
        ),
        pytest.param(
            "20T12 20T13", "20T10 20T11", "20T12 pending, 20T13 pending", "20T10 unknown, 20T11 unknown",
            id="unrelated-nothing-of-the-receiver-goes",
        ),
        pytest.param(
            "20T12 20T13", "20T10 20T11k", "20T12 pending, 20T13 pending", "20T10 unknown, 20T11 base",
            id="unrelated-by-now-and-held",
        ),
        pytest.param(None, "20T11 20T12k", "", "20T11 unknown, 20T12 base", id="the-sender-is-gone"),
        pytest.param("", "20T11 20T12k", "", "20T11 unknown, 20T12 base", id="the-sender-has-nothing-any-more"),
        pytest.param(
            "20T12 20T13", "20T11 20T12r", "20T12 base, 20T13 pending", "20T11 unknown, 20T12 base",
            id="while-a-receive-runs-the-base-stays",
        ),
    ],
)  # fmt: skip
def test_kept_at_both_ends(alpha: str | None, beta: str | None, on_sender: str, on_receiver: str) -> None:
    sends, receives = sender(alpha, clock=NOW), receiver(beta, clock=NOW)
    found = plan(sends, receives, sends=False)

    assert (kept(found, sends), kept(found, receives)) == (on_sender, on_receiver)


@pytest.mark.parametrize(
    ("changes", "token", "on_sender"),
    [
        pytest.param({"written": 1}, "", "20T13 base, 20T14 pending", id="modified"),
        pytest.param({"mounted": True, "readonly": False}, "", "20T13 base, 20T14 pending", id="taken-over"),
        pytest.param({}, "20T13>20T14", "20T13 base, 20T14 token", id="interrupted"),
        pytest.param({}, "20T12>20T14", "20T12 token, 20T13 base, 20T14 token", id="interrupted-from-an-older-one"),
    ],
)
def test_whatever_the_receiver_is_in_its_base_stays(changes: dict[str, Any], token: str, on_sender: str) -> None:
    sends = sender("20T12 20T13 20T14", clock=NOW)
    receives = receiver("20T12 20T13", clock=NOW, token=token, **changes)
    found = plan(sends, receives, sends=False)

    assert kept(found, sends) == on_sender
    assert kept(found, receives).startswith("20T12 ")
    assert kept(found, receives).endswith("20T13 base"), "and nothing else of the receiver goes"


def test_both_ends_of_a_token_stay_even_if_they_are_anothers() -> None:
    sends = sender("20T12b 20T13f 20T14", clock=NOW)
    receives = receiver("20T12k", token="20T12>20T13f", clock=NOW)

    assert kept(plan(sends, receives, sends=False), sends) == "20T12 token, 20T13 token, 20T14 pending"


@pytest.mark.parametrize(
    ("age", "on_sender", "warns"),
    [
        pytest.param("20T13:59:59", "20T13 pending, 20T14 pending", False, id="younger-than-the-limit"),
        pytest.param("21T12:59:59", "20T13 pending, 20T14 pending", False, id="just-younger"),
        pytest.param("21T13:00:00", "20T14 pending", True, id="as-old-as-the-limit"),
        pytest.param("22T00:00:00", "", True, id="all-are-older"),
    ],
)
def test_what_waits_is_kept_for_no_longer_than_pending_limit(age: str, on_sender: str, warns: bool) -> None:
    sends, receives = sender("20T12b 20T13 20T14", clock=age), receiver("20T12k", clock=age)
    found = plan(sends, receives, replace(RULE, pending_limit=DAY), sends=False)

    assert kept(found, sends) == on_sender
    assert codes(found) == (["pending-limit"] if warns else [])


def test_what_this_very_plan_sends_is_kept_and_no_reason_to_warn() -> None:
    sends, receives = sender("20T12b 20T13 20T14", clock="25T00"), receiver("20T12k", clock="25T00")
    found = plan(sends, receives, replace(RULE, pending_limit=DAY))

    assert kept(found, sends) == "20T12 in-flight, 20T13 in-flight, 20T14 in-flight"
    assert codes(found) == []


def test_a_host_whose_clock_is_ahead_lets_nothing_go_early() -> None:
    """Age on the sender is by the sender's own clock."""
    sends, receives = sender("20T12b 20T13", clock="20T14"), receiver("20T12k", clock="30T00")

    assert kept(plan(sends, receives, replace(RULE, pending_limit=DAY), sends=False), sends) == "20T13 pending"


def test_a_sender_whose_clock_is_ahead_lets_nothing_go_early_either() -> None:
    """What waits is old when both clocks say so."""
    sends, receives = sender("20T12b 20T13", clock="30T00"), receiver("20T12k", clock="30T00")
    rule = replace(RULE, pending_limit=DAY)

    assert kept(plan(sends, receives, rule, sends=False, now=at("20T14")), sends) == "20T13 pending"
    assert kept(plan(sends, receives, rule, sends=False, now=at("30T00")), sends) == ""


@pytest.mark.parametrize("away", [None, 45 * DAY], ids=["unknown", "away"])
@pytest.mark.parametrize(
    ("alpha", "on_sender"),
    [
        pytest.param("20T12b 20T13 20T14", "20T13 pending, 20T14 pending", id="a-cursor-tells-what-it-has"),
        pytest.param("#20T12 20T13 20T14", "20T13 pending, 20T14 pending", id="the-cursor-alone-is-left"),
        pytest.param("20T12b 20T13b 20T14", "20T14 pending", id="the-newest-of-two-cursors"),
        pytest.param("20T12b 20T13f 20T14", "20T14 pending", id="others-do-not-wait"),
        pytest.param("20T12 20T13f", "20T12 unknown, 20T13 unknown", id="without-a-cursor-nothing-goes"),
        pytest.param("#20T12f 20T13", "20T13 unknown", id="anothers-bookmark-is-no-cursor"),
    ],
)
def test_a_receiver_that_cannot_be_looked_at(alpha: str, on_sender: str, away: int | None) -> None:
    sends, receives = sender(alpha, clock=NOW), receiver("20T12k", clock=NOW)
    receives = unplugged(receives) if away else broken(receives)
    found = plan(sends, receives, replace(RULE, away=away), sends=False)

    assert kept(found, sends) == on_sender


def test_past_the_limit_an_unknown_receiver_holds_nothing_back_but_its_cursor() -> None:
    sends = sender("20T12b 20T13 20T14", clock="25T00")
    found = plan(sends, broken(receiver("20T12k")), replace(RULE, pending_limit=DAY), sends=False)

    assert kept(found, sends) == ""
    assert codes(found) == ["pending-limit"]


def test_without_a_cursor_no_limit_lets_anything_go() -> None:
    sends = sender("20T12 20T13", clock="25T00")
    found = plan(sends, broken(receiver("20T12k")), replace(RULE, pending_limit=DAY), sends=False)

    assert kept(found, sends) == "20T12 unknown, 20T13 unknown"


@pytest.mark.parametrize(
    ("beta", "on_receiver"),
    [
        pytest.param("20T11 20T12k 20T13", "20T12 base", id="what-is-held-is-the-last-base-known"),
        pytest.param("20T11k 20T12k 20T13", "20T11 base, 20T12 base", id="both-that-are-held"),
        pytest.param("20T11 20T12", "20T11 unknown, 20T12 unknown", id="without-a-hold-nothing-goes"),
    ],
)
def test_a_sender_that_cannot_be_looked_at(beta: str, on_receiver: str) -> None:
    receives = receiver(beta, clock=NOW)

    assert kept(plan(broken(sender("20T12")), receives, sends=False), receives) == on_receiver


def test_two_receivers_of_one_dataset_each_keep_what_they_need() -> None:
    from zfsctl.model.policy import Pattern

    sends = sender("20T11 20T12 20T13b 20T14", clock=NOW)
    near, far = receiver("20T12 20T13k", clock=NOW), receiver("20T11", clock=NOW)
    gamma = replace(far, host=replace(far.host, host="gamma"))
    other = replace(RULE, name="other", sender=Pattern("alpha:tank/a", "alpha", "tank/a"), receiver_host="gamma")
    found = plan(sends, near, RULE, other, sends=False, more=(gamma.host,))

    assert kept(found, sends) == "20T11 base, 20T12 pending, 20T13 pending, 20T14 pending"
    assert kept(found, near) == "20T13 base"
    assert kept(found, gamma) == "20T11 base"


def test_each_reason_names_its_replication() -> None:
    sends = sender("20T12 20T13", clock=NOW)
    reasons = plan(sends, receiver("20T12", clock=NOW), sends=False).anchors["alpha", "tank/a"]

    assert {reason.rule: reason.detail for reason in reasons.values()} == {
        Rule.BASE: "r: the newest that its receiver has",
        Rule.PENDING: "r: not received yet, waits for at most 14 d",
    }


def found_between(sends: End, receives: End) -> Lineage:
    return lineage(sends, receives, is_candidate=lambda _: True)


@pytest.mark.parametrize(
    ("alpha", "beta", "settled"),
    [
        pytest.param("20T12b", "20T12k", True, id="cursor-and-hold-on-the-base"),
        pytest.param("#20T12 20T11", "20T11 20T12k", True, id="the-snapshot-itself-is-gone"),
        pytest.param("20T12", "20T12k", False, id="no-cursor"),
        pytest.param("20T12b", "20T12", False, id="no-hold"),
        pytest.param("20T11b 20T12b", "20T11 20T12k", False, id="an-old-cursor-is-left"),
        pytest.param("20T12b", "20T11k 20T12k", False, id="an-old-hold-is-left"),
        pytest.param("20T11 20T12bs", "20T11 20T12k", False, id="something-is-held-in-flight-for-nothing"),
        pytest.param("20T12b #20T10f", "20T12kh", True, id="bookmarks-and-holds-of-others-do-not-matter"),
    ],
)
def test_whether_the_anchors_are_where_they_belong(alpha: str, beta: str, settled: bool) -> None:
    sends, receives = sender(alpha), receiver(beta)

    assert is_settled("r", standing_of("r", sends, receives), found_between(sends, receives)) is settled


def test_what_is_in_flight_while_a_receive_can_be_gone_on_with_is_settled() -> None:
    sends, receives = sender("20T12b 20T13s"), receiver("20T12k", token="20T12>20T13")
    found = found_between(sends, receives)

    assert found.state is LinkState.PARTIAL
    assert is_settled("r", standing_of("r", sends, receives), found)


@pytest.mark.parametrize(
    ("alpha", "beta", "token", "ours"),
    [
        pytest.param("20T12 20T13s", "20T12", "20T12>20T13", True, id="its-target-is-held-by-us"),
        pytest.param("20T12", "20T12k", "20T12>20T13", True, id="it-goes-on-from-what-we-hold-to-a-name-of-ours"),
        pytest.param("20T12", "20T12", "20T12>20T13", False, id="nothing-of-it-is-held"),
        pytest.param("20T12", "20T12k", "20T12>20T13f", False, id="anothers-snapshot"),
        pytest.param("20T12", "", ">20T13", True, id="a-first-copy-of-a-snapshot-of-ours"),
        pytest.param("20T12", "", ">20T13f", False, id="a-first-copy-of-anothers"),
        pytest.param("20T12 20T13h", "20T12", "20T12>20T13", False, id="held-by-somebody-else"),
    ],
)
def test_who_began_a_receive(alpha: str, beta: str, token: str, ours: bool) -> None:
    sends, receives = sender(alpha), receiver(beta, token=token)

    assert is_begun_by_us(token_of(token), standing_of("r", sends, receives), prefix="zfsctl") is ours
    assert guid_of(token.partition(">")[2].rstrip("f")) == token_of(token).to_guid
