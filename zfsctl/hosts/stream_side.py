"""What one end of a stream says of itself beside the stream, and the thread that listens to it."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO

from zfsctl.hosts.framing import Clipping, Frame, FrameReader, decode
from zfsctl.hosts.process import CHUNK
from zfsctl.hosts.station import Station
from zfsctl.hosts.stream_script import RECEIVER_ENDS, Packing
from zfsctl.model.command import Command, Completed

FAREWELL_SECONDS = 30.0
"""How long an end may take to say how it ended, once it has nothing more to do."""
STOP_SECONDS = 60.0
"""How long a receiver may take to save what it has, with the last bytes on their way to it."""
GRACE_SECONDS = 10.0
"""How long a sender may stay after its receiver has ended well: `receive` leaves at the last record of a stream,
and that `send` still tidies up then is no failure."""
_SLICE_SECONDS = 0.1
_LOST_ITS_READER = 128 + 13
_TERMINATED = 128 + 15


class Side:
    """One end of a stream, as far as it was heard.

    Args:
        station: Where it runs.
        dialler: The host that dialled it; None where this machine did.
    """

    def __init__(self, station: Station, command: Command, *, sends: bool, dialler: Station | None = None) -> None:
        self.station = station
        self.command = command
        self._sends = sends
        self.frame = Frame()
        self.dialler = dialler
        self._texts = [Clipping() for _ in range(1 if sends else RECEIVER_ENDS)]
        self._reader = FrameReader(self.frame, len(self._texts), lambda index, piece: self._texts[index].add(piece))
        self._left_with: int | None = None

    def feed(self, data: bytes) -> None:
        """The next piece of what it says."""
        self._reader.feed(data)

    def leave(self, exit_code: int) -> None:
        """What ran its script has ended: it will not say any more."""
        self._left_with = exit_code

    @property
    def began(self) -> bool:
        """Whether it is ready."""
        return self._reader.began

    @property
    def packing(self) -> Packing:
        """The best that its host can do."""
        return Packing.ZSTD if self._reader.greeting == Packing.ZSTD else Packing.PLAIN

    @property
    def ended(self) -> bool:
        """Whether it said how it ended."""
        return self._reader.ended

    @property
    def ended_well(self) -> bool:
        """Whether it said that it ended with exit code 0."""
        return self.ended and self._reader.exit_codes[0] == 0

    @property
    def over(self) -> bool:
        """Whether it will not say any more."""
        return self.ended or self._left_with is not None

    def failure(self) -> Exception:
        """The error for an end that did not say how it ended."""
        if self.began:
            return self.station.cut(self.command)
        said = decode(self._reader.banner + self._reader.rest)
        return self.station.not_there(said, self._left_with, self.command, dialler=self.dialler)

    def completed(self, *, left_alone: bool = False, never_began: bool = False) -> Completed:
        """How it ended.

        Args:
            left_alone: Nobody reads it any more, so that it may be silent.
            never_began: Its command was not run, as the transfer was stopped before.

        Raises:
            ZfsctlError: It did not say how.
        """
        if self.ended:
            stdout = "" if self._sends else self._texts[1].text
            return Completed(self.command.argv, self._reader.exit_codes[0], stdout, self._texts[0].text)
        if not left_alone and not never_began:
            raise self.failure()
        return Completed(self.command.argv, _TERMINATED if never_began else _LOST_ITS_READER, "", self._texts[0].text)


class Listener(threading.Thread):
    """Reads outputs beside the stream, so that no end ever waits for a reader of what it says."""

    def __init__(self) -> None:
        super().__init__(name="zfsctl-pipe", daemon=True)
        self._feeds: list[tuple[int, Callable[[bytes], None]]] = []
        self._heard = threading.Condition()
        self._stopping = False

    def attend(self, output: IO[bytes] | None, take: Callable[[bytes], None]) -> None:
        """Hand what comes to `take`, from `start` on; an empty piece is the end."""
        if output is not None:
            self._feeds.append((output.fileno(), take))

    def run(self) -> None:
        """Read until all outputs have ended, or until told to stop."""
        with selectors.DefaultSelector() as selector:
            for fd, take in self._feeds:
                selector.register(fd, selectors.EVENT_READ, take)
            while selector.get_map() and not self._stopping:
                for key, _ in selector.select(_SLICE_SECONDS):
                    data = os.read(key.fd, CHUNK)
                    with self._heard:
                        key.data(data)
                        self._heard.notify_all()
                    if not data:
                        selector.unregister(key.fd)

    def wait_for_both(
        self, sends: Side, receives: Side, *, stop: Callable[[], bool], check: Callable[[], None] = lambda: None
    ) -> bool:
        """Wait until both ends are ready; False when it is to be stopped before.

        Args:
            check: Raises when there is nothing to wait for any more.

        Raises:
            ZfsctlError: One of them cannot be reached.
        """
        began = time.monotonic()
        limit = sum(side.station.login_seconds for side in (sends, receives))

        def decided() -> bool:
            check()
            for side in (receives, sends):
                if not side.began and (side.over or time.monotonic() - began > limit):
                    raise side.failure()
            return (sends.began and receives.began) or stop()

        self.wait(decided, None)
        return sends.began and receives.began and not stop()

    def end(self) -> None:
        """Stop reading; afterwards the outputs may be closed."""
        self._stopping = True
        if self.is_alive():
            self.join()

    def wait(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        """Wait until `condition()`, at most so long; whether it came true. It is looked at several times a second."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._heard:
            while not condition():
                if deadline is not None and time.monotonic() >= deadline:
                    return False
                self._heard.wait(_SLICE_SECONDS)
        return True


def agree(sides: Iterable[Side], *, compress: bool) -> tuple[Packing, tuple[str, ...]]:
    """How the stream travels, now that all are ready, and what is to be said about it."""
    if not compress:
        return Packing.PLAIN, ()
    without = [side.station.name for side in sides if side.packing is Packing.PLAIN]
    if without:
        names = " and ".join(dict.fromkeys(without))
        return Packing.PLAIN, (f"sent uncompressed: zstd is missing on {names}",)
    return Packing.ZSTD, ()
