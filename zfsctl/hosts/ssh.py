"""A machine over SSH: `run` through Fabric or OpenSSH as its settings say, everything large through OpenSSH."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zfsctl.hosts.failures import cut, login_failure
from zfsctl.hosts.framing import Frame, remote_line
from zfsctl.hosts.lines import SILENCE_SECONDS, ProcessLines
from zfsctl.hosts.openssh import OpenSsh
from zfsctl.hosts.openssh_argv import argv_ssh
from zfsctl.hosts.pipe import PipeEnd, Remote
from zfsctl.hosts.tally import Tally
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import HostEntry, Transport


class SshHost:
    """One machine that is dialled when first asked.

    Args:
        entry: Where it is and how to log in; its timeout bounds the dialling and each short question.
    """

    def __init__(self, entry: HostEntry) -> None:
        self._entry = entry
        self._openssh = OpenSsh(entry)
        self._fabric = None
        if entry.ssh.transport is Transport.FABRIC:
            from zfsctl.hosts.ssh_run import FabricLink

            self._fabric = FabricLink(entry)
        self._tally = Tally()

    @property
    def name(self) -> str:
        """The name of the policy file."""
        return self._entry.name

    @property
    def exchanges(self) -> int:
        """How many questions were put so far."""
        return self._tally.count

    def run(self, command: Command, *, timeout: float | None = None) -> Completed:
        """Run one command to its end."""
        return self.run_all((command,), timeout=timeout)[0]

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        """Run several commands one after another in one exchange; `timeout` is for all of them."""
        if not commands:
            return ()
        self._tally.add()
        limit = self._entry.ssh.timeout_seconds if timeout is None else timeout
        return (self._fabric or self._openssh).exchange(commands, timeout=limit)

    @contextmanager
    def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[ProcessLines]:
        """Run one command and iterate its output; `timeout` bounds the silence between two pieces of it."""
        self._tally.add()
        silence = SILENCE_SECONDS if timeout is None else timeout
        with self._openssh.lines(command, silence=silence) as stream:
            yield stream

    def pipe_end(self, command: Command, *, sends: bool) -> PipeEnd:
        """How to start one half of a pipe there, over a connection of its own; counted as one question."""
        self._tally.add()
        frame = Frame()
        login_seconds = self._entry.ssh.timeout_seconds + 5.0  # ssh itself gives up before, and says why
        sudo = self._entry.ssh.sudo
        if sends:
            script = frame.script_watched(command, sudo=sudo, bare_stdout=True)
        else:
            script = frame.script_fed(command, sudo=sudo)
        line, _ = remote_line(script, fed=False)

        def failure(began: bool, said: str, exit_code: int | None) -> Exception:
            if began:
                return cut(self._entry.name, command)
            return login_failure(self._entry, said, exit_code=exit_code, command=command)

        remote = Remote(frame, failure, login_seconds)
        return PipeEnd(self._entry.name, command, argv_ssh(self._entry, line), remote)

    def close(self) -> None:
        """Close every connection to it."""
        if self._fabric is not None:
            self._fabric.close()
        self._openssh.close()
