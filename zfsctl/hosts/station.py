"""A host as a place for one end of a stream: how a script is run there, and what a failure to do so means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zfsctl.errors import HostCommandError, ZfsctlError
from zfsctl.hosts.failures import cut, dialled_from, login_failure, shown, unreachable
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry


@dataclass(frozen=True, slots=True)
class Station:
    """One host, and how a process of this machine runs a script there."""

    entry: HostEntry
    argv: Callable[[str], tuple[str, ...]]
    """The arguments of a process that runs a script; its input, output and errors are the script's."""

    @property
    def name(self) -> str:
        """The name of the policy file."""
        return self.entry.name

    @property
    def sudo(self) -> bool:
        """Whether zfs and zpool are run by sudo there."""
        return self.entry.ssh.sudo

    @property
    def login_seconds(self) -> float:
        """How long until a script must have begun; ssh itself gives up before, and says why."""
        return self.entry.ssh.timeout_seconds + 5.0

    def cut(self, command: Command) -> Exception:
        """The error for a script that began and did not say how it ended."""
        return cut(self.name, command)

    def not_there(
        self, said: str, exit_code: int | None, command: Command, *, dialler: Station | None = None
    ) -> Exception:
        """The error for a script that did not begin, from what came on stderr and the exit code of its carrier."""
        if self.entry.is_local:
            return HostCommandError(f"{shown(command)} on {self.name} was not started", why=said, where=self.name)
        if exit_code is None and not said.strip():
            error: ZfsctlError = unreachable(self.entry, f"no login within {self.entry.ssh.timeout_seconds} s")
        else:
            error = login_failure(self.entry, said, exit_code=exit_code, command=command)
        return error if dialler is None else dialled_from(dialler.name, error)
