"""The processes of this machine that carry a stream or join one elsewhere: started, given orders, hung up on."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import time
from collections.abc import Callable
from typing import IO

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.hosts.process import Child, close, end, exit_code, local_environment, start
from zfsctl.hosts.splicing import PIPE_BYTES
from zfsctl.hosts.station import Station
from zfsctl.hosts.stream_script import Packing

_REAP_SECONDS = 1.0


def started(station: Station, script: str, stack: contextlib.ExitStack, *, stdout: int = subprocess.PIPE) -> Child:
    """Run a script there; `stack` ends its process.

    Raises:
        UnreachableError: The host could not be dialled.
        HostCommandError: This machine could not start the program.
    """
    argv = station.argv(script)
    try:
        child = start(argv, stdout=stdout, environment=local_environment())
    except OSError as error:
        kind = HostCommandError if station.entry.is_local else UnreachableError
        why = f"{argv[0]}: {error.strerror}"
        raise kind(f"no stream was started on {station.name}", why=why, where=station.name) from None
    stack.callback(end, child)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # a user may own only so many large pipes
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return child


def order(child: Child, packing: Packing) -> None:
    """Let the sender's script begin."""
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(f"{packing}\n".encode())
            child.stdin.flush()


def hang_up(pipe: IO[bytes] | None) -> None:
    """Close our end of a pipe; closing again is no error."""
    if pipe is not None:
        close(pipe)


def code_of(child: Child) -> int:
    """The exit code of a process that has closed its outputs; 255 when it stays all the same."""
    try:
        return exit_code(child, time.monotonic() + _REAP_SECONDS)
    except TimeoutError:
        return 255


def told(child: Child, feed: Callable[[bytes], None], gone: Callable[[int], None]) -> Callable[[bytes], None]:
    """Takes an output of `child`: its pieces to `feed`, its end with the exit code to `gone`."""

    def take(data: bytes) -> None:
        if data:
            feed(data)
        else:
            gone(code_of(child))

    return take
