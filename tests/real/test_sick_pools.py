"""Pools that are full, read-only, not imported, or hang."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.real.operators import Operator
from tests.real.zfs import do, scheduled, snapshots, take
from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host
from tests.testbed.pools import Pool

pytestmark = pytest.mark.zfs

NAMES = [scheduled(day) for day in range(1, 5)]


@contextmanager
def away(pool: Pool) -> Iterator[None]:
    """A pool that is not imported for a while."""
    do(pool.host, f"zpool export {pool}")
    try:
        yield
    finally:
        do(pool.host, f"zpool import -o cachefile=none -d {pool.device} {pool}")


def test_a_full_pool_still_loses_what_no_rule_keeps(operator: Operator, pool_on: PoolFactory, alpha: Host) -> None:
    pool = pool_on(alpha, size="64M")
    dataset, reserved = f"{pool}/a", f"{pool}/reserved"
    do(
        alpha,
        f"zfs create {dataset}; zfs create -o refreservation=6M {reserved}",
        f"dd if=/dev/urandom of=/{dataset}/file bs=64k count=160 status=none",
        *take([dataset], NAMES[:2]),
        f"rm /{dataset}/file; zpool sync {pool}",
        f"dd if=/dev/urandom of=/{reserved}/file bs=64k count=80 status=none; zpool sync {pool}",
        f"dd if=/dev/urandom of=/{dataset}/fill bs=64k status=none || true; zpool sync {pool}",
        *take([dataset], NAMES[2:]),
    )
    operator.writes_rules(f"alpha:{pool}/*")

    run = operator.zfsctl("run")

    assert run.code == 3
    assert run.results == ["failed", "done"]
    (error,) = run.data["errors"]
    assert "out of space" in error["why"]
    assert snapshots(pool) == {dataset: NAMES[2:]}

    again = operator.zfsctl("run")

    assert (again.code, again.results) == (0, ["done"])
    assert list(snapshots(pool)) == [dataset, reserved]


def test_a_pool_imported_read_only_is_read_and_not_changed(
    operator: Operator, pool_on: PoolFactory, alpha: Host
) -> None:
    pool, other = pool_on(alpha), pool_on(alpha)
    do(alpha, *take([pool.name], NAMES), *take([other.name], NAMES))
    operator.writes_rules(f"alpha:{pool}", f"alpha:{other}", snapshot="* * * * *")
    with away(pool):
        pass
    do(alpha, f"zpool export {pool}; zpool import -o cachefile=none -o readonly=on -d {pool.device} {pool}")
    try:
        run = operator.zfsctl("run", "--only", "prune")
        by_hand = operator.zfsctl("snapshot", f"alpha:{pool}")
        status = operator.zfsctl("status")
        listed = snapshots(pool)
    finally:
        do(alpha, f"zpool export {pool}; zpool import -o cachefile=none -d {pool.device} {pool}")

    assert (run.code, run.findings[0]) == (3, ("pool-takes-no-writes", "alpha", pool.name))
    assert listed == {pool.name: NAMES}
    assert snapshots(other) == {other.name: NAMES[2:]}
    assert (by_hand.code, by_hand.findings[0][0]) == (1, "pool-takes-no-writes")
    assert status.data["hosts"][0]["health"] == "warning"


def test_nothing_is_concluded_from_a_pool_that_is_not_there(
    operator: Operator, pool_on: PoolFactory, alpha: Host
) -> None:
    pool, other = pool_on(alpha), pool_on(alpha)
    do(alpha, *take([pool.name], NAMES), *take([other.name], NAMES))
    operator.writes_rules(f"alpha:{pool}", f"alpha:{other}")
    with away(pool):
        run = operator.zfsctl("run")
        named = operator.zfsctl("prune", "--yes", f"alpha:{pool}")
        check = operator.zfsctl("status", "--check", json=False)
        operator.writes_rules(f"alpha:{pool}")
        alone = operator.zfsctl("run")

    assert (run.code, [code for code, *_ in run.findings]) == (3, ["no-match"])
    assert (named.code, alone.code) == (2, 2)
    assert check.code == 2
    assert snapshots(pool) == {pool.name: NAMES}
    assert snapshots(other) == {other.name: NAMES[2:]}
