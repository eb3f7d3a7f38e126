"""A transfer: stream after stream, gone on with where it was lost, ended where it makes no sense to go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executor.transfers import MEBIBYTE, Ends, new_ends, said
from zfsctl.executor.transfer import apply_transfer
from zfsctl.model.event import StepOutcome
from zfsctl.model.transfer import Transfer
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance, write


@pytest.fixture
def ends() -> Ends:
    return new_ends()


def apply(ends: Ends, step: Transfer, **ways: Any) -> StepOutcome:
    return apply_transfer(step, ends.fleet, **{"stop": lambda: False, "wait": ends.waited.append, **ways})


def members(outcome: StepOutcome) -> str:
    assert all(member.result == "done" and member.dataset == "bk/a" for member in outcome.members)
    return " ".join(member.snapshot for member in outcome.members)


def test_a_first_copy_is_a_full_stream_and_then_all_between(ends: Ends) -> None:
    outcome = apply(ends, ends.transfer("s1, s1>s2 s3 s4", flags=("-L", "-c")))

    assert (said(outcome), members(outcome)) == (("done", ""), "s1 s2 s3 s4")
    assert ends.received() == "s1 s2 s3 s4"
    assert ends.asked("zfs send") == ["zfs send -L -c tank/a@s1", "zfs send -L -c -I tank/a@s1 tank/a@s4"]
    assert ends.asked("zfs receive") == [
        "zfs receive -u -s -o readonly=on -o canmount=noauto bk/a",
        "zfs receive -u -s bk/a",
    ]
    assert ends.waited == []


def test_an_increment_from_a_bookmark_and_then_all_between(ends: Ends) -> None:
    ends.copy("s1")
    ends.zfs("alpha", "bookmark tank/a@s1 tank/a#mark")
    ends.zfs("alpha", "destroy tank/a@s1")

    outcome = apply(ends, ends.transfer("#mark>s2, s2>s3 s4"))

    assert (said(outcome), members(outcome)) == (("done", ""), "s2 s3 s4")
    assert ends.asked("zfs send")[-2:] == ["zfs send -i tank/a#mark tank/a@s2", "zfs send -I tank/a@s2 tank/a@s4"]


def test_bytes_are_counted_over_all_streams(ends: Ends) -> None:
    told: list[int] = []

    apply(ends, ends.transfer("s1, s1>s2, s2>s3"), on_bytes=told.append)

    assert told == sorted(told)
    assert told[-1] > 5 * MEBIBYTE


@pytest.mark.parametrize("end", [StreamEnd.CUT, StreamEnd.LOST])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("which", [0, 1], ids=["first-stream", "second-stream"])
def test_a_connection_that_is_lost_once_costs_nothing_but_time(
    ends: Ends, end: StreamEnd, part: float, which: int
) -> None:
    ends.fleet.faults.end_stream(end, part).skip = which

    def wait(seconds: float) -> None:
        ends.waited.append(seconds)
        advance(ends.sim, 60)

    outcome = apply(ends, ends.transfer("s1, s1>s2 s3 s4"), wait=wait)

    assert (said(outcome), members(outcome)) == (("done", ""), "s1 s2 s3 s4")
    assert ends.received() == "s1 s2 s3 s4"
    assert ends.zfs("beta", "get -Hp -o value readonly,canmount bk/a") == ["on", "noauto"]
    assert ends.waited == [2]


def test_what_is_gone_on_with_is_what_the_receiver_kept(ends: Ends) -> None:
    ends.copy("s1")
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.5)

    apply(ends, ends.transfer("s1>s2 s3 s4"))

    first, resumed, *rest = ends.asked("zfs send -")[-4:]
    assert first == "zfs send -I tank/a@s1 tank/a@s4"
    assert resumed.startswith("zfs send -nvP -t ")
    assert rest[0].startswith("zfs send -t ")
    assert ends.received() == "s1 s2 s3 s4"


def test_what_arrived_before_the_connection_was_lost_is_not_sent_again(ends: Ends) -> None:
    ends.copy("s1")
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.95)

    outcome = apply(ends, ends.transfer("s1>s2 s3 s4"))

    assert ends.asked("zfs send -t")
    assert members(outcome) == "s2 s3 s4"
    assert len([line for line in ends.asked("zfs send") if "-I tank/a@s1" in line]) == 1


def test_it_is_tried_three_times_and_then_left_to_the_next_run(ends: Ends) -> None:
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0, times=None)

    outcome = apply(ends, ends.transfer("s1"))

    assert outcome.result == "failed"
    assert outcome.code == "interrupted-output"
    assert ends.waited == [2, 10, 30]
    assert len(ends.asked("zfs send tank/a@s1")) == 4


def test_a_transfer_that_gets_further_each_time_is_never_given_up(ends: Ends) -> None:
    """A first copy that takes days outlives more than three losses."""
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.4, times=9)

    outcome = apply(ends, ends.transfer("s1"))

    assert said(outcome) == ("done", "")
    assert ends.waited == [2] * 9


def test_no_progress_for_three_times_ends_it_however_far_it_came_before(ends: Ends) -> None:
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0, times=None)
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.4)

    outcome = apply(ends, ends.transfer("s1"))

    assert outcome.result == "failed"
    assert ends.waited == [2, 2, 10, 30]
    assert ends.token()


@pytest.mark.parametrize("host", ["alpha", "beta"])
def test_a_host_that_is_away_for_a_moment(ends: Ends, host: str) -> None:
    ends.fleet.faults.break_link(host, times=2)

    outcome = apply(ends, ends.transfer("s1"))

    assert said(outcome) == ("done", "")
    assert len(ends.waited) in (1, 2)


@pytest.mark.parametrize("host", ["alpha", "beta"])
def test_a_host_that_stays_away(ends: Ends, host: str) -> None:
    ends.fleet.faults.break_link(host)

    outcome = apply(ends, ends.transfer("s1"))

    assert (outcome.result, outcome.code) == ("unreachable", "unreachable")
    assert ends.waited == [2, 10, 30]


def test_a_first_copy_begun_anew_after_its_remains_vanished_is_closed_like_the_first(ends: Ends) -> None:
    """The token goes away between two losses, as when somebody gives the receive up by hand."""
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0, match="zfs send -t")
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.5, match="zfs send tank/a@s1")

    def wait(seconds: float) -> None:
        ends.waited.append(seconds)
        if len(ends.waited) == 2:
            ends.zfs("beta", "receive -A bk/a")

    outcome = apply(ends, ends.transfer("s1, s1>s2 s3 s4"), wait=wait)

    assert said(outcome) == ("done", "")
    assert ends.received() == "s1 s2 s3 s4"
    assert ends.zfs("beta", "get -Hp -o value readonly,canmount bk/a") == ["on", "noauto"]


def test_a_receive_that_another_began_meanwhile_is_not_gone_on_with(ends: Ends) -> None:
    ends.copy("s1")
    ends.zfs("alpha", "snapshot tank/a@other")
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0)

    def wait(_: float) -> None:
        write(ends.sim, "alpha", "tank/a", MEBIBYTE)
        ends.zfs("alpha", "snapshot tank/a@s9")
        ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
        with pytest.raises(AssertionError):
            ends.copy("s1>s9")

    outcome = apply(ends, ends.transfer("s1>s2 s3 s4"), wait=wait)

    assert said(outcome) == ("stale", "the receiver began to take tank/a@s9, which is not sent")
    assert ends.token()


def test_a_resumed_transfer_repeats_no_properties(ends: Ends) -> None:
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    apply(ends, ends.transfer("s1"), stop=iter([False] * 9 + [True] * 99).__next__)
    token = ends.token()
    assert token

    outcome = apply(ends, ends.transfer("s1, s1>s2 s3 s4", token=token, properties=()))

    assert (said(outcome), members(outcome)) == (("done", ""), "s1 s2 s3 s4")
    assert ends.asked("zfs send -t")[-1] == f"zfs send -t {token}"
    assert ends.zfs("beta", "get -Hp -o value readonly,canmount bk/a") == ["on", "noauto"]


def test_a_stop_keeps_what_has_arrived(ends: Ends) -> None:
    ends.copy("s1")
    asked = iter([False] * 4 + [True] * 99)

    outcome = apply(ends, ends.transfer("s1>s2, s2>s3"), stop=lambda: next(asked))

    assert said(outcome) == ("skipped", "stopped; the next run goes on with it")
    assert ends.token()
    assert ends.received() == "s1"


def test_a_stop_between_two_streams_begins_no_other(ends: Ends) -> None:
    ends.copy("s1")

    outcome = apply(ends, ends.transfer("s1>s2, s2>s3"), stop=lambda: "s2" in ends.received())

    assert said(outcome) == ("skipped", "stopped; the next run goes on with it")
    assert members(outcome) == "s2"
    assert (ends.received(), ends.token()) == ("s1 s2", "")


def test_a_sender_that_fails_is_named_with_its_words(ends: Ends) -> None:
    ends.fleet.faults.end_stream(
        StreamEnd.SENDER_DIES, 0.5, text="warning: cannot send 'tank/a@s1': Input/output error"
    )

    outcome = apply(ends, ends.transfer("s1"))

    assert said(outcome) == ("failed", "the sender: warning: cannot send 'tank/a@s1': Input/output error")
    assert ends.token(), "what came is kept"
    assert ends.waited == []


def test_a_sender_without_the_right_to_send(ends: Ends) -> None:
    ends.sim.hosts["alpha"].denied = frozenset({"send"})

    outcome = apply(ends, ends.transfer("s1"))

    assert outcome.result == "failed"
    assert outcome.detail.startswith("the sender: ")
    assert "permission denied" in outcome.detail


def test_a_snapshot_that_is_gone(ends: Ends) -> None:
    step = ends.transfer("s1, s1>s2")
    ends.zfs("alpha", "destroy tank/a@s2")

    outcome = apply(ends, step)

    assert outcome.result == "failed"
    assert outcome.detail.startswith("the sender: ")
    assert members(outcome) == "s1"


def test_a_receiver_that_was_written_to_is_planned_anew(ends: Ends) -> None:
    ends.copy("s1")
    write(ends.sim, "beta", "bk/a", MEBIBYTE)

    outcome = apply(ends, ends.transfer("s1>s2"))

    assert (outcome.result, outcome.code) == ("stale", "stale")
    assert "has been modified" in outcome.detail
    assert ends.received() == "s1"


@pytest.mark.parametrize(
    ("before", "sends", "result"),
    [
        pytest.param("s2", "s1>s3", "stale", id="another-snapshot-is-its-newest"),
        pytest.param("s1", "s1", "stale", id="it-exists-by-now"),
        pytest.param("", "s1>s2", "stale", id="it-is-gone"),
    ],
)
def test_a_receiver_that_is_not_what_was_planned(ends: Ends, before: str, sends: str, result: str) -> None:
    if before:
        ends.copy(before)

    outcome = apply(ends, ends.transfer(sends))

    assert outcome.result == result
    assert outcome.detail.startswith("the receiver: ")
    assert ends.received() == before


def test_a_receive_that_runs_there_is_left_alone(ends: Ends) -> None:
    ends.copy("s1")
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
    with pytest.raises(AssertionError):
        ends.copy("s1>s2")
    token = ends.token()

    outcome = apply(ends, ends.transfer("s1>s3"))

    assert (outcome.result, outcome.code) == ("failed", "receiving")
    assert ends.token() == token


def test_a_full_receiver_keeps_what_fits(ends: Ends) -> None:
    ends.zfs("beta", "create -o quota=2M bk/small")

    outcome = apply(ends, ends.transfer("s2", receiver="bk/small/a"))

    assert outcome.result == "failed"
    assert outcome.detail.startswith("the receiver: ")
    assert "quota" in outcome.detail or "space" in outcome.detail


def test_what_the_receiver_says_of_a_stream_that_ended_well_is_passed_on(ends: Ends) -> None:
    """T14: a right that is missing is told on stderr only, with exit code 0."""
    ends.sim.hosts["beta"].denied = frozenset({"canmount"})

    outcome = apply(ends, ends.transfer("s1"))

    assert said(outcome) == ("done", "cannot receive canmount property on bk/a: permission denied")


def test_no_step_ever_rolls_back(ends: Ends) -> None:
    ends.copy("s1")

    apply(ends, ends.transfer("s1>s2 s3 s4"))

    assert not [line for line in ends.asked("zfs receive") if " -F" in line]
