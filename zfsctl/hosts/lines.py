"""The output of one process, line by line as it arrives, with bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zfsctl.hosts.failures import timed_out
from zfsctl.hosts.framing import Clipping, Frame, FrameReader, decode
from zfsctl.hosts.process import Child, end, exit_code, pump
from zfsctl.model.command import Command, Completed

SILENCE_SECONDS = 1800.0
"""Longest silence without a limit of the caller's: zfs sorts a whole listing before it prints the first row."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How the answer of an ssh process is framed, and what its missing end means."""

    frame: Frame
    failure: Callable[[bool, str], Exception]
    """Makes the error for an answer without its end, from whether it began and what came on stderr."""


class ProcessLines:
    """A LineStream over a process of this machine: the command itself, or an ssh that frames its answer.

    Args:
        framing: None when the process is the command itself.
        silence: Longest wait for the next piece of output, in seconds.
        to_stdin: Fed to the process.
        keep_stdin: Keep its input open afterwards: a watched script ends the command when it closes.
    """

    def __init__(
        self,
        child: Child,
        command: Command,
        *,
        host: str,
        framing: Framing | None = None,
        silence: float = SILENCE_SECONDS,
        to_stdin: bytes = b"",
        keep_stdin: bool = False,
    ) -> None:
        self._child = child
        self._command = command
        self._host = host
        self._framing = framing
        self._silence = silence
        self._pieces: list[bytes] = []
        self._stderr = Clipping()
        self._completed: Completed | None = None
        on_stdout: Callable[[bytes], None] = self._pieces.append
        on_stderr: Callable[[bytes], None] = self._stderr.add
        if framing is not None:
            self._out = FrameReader(framing.frame, 1, lambda _, piece: self._pieces.append(piece))
            self._err = FrameReader(framing.frame, 1, lambda _, piece: self._stderr.add(piece))
            on_stdout, on_stderr = self._out.feed, self._err.feed
        self._pump = pump(child, to_stdin=to_stdin, keep_stdin=keep_stdin, on_stdout=on_stdout, on_stderr=on_stderr)

    @property
    def completed(self) -> Completed:
        """How the command ended; only to be read after the last line."""
        if self._completed is None:
            raise RuntimeError("the output was not read to its end")
        return self._completed

    def __iter__(self) -> Iterator[str]:
        partial: list[bytes] = []
        for piece in self._output():
            head, newline, tail = piece.rpartition(b"\n")
            if not newline:
                partial.append(piece)
                continue
            whole = b"".join((*partial, head))
            partial = [tail] if tail else []
            yield from decode(whole).split("\n")
        if partial:
            yield decode(b"".join(partial))

    def close(self) -> None:
        """End the command if it still runs."""
        self._pump.close()
        end(self._child)

    def _output(self) -> Iterator[bytes]:
        """The command's stdout in pieces, and then its end in `_completed`."""
        heard = time.monotonic()
        for something in self._pump:
            pieces, self._pieces[:] = list(self._pieces), []
            yield from pieces
            if self._framing is not None and self._out.ended and self._err.ended:
                break
            # Only the waiting for more counts, not the time that our reader takes over the lines.
            if something:
                heard = time.monotonic()
            elif time.monotonic() - heard >= self._silence:
                raise timed_out(self._host, self._command, self._silence)
        self._completed = Completed(self._command.argv, self._exit_code(), "", self._stderr.text)

    def _exit_code(self) -> int:
        if self._framing is None:
            return self._own_exit_code()
        if not (self._out.ended and self._err.ended):
            began = self._out.began or self._err.began
            said = self._err.banner + self._err.rest
            raise self._framing.failure(began, decode(said) + self._stderr.text)
        return self._out.exit_codes[0]

    def _own_exit_code(self) -> int:
        try:
            return exit_code(self._child, time.monotonic() + self._silence)
        except TimeoutError:
            raise timed_out(self._host, self._command, self._silence) from None


class NoLines:
    """The LineStream of a program that could not be started."""

    def __init__(self, completed: Completed) -> None:
        self._completed = completed

    @property
    def completed(self) -> Completed:
        """Exit code 127 or 126, and why, on stderr."""
        return self._completed

    def __iter__(self) -> Iterator[str]:
        return iter(())
