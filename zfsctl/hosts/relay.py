"""The relay: two processes of this machine, one for each end, and the kernel moving the bytes between them."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Callable

from zfsctl.hosts.framing import FrameReader
from zfsctl.hosts.process import CHUNK, Child
from zfsctl.hosts.protocol import PipeResult
from zfsctl.hosts.splicing import Ending, splice
from zfsctl.hosts.station import Station
from zfsctl.hosts.stream_process import hang_up, order, started, told
from zfsctl.hosts.stream_script import receiver_script, sender_script
from zfsctl.hosts.stream_side import FAREWELL_SECONDS, GRACE_SECONDS, STOP_SECONDS, Listener, Side, agree
from zfsctl.model.command import Command

_SLICE_SECONDS = 0.1


def run_relay(
    sender: Station,
    send: Command,
    receiver: Station,
    receive: Command,
    *,
    bandwidth: int | None = None,
    compress: bool = False,
    stop: Callable[[], bool],
    on_bytes: Callable[[int], None],
) -> PipeResult:
    """Join both ends, move all bytes, and read both exit codes; `on_bytes` is told the total ten times a second.

    Both processes are gone when this returns or raises.

    Raises:
        UnreachableError: One of the two could not be dialled.
        InterruptedOutputError: A connection was cut; either command may or may not have ended.
        HostCommandError: A program of this machine could not be started.
    """
    sends = Side(sender, send, sends=True)
    receives = Side(receiver, receive, sends=False)
    takes = receiver_script(receives.frame, sends.frame, receive, sudo=receiver.sudo, compress=compress)
    gives = sender_script(sends.frame, send, sudo=sender.sudo, compress=compress)
    with contextlib.ExitStack() as stack:
        sink = started(receiver, takes, stack, stdout=subprocess.DEVNULL)
        source = started(sender, gives, stack)
        listener = Listener()
        listener.attend(sink.stderr, told(sink, receives.feed, receives.leave))
        listener.attend(source.stderr, told(source, sends.feed, sends.leave))
        listener.start()
        stack.callback(listener.end)

        def ending_now() -> Ending | None:
            if receives.over:
                return Ending.READER_GONE
            return Ending.STOPPED if stop() else None

        total, ending = 0, Ending.STOPPED
        notes: tuple[str, ...] = ()
        opened = False
        if listener.wait_for_both(sends, receives, stop=stop):
            packing, notes = agree((sends, receives), compress=compress)
            order(source, packing)
            first = _first_bytes(source, sends, ending_now)
            if isinstance(first, Ending):
                ending = first
            else:
                opened = True
                with contextlib.suppress(BrokenPipeError):  # which the splicing then meets too
                    os.write(_fd(sink.stdin), f"{sends.frame.begin.decode()} {packing}\n".encode())
                total, ending = splice(
                    _fd(source.stdout),
                    _fd(sink.stdin),
                    first=first,
                    bandwidth=bandwidth,
                    ending=ending_now,
                    on_bytes=on_bytes,
                )
        # The receiver learns first that no more comes, and saves what it has.
        hang_up(sink.stdin)
        if ending is Ending.SOURCE_ENDED:
            listener.wait(lambda: sends.over, FAREWELL_SECONDS)
            listener.wait(lambda: receives.over or stop(), None)
        elif ending is Ending.READER_GONE:
            listener.wait(lambda: receives.over, FAREWELL_SECONDS)
            if receives.ended_well:
                listener.wait(lambda: sends.over or _readable(source) or stop(), GRACE_SECONDS)
        hang_up(source.stdin)  # ends the sender, where it has not ended by itself
        hang_up(source.stdout)
        listener.wait(lambda: receives.over, STOP_SECONDS)
        listener.wait(lambda: sends.over, FAREWELL_SECONDS)
        stopped = ending is Ending.STOPPED
        received = receives.completed(never_began=stopped and not opened)
        sent = sends.completed(left_alone=ending is not Ending.SOURCE_ENDED)
    return PipeResult(sent, received, total, stopped=stopped, notes=notes)


def _first_bytes(source: Child, sends: Side, ending: Callable[[], Ending | None]) -> bytes | Ending:
    """What was read of the stream along with what precedes it; or why there is nobody to give it to any more."""
    opening = FrameReader(sends.frame, 0, lambda *_: None)
    while not opening.began:
        if (end := ending()) is not None:
            return end
        if _readable(source, _SLICE_SECONDS):
            data = os.read(_fd(source.stdout), CHUNK // 2)
            if not data:
                raise sends.failure()
            opening.feed(data)
    return opening.rest


def _readable(source: Child, seconds: float = 0) -> bool:
    """Whether more of the stream has come, or its end."""
    poll = select.poll()
    poll.register(_fd(source.stdout), select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _fd(pipe: object) -> int:
    fileno = getattr(pipe, "fileno", None)
    if fileno is None:
        raise ValueError("this process has no such pipe")
    return int(fileno())
