"""Send into receive: two processes of this machine, and the kernel moving the bytes between them.

The bytes are spliced from the sender's pipe to the receiver's, counted and never copied into Python. A remote end
is an ssh process whose exit code comes in its frame. When one end goes, the other learns it at once: the sender's
pipe is closed, or the receiver's input ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.hosts.failures import shown
from zfsctl.hosts.framing import Clipping, Frame, FrameReader, decode
from zfsctl.hosts.process import CHUNK, Child, close, end, exit_code, local_environment, signal_group, start
from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command, Completed

_PIPE_BYTES = 1 << 20
_TELL_SECONDS = 0.1
_SLICE_SECONDS = 1.0
_FAREWELL_SECONDS = 30.0
"""How long an end may take to say how it ended, once it has nothing more to do."""

_LOST_ITS_READER = 128 + 13
_SPLICE_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


@dataclass(frozen=True, slots=True)
class Remote:
    """What an ssh process at one end of a pipe needs besides its arguments."""

    frame: Frame
    failure: Callable[[bool, str, int | None], Exception]
    """Makes the error for a missing end: whether it began, what it said on stderr, ssh's own exit code."""
    login_seconds: float
    """How long until it must have begun."""


@dataclass(frozen=True, slots=True)
class PipeEnd:
    """How to start one half of a pipe on this machine."""

    host: str
    command: Command
    """As asked for."""
    argv: tuple[str, ...]
    """The process to start: the command itself, or ssh."""
    remote: Remote | None = None


def run_pipe(sender: PipeEnd, receiver: PipeEnd, *, on_bytes: Callable[[int], None] | None = None) -> PipeResult:
    """Join both ends, move all bytes, and read both exit codes; `on_bytes` is told the total ten times a second.

    Nothing is moved before both have logged in. Both processes are gone when this returns or raises.

    Raises:
        UnreachableError: One of the two could not be dialled.
        InterruptedOutputError: A connection was cut; either command may or may not have ended.
        HostCommandError: A program of this machine could not be started.
    """
    if sender.command.stdin or receiver.command.stdin:
        raise ValueError("the commands of a pipe have no input of their own")
    with contextlib.ExitStack() as stack:
        receives = _Half(receiver, stack, sends=False)
        sends = _Half(sender, stack, sends=True)
        news = _News([*receives.feeds, *sends.feeds])
        news.start()
        stack.callback(news.stop)
        first = _await_both(sends, receives, news)
        total, receiver_left = _move(sends.output, receives.input, first, on_bytes or (lambda _: None))
        if receiver_left:
            sends.hang_up()
        else:
            receives.hang_up()
        news.wait(sends, _FAREWELL_SECONDS)
        news.wait(receives, _FAREWELL_SECONDS if receiver_left else None)
        received = receives.completed()
        sent = sends.completed(lost_reader=receiver_left)
    return PipeResult(sent, received, total)


class _Half:
    """One running end, and what it has said so far."""

    def __init__(self, spec: PipeEnd, stack: contextlib.ExitStack, *, sends: bool) -> None:
        self.spec = spec
        self._sends = sends
        self._out = Clipping()
        self._err = Clipping()
        self._child = _started(spec, watched=sends)
        stack.callback(end, self._child)
        self._out_take: Callable[[bytes], None] = self._out.add
        self._err_take: Callable[[bytes], None] = self._err.add
        self._readers: list[FrameReader] = []
        self.opening: FrameReader | None = None
        """Takes what precedes the stream on a remote sender's stdout."""
        if spec.remote is not None:
            err = FrameReader(spec.remote.frame, 1, lambda _, piece: self._err.add(piece))
            out = FrameReader(spec.remote.frame, 0 if sends else 1, lambda _, piece: self._out.add(piece))
            self._readers = [err] if sends else [err, out]
            self._err_take, self._out_take = err.feed, out.feed
            self.opening = out if sends else None
        self._open = {"stderr"} if sends else {"stderr", "stdout"}

    @property
    def feeds(self) -> list[tuple[int, Callable[[bytes], None]]]:
        """The outputs that are read beside the stream, and who takes what they say; an empty piece is their end."""
        feeds = [(_fd(self._child.stderr), self._taker("stderr", self._err_take))]
        if not self._sends:
            feeds.append((_fd(self._child.stdout), self._taker("stdout", self._out_take)))
        return feeds

    @property
    def output(self) -> int:
        """Where the stream comes from."""
        return _fd(self._child.stdout)

    @property
    def input(self) -> int:
        """Where the stream goes."""
        return _fd(self._child.stdin)

    @property
    def began(self) -> bool:
        """Whether it has logged in; a process of this machine has."""
        return self.spec.remote is None or all(reader.began for reader in self._readers)

    @property
    def over(self) -> bool:
        """Whether nothing more can be learnt from it."""
        if self._readers and all(reader.ended for reader in self._readers):
            return True
        return self._child.poll() is not None and not self._open

    def hang_up(self) -> None:
        """Close the stream on our side; a sender that is not writing just now is told by other means."""
        if self._child.stdin is not None:
            close(self._child.stdin)  # a remote sender watches its input
        if self._sends and self._child.stdout is not None:
            close(self._child.stdout)
            if self.spec.remote is None:
                signal_group(self._child, signal.SIGPIPE)

    def failure(self) -> Exception:
        """The error for an end that did not say how it ended."""
        remote = self.spec.remote
        if remote is None:
            return HostCommandError(f"{shown(self.spec.command)} on {self.spec.host} did not end", where=self.spec.host)
        err = self._readers[0]
        said = decode(err.banner + err.rest) + self._err.text
        return remote.failure(any(reader.began for reader in self._readers), said, self._child.poll())

    def completed(self, *, lost_reader: bool = False) -> Completed:
        """How it ended; `lost_reader` is a sender whose receiver is gone, and that may therefore be silent."""
        code: int | None = None
        if self._readers:
            code = self._readers[0].exit_codes[0] if self._readers[0].ended else None
        elif self._child.poll() is not None:
            code = exit_code(self._child, 0)
        if code is None and lost_reader:
            code = _LOST_ITS_READER
        if code is None or (not self._sends and not all(reader.ended for reader in self._readers)):
            raise self.failure()
        return Completed(self.spec.command.argv, code, self._out.text, self._err.text)

    def _taker(self, name: str, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def taker(data: bytes) -> None:
            if data:
                take(data)
            else:
                self._open.discard(name)

        return taker


class _News(threading.Thread):
    """Reads the outputs beside the stream, so that no end ever waits for a reader of its stderr."""

    def __init__(self, feeds: list[tuple[int, Callable[[bytes], None]]]) -> None:
        super().__init__(name="zfsctl-pipe", daemon=True)
        self._feeds = feeds
        self._heard = threading.Condition()
        self._stopping = False

    def run(self) -> None:
        """Read until all outputs have ended, or until told to stop."""
        with selectors.DefaultSelector() as selector:
            for fd, take in self._feeds:
                selector.register(fd, selectors.EVENT_READ, take)
            while selector.get_map() and not self._stopping:
                for key, _ in selector.select(_TELL_SECONDS):
                    data = os.read(key.fd, CHUNK)
                    with self._heard:
                        key.data(data)
                        self._heard.notify_all()
                    if not data:
                        selector.unregister(key.fd)

    def stop(self) -> None:
        """Stop reading; afterwards the outputs may be closed."""
        self._stopping = True
        self.join()

    def wait(self, half: _Half, limit: float | None) -> None:
        """Wait until `half` is over, at most `limit` seconds."""
        deadline = None if limit is None else time.monotonic() + limit
        with self._heard:
            while not half.over and (deadline is None or time.monotonic() < deadline):
                self._heard.wait(_TELL_SECONDS / 2)


def _started(spec: PipeEnd, *, watched: bool) -> Child:
    stdin = subprocess.DEVNULL if watched and spec.remote is None else subprocess.PIPE
    try:
        child = start(spec.argv, stdin=stdin, environment=local_environment())
    except OSError as error:
        kind = HostCommandError if spec.remote is None else UnreachableError
        raise kind(
            f"{shown(spec.command)} on {spec.host} was not started",
            why=f"{spec.argv[0]}: {error.strerror}",
            where=spec.host,
        ) from None
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # a user may own only so many large pipes
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return child


def _await_both(sends: _Half, receives: _Half, news: _News) -> bytes:
    """Wait until both have begun; return the first bytes of the stream, read along with the sender's banner."""
    poll = select.poll()
    if sends.opening is not None:
        poll.register(sends.output, select.POLLIN)
    started = time.monotonic()
    while not (sends.began and receives.began and (sends.opening is None or sends.opening.began)):
        for half in (sends, receives):
            waited = time.monotonic() - started
            late = half.spec.remote is not None and not half.began and waited > half.spec.remote.login_seconds
            if (half.over and not half.began) or late:
                raise half.failure()
        if sends.opening is not None and not sends.opening.began:
            if poll.poll(_TELL_SECONDS * 1000):
                data = os.read(sends.output, CHUNK // 2)
                if data:
                    sends.opening.feed(data)
                else:
                    news.wait(sends, _FAREWELL_SECONDS)
                    raise sends.failure()
        else:
            time.sleep(_TELL_SECONDS / 10)
    return b"" if sends.opening is None else sends.opening.rest


def _move(source: int, target: int, first: bytes, on_bytes: Callable[[int], None]) -> tuple[int, bool]:
    """Move bytes until the source ends or nobody reads the target: their number, and whether it was the latter."""
    readable, reader_gone, writable = select.poll(), select.poll(), select.poll()
    readable.register(source, select.POLLIN)
    readable.register(target, 0)  # errors are always told
    reader_gone.register(target, 0)
    writable.register(target, select.POLLOUT)
    total = 0
    told = time.monotonic()
    try:
        if first:
            total += os.write(target, first)
        while True:
            try:
                moved = os.splice(source, target, _PIPE_BYTES, flags=_SPLICE_FLAGS)
            except BlockingIOError:
                readable.poll(_SLICE_SECONDS * 1000)
                if reader_gone.poll(0):
                    return total, True
                writable.poll(_SLICE_SECONDS * 1000)
                moved = -1
            if moved == 0:
                on_bytes(total)
                return total, False
            total += max(moved, 0)
            if (now := time.monotonic()) - told >= _TELL_SECONDS:
                told = now
                on_bytes(total)
    except BrokenPipeError:
        return total, True


def _fd(pipe: object) -> int:
    fileno = getattr(pipe, "fileno", None)
    if fileno is None:
        raise ValueError("this end has no such pipe")
    return int(fileno())
