"""A machine over SSH: `run` through Fabric or OpenSSH as its settings say, everything large through OpenSSH."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zfsctl.hosts.framing import remote_line
from zfsctl.hosts.lines import SILENCE_SECONDS, ProcessLines
from zfsctl.hosts.openssh import OpenSsh
from zfsctl.hosts.station import Station
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

    def station(self) -> Station:
        """This host as one end of a stream, over the shared connection; counted as one question."""
        self._tally.add()
        return Station(self._entry, lambda script: self._openssh.argv(remote_line(script, fed=False)[0]))

    def close(self) -> None:
        """Close every connection to it."""
        if self._fabric is not None:
            self._fabric.close()
        self._openssh.close()
