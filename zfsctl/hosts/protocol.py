"""What every kind of host can do: this machine, a machine over SSH, a simulated one.

A host offers `run` (small text answers) and `lines` (large or byte-exact output, iterated). A fleet hands out
hosts by name and joins two of them by `pipe` (send into receive). Whoever uses them quotes nothing: commands
are argument tuples, and the host boundary quotes them once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from zfsctl.model.command import Command, Completed
from zfsctl.model.route import Route


class LineStream(Protocol):
    """The output of one command, line by line without the newline, as it arrives.

    Text is UTF-8 with surrogateescape. After the last line `completed` tells how the command ended (its
    stdout is empty: the lines were it). Iterating raises InterruptedOutputError when the connection ended
    before the command said that it had ended, so a listing cut in the middle is never taken for a whole one.
    """

    def __iter__(self) -> Iterator[str]: ...

    @property
    def completed(self) -> Completed:
        """How the command ended; only to be read after the last line."""
        ...


class Host(Protocol):
    """One machine. Safe to be used by several threads; calls may be answered one after another."""

    @property
    def name(self) -> str:
        """The name of the policy file."""
        ...

    @property
    def exchanges(self) -> int:
        """How many questions were put so far: one per `run`, `run_all`, `lines` and half of a pipe."""
        ...

    def run(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Run one command to its end. A non-zero exit is no error here.

        Raises:
            UnreachableError: No connection (also AuthenticationError, HostKeyError).
            HostTimeoutError: No answer within `timeout` seconds (None: the host's own setting).
            InterruptedOutputError: The connection was cut before the end.
        """
        ...

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        """Run several commands one after another in one exchange, all of them whatever each says.

        Those that may run beside each other may be run at the same time.

        Each has its own exit code, stdout and stderr. Commands that together are longer than one argument of
        a remote shell may be (100 KB) go through the standard input of one `sh -s`; still one exchange.
        Commands given `stdin` are allowed.
        """
        ...

    def lines(self, command: Command, *, timeout: float | None = None) -> AbstractContextManager[LineStream]:
        """Run one command and iterate its output. Leaving the context early ends the command.

        `timeout` bounds the silence between two pieces of output, in seconds (None: half an hour), for zfs sorts
        a whole listing before it prints the first row. Iterating raises what `run` raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class PipeResult:
    """How both ends of a pipe ended, and what went through it."""

    sender: Completed
    receiver: Completed
    bytes_sent: int | None
    """As they passed this machine, compressed or not; None where they took another way."""
    stopped: bool = False
    """Whether `stop` ended it early; both commands were given the time to end in order."""
    notes: tuple[str, ...] = ()
    """What a person should know of its way, such as that it was not compressed, and why."""


class Fleet(Protocol):
    """All hosts of a policy file, dialled when first used. Close it at the end."""

    def host(self, name: str) -> Host:
        """The host called `name`.

        Raises:
            UnknownNameError: The policy has no such host.
        """
        ...

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
        """Join `send` on one host to `receive` on another, and read both exit codes.

        When one of the two ends early, the other is ended. Nothing flows before both hosts are ready.

        Args:
            route: Which way the bytes take. One host on both ends needs no dialling: push and pull are then local;
                and where it is this machine that dials, they are the relay.
            bandwidth: At most so many bytes a second; the relay only.
            compress: Compress on the way where both hosts have zstd; else `notes` says why not.
            stop: Asked several times a second; once true, the stream ends early, so that a resumable receive keeps
                what it has.
            on_bytes: Told the total so far, on the relay only.

        Raises:
            UsageError: This route cannot be taken between these hosts, or has no limit for its bandwidth.
            UnreachableError: One of the two could not be dialled.
            InterruptedOutputError: A connection was cut; either command may or may not have ended.
        """
        ...

    def close(self) -> None:
        """Close every connection. May be called twice."""
        ...
