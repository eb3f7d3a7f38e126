"""What a run asks of two real OpenZFS hosts: counts of remote commands, which do not depend on the machine.

Run by `make bench`, as root on a Debian-like system (tests/testbed makes the hosts). Times are printed beside the
counts; the guests are emulated, so only the counts mean anything.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.real.operators import Operator
from tests.testbed.fixtures import obtain_pair
from tests.testbed.machine import CannotMakeHosts
from tests.testbed.pools import Pool, create_pool, destroy_pool
from tests.testbed.recipe import DEFAULT_SERIES
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.run import RunRequest, plan_run

FEW, MANY = 50, 500
MAKE_LIMIT = 1800
ROUNDS = 10


def main() -> int:
    """Print the figures; 1 when one is not held."""
    try:
        pair, ours = obtain_pair(DEFAULT_SERIES, lambda text: print(text, file=sys.stderr))
    except CannotMakeHosts as error:
        print(f"left out: {error}")
        return 0
    pools = [create_pool(host, size="1G") for host in (pair.alpha, pair.beta)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measure(Operator(Path(folder), {"alpha": pair.alpha, "beta": pair.beta}), pools)
    finally:
        for pool in pools:
            destroy_pool(pool)
        if ours:
            pair.end()


def measure(operator: Operator, pools: list[Pool]) -> int:
    """Both hosts with few datasets, then with many, then a prune."""
    held = True
    operator.writes_rules(*(f"{pool.host.name}:{pool}/d*" for pool in pools), keep="last = 100", snapshot="0 0 1 1 *")
    for pool in pools:
        make_datasets(pool, range(FEW))
    first = exchanges_of_run(operator)
    taken = sum(pool.host.ssh(f"zpool history {pool} | grep -c 'zfs snapshot'").stdout.strip() == "1" for pool in pools)
    held &= report(f"snapshots of {FEW} datasets of a pool: one zfs snapshot on both hosts", taken == len(pools))
    few = exchanges_of_run(operator)
    for pool in pools:
        make_datasets(pool, range(FEW, MANY))
    exchanges_of_run(operator)
    many = exchanges_of_run(operator)
    print(f"run that takes the first snapshots: {first}")
    print(f"no-op run, {FEW} datasets a host: {few}")
    print(f"no-op run, {MANY} datasets a host: {many}")
    held &= report("the same number of remote commands, at most 4 a host", few == many and max(few.values()) <= 4)
    held &= prune(operator, pools[0])
    return 0 if held else 1


def prune(operator: Operator, pool: Pool) -> bool:
    """ROUNDS snapshots of FEW datasets, of which one each is kept."""
    stamps = [f"zfsctl-20260101T0000{number:02d}Z" for number in range(ROUNDS)]
    names = [f"{pool}/d{number:03d}" for number in range(FEW)]
    script = "\n".join(f"zfs snapshot {' '.join(f'{name}@{stamp}' for name in names)}" for stamp in stamps)
    pool.host.ssh("sh -s", input=script, timeout=MAKE_LIMIT)
    operator.writes_rules(*(f"{pool.host.name}:{name}" for name in names), keep="last = 1")
    with operator.session() as session:
        plan = plan_run(session, RunRequest(("prune",)))
        before = session.fleet.host(pool.host.name).exchanges
        started = time.monotonic()
        applied = apply_plan(session, plan)
        took = time.monotonic() - started
        calls = session.fleet.host(pool.host.name).exchanges - before
    destroyed = count_destroyed(applied)
    print(f"prune of {destroyed} snapshots of {FEW} datasets: {calls} remote shell calls, {took:.0f} s")
    return report("at most 3 remote shell calls", calls <= 3 and destroyed >= ROUNDS * FEW)


def make_datasets(pool: Pool, numbers: range) -> None:
    """Datasets of a pool, made by one shell."""
    script = "\n".join(f"zfs create -o canmount=off {pool}/d{number:03d}" for number in numbers)
    pool.host.ssh("sh -s", input=script, timeout=MAKE_LIMIT)


def exchanges_of_run(operator: Operator) -> dict[str, int]:
    """Remote commands of one run, by host."""
    with operator.session() as session:
        apply_plan(session, plan_run(session, RunRequest()))
        return {name: session.fleet.host(name).exchanges for name in operator.hosts}


def count_destroyed(applied: Applied) -> int:
    """Snapshots that a listing showed to be gone."""
    return sum(member.result == "done" for outcome in applied.outcomes for member in outcome.members)


def report(what: str, held: bool) -> bool:
    """Print a figure's verdict."""
    print(f"{'held' if held else 'NOT HELD'}: {what}")
    return held


if __name__ == "__main__":
    sys.exit(main())
