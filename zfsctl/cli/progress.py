"""What a person or a log sees while steps run: a line on a terminal, a line for each step with --verbose."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from zfsctl.model.event import Event, RunStarted, StepFinished, StepMoved, StepOutcome, StepStarted
from zfsctl.model.names import Place
from zfsctl.model.plan import Plan, Step
from zfsctl.model.transfer import Transfer

if TYPE_CHECKING:
    from zfsctl.cli.bars import Bars
    from zfsctl.cli.face import Face


class Progress:
    """Listens to a run. `run` and `outcomes` are what is known when it is broken off."""

    def __init__(self, face: Face, plan: Plan) -> None:
        self._face = face
        self._total = len(plan.steps)
        self._line = face.talks_to_terminal and not face.verbose
        self._bars: Bars | None = None
        self.outcomes: list[StepOutcome] = []
        self.run = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        if self._bars is not None:
            with suppress(OSError):
                self._bars.close()

    def listen(self, event: Event) -> None:
        """Take note of one event. That nobody reads what is said about it stops no run."""
        if isinstance(event, RunStarted):
            self.run = event.run
        elif isinstance(event, StepFinished):
            self.outcomes.append(event.outcome)
        with suppress(OSError):
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._show(event.step)
        elif isinstance(event, StepMoved):
            self._move(event)
        if isinstance(event, StepFinished) and isinstance(event.step, Transfer) and self._bars is not None:
            self._bars.ended(event.step)
        if isinstance(event, StepFinished) and self._face.verbose:
            detail = f": {event.outcome.detail}" if event.outcome.detail else ""
            self._face.talk(f"{event.outcome.result.value}  {_words(event.step)}{detail}")

    def _move(self, event: StepMoved) -> None:
        if self._bars is None:
            from zfsctl.cli.bars import LogBars, TerminalBars

            self._clear()
            self._bars = TerminalBars() if self._line else LogBars(self._face.talk)
        self._bars.moved(event.step, event.bytes_sent)

    def _show(self, step: Step) -> None:
        if self._line and self._bars is None:
            from zfsctl.render.text import visible

            sys.stderr.write(f"\r\x1b[K{len(self.outcomes) + 1} of {self._total}  {visible(_words(step))}")
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._line:
            with suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()


def _words(step: Step) -> str:
    place = str(Place(step.host, step.dataset)) if step.dataset else step.host
    return f"{place}  {step.why}"
