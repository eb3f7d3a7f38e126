"""A simulated host behind the protocol of real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zfsctl.hosts.failures import cut, timed_out
from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.answering import CutOff, Silence

if TYPE_CHECKING:
    from zfsctl.sandbox.fleet import SandboxFleet

DEFAULT_TIMEOUT = 60.0


class SandboxLines:
    """The output of one command of a simulated host, line by line."""

    def __init__(self, text: str, completed: Completed | None, host: str, command: Command) -> None:
        self._text = text
        self._completed = completed
        self._host = host
        self._command = command
        self._read = False

    def __iter__(self) -> Iterator[str]:
        yield from _lines(self._text)
        if self._completed is None:
            raise cut(self._host, self._command)
        self._read = True

    @property
    def completed(self) -> Completed:
        """How the command ended; only to be read after the last line."""
        if self._completed is None or not self._read:
            raise RuntimeError("the output was not read to its end")
        done = self._completed
        return Completed(done.argv, done.exit_code, "", done.stderr)


def _lines(text: str) -> Iterator[str]:
    if text:
        yield from text.removesuffix("\n").split("\n")


class SandboxHost:
    """One simulated machine. Commands are answered one after another, whatever the number of threads."""

    def __init__(self, name: str, fleet: SandboxFleet) -> None:
        self._name = name
        self._fleet = fleet
        self._exchanges = 0

    @property
    def name(self) -> str:
        """The name of the policy file."""
        return self._name

    @property
    def exchanges(self) -> int:
        """How many questions were put so far."""
        return self._exchanges

    def count_exchange(self) -> None:
        """Count a question that was put by way of the fleet: one half of a pipe."""
        self._exchanges += 1

    def run(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Run one command to its end.

        Raises:
            UnreachableError: The host is not in the fleet, or is marked as not reachable.
            HostTimeoutError: Its pool is suspended and the command would change it, or a fault was planned.
            InterruptedOutputError: A fault was planned.
        """
        (done,) = self.run_all((command,), timeout=timeout)
        return done

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        """Run several commands in one exchange; errors as those of `run`."""
        self._exchanges += 1
        done: list[Completed] = []
        with self._fleet.answering(self._name) as answering:
            for command in commands:
                try:
                    done.append(answering.answer(command))
                except Silence:
                    raise timed_out(self._name, command, timeout or DEFAULT_TIMEOUT) from None
                except CutOff:
                    raise cut(self._name, command) from None
        return tuple(done)

    @contextmanager
    def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[SandboxLines]:
        """Run one command and iterate its output; errors as those of `run`, a cut one while iterating."""
        self._exchanges += 1
        with self._fleet.answering(self._name) as answering:
            try:
                done: Completed | None = answering.answer(command)
                text = done.stdout if done else ""
            except Silence:
                raise timed_out(self._name, command, timeout or DEFAULT_TIMEOUT) from None
            except CutOff as end:
                done, text = None, end.partial
        yield SandboxLines(text, done, self._name, command)
