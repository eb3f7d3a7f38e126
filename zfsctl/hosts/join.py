"""Streams that do not pass this machine: one shell of one host joins both ends, or dials the host of the other."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from dataclasses import replace

from zfsctl.hosts.framing import Frame, FrameReader, decode, remote_line
from zfsctl.hosts.openssh_argv import argv_ssh
from zfsctl.hosts.protocol import PipeResult
from zfsctl.hosts.station import Station
from zfsctl.hosts.stream_process import hang_up, order, started, told
from zfsctl.hosts.stream_script import join_script, receiver_script, sender_script
from zfsctl.hosts.stream_side import FAREWELL_SECONDS, GRACE_SECONDS, STOP_SECONDS, Listener, Side, agree
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings


def run_join(
    joiner: Station,
    sender: Station,
    send: Command,
    receiver: Station,
    receive: Command,
    *,
    compress: bool = False,
    stop: Callable[[], bool],
) -> PipeResult:
    """Let `joiner` run its own end, dial the other if that is another host, and join them; read both exit codes.

    Raises:
        UnreachableError: This machine could not dial the joiner, or the joiner the other host.
        InterruptedOutputError: A connection was cut; either command may or may not have ended.
        HostCommandError: A program of this machine could not be started.
    """
    sends = _side(joiner, sender, send, sends=True)
    receives = _side(joiner, receiver, receive, sends=False)
    gives = sender_script(sends.frame, send, sudo=sender.sudo, compress=compress)
    takes = receiver_script(receives.frame, sends.frame, receive, sudo=receiver.sudo, compress=compress)
    frame = Frame()
    out = FrameReader(frame, 1, lambda _, piece: sends.feed(piece))
    err = FrameReader(frame, 1, lambda _, piece: receives.feed(piece))
    gone: list[int] = []

    def take_out(data: bytes) -> None:
        out.feed(data)
        if out.ended:
            sends.leave(out.exit_codes[0])

    def take_err(data: bytes) -> None:
        err.feed(data)
        if err.ended:
            receives.leave(err.exit_codes[0])

    def check_joiner() -> None:
        began, ended = out.began and err.began, out.ended and err.ended
        if gone and not ended:
            said = decode(err.banner + err.rest)
            mine = receives if joiner is receiver else sends
            raise joiner.cut(mine.command) if began else joiner.not_there(said, gone[0], mine.command)

    with contextlib.ExitStack() as stack:
        child = started(joiner, join_script(frame, _part(sends, gives), _part(receives, takes)), stack)
        listener = Listener()
        listener.attend(child.stdout, told(child, take_out, lambda _: None))
        listener.attend(child.stderr, told(child, take_err, gone.append))
        listener.start()
        stack.callback(listener.end)

        notes: tuple[str, ...] = ()
        ordered = listener.wait_for_both(sends, receives, stop=stop, check=check_joiner)
        if ordered:
            packing, notes = agree((sends, receives), compress=compress)
            order(child, packing)
            listener.wait(lambda: bool(gone) or receives.over or stop(), None)
            if receives.ended_well:
                listener.wait(lambda: bool(gone) or sends.over or stop(), GRACE_SECONDS)
        alone = not sends.over
        stopped = alone and not receives.over and not gone
        hang_up(child.stdin)  # ends the sender, where it has not ended by itself
        listener.wait(lambda: bool(gone) or receives.over, STOP_SECONDS)
        listener.wait(lambda: bool(gone) or sends.over, FAREWELL_SECONDS)
        check_joiner()
        received = receives.completed(never_began=not ordered)
        sent = sends.completed(left_alone=alone)
    return PipeResult(sent, received, None, stopped=stopped, notes=notes)


def far_entry(dialler: HostEntry, far: HostEntry) -> HostEntry:
    """How one host dials another: by its own keys and known hosts, so none of this machine's paths are passed.

    The way that this machine takes through a jump host is taken too, unless both lie behind the same one, or the
    dialler is that jump host itself.
    """
    settings = far.ssh
    jump = settings.proxy_jump
    if jump is not None and (jump == dialler.ssh.proxy_jump or _last_hop(jump) == dialler.hostname):
        jump = None
    ssh = SshSettings(
        user=settings.user,
        port=settings.port,
        proxy_jump=jump,
        timeout_seconds=settings.timeout_seconds,
        sudo=settings.sudo,
    )
    return replace(far, ssh=ssh)


def _side(joiner: Station, station: Station, command: Command, *, sends: bool) -> Side:
    if station.name == joiner.name:
        return Side(station, command, sends=sends)
    far = replace(station, entry=far_entry(joiner.entry, station.entry))
    return Side(far, command, sends=sends, dialler=joiner)


def _part(side: Side, script: str) -> str:
    if side.dialler is None:
        return f"( {script.rstrip()} )"
    line, _ = remote_line(script, fed=False)
    return shlex.join(argv_ssh(side.station.entry, line))


def _last_hop(proxy_jump: str) -> str:
    hop = proxy_jump.split(",")[-1].strip().rpartition("@")[2]
    host, colon, port = hop.rpartition(":")
    return (host if colon and port.isdigit() else hop).strip("[]")
