"""The steps of a replication together: what waits for what, and what a failure stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Timer

import pytest

from tests.executor.transfers import NOW, Ends, new_ends
from zfsctl.executor import replication_lane
from zfsctl.executor.anchors import apply_anchors
from zfsctl.executor.apply import Stop, apply_steps
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.event import Event, StepFinished, StepOutcome, StepStarted
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroySnapshots, Plan, Step
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import (
    NOT_TAKEN_YET,
    REPLICATION_LOCK,
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    Send,
    Transfer,
)
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import write

SEND = "zfsctl:r:send"


@pytest.fixture
def ends() -> Ends:
    """tank/a and tank/a/kid, each with s1 and s2, and tank/a with more."""
    made = new_ends()
    made.zfs("alpha", "create tank/a/kid")
    made.zfs("alpha", "snapshot tank/a/kid@s1")
    return made


def apply(
    ends: Ends,
    *steps: Step,
    stop: Stop | None = None,
    may_change: Callable[[str, str], bool] = lambda _host, _pool: True,
    listen: Callable[[Event], None] = lambda _: None,
) -> dict[str, StepOutcome]:
    plan = Plan("p", "replicate", NOW, NOW + 60, "", steps=steps)
    outcomes = apply_steps(
        plan, ends.fleet, run="r", now=lambda: NOW, listen=listen, may_change=may_change, stop=stop or Stop()
    )
    return {outcome.step: outcome for outcome in outcomes}


def results(outcomes: dict[str, StepOutcome]) -> dict[str, str]:
    return {name: str(outcome.result) for name, outcome in outcomes.items()}


def hold(ends: Ends, *names: str, **changes: object) -> HoldSnapshots:
    held = tuple(
        HeldSnapshot(dataset, ends.ref(short, dataset)) for dataset, _, short in (name.partition("@") for name in names)
    )
    step = HoldSnapshots(id="hold", host="alpha", why="", replication="r", tag=SEND, snapshots=held)
    return replace(step, **changes)


def send(ends: Ends, dataset: str = "tank/a", *, after: tuple[str, ...] = ("hold",), **changes: object) -> Transfer:
    """The first copy of s1."""
    name = dataset.rpartition("/")[2]
    ref = ends.ref("s1", dataset)
    step = ends.transfer("s1", id=f"send-{name}", sender=dataset, receiver=dataset.replace("tank", "bk"), after=after)
    return replace(step, sends=(Send("", None, (ref,)),), **changes)


def settle(ends: Ends, transfer: Transfer) -> MoveAnchors:
    name = transfer.id.removeprefix("send-")
    chain = tuple(ref for one in transfer.sends for ref in one.snapshots)
    return ends.anchors(
        chain,
        id=f"anchors-{name}",
        sender=transfer.sender,
        receiver=transfer.receiver,
        in_flight=chain,
        after=(transfer.id,),
    )


def both(ends: Ends) -> tuple[Step, ...]:
    """The first copies of tank/a and of the kid below it, which needs the other."""
    parent = send(ends)
    kid = send(ends, "tank/a/kid", after=("hold", parent.id))
    return (hold(ends, "tank/a@s1", "tank/a/kid@s1"), parent, kid, settle(ends, parent), settle(ends, kid))


def test_all_is_held_sent_and_settled_and_told_once(ends: Ends) -> None:
    told: list[Event] = []
    outcomes = apply(ends, *both(ends), listen=told.append)

    assert set(results(outcomes).values()) == {"done"}
    assert (ends.received(), ends.received("bk/a/kid")) == ("s1", "s1")
    assert ends.tags("alpha", "tank/a") == {}
    assert ends.tags("beta", "bk/a/kid") == {"s1": ["zfsctl:r:base"]}
    started = [event.step.id for event in told if isinstance(event, StepStarted)]
    finished = [event.step.id for event in told if isinstance(event, StepFinished)]
    assert sorted(started) == sorted(finished) == sorted(outcomes)


def test_what_failed_stops_what_needs_it_and_its_anchors_are_settled_all_the_same(ends: Ends) -> None:
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5, match="tank/a@s1", text="I/O error")

    outcomes = apply(ends, *both(ends))

    assert results(outcomes) == {
        "hold": "done",
        "send-a": "failed",
        "send-kid": "skipped",
        "anchors-a": "done",
        "anchors-kid": "done",
    }
    assert outcomes["send-kid"].detail == "it waits for send-a, which ended failed: the sender: I/O error"
    assert outcomes["anchors-a"].detail == "nothing has arrived yet"
    assert ends.tags("alpha", "tank/a") == {"s1": [SEND]}, "what can be gone on with stays held"
    assert ends.tags("alpha", "tank/a/kid") == {}


def test_a_snapshot_that_is_not_what_was_planned_keeps_only_its_own_dataset_back(ends: Ends) -> None:
    steps = both(ends)
    ends.zfs("alpha", "destroy tank/a/kid@s1")
    ends.zfs("alpha", "snapshot tank/a/kid@s1")

    outcomes = apply(ends, *steps)

    assert results(outcomes) == {
        "hold": "partial",
        "send-a": "done",
        "send-kid": "stale",
        "anchors-a": "done",
        "anchors-kid": "done",
    }
    assert ends.received() == "s1"
    assert ends.received("bk/a/kid") == ""


def test_where_nothing_could_be_held_nothing_is_sent(ends: Ends) -> None:
    steps = both(ends)
    ends.fleet.faults.fail("zfs hold", "cannot hold snapshot 'tank/a@s1': permission denied\n", times=None)

    outcomes = apply(ends, *steps)

    assert not ends.asked("zfs send")
    assert results(outcomes)["send-kid"] in ("failed", "skipped")


def test_a_sender_that_is_away_is_told_and_nothing_else_tried(ends: Ends) -> None:
    steps = both(ends)
    ends.fleet.faults.break_link("alpha")

    outcomes = apply(ends, *steps)

    assert set(results(outcomes).values()) == {"unreachable"}


def test_what_arrived_before_a_host_went_away_is_settled(ends: Ends) -> None:
    """The sender is gone for good in the middle of it; the receiver holds what it has."""
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.5, match="-I tank/a@s1")
    parent = send(ends)
    parent = replace(parent, sends=(*parent.sends, *ends.sends("s1>s2 s3")))

    class Parting(Stop):
        def wait(self, seconds: float) -> None:
            ends.fleet.faults.break_link("alpha")

    outcomes = apply(ends, hold(ends, "tank/a@s1", "tank/a@s3"), parent, settle(ends, parent), stop=Parting())

    assert results(outcomes)["send-a"] == "unreachable"
    assert results(outcomes)["anchors-a"] != "unreachable", "it was tried"
    newest = ends.received().split()[-1]
    assert ends.tags("beta", "bk/a") == {newest: ["zfsctl:r:base"]}


def test_two_replications_do_not_stop_each_other(ends: Ends) -> None:
    first = both(ends)
    other = send(ends, "tank/a", id="send-other", after=(), replication="other", receiver="bk/elsewhere")
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5, match="bk/a", text="I/O error")

    outcomes = apply(ends, *first, other)

    assert results(outcomes)["send-a"] == "failed"
    assert results(outcomes)["send-other"] == "done"


def test_what_another_run_is_at_work_on_is_left_to_it(ends: Ends) -> None:
    outcomes = apply(ends, *both(ends), may_change=lambda host, name: (host, name) != (REPLICATION_LOCK, "r"))

    assert set(results(outcomes).values()) == {"running"}
    assert not ends.asked("zfs hold")


def test_parents_that_cannot_be_made_stop_what_lies_below(ends: Ends) -> None:
    ends.fleet.faults.fail("zfs create", "cannot create 'bk/x': permission denied")
    parents = CreateParents(id="parents", host="beta", why="", replication="r", datasets=("bk/x",))
    transfer = send(ends, receiver="bk/x/a", after=("parents", "hold"))

    outcomes = apply(ends, parents, hold(ends, "tank/a@s1"), transfer, settle(ends, transfer))

    assert results(outcomes) == {"parents": "failed", "hold": "done", "send-a": "skipped", "anchors-a": "done"}
    assert ends.tags("alpha", "tank/a") == {}, "nothing stays held for a transfer that never was"


def test_a_receive_that_cannot_be_given_up_stops_what_would_be_sent_in_its_place(ends: Ends) -> None:
    ends.copy("s1")
    abort = AbortReceive(id="abort", host="beta", why="", replication="r", dataset="bk/a", token="1-a-b-c")
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
    with pytest.raises(AssertionError):
        ends.copy("s1>s2")
    step = ends.transfer("s1>s3", id="send-a", after=("abort", "hold"))

    outcomes = apply(ends, abort, hold(ends, "tank/a@s1", "tank/a@s3"), step)

    assert results(outcomes) == {"abort": "stale", "hold": "done", "send-a": "skipped"}


def test_a_stop_begins_nothing_and_leaves_what_is_held_to_nobody(ends: Ends) -> None:
    stop = Stop()

    def listen(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step.id == "hold":
            stop.ask()

    outcomes = apply(ends, *both(ends), stop=stop, listen=listen)

    assert results(outcomes)["send-a"] == results(outcomes)["send-kid"] == "skipped"
    assert ends.tags("alpha", "tank/a") == {}
    assert not ends.asked("zfs send")


def test_what_is_pruned_on_a_receiver_goes_before_anything_is_sent_there(ends: Ends) -> None:
    """Under a receive that runs the last look before a destroy finds a token, and nothing would go."""
    ends.copy("s1, s1>s2")
    guids = {name: int(ends.zfs("beta", f"list -Hp -o guid {name}")[0]) for name in ("bk/a", "bk/a@s1")}
    destroy = DestroySnapshots(
        id="destroy",
        host="beta",
        why="",
        dataset="bk/a",
        dataset_guid=guids["bk/a"],
        snapshots=(SnapshotRef("s1", guids["bk/a@s1"]),),
    )
    increment = ends.transfer("s2>s3", id="send-a", after=("hold",))
    ends.fleet.faults.log.clear()

    def slowly(host: str, _: str) -> bool:
        if host == "beta":
            time.sleep(0.2)
        return True

    outcomes = apply(ends, destroy, hold(ends, "tank/a@s2", "tank/a@s3"), increment, may_change=slowly)

    assert set(results(outcomes).values()) == {"done"}
    order = [line.split()[1] for _, line in ends.fleet.faults.log if line.startswith(("zfs destroy", "zfs receive"))]
    assert order == ["destroy", "receive"]


def test_a_prune_that_fails_stops_no_transfer(ends: Ends) -> None:
    ends.copy("s1, s1>s2")
    gone = DestroySnapshots(
        id="destroy", host="beta", why="", dataset="bk/a", dataset_guid=1, snapshots=(SnapshotRef("s1", 4711),)
    )

    outcomes = apply(
        ends, gone, hold(ends, "tank/a@s2", "tank/a@s3"), ends.transfer("s2>s3", id="send-a", after=("hold",))
    )

    assert results(outcomes) == {"destroy": "stale", "hold": "done", "send-a": "done"}


def test_a_stop_does_not_wait_until_a_lost_connection_is_tried_again(ends: Ends) -> None:
    ends.fleet.faults.end_stream(StreamEnd.CUT, 0.5, times=None)
    stop = Stop()
    begun = time.monotonic()
    Timer(0.1, stop.ask).start()

    outcomes = apply(ends, *both(ends), stop=stop)

    assert time.monotonic() - begun < 1.5
    assert results(outcomes)["send-a"] == "skipped"
    assert ends.token()


def taking(name: str = "s9", *datasets: str) -> CreateSnapshots:
    refs = tuple(DatasetRef(dataset, 0) for dataset in datasets or ("tank/a",))
    return CreateSnapshots(id="take", host="alpha", why="", pool="tank", snapshot=name, datasets=refs)


def with_guids(ends: Ends, step: CreateSnapshots) -> CreateSnapshots:
    return replace(
        step,
        datasets=tuple(
            DatasetRef(ref.name, int(ends.zfs("alpha", f"list -Hp -o guid {ref.name}")[0])) for ref in step.datasets
        ),
    )


def to_be_taken(ends: Ends) -> tuple[Step, ...]:
    """s9 is taken and sent by the same plan."""
    ref = SnapshotRef("s9", NOT_TAKEN_YET)
    source = ends.ref("s1")
    held = hold(ends, "tank/a@s1", after=("take",))
    held = replace(held, snapshots=(*held.snapshots, HeldSnapshot("tank/a", ref)))
    step = ends.transfer(
        "s1", properties=(), id="send-a", sends=(Send("@s1", source.guid, (ref,)),), after=("take", "hold")
    )
    anchors = ends.anchors((source, ref), id="anchors-a", in_flight=(source, ref), after=("send-a",))
    return (with_guids(ends, taking()), held, step, anchors)


def test_a_snapshot_is_sent_by_the_plan_that_takes_it(ends: Ends) -> None:
    ends.copy("s1")
    for name in ("s2", "s3", "s4"):
        ends.zfs("alpha", f"destroy tank/a@{name}")
    write(ends.sim, "alpha", "tank/a", 1 << 20)

    outcomes = apply(ends, *to_be_taken(ends))

    assert set(results(outcomes).values()) == {"done"}
    assert ends.received() == "s1 s9"
    assert ends.tags("beta", "bk/a") == {"s9": ["zfsctl:r:base"]}
    assert ends.cursors() == [ends.cursor("s9")]


def test_one_that_was_not_taken_is_not_sent(ends: Ends) -> None:
    ends.copy("s1")
    steps = to_be_taken(ends)
    ends.fleet.faults.fail("zfs snapshot", "cannot create snapshots : permission denied", times=None)

    outcomes = apply(ends, *steps)

    assert results(outcomes)["take"] == "failed"
    assert results(outcomes)["send-a"] == "skipped"
    assert ends.received() == "s1"
    assert ends.tags("alpha", "tank/a") == {}


def test_a_journal_that_cannot_be_written_stops_before_anything_is_sent(ends: Ends) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, StepFinished) and event.step.id == "hold":
            raise OSError("no space left for the journal")

    with pytest.raises(OSError, match="journal"):
        apply(ends, *both(ends), listen=listen)
    assert not ends.asked("zfs send")


def test_transfers_go_on_while_anchors_are_moved(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of anchors takes a busy host as long as several transfers."""
    kid_begun = threading.Event()
    went_on: list[bool] = []

    def apply_slowly(steps: Sequence[MoveAnchors], fleet: Fleet) -> list[StepOutcome]:
        went_on.append(kid_begun.wait(10))
        return apply_anchors(steps, fleet)

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step.id == "send-kid":
            kid_begun.set()

    monkeypatch.setattr(replication_lane, "apply_anchors", apply_slowly)
    monkeypatch.setattr(replication_lane, "LONGEST_UNSETTLED_SECONDS", -1)
    outcomes = apply(ends, *both(ends), listen=listen)

    assert set(results(outcomes).values()) == {"done"}
    assert went_on == [True, True]
    assert ends.tags("beta", "bk/a") == {"s1": ["zfsctl:r:base"]}
    assert ends.tags("alpha", "tank/a/kid") == {}


def many(ends: Ends, count: int) -> tuple[Step, ...]:
    """The first copies of so many datasets."""
    names = [f"tank/d{number}" for number in range(count)]
    for name in names:
        ends.zfs("alpha", f"create {name}")
        ends.zfs("alpha", f"snapshot {name}@s1")
    sends = [send(ends, name) for name in names]
    return (hold(ends, *(f"{name}@s1" for name in names)), *sends, *(settle(ends, step) for step in sends))


def test_anchors_wait_for_those_of_the_transfers_that_still_run(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holds of a whole tree are moved by one command, those of a part of it by one each."""
    steps = many(ends, 20)
    found: list[int] = []

    def apply_noted(batch: Sequence[MoveAnchors], fleet: Fleet) -> list[StepOutcome]:
        found.append(len(batch))
        return apply_anchors(batch, fleet)

    monkeypatch.setattr(replication_lane, "apply_anchors", apply_noted)
    outcomes = apply(ends, *steps)

    assert set(results(outcomes).values()) == {"done"}
    assert found == [20]


def exchanges(ends: Ends) -> int:
    return sum(ends.fleet.host(name).exchanges for name in ("alpha", "beta"))


def test_a_small_replication_costs_no_more_exchanges_than_one_batch_of_anchors(ends: Ends) -> None:
    steps = many(ends, 15)
    before = exchanges(ends)

    apply(ends, *steps)

    hold_and_pipes = 1 + 15 * 2
    assert exchanges(ends) - before == hold_and_pipes + 5
