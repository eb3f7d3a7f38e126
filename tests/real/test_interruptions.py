"""Runs that are killed, stopped, or meet each other, on real hosts."""

from __future__ import annotations

import signal
import time

import pytest

from tests.real.operators import LIMIT, Operator
from tests.real.zfs import do, scheduled, snapshots, take
from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host
from tests.testbed.pools import Pool
from zfsctl.operations.prune import PruneRequest, plan_prune

pytestmark = pytest.mark.zfs

NAMES = [scheduled(day) for day in range(1, 5)]


@pytest.mark.parametrize(
    ("kind", "count", "delay"),
    [
        pytest.param("StepStarted", 1, 0.4, id="during-the-snapshots"),
        pytest.param("StepFinished", 1, 0, id="after-the-snapshots"),
        pytest.param("StepStarted", 3, 0, id="before-the-destroys"),
        pytest.param("StepStarted", 3, 0.6, id="during-the-destroys"),
        pytest.param("StepFinished", 2, 0, id="after-the-destroys-with-half-of-them-told"),
    ],
)
def test_the_next_run_finishes_what_a_killed_one_began(
    operator: Operator, beta_pool: Pool, kind: str, count: int, delay: float
) -> None:
    a, b, new = (f"{beta_pool}/{name}" for name in ("a", "b", "new"))
    do(
        beta_pool.host,
        *(f"zfs create -o canmount=off {name}" for name in (a, b, new)),
        *take([a, b], NAMES),
    )
    operator.writes_rules(f"beta:{beta_pool}/*")

    with operator.started_python("-m", "tests.real.dying", str(operator.config), kind, str(count), str(delay)) as run:
        _, complaints = run.communicate(timeout=LIMIT)
    left = snapshots(beta_pool)
    finished = operator.zfsctl("run")
    history = operator.zfsctl("history")

    assert run.returncode == -signal.SIGKILL, complaints
    assert set(NAMES[2:]) <= set(left[a]) & set(left[b])
    assert finished.code == 0, finished.stderr
    now = snapshots(beta_pool)
    assert (now[a], now[b], len(now[new])) == (NAMES[2:], NAMES[2:], 1)
    assert [one["state"] for one in history.data["runs"]] == ["done", "interrupted"]


def test_a_run_told_to_stop_ends_what_it_began_and_begins_nothing_more(operator: Operator, beta_pool: Pool) -> None:
    a = f"{beta_pool}/a"
    frozen = f"/{beta_pool}/frozen"
    do(
        beta_pool.host,
        f"zfs create -o canmount=off {a}; zfs create -o canmount=off {beta_pool}/new",
        *take([a], NAMES),
    )
    operator.writes(
        f"""
        policies.small = {{ snapshot = "0 0 1 1 *", keep = {{ last = 2 }} }}
        [[datasets]]
        select = ["beta:{beta_pool}/*"]
        policy = "small"
        [[hooks]]
        name = "freeze"
        select = ["beta:{beta_pool}/new"]
        before = ["sh", "-c", "touch {frozen}; sleep 6"]
        after = ["rm", "{frozen}"]
        """
    )
    with operator.started("run") as run:
        deadline = time.monotonic() + LIMIT
        while beta_pool.host.ssh(["test", "-e", frozen], check=False).rc != 0:
            assert time.monotonic() < deadline
            assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        stdout, _ = run.communicate(timeout=LIMIT)
    thawed = beta_pool.host.ssh(["test", "-e", frozen], check=False).rc != 0
    untouched = snapshots(beta_pool)
    history = operator.zfsctl("history")
    finished = operator.zfsctl("run")

    assert run.returncode == 143
    assert stdout.count('"schema"') == 1
    assert thawed
    assert untouched == {a: NAMES}
    assert history.data["runs"][0]["exit_code"] is not None
    assert finished.code == 0
    assert {name: len(found) for name, found in snapshots(beta_pool).items()} == {a: 2, f"{beta_pool}/new": 1}


def test_two_runs_at_once_do_the_work_once(operator: Operator, pool_on: PoolFactory, beta: Host) -> None:
    pool, other = pool_on(beta), pool_on(beta)
    do(beta, *take([pool.name], NAMES), f"zfs create -o canmount=off {pool}/new")
    operator.writes_rules(f"beta:{pool}", f"beta:{other}")
    with operator.session() as session:
        held = plan_prune(session, PruneRequest((f"beta:{pool}",)))
        beside = operator.zfsctl("run")
        operator.writes_rules(f"beta:{pool}")
        locked = operator.zfsctl("run")
        looking = operator.zfsctl("run", "--dry-run")

    assert len(held.steps) == 1
    assert (beside.code, beside.findings) == (0, [("running", "beta", pool.name)])
    assert (locked.code, locked.document["schema"]) == (11, "zfsctl.error/1")
    assert (looking.code, len(looking.steps)) == (0, 2)
    assert snapshots(pool) == {pool.name: NAMES}
    assert len(snapshots(other)[other.name]) == 1

    with operator.started("run") as one, operator.started("run") as two:
        for run in (one, two):
            run.communicate(timeout=LIMIT)

    assert {one.returncode, two.returncode} <= {0, 11}
    assert 0 in (one.returncode, two.returncode)
    assert {name: len(found) for name, found in snapshots(pool).items()} == {pool.name: 2, f"{pool}/new": 1}
