"""What the lanes of a run tell their listeners, one at a time, without waiting for each other."""

from __future__ import annotations

import threading

from tests.documents.replicating import TRANSFER
from zfsctl.executor.board import Board
from zfsctl.model.event import Event, Result, StepFinished, StepMoved, StepOutcome, StepStarted


def test_a_stream_never_waits_for_a_listener() -> None:
    told: list[Event] = []
    entered, leave = threading.Event(), threading.Event()

    def listen(event: Event) -> None:
        told.append(event)
        if isinstance(event, StepStarted):
            entered.set()
            assert leave.wait(10)

    board = Board("run", lambda: 0, listen)
    slow = threading.Thread(target=board.started, args=(TRANSFER,))
    slow.start()
    assert entered.wait(10)
    board.moved(TRANSFER, 1)
    leave.set()
    slow.join(10)
    board.moved(TRANSFER, 2)

    assert [type(event) for event in told] == [StepStarted, StepMoved]
    assert told[1] == StepMoved("run", TRANSFER, 2)


def test_a_clock_that_waits_for_a_stream_is_asked_before_the_listeners_are_told() -> None:
    """A simulated clock stands still while a stream of its fleet runs, and that stream tells how far it is."""
    fleet = threading.Lock()
    told: list[Event] = []

    def now() -> int:
        with fleet:
            return 7

    board = Board("run", now, told.append)
    with fleet:
        other = threading.Thread(target=board.finished, args=(TRANSFER, StepOutcome(TRANSFER.id, Result.DONE)))
        other.start()
        board.moved(TRANSFER, 1)
    other.join(10)

    assert not other.is_alive()
    assert {type(event) for event in told} == {StepMoved, StepFinished}
