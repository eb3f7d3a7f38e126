"""What is known after a run without asking again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zfsctl.model.dataset import Dataset, DatasetKind, Snapshot
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.facts import Chains, Facts, HostFacts
from zfsctl.model.lineage import LinkState, ResumeToken
from zfsctl.model.plan import Plan, SnapshotRef
from zfsctl.model.transfer import AbortReceive, RenameSnapshot, Send, Transfer
from zfsctl.operations.observed import facts_after

SENT = (Snapshot("tank/a", "s1", 1, 10, 100), Snapshot("tank/a", "s2", 2, 20, 200, used=5, userrefs=1, reason="why"))
RECEIVED = (Snapshot("bk/a", "s1", 1, 777, 100),)
FACTS = Facts(
    {
        "alpha": HostFacts("alpha", 1000, snapshots={"tank/a": SENT}),
        "beta": HostFacts("beta", 1000, snapshots={"bk/a": RECEIVED}),
    }
)
STEP = Transfer(
    id="t",
    host="beta",
    why="",
    replication="r",
    state=LinkState.BEHIND,
    sender_host="alpha",
    sender="tank/a",
    sender_guid=9,
    receiver="bk/a",
    receiver_guid=90,
    sends=(Send("@s1", 1, (SnapshotRef("s2", 2),)),),
)


def received(*members: MemberOutcome, result: Result = Result.DONE) -> tuple[Snapshot, ...]:
    plan = Plan("p", "run", 0, 9, "", steps=(STEP,))
    after = facts_after(FACTS, plan, [StepOutcome("t", result, members=members)])
    assert after.hosts["alpha"] == FACTS.hosts["alpha"]
    return after.hosts["beta"].snapshots["bk/a"]


def test_what_was_received_is_on_the_receiver_in_its_own_order() -> None:
    arrived = received(MemberOutcome("bk/a", "s2", 2, Result.DONE))

    assert arrived == (*RECEIVED, Snapshot("bk/a", "s2", 2, 778, 200, reason="why"))


def test_what_arrived_before_a_failure_counts() -> None:
    arrived = received(
        MemberOutcome("bk/a", "s2", 2, Result.DONE),
        MemberOutcome("bk/a", "s3", 3, Result.FAILED),
        result=Result.FAILED,
    )

    assert [snapshot.guid for snapshot in arrived] == [1, 2]


def test_what_is_told_twice_or_was_there_is_there_once() -> None:
    twice = MemberOutcome("bk/a", "s2", 2, Result.DONE)

    assert [one.guid for one in received(twice, twice, MemberOutcome("bk/a", "s1", 1, Result.DONE))] == [1, 2]


def test_a_snapshot_that_the_sender_was_not_asked_about_is_dated_by_the_receiver() -> None:
    assert received(MemberOutcome("bk/a", "s9", 9, Result.DONE))[-1] == Snapshot("bk/a", "s9", 9, 778, 1000)


VOLUME = Dataset("tank/a", DatasetKind.VOLUME, 9, written=3)
COPY = Dataset("bk/a", DatasetKind.VOLUME, 90, readonly=True, receive_resume_token="1-a-b-c")
INTERRUPTED = HostFacts(
    "beta",
    1000,
    datasets={"bk/a": COPY},
    snapshots={"bk/a": (replace(RECEIVED[0], clones=("bk/a/%recv",)),)},
    chains=Chains(tokens={"bk/a": ResumeToken("1-a-b-c", 2, "tank/a@s2", 1)}),
)
ARRIVED = (MemberOutcome("bk/a", "s2", 2, Result.DONE),)


def receiver_after(beta: HostFacts, result: Result = Result.DONE) -> HostFacts:
    alpha = replace(FACTS.hosts["alpha"], datasets={"tank/a": VOLUME})
    plan = Plan("p", "run", 0, 9, "", steps=(STEP,))
    after = facts_after(Facts({"alpha": alpha, "beta": beta}), plan, [StepOutcome("t", result, members=ARRIVED)])
    return after.hosts["beta"]


def test_a_first_copy_is_there_and_closed() -> None:
    copy = receiver_after(FACTS.hosts["beta"]).datasets["bk/a"]

    assert (copy.kind, copy.readonly, copy.written, copy.inconsistent) == (DatasetKind.VOLUME, True, 0, False)


@pytest.mark.parametrize(("result", "left"), [(Result.DONE, 0), (Result.FAILED, 1)])
def test_of_an_interrupted_copy_nothing_is_left_once_it_was_gone_on_with(result: Result, left: int) -> None:
    after = receiver_after(INTERRUPTED, result)

    assert len(after.chains.tokens) == left
    assert (after.datasets["bk/a"].receive_resume_token is not None) is bool(left)
    assert len(after.snapshots["bk/a"][0].clones) == left


def test_of_a_receive_that_was_given_up_nothing_is_left() -> None:
    step = AbortReceive(id="a", host="beta", why="", replication="r", dataset="bk/a", token="1-a-b-c")
    plan = Plan("p", "run", 0, 9, "", steps=(step,))
    after = facts_after(Facts({"beta": INTERRUPTED}), plan, [StepOutcome("a", Result.DONE)]).hosts["beta"]

    assert (after.chains.tokens, after.snapshots["bk/a"][0].clones) == ({}, ())


def test_a_snapshot_that_made_room_for_another_has_its_new_name() -> None:
    step = RenameSnapshot(
        id="n", host="beta", why="", replication="r", dataset="bk/a", snapshot=SnapshotRef("s1", 1), to="s1.aside"
    )
    plan = Plan("p", "run", 0, 9, "", steps=(step,))

    done = facts_after(FACTS, plan, [StepOutcome("n", Result.DONE)])
    failed = facts_after(FACTS, plan, [StepOutcome("n", Result.FAILED)])

    assert [one.name for one in done.hosts["beta"].snapshots["bk/a"]] == ["s1.aside"]
    assert failed == FACTS
