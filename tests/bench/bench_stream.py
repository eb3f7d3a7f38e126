"""What the relay costs: the same bytes through `Fleet.pipe` and through a bare `ssh A … | ssh B …` of a shell.

Run by `make bench`. Both hosts are one OpenSSH server on 127.0.0.1, the rounds take turns, and only the ratio and
the relay's own processor time mean anything.
"""

from __future__ import annotations

import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.loopback import Keys, Server, missing_server
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.openssh_argv import argv_ssh
from zfsctl.model.command import Command

SIZE = 1 << 30
LIMITED_SIZE, LIMIT = 100 << 20, 50 << 20
ROUNDS = 3
SEND = Command(("head", "-c", str(SIZE), "/dev/zero"))
RECEIVE = Command(("sh", "-c", "cat >/dev/null"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One stream through the relay."""

    seconds: float
    cpu_seconds: float
    """Of this process alone; the two ssh processes have their own."""


def main() -> int:
    """Print the figures; 1 when one is not held."""
    if missing := missing_server():
        print(f"left out: {missing}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keys").mkdir()
        server = Server(Keys(Path(folder) / "keys"), Path(folder))
        fleet = RealFleet({"box": server.entry("box")})
        try:
            return measure(fleet, server)
        finally:
            fleet.close()
            server.stop()


def measure(fleet: RealFleet, server: Server) -> int:
    """Full speed in turns, then a limited stream."""
    relay(fleet, Command(("true",)))  # the shared connection is up, as in a run
    relayed, bare = [], []
    for _ in range(ROUNDS):
        relayed.append(relay(fleet, SEND))
        bare.append(shell(server))
    seconds = statistics.median(figure.seconds for figure in relayed)
    ratio = seconds / statistics.median(bare)
    share = max(figure.cpu_seconds / figure.seconds for figure in relayed)
    print(f"relay: {SIZE / seconds / 2**20:.0f} MiB/s, a shell: {SIZE / statistics.median(bare) / 2**20:.0f} MiB/s")
    held = report(f"time of the relay / time of a shell: {ratio:.2f} (at most 1.25)", ratio <= 1.25)
    held &= report(f"processor time of the relay: {share:.1%} of the stream's (at most 5 %)", share <= 0.05)

    limited = relay(fleet, Command(("head", "-c", str(LIMITED_SIZE), "/dev/zero")), bandwidth=LIMIT)
    share = limited.cpu_seconds / limited.seconds
    off = abs(limited.seconds / (LIMITED_SIZE / LIMIT) - 1)
    held &= report(f"a limited stream takes {off:.1%} more or less than it should (at most 15 %)", off <= 0.15)
    held &= report(f"processor time of a limited relay: {share:.1%} (at most 5 %)", share <= 0.05)
    return 0 if held else 1


def relay(fleet: RealFleet, send: Command, *, bandwidth: int | None = None) -> Figure:
    """One stream through this process."""
    started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    result = fleet.pipe("box", send, "box", RECEIVE, bandwidth=bandwidth)
    seconds, now = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    if result.sender.exit_code or result.receiver.exit_code:
        raise RuntimeError(f"the stream failed: {result}")
    return Figure(seconds, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


def shell(server: Server) -> float:
    """Seconds of the same stream through a shell, with the same options of ssh."""
    send, receive = (shlex.join(argv_ssh(server.entry("box"), shlex.join(command.argv))) for command in (SEND, RECEIVE))
    started = time.monotonic()
    subprocess.run(f"{send} | {receive}", shell=True, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - started


def report(what: str, held: bool) -> bool:
    """Print a figure's verdict."""
    print(f"{'held' if held else 'NOT HELD'}: {what}")
    return held


if __name__ == "__main__":
    sys.exit(main())
