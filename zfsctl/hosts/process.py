"""Processes of this machine: each in a group of its own, fed and read without a deadlock, ended as a group."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from typing import IO

from zfsctl.hosts.framing import SBIN, encode

CHUNK = 65536
_GRACE_SECONDS = 2.0
_SLICE_SECONDS = 0.1

Child = subprocess.Popen[bytes]


def local_environment() -> dict[str, str]:
    """Our own environment with what zfs needs: UTF-8 (its JSON stops at a non-ASCII byte in C), UTC, and sbin."""
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": f"{path}:{SBIN}"}


def start(
    argv: tuple[str, ...],
    *,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Start a program in a session of its own, so that it has no terminal to ask on and ends as a group.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(
        [encode(argument) for argument in argv],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        start_new_session=True,
    )


def end(child: Child) -> None:
    """End the whole group if its leader still runs, reap the leader, and close our ends of its pipes.

    A process that hangs in the kernel (a suspended pool) cannot be ended; it is left behind after 4 seconds.
    """
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            close(pipe)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        signal_group(child, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)


def signal_group(child: Child, number: signal.Signals) -> None:
    """Signal all of its group, while its leader is not yet reaped and the number is therefore its own.

    A group that runs as another user (sudo) cannot be signalled; it learns from its pipes.
    """
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)


def close(pipe: IO[bytes]) -> None:
    """Close a pipe; what could not be written to it any more is of no interest."""
    with contextlib.suppress(OSError):
        pipe.close()


def exit_code(child: Child, deadline: float) -> int:
    """Wait for the end; a signal counts as 128 + its number, as in a shell.

    Raises:
        TimeoutError: `deadline` (of time.monotonic) has passed first.
    """
    try:
        code = child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return 128 - code if code < 0 else code


def pump(
    child: Child,
    *,
    to_stdin: bytes = b"",
    keep_stdin: bool = False,
    on_stdout: Callable[[bytes], None],
    on_stderr: Callable[[bytes], None],
) -> Generator[bool]:
    """Feed a child and read it, until both its outputs end; yield at least every 0.1 s whether anything came.

    It ends too when the child has exited and nothing more comes, even if something that it left running in the
    background holds its outputs open. With `keep_stdin` its input stays open after `to_stdin`.
    """
    with selectors.DefaultSelector() as selector:
        for stream, take in ((child.stdout, on_stdout), (child.stderr, on_stderr)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, take)
        open_outputs = len(selector.get_map())
        waiting = memoryview(to_stdin)
        if child.stdin is not None:
            if waiting:
                os.set_blocking(child.stdin.fileno(), False)
                selector.register(child.stdin, selectors.EVENT_WRITE)
            elif not keep_stdin:
                close(child.stdin)
        while open_outputs:
            # Looked at before the waiting: what a child wrote before it exited is then surely there to be read.
            exited = child.poll() is not None
            ready = selector.select(_SLICE_SECONDS)
            if exited and not ready:
                return
            for key, _ in ready:
                if key.events == selectors.EVENT_WRITE:
                    waiting = _write(key.fd, waiting)
                    if not waiting:
                        selector.unregister(key.fileobj)
                        if child.stdin is not None and not keep_stdin:
                            close(child.stdin)
                elif data := os.read(key.fd, CHUNK):
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
                    open_outputs -= 1
            yield bool(ready)


def converse(
    child: Child,
    *,
    to_stdin: bytes = b"",
    keep_stdin: bool = False,
    on_stdout: Callable[[bytes], None],
    on_stderr: Callable[[bytes], None],
    finished: Callable[[], bool] = lambda: False,
    deadline: float,
) -> None:
    """Feed a child and read it until `finished()`, or until both its outputs end.

    Raises:
        TimeoutError: `deadline` (of time.monotonic) has passed first.
    """
    talk = pump(child, to_stdin=to_stdin, keep_stdin=keep_stdin, on_stdout=on_stdout, on_stderr=on_stderr)
    for _ in talk:
        if finished():
            return
        if time.monotonic() >= deadline:
            raise TimeoutError


def _write(fd: int, waiting: memoryview) -> memoryview:
    """What is still to be written; nothing when the reader is gone, whose exit code tells the rest."""
    try:
        return waiting[os.write(fd, waiting[:CHUNK]) :]
    except BrokenPipeError:
        return waiting[:0]
    except BlockingIOError:
        return waiting
