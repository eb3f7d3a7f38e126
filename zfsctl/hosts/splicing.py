"""Bytes from one pipe to another, moved by the kernel, counted, and held back where there is a limit."""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Callable
from enum import Enum, auto

PIPE_BYTES = 1 << 20
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_LOOK_SECONDS = 0.1
_NAP_SECONDS = 0.002
_IDLE_SECONDS = 0.2
_PORTIONS_A_SECOND = 20


class Ending(Enum):
    """Why no more bytes are moved."""

    SOURCE_ENDED = auto()
    READER_GONE = auto()
    STOPPED = auto()


class Bucket:
    """A limit in bytes a second: what may be moved now, saved up over a twentieth of a second at most.

    Args:
        rate: Bytes a second, at least 1; None for no limit.
    """

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._portion = min(PIPE_BYTES, max(1, (rate or 0) // _PORTIONS_A_SECOND))
        self._full_at = time.monotonic()

    def room(self) -> int:
        """How many bytes may be moved now, 0 for none yet; waits for some, but no longer than `splice` may be deaf."""
        if self._rate is None:
            return PIPE_BYTES
        wait = self._full_at - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, _LOOK_SECONDS))
        return self._portion if wait <= _LOOK_SECONDS else 0

    def take(self, moved: int) -> None:
        """So many were moved. Time that went by unused is lost, but for one portion's."""
        if self._rate is not None:
            earliest = time.monotonic() - self._portion / self._rate
            self._full_at = max(self._full_at, earliest) + moved / self._rate


def splice(
    source: int,
    target: int,
    *,
    first: bytes = b"",
    bandwidth: int | None = None,
    ending: Callable[[], Ending | None] = lambda: None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> tuple[int, Ending]:
    """Move bytes from one pipe to another until the source ends, nobody reads the target, or `ending` says so.

    Args:
        first: Was read from the source already, and goes before the rest.
        bandwidth: At most so many bytes a second.
        ending: Asked ten times a second.
        on_bytes: Told the total ten times a second, and at the end.

    Returns:
        The bytes moved, `first` included, and why no more are.
    """
    readable, reader_gone, writable = select.poll(), select.poll(), select.poll()
    readable.register(source, select.POLLIN)
    readable.register(target, 0)  # errors are always told
    reader_gone.register(target, 0)
    writable.register(target, select.POLLOUT)
    bucket = Bucket(bandwidth)
    much = fcntl.fcntl(source, fcntl.F_GETPIPE_SZ) // 4
    total = 0
    looked = time.monotonic()
    end: Ending | None = None
    try:
        if first:
            total += os.write(target, first)
            bucket.take(total)
        while end is None:
            moved = -1
            try:
                if room := bucket.room():
                    moved = os.splice(source, target, room, flags=_FLAGS)
            except BlockingIOError:
                readable.poll(_IDLE_SECONDS * 1000)
                if reader_gone.poll(0):
                    end = Ending.READER_GONE
                writable.poll(_IDLE_SECONDS * 1000)
            if moved == 0:
                end = Ending.SOURCE_ENDED
            elif moved > 0:
                total += moved
                bucket.take(moved)
                if moved < much:
                    time.sleep(_NAP_SECONDS)  # ssh writes in small pieces; more of them gather in the pipe meanwhile
            if (now := time.monotonic()) - looked >= _LOOK_SECONDS:
                looked = now
                on_bytes(total)
                end = end or ending()
    except BrokenPipeError:
        end = Ending.READER_GONE
    on_bytes(total)
    return total, end
