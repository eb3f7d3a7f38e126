"""All hosts of a policy file, each made and dialled when first used."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zfsctl.errors import UnknownNameError
from zfsctl.hosts.join import run_join
from zfsctl.hosts.protocol import PipeResult
from zfsctl.hosts.relay import run_relay
from zfsctl.hosts.way import way_taken
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry
from zfsctl.model.route import Route

if TYPE_CHECKING:
    from zfsctl.hosts.local import LocalHost
    from zfsctl.hosts.ssh import SshHost


class RealFleet:
    """This machine and those over SSH.

    Args:
        hosts: By name.
        timeout: Seconds, in place of every host's own setting.
    """

    def __init__(self, hosts: Mapping[str, HostEntry], *, timeout: int | None = None) -> None:
        self._entries = dict(hosts)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._made: dict[str, LocalHost | SshHost] = {}

    def host(self, name: str) -> LocalHost | SshHost:
        """The host called `name`, not yet dialled.

        Raises:
            UnknownNameError: The policy has no such host.
        """
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def pipe(
        self,
        sender: str,
        send: Command,
        receiver: str,
        receive: Command,
        *,
        route: Route = Route.RELAY,
        bandwidth: int | None = None,
        compress: bool = False,
        stop: Callable[[], bool] | None = None,
        on_bytes: Callable[[int], None] | None = None,
    ) -> PipeResult:
        """Join `send` on one host to `receive` on another."""
        if send.stdin or receive.stdin:
            raise ValueError("the commands of a pipe have no input of their own")
        way = way_taken(sender, receiver, route, bandwidth=bandwidth)
        sends, receives = self.host(sender).station(), self.host(receiver).station()
        asked_to_stop = stop or (lambda: False)
        if way is Route.RELAY:
            return run_relay(
                sends,
                send,
                receives,
                receive,
                bandwidth=bandwidth,
                compress=compress,
                stop=asked_to_stop,
                on_bytes=on_bytes or (lambda _: None),
            )
        joiner = receives if way is Route.PULL else sends
        return run_join(joiner, sends, send, receives, receive, compress=compress, stop=asked_to_stop)

    def close(self) -> None:
        """Close every connection. May be called twice."""
        with self._lock:
            made, self._made = self._made, {}
        for host in made.values():
            host.close()

    def _make(self, name: str) -> LocalHost | SshHost:
        entry = self._entries.get(name)
        if entry is None:
            near = difflib.get_close_matches(name, self._entries, n=3)
            raise UnknownNameError(
                f"no host is called {name}",
                why=f"the policy has {', '.join(sorted(self._entries)) or 'no host'}",
                hint=f"did you mean {' or '.join(near)}?" if near else "zfsctl config show",
                where=name,
            )
        if self._timeout is not None:
            entry = replace(entry, ssh=replace(entry.ssh, timeout_seconds=self._timeout))
        if entry.is_local:
            from zfsctl.hosts.local import LocalHost

            return LocalHost(name=name, timeout=entry.ssh.timeout_seconds, sudo=entry.ssh.sudo)
        from zfsctl.hosts.ssh import SshHost

        return SshHost(entry)
