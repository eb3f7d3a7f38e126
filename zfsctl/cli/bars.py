"""How far transfers are: a bar for each on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from zfsctl.model.names import Place
from zfsctl.model.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import TaskID

LINE_EVERY_SECONDS = 60


class Bars(Protocol):
    """Shows the bytes of the transfers under way."""

    def moved(self, step: Transfer, count: int) -> None:
        """`count` bytes of `step` have passed so far."""

    def ended(self, step: Transfer) -> None:
        """`step` is over."""

    def close(self) -> None:
        """Leave no trace."""


class TerminalBars:
    """One bar for each transfer, gone when it is over. Times and rates are only guesses: so is the estimate."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            # Names are data: no markup in them.
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr, markup=False, emoji=False, highlight=False),
            transient=True,
            refresh_per_second=4,
        )
        self._progress.start()

    def moved(self, step: Transfer, count: int) -> None:
        """Move its bar; begin one where there is none."""
        task = self._tasks.get(step.id)
        if task is None:
            total = step.estimate or None
            task = self._tasks[step.id] = self._progress.add_task(_words(step), total=total)
        # More than was guessed is no reason for a bar beyond its end.
        known = next(one.total for one in self._progress.tasks if one.id == task)
        self._progress.update(task, completed=count, total=None if known is not None and count > known else known)

    def ended(self, step: Transfer) -> None:
        """Take its bar away."""
        task = self._tasks.pop(step.id, None)
        if task is not None:
            self._progress.remove_task(task)

    def close(self) -> None:
        """Take all bars away."""
        self._progress.stop()


class LogBars:
    """A line each minute for each transfer that takes so long."""

    def __init__(self, talk: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._talk = talk
        self._clock = clock
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def moved(self, step: Transfer, count: int) -> None:
        """Say where it is, if the last word is old."""
        now = self._clock()
        began = self._began.setdefault(step.id, now)
        if now - self._told.setdefault(step.id, now) < LINE_EVERY_SECONDS:
            return
        self._told[step.id] = now
        self._talk(_line(step, count, now - began))

    def ended(self, step: Transfer) -> None:
        """Forget it."""
        self._began.pop(step.id, None)
        self._told.pop(step.id, None)

    def close(self) -> None:
        """Nothing is left behind."""


def _line(step: Transfer, count: int, seconds: float) -> str:
    from zfsctl.render.units import human_bytes, short_duration

    rate = count / seconds
    said = f"{_words(step)}  {human_bytes(count)}"
    if step.estimate and step.estimate > count:
        left = short_duration(int((step.estimate - count) / rate)) if rate else "some time"
        return f"{said} of about {human_bytes(step.estimate)}, {human_bytes(int(rate))}/s, {left} left"
    return f"{said}, {human_bytes(int(rate))}/s"


def _words(step: Transfer) -> str:
    from zfsctl.render.text import visible

    return visible(f"{step.replication}  {Place(step.sender_host, step.sender)}")
