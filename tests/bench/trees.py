"""Trees of datasets on the real hosts, for measuring how they are copied."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.zfs import scheduled
from tests.testbed.host import Host
from tests.testbed.pools import Pool, create_pool, destroy_pool

LIMIT = 1800
"""Seconds for what prepares a measure; the guests are emulated."""

KILOBYTES = 64
"""Written to every dataset before each snapshot; random, so that no pool makes it smaller."""


@contextmanager
def pool_on(host: Host, *, size: str) -> Iterator[Pool]:
    """A pool that is gone at the end, however many datasets it has got by then."""
    pool = create_pool(host, size=size)
    try:
        yield pool
    finally:
        # destroy_pool takes a host that is slow about it for one that hangs.
        host.ssh(f"zpool destroy -f {pool}", check=False, timeout=LIMIT)
        destroy_pool(pool)


class Tree:
    """A dataset and some below it, with the same snapshots on all of them.

    Args:
        pool: Where it is made.
        name: Its name within the pool.
        datasets: How many, the topmost included.
    """

    def __init__(self, pool: Pool, name: str, datasets: int) -> None:
        self.pool = pool
        self.name = f"{pool}/{name}"
        self.datasets = [self.name, *(f"{self.name}/d{number:03d}" for number in range(1, datasets))]
        self.snapshots: list[str] = []
        self._do(*(shlex.join(["zfs", "create", name]) for name in self.datasets))

    @property
    def last(self) -> str:
        """The name of the newest snapshot."""
        return self.snapshots[-1]

    def grow(self, snapshots: int = 1) -> None:
        """Write to every dataset and take a snapshot of all, that often."""
        for _ in range(snapshots):
            number = len(self.snapshots)
            name = scheduled(1 + number // 24, number % 24)
            self._do(
                f"for d in {' '.join(self.datasets)}; do head -c {KILOBYTES}K /dev/urandom >/$d/{number}; done",
                f"zfs snapshot -r -o zfsctl:policy=bench {self.name}@{name}",
            )
            self.snapshots.append(name)

    def is_copied_to(self, pool: Pool, receiver: str) -> bool:
        """Whether a receiver has every snapshot of every dataset, by guid."""
        return _guids(self.pool, self.name) == _guids(pool, receiver)

    def _do(self, *lines: str) -> None:
        self.pool.host.ssh("sh -s", input="set -e\n" + "\n".join(lines), timeout=LIMIT)


def destroy_tree(pool: Pool, name: str) -> None:
    """A copy that is no longer needed goes, with its holds; one that was never made is no error."""
    pool.host.ssh(
        f"zfs list {name} >/dev/null 2>&1 || exit 0; zfs list -H -r -t snapshot -o name,userrefs {name} | "
        "while read -r snapshot holds; do test $holds = 0 || zfs holds -H $snapshot; done | "
        "while read -r snapshot tag rest; do zfs release $tag $snapshot; done; "
        f"zfs destroy -r {name}",
        timeout=LIMIT,
    )


def _guids(pool: Pool, name: str) -> frozenset[str]:
    """Every snapshot below a dataset with its guid, told without the name of that dataset."""
    listing = pool.host.ssh(f"zfs list -Hp -r -t snapshot -o name,guid {name}", timeout=LIMIT).stdout
    return frozenset(line.removeprefix(name) for line in listing.splitlines())
