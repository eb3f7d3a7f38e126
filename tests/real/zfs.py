"""What tests ask of OpenZFS itself, past zfsctl."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from tests.real.operators import LIMIT
from tests.testbed.host import Host
from tests.testbed.pools import Pool


def do(host: Host, *lines: str) -> str:
    """Run lines of shell that must all succeed, over one connection; their output."""
    return host.ssh("set -e\n" + "\n".join(lines), timeout=LIMIT).stdout


def scheduled(day: int, hour: int = 0) -> str:
    """The name of a scheduled snapshot of January 2026."""
    return f"zfsctl-202601{day:02}T{hour:02}0000Z"


def take(datasets: Iterable[str], names: Iterable[str]) -> list[str]:
    """The lines that take one snapshot after the other, each of all datasets at once."""
    return [
        shlex.join(["zfs", "snapshot", "-o", "zfsctl:policy=small", *(f"{dataset}@{name}" for dataset in datasets)])
        for name in names
    ]


def snapshots(pool: Pool) -> dict[str, list[str]]:
    """By dataset, the short names of its snapshots, oldest first."""
    found: dict[str, list[str]] = {}
    for name in guids(pool):
        dataset, _, short = name.partition("@")
        found.setdefault(dataset, []).append(short)
    return found


def guids(pool: Pool) -> dict[str, str]:
    """The guid of every snapshot of a pool, by full name, those of one dataset oldest first."""
    listing = do(pool.host, f"zfs list -Hp -r -t snapshot -o name,guid {pool}")
    return dict(line.split("\t") for line in listing.splitlines())


def commands(pool: Pool, verb: str) -> list[str]:
    """The `zfs` commands of that verb that changed a pool, as its history tells them."""
    told = [line.partition(" ")[2] for line in do(pool.host, f"zpool history {pool}").splitlines()]
    return [command for command in told if command.startswith(f"zfs {verb} ")]
