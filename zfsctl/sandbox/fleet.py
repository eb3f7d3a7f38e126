"""A simulated fleet behind the protocol of real ones: in memory, or kept in a directory's fleet.json."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zfsctl.errors import UnreachableError
from zfsctl.hosts.protocol import PipeResult
from zfsctl.hosts.way import way_taken
from zfsctl.model.command import Command
from zfsctl.model.route import Route
from zfsctl.sandbox.answering import Answering
from zfsctl.sandbox.faults import Faults
from zfsctl.sandbox.host import SandboxHost
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.piping import PipeEnd, run_pipe
from zfsctl.sandbox.store import FleetStore


class SandboxFleet:
    """Simulated hosts by name. A host that the document does not know cannot be reached.

    Args:
        source: The state itself, kept in memory; or the store that keeps it in a directory.
        faults: What is to go wrong, for tests.
    """

    def __init__(self, source: SimFleet | FleetStore, faults: Faults | None = None) -> None:
        self._source = source
        self._lock = threading.RLock()
        self._hosts: dict[str, SandboxHost] = {}
        self.faults = faults or Faults()

    @contextmanager
    def state(self) -> Iterator[SimFleet]:
        """The state of the fleet, nobody else's until the end, and saved then if `changes` went up.

        Raises:
            UsageError: There is no fleet.json.
            ConfigError: It is not a fleet document.
        """
        with self._lock:
            if isinstance(self._source, SimFleet):
                yield self._source
            else:
                with self._source.locked() as fleet:
                    yield fleet

    def now(self) -> int:
        """The simulated clock, epoch seconds."""
        with self.state() as fleet:
            return fleet.now

    def host(self, name: str) -> SandboxHost:
        """The host called `name`, whether the fleet has it or not."""
        with self._lock:
            return self._hosts.setdefault(name, SandboxHost(name, self))

    @contextmanager
    def answering(self, name: str) -> Iterator[Answering]:
        """What answers for a host.

        Raises:
            UnreachableError: The host is not in the fleet, or is marked as not reachable.
        """
        with self.state() as fleet:
            yield self._answering(fleet, name)

    def _answering(self, fleet: SimFleet, name: str, dialled_from: str = "") -> Answering:
        machine = fleet.hosts.get(name)
        if machine is None or not machine.reachable or self.faults.is_broken(name, dialled_from):
            why = "the simulated fleet has no such host" if machine is None else "it is marked as not reachable"
            there = f" from {dialled_from}" if dialled_from else ""
            raise UnreachableError(f"{name} was not reached{there}", why=why, where=name)
        return Answering(fleet, machine, self.faults)

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
        """Join `send` on one host to `receive` on another; a stream takes no time and has no bytes, only a length."""
        way = way_taken(sender, receiver, route, bandwidth=bandwidth)
        for end in (sender, receiver):
            self.host(end).count_exchange()
        first, second = (receiver, sender) if way is Route.PULL else (sender, receiver)
        relayed = way is Route.RELAY
        with self.state() as fleet:
            answering = {first: self._answering(fleet, first)}
            if second != first:
                answering[second] = self._answering(fleet, second, "" if relayed else first)
            return run_pipe(
                PipeEnd(answering[sender], send),
                PipeEnd(answering[receiver], receive),
                relayed=relayed,
                stop=stop,
                on_bytes=on_bytes,
            )

    def close(self) -> None:
        """Nothing is kept open."""


def open_sandbox(directory: Path) -> SandboxFleet:
    """The fleet of a directory.

    Raises:
        UsageError: There is no fleet.json.
        ConfigError: It is not a fleet document.
    """
    fleet = SandboxFleet(FleetStore(directory))
    fleet.now()
    return fleet
