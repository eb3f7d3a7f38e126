"""What the lanes of a run see of each other, and how a run is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from zfsctl.errors import UnreachableError, ZfsctlError
from zfsctl.model.event import Event, Result, StepFinished, StepMoved, StepOutcome, StepStarted
from zfsctl.model.plan import RunHook, Step
from zfsctl.model.transfer import Transfer

ENDED_WELL = frozenset({Result.DONE, Result.PARTIAL})
NEVER_BEGUN = frozenset({Result.SKIPPED, Result.RUNNING, Result.UNREACHABLE})


class Stop:
    """Asks a running apply to end after the steps under way. Safe to call from a signal handler's thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ask(self) -> None:
        """End soon."""
        self._event.set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Let so much time go by, less if somebody asks."""
        self._event.wait(seconds)


class Board:
    """What every lane must see of the others: outcomes, and a way to wait for them."""

    def __init__(self, run: str, now: Callable[[], int], listen: Callable[[Event], None]) -> None:
        self._run = run
        self._now = now
        self._listen = listen
        self._changed = threading.Condition()
        self._told = threading.Lock()
        self.outcomes: dict[str, StepOutcome] = {}

    def started(self, step: Step) -> None:
        """Tell the listeners that `step` begins."""
        at = self._now()
        with self._told:
            self._listen(StepStarted(self._run, step, at))

    def moved(self, step: Transfer, count: int) -> None:
        """Tell the listeners how many bytes of a transfer have passed, unless they are being told something else: the
        next piece of the stream tells it again, and a stream waits for no listener."""
        if self._told.acquire(blocking=False):
            try:
                self._listen(StepMoved(self._run, step, count))
            finally:
                self._told.release()

    def finished(self, step: Step, outcome: StepOutcome) -> None:
        """Tell the listeners and the other lanes how `step` ended."""
        try:
            at = self._now()
            with self._told:
                self._listen(StepFinished(self._run, step, outcome, at))
        finally:
            self.note(outcome)

    def note(self, outcome: StepOutcome) -> None:
        """Let the others see an outcome, without telling the listeners."""
        with self._changed:
            self.outcomes[outcome.step] = outcome
            self._changed.notify_all()

    def must_undo(self, step: Step) -> bool:
        """Whether `step` has to run even now that the run breaks off: it undoes something that was begun."""
        with self._changed:
            before = [self.outcomes[name] for name in step.after if name in self.outcomes]
            return step.id not in self.outcomes and is_always(step) and was_begun(before)

    def give_up(self, steps: Sequence[Step]) -> None:
        """Give every step without an outcome one, so that no other host waits for it for ever."""
        with self._changed:
            for step in steps:
                self.outcomes.setdefault(step.id, StepOutcome(step.id, Result.SKIPPED, "the run broke off before it"))
            self._changed.notify_all()

    def wait_for(self, step: Step, known: frozenset[str]) -> tuple[StepOutcome, ...]:
        """The outcomes of the steps that `step` waits for, once they all have one."""
        names = [name for name in step.after if name in known]
        with self._changed:
            self._changed.wait_for(lambda: all(name in self.outcomes for name in names))
            return tuple(self.outcomes[name] for name in names)

    def wait_for_end(self, ids: Iterable[str]) -> None:
        """Wait until each of these steps has ended, well or not."""
        names = tuple(ids)
        with self._changed:
            self._changed.wait_for(lambda: all(name in self.outcomes for name in names))

    def outcomes_before(self, step: Step, known: frozenset[str]) -> tuple[StepOutcome, ...] | None:
        """The outcomes of the steps that `step` waits for; None while one of them has none."""
        names = [name for name in step.after if name in known]
        with self._changed:
            if any(name not in self.outcomes for name in names):
                return None
            return tuple(self.outcomes[name] for name in names)


def is_always(step: Step) -> bool:
    """Whether a step undoes what was begun, and so runs whatever happened."""
    return isinstance(step, RunHook) and step.always


def was_begun(outcomes: Iterable[StepOutcome]) -> bool:
    """Whether any of these steps may have changed something."""
    return any(outcome.result not in NEVER_BEGUN for outcome in outcomes)


def failed(step: Step, error: ZfsctlError | ValueError) -> StepOutcome:
    """The outcome of a step that an error ended; a ValueError is a name or value that OpenZFS would refuse."""
    if not isinstance(error, ZfsctlError):
        return StepOutcome(step.id, Result.FAILED, str(error))
    result = Result.UNREACHABLE if isinstance(error, UnreachableError) else Result.FAILED
    return StepOutcome(step.id, result, str(error), code=error.code)
