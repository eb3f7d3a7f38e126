"""A host that answers from a script, to play what a healthy OpenZFS would not do on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from zfsctl.errors import UnknownNameError, ZfsctlError
from zfsctl.hosts.protocol import Host, PipeResult
from zfsctl.model.command import Command, Completed
from zfsctl.model.route import Route
from zfsctl.zfs.datasets import DATASET_COLUMNS


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. `error` ends it after its output, as a connection that is cut."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    error: ZfsctlError | None = None


Script = Mapping[str, Said | Sequence[Said]]
"""Answers by the question (see `question_of`); of several the next one each time, the last one for ever."""


def question_of(command: Command) -> str:
    """The question in a word."""
    argv = command.argv
    if argv[1:2] == ("version",):
        return "version"
    if argv[0] == "date":
        return "clock"
    if argv[0] == "zpool":
        return "pools"
    if argv[1] == "get":
        return "own"
    columns = argv[argv.index("-o") + 1]
    return {
        ",".join(DATASET_COLUMNS): "datasets",
        "name,guid,userrefs,clones": "snapshots again",
        "name,guid,receive_resume_token": "datasets again",
    }.get(columns, "snapshots")


class ScriptedLines:
    """The lines of one answer."""

    def __init__(self, command: Command, said: Said) -> None:
        self._command = command
        self._said = said
        self._at_end = False

    def __iter__(self) -> Iterator[str]:
        yield from self._said.stdout.splitlines()
        if self._said.error is not None:
            raise self._said.error
        self._at_end = True

    @property
    def completed(self) -> Completed:
        """How it ended."""
        assert self._at_end, "asked for the end before the last line"
        return Completed(self._command.argv, self._said.exit_code, "", self._said.stderr)


class ScriptedHost:
    """Answers from a script and remembers what it was asked."""

    def __init__(self, name: str, script: Script) -> None:
        self.name = name
        self.exchanges = 0
        self.asked: list[Command] = []
        self._script = script
        self._lock = threading.Lock()

    def run(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Answer one command."""
        return self.run_all([command], timeout=timeout)[0]

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        """Answer several commands."""
        with self._lock:
            self.exchanges += 1
        answers = []
        for command in commands:
            said = self._next(command)
            if said.error is not None:
                raise said.error
            answers.append(Completed(command.argv, said.exit_code, said.stdout, said.stderr))
        return tuple(answers)

    @contextmanager
    def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[ScriptedLines]:
        """Answer one command line by line."""
        with self._lock:
            self.exchanges += 1
        yield ScriptedLines(command, self._next(command))

    def count(self, question: str) -> int:
        """How often `question` was asked."""
        return sum(question_of(command) == question for command in self.asked)

    def _next(self, command: Command) -> Said:
        with self._lock:
            self.asked.append(command)
            said = self._script[question_of(command)]
            if isinstance(said, Said):
                return said
            return said[min(self.count(question_of(command)), len(said)) - 1]


class ScriptedFleet:
    """Hosts by name."""

    def __init__(self, *hosts: ScriptedHost) -> None:
        self._hosts = {host.name: host for host in hosts}

    def host(self, name: str) -> Host:
        """The host called `name`."""
        if name not in self._hosts:
            raise UnknownNameError(f"there is no host {name}")
        return self._hosts[name]

    def pipe(
        self,
        sender: str,
        send: Command,
        receiver: str,
        receive: Command,
        *,
        route: Route = Route.RELAY,
        bandwidth: int | None = None,
        compress: bool = False,
        stop: Callable[[], bool] | None = None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> PipeResult:
        """Nothing is piped here."""
        raise AssertionError("nothing is piped here")

    def close(self) -> None:
        """There is nothing to close."""
