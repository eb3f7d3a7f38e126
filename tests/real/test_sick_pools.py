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
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.prune import PruneRequest, plan_prune

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


def test_a_full_pool_still_loses_what_no_rule_keeps(operator: Operator, pool_on: PoolFactory, beta: Host) -> None:
    pool = pool_on(beta, size="128M")
    dataset, reserved, filler = (f"{pool}/{name}" for name in ("a", "reserved", "filler"))
    do(
        beta,
        f"zfs create {dataset}; zfs create -o refreservation=6M {reserved}",
        f"head -c 10M /dev/urandom >/{dataset}/file",
        *take([dataset], NAMES),
        f"rm /{dataset}/file; head -c 5M /dev/urandom >/{reserved}/file; zpool sync {pool}",
        f"zfs create -o refreservation=$(($(zfs get -Hp -o value available {pool}) - 262144)) {filler}",
    )
    operator.writes_rules(f"beta:{dataset}", f"beta:{reserved}", keep="last = 1")
    do(beta, *take([dataset], [scheduled(5)]))

    full = operator.zfsctl("run")
    left = snapshots(pool)
    # What a destroy frees is given back over the next transaction groups.
    do(beta, f"zpool wait -t free {pool}; for n in 1 2 3; do zpool sync {pool}; done")
    again = operator.zfsctl("run")

    name = full.data["steps"][0]["snapshot"]
    assert (full.code, full.results) == (3, ["failed", "done"])
    assert full.members("failed") == [f"{reserved}@{name}"]
    assert "out of space" in full.data["errors"][0]["why"]
    assert left == {dataset: [scheduled(5)]}
    assert (again.code, again.results, list(snapshots(pool))) == (0, ["done"], [dataset, reserved])


def test_a_pool_imported_read_only_is_read_and_not_changed(
    operator: Operator, pool_on: PoolFactory, beta: Host
) -> None:
    pool, other = pool_on(beta), pool_on(beta)
    do(beta, *take([pool.name], NAMES), *take([other.name], NAMES))
    operator.writes_rules(f"beta:{pool}", f"beta:{other}")
    do(beta, f"zpool export {pool}; zpool import -o cachefile=none -o readonly=on -d {pool.device} {pool}")
    try:
        run = operator.zfsctl("run", "--only", "prune")
        by_hand = operator.zfsctl("snapshot", f"beta:{pool}")
        status = operator.zfsctl("status")
        listed = snapshots(pool)
    finally:
        do(beta, f"zpool export {pool}; zpool import -o cachefile=none -d {pool.device} {pool}")

    assert (run.code, run.findings[0]) == (3, ("pool-takes-no-writes", "beta", pool.name))
    assert listed == {pool.name: NAMES}
    assert snapshots(other) == {other.name: NAMES[2:]}
    assert (by_hand.code, by_hand.findings[0][0]) == (1, "pool-takes-no-writes")
    assert status.data["hosts"][0]["health"] == "warning"


def test_nothing_is_concluded_from_a_pool_that_is_not_there(
    operator: Operator, pool_on: PoolFactory, beta: Host
) -> None:
    pool, other = pool_on(beta), pool_on(beta)
    do(beta, *take([pool.name], NAMES), *take([other.name], NAMES))
    operator.writes_rules(f"beta:{pool}", f"beta:{other}")
    with away(pool):
        run = operator.zfsctl("run")
        named = operator.zfsctl("prune", "--yes", f"beta:{pool}")
        check = operator.zfsctl("status", "--check", json=False)
        operator.writes_rules(f"beta:{pool}")
        alone = operator.zfsctl("run")

    assert (run.code, [code for code, *_ in run.findings]) == (3, ["no-match"])
    assert (named.code, alone.code) == (2, 2)
    assert check.code == 2
    assert snapshots(pool) == {pool.name: NAMES}
    assert snapshots(other) == {other.name: NAMES[2:]}


def test_a_pool_that_goes_between_plan_and_apply_loses_nothing(operator: Operator, beta_pool: Pool) -> None:
    do(beta_pool.host, *take([beta_pool.name], NAMES))
    operator.writes_rules(f"beta:{beta_pool}")
    with operator.session() as session:
        plan = plan_prune(session, PruneRequest())
        with away(beta_pool):
            applied = apply_plan(session, plan)

    (outcome,) = applied.outcomes
    assert (applied.exit_code, str(outcome.result)) == (1, "failed")
    assert "cannot be looked at" in outcome.detail
    assert snapshots(beta_pool) == {beta_pool.name: NAMES}
