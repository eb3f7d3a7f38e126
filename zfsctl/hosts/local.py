"""This machine: programs are started directly, never through a shell."""

from __future__ import annotations

import errno
import math
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zfsctl.hosts.failures import timed_out
from zfsctl.hosts.framing import check_argv, decode, encode, with_sudo
from zfsctl.hosts.lines import SILENCE_SECONDS, NoLines, ProcessLines
from zfsctl.hosts.process import Child, converse, end, exit_code, local_environment, start
from zfsctl.hosts.station import Station
from zfsctl.hosts.tally import Tally
from zfsctl.model.command import CONDITION_FAILED, CONDITION_TEXT, Command, Completed
from zfsctl.model.names import LOCAL
from zfsctl.model.policy import HostEntry, SshSettings


class LocalHost:
    """The machine that zfsctl runs on.

    Args:
        timeout: Longest wait for the answer to one short question, in seconds.
        sudo: Put `sudo -n` before zfs and zpool.
    """

    def __init__(self, *, name: str = LOCAL, timeout: float = 60, sudo: bool = False) -> None:
        self._name = name
        self._timeout = timeout
        self._sudo = sudo
        self._tally = Tally()

    @property
    def name(self) -> str:
        """The name of the policy file."""
        return self._name

    @property
    def exchanges(self) -> int:
        """How many questions were put so far."""
        return self._tally.count

    def run(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Run one command; a program that cannot be started ends with 127 or 126, as in a shell."""
        self._tally.add()
        limit = self._timeout if timeout is None else timeout
        return self._run(command, limit, time.monotonic() + limit)

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        """Run several commands one after another; they count as one question. `timeout` is for all of them."""
        if not commands:
            return ()
        self._tally.add()
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        return tuple(self._run(command, limit, deadline) for command in commands)

    @contextmanager
    def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[ProcessLines | NoLines]:
        """Run one command and iterate its output; `timeout` bounds the silence between two pieces of it."""
        self._tally.add()
        try:
            child = self._start(command)
        except OSError as error:
            yield NoLines(_not_started(command, error))
            return
        silence = SILENCE_SECONDS if timeout is None else timeout
        stream = ProcessLines(child, command, host=self._name, silence=silence, to_stdin=encode(command.stdin))
        try:
            yield stream
        finally:
            stream.close()

    def station(self) -> Station:
        """This machine as one end of a stream; counted as one question."""
        self._tally.add()
        entry = HostEntry(self._name, "", SshSettings(timeout_seconds=math.ceil(self._timeout), sudo=self._sudo))
        return Station(entry, lambda script: ("sh", "-c", script))

    def close(self) -> None:
        """Nothing is kept open."""

    def _run(self, command: Command, limit: float, deadline: float) -> Completed:
        if command.only_if is not None:
            seen = self._run(Command(command.only_if.argv), limit, deadline).stdout
            if seen.rstrip("\n") != command.only_if.stdout.rstrip("\n"):
                return Completed(command.argv, CONDITION_FAILED, "", f"{CONDITION_TEXT}\n")
        out: list[bytes] = []
        err: list[bytes] = []
        try:
            child = self._start(command)
        except OSError as error:
            return _not_started(command, error)
        try:
            stdin = encode(command.stdin)
            converse(child, to_stdin=stdin, on_stdout=out.append, on_stderr=err.append, deadline=deadline)
            code = exit_code(child, deadline)
        except TimeoutError:
            raise timed_out(self._name, command, limit) from None
        finally:
            end(child)
        return Completed(command.argv, code, decode(b"".join(out)), decode(b"".join(err)))

    def _start(self, command: Command) -> Child:
        argv = with_sudo(check_argv(command.argv), sudo=self._sudo)
        stdin = subprocess.PIPE if command.stdin else subprocess.DEVNULL
        return start(argv, stdin=stdin, environment=local_environment())


def _not_started(command: Command, error: OSError) -> Completed:
    """A program that cannot be started ends as in a shell: 127 not found, 126 for any other reason."""
    code = 127 if error.errno == errno.ENOENT else 126
    return Completed(command.argv, code, "", f"{command.argv[0]}: {error.strerror}\n")
