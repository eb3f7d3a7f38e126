"""`zfs send` on one simulated host joined to `zfs receive` on another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zfsctl.hosts.failures import cut, timed_out
from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.answering import Answering, CutOff, Silence
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.host import DEFAULT_TIMEOUT
from zfsctl.sandbox.stream_faults import StreamEnd, StreamFault
from zfsctl.sandbox.streams import Stream

TICKS = 8
"""How often `on_bytes` is told and `stop` is asked during one stream."""
PIPE_BYTES = 1 << 20
"""What fits into the pipe of a sender whose receiver reads nothing."""
LOST_ITS_READER = 128 + 13
DIED = 1


@dataclass(frozen=True, slots=True)
class PipeEnd:
    """One end of a pipe."""

    answering: Answering
    command: Command

    @property
    def host(self) -> str:
        """The host's name."""
        return self.answering.machine.name

    def exchange(self, stream: Stream | None = None) -> tuple[Completed, Stream | None]:
        """Carry the command out, with errors as those of a host."""
        try:
            return self.answering.exchange(self.command, stream)
        except CutOff:
            raise cut(self.host, self.command) from None
        except Silence:
            if stream is not None and stream.stalls:
                raise cut(self.host, self.command) from None
            raise timed_out(self.host, self.command, DEFAULT_TIMEOUT) from None


def run_pipe(
    sends: PipeEnd,
    receives: PipeEnd,
    *,
    relayed: bool,
    stop: Callable[[], bool] | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> PipeResult:
    """Send, lose what a fault takes, and receive the rest.

    Raises:
        InterruptedOutputError: A fault was planned; either command may or may not have ended.
        KilledAt: A fault was planned.
    """
    sent, stream = sends.exchange()
    fault, stopped = None, False
    if stream is not None:
        fault = sends.answering.faults.strike_stream(sends.host, sends.command, receives.host, receives.command)
        stream = fault.cut(stream) if fault else stream
        stream, stopped = _watched(stream, stop, on_bytes if relayed else None)
    elif sent.stdout:
        return _text_through(sent, receives, relayed=relayed, on_bytes=on_bytes)
    try:
        received, _ = receives.exchange(stream)
    finally:
        if fault and fault.end in (StreamEnd.KILLED, StreamEnd.KILLED_LOST):
            raise KilledAt(str(receives.command)) from None
    if fault and not stopped:
        sent = _ended(sent, fault, receives)
    moved = stream.length if stream else 0
    if received.exit_code and stream and not fault and sent.exit_code == 0 and (stopped or moved > PIPE_BYTES):
        sent = Completed(sent.argv, LOST_ITS_READER, "", sent.stderr)
        moved = moved if stopped else PIPE_BYTES
    return PipeResult(sent, received, moved if relayed else None, stopped)


def _text_through(
    sent: Completed, receives: PipeEnd, *, relayed: bool, on_bytes: Callable[[int], None] | None
) -> PipeResult:
    """What is no stream, such as the greeting of a login shell, goes through as it is."""
    size = len(sent.stdout.encode(errors="surrogateescape"))
    if relayed and on_bytes:
        on_bytes(size)
    command = Command(receives.command.argv, stdin=sent.stdout)
    received, _ = PipeEnd(receives.answering, command).exchange()
    return PipeResult(sent, received, size if relayed else None)


def _ended(sent: Completed, fault: StreamFault, receives: PipeEnd) -> Completed:
    if fault.end is StreamEnd.SENDER_DIES:
        return Completed(sent.argv, DIED, "", f"{sent.stderr}{fault.text}\n")
    raise cut(receives.host, receives.command)


def _watched(
    stream: Stream, stop: Callable[[], bool] | None, on_bytes: Callable[[int], None] | None
) -> tuple[Stream, bool]:
    """The stream as far as it is let through, and whether it was stopped."""
    for tick in range(1, TICKS + 1):
        if stop and stop():
            return stream.cut(stream.length * (tick - 1) // TICKS), True
        if on_bytes:
            on_bytes(stream.length * tick // TICKS)
    return stream, False
