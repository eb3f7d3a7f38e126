"""One host through Fabric: one connection per run, for small questions with small answers.

Fabric and paramiko by themselves accept any host key, execute ~/.fabric.py, swallow our standard input, decode
lossily, wait 40 ms for each command and stall when they renew keys. So ssh_dial makes the connection, and each
exchange is a channel of its own on it, read as bytes.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zfsctl.hosts.failures import cut, no_shell, timed_out, unreachable
from zfsctl.hosts.framing import Frame, Transcript, decode, encode, remote_line
from zfsctl.hosts.process import CHUNK
from zfsctl.hosts.shared import Shared
from zfsctl.hosts.ssh_dial import Dialled, dial
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import HostEntry

if TYPE_CHECKING:
    import paramiko

_SLICE_SECONDS = 1.0
_RETRY_SECONDS = 0.1
_REFUSED_SECONDS = 3.0
_MOST_SESSIONS = 8
"""Below OpenSSH's MaxSessions of 10; a server that allows fewer is believed when it refuses one."""


class FabricLink:
    """Exchanges with one host over one Fabric connection. Safe to be used by several threads."""

    def __init__(self, entry: HostEntry) -> None:
        self._entry = entry
        self._shared: Shared[Dialled] = Shared(lambda: dial(entry), lambda it: it.is_up, lambda it: it.close())
        self._sessions = threading.Condition()
        self._open_sessions = 0
        self._most_sessions = _MOST_SESSIONS

    def exchange(self, commands: Sequence[Command], *, timeout: float) -> tuple[Completed, ...]:
        """Run all commands in one framed exchange.

        Raises:
            UnreachableError: No connection, no login or no shell; nothing was carried out.
            HostTimeoutError: No answer in time.
            InterruptedOutputError: The connection was cut.
        """
        frame = Frame()
        line, stdin = remote_line(frame.script(commands, sudo=self._entry.ssh.sudo))
        transcript = Transcript(frame, commands)
        with self._channel() as channel:
            try:
                _converse(channel, line, stdin, transcript, time.monotonic() + timeout)
            except TimeoutError:
                raise timed_out(self._entry.name, transcript.first_unfinished, timeout) from None
            if not transcript.ended:
                raise self._broken(channel, transcript)
        return transcript.completed()

    def close(self) -> None:
        """Close the connection; the next exchange would dial anew."""
        self._shared.close()

    @contextlib.contextmanager
    def _channel(self) -> Iterator[paramiko.Channel]:
        """A session on the connection, which is dialled first where none is up."""
        self._shared.get()  # before the waiting for a session, so that a dead host keeps nobody waiting for one
        with self._sessions:
            self._sessions.wait_for(lambda: self._open_sessions < self._most_sessions)
            self._open_sessions += 1
        try:
            channel = self._open_session()
            try:
                yield channel
            finally:
                channel.close()
        finally:
            with self._sessions:
                self._open_sessions -= 1
                self._sessions.notify_all()

    def _open_session(self) -> paramiko.Channel:
        import paramiko

        limit = self._entry.ssh.timeout_seconds
        began = time.monotonic()
        died = False
        while True:
            dialled = self._shared.get()
            transport = dialled.connection.transport
            try:
                return transport.open_session(timeout=limit)
            except (paramiko.SSHException, OSError, EOFError) as error:
                why = str(error) or "it closed the connection"
                # Not told apart by the kind of error: paramiko may hand one thread's refusal to another.
                if transport.is_active():
                    if not self._wait_for_a_session() and time.monotonic() - began > _REFUSED_SECONDS:
                        raise unreachable(self._entry, f"it opens no session ({why})") from None
                    continue
                # The connection died unseen, for instance while idle. Nothing was given to it: dial once more.
                self._shared.drop(dialled)
                if died:
                    raise unreachable(self._entry, why) from None
                died = True

    def _wait_for_a_session(self) -> bool:
        """Let another session end, for the server refused one more (MaxSessions); whether there was another."""
        with self._sessions:
            others = self._open_sessions - 1
            self._most_sessions = max(1, min(self._most_sessions, others))
            # Bounded, as the server frees a session only some time after we have closed it.
            self._sessions.wait_for(lambda: self._open_sessions <= others, _RETRY_SECONDS)
            return others > 0

    def _broken(self, channel: paramiko.Channel, transcript: Transcript) -> Exception:
        """The error for a channel that ended before its frame did."""
        if not transcript.began and channel.status_event.wait(1) and channel.exit_status >= 0:
            said = transcript.err.banner + transcript.err.rest + b"\n" + transcript.out.banner + transcript.out.rest
            return no_shell(self._entry, decode(said))
        return cut(self._entry.name, transcript.first_unfinished)


def _converse(channel: paramiko.Channel, line: str, stdin: bytes, transcript: Transcript, deadline: float) -> None:
    """Give the line to the login shell, feed it, and read until the frame or the channel ends."""
    import paramiko

    def left() -> float:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    # exec_command waits for the server's consent without a limit of its own.
    limit = threading.Timer(left(), channel.close)
    limit.start()
    try:
        channel.settimeout(left())
        channel.exec_command(encode(line))
        # Never shutdown_write: paramiko may send that end of input after the channel's own end, upon which OpenSSH
        # drops the connection with all its sessions. No script of ours waits for it.
        channel.sendall(stdin)
    except TimeoutError:
        raise
    except (paramiko.SSHException, OSError, EOFError):
        left()
        return  # whether the host took it is unknown: the unfinished transcript says so
    finally:
        limit.cancel()
    poll = select.poll()
    poll.register(channel.fileno(), select.POLLIN)
    while not transcript.ended:
        over = channel.eof_received or channel.closed or not channel.get_transport().is_active()
        if channel.recv_ready():
            transcript.out.feed(channel.recv(CHUNK))
        elif channel.recv_stderr_ready():
            transcript.err.feed(channel.recv_stderr(CHUNK))
        elif over:
            return
        else:
            poll.poll(min(left(), _SLICE_SECONDS) * 1000)
