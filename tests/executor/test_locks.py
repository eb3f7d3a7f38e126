"""Where the lock of a pool lies: one file for each host and pool, whatever their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from zfsctl.executor.locks import PoolLocks, lock_file_name

LONG = "p" * 250


@pytest.mark.parametrize(
    ("host", "pool"),
    [
        pytest.param("alpha", "tank", id="as everybody has it"),
        pytest.param("local", LONG, id="a pool of 250 bytes"),
        pytest.param("a" * 63 + ".example.org", LONG, id="and a host of 75"),
        pytest.param("a" * 255, LONG, id="and a host of 255"),
    ],
)
def test_whatever_the_names_a_lock_can_be_taken_once(tmp_path: Path, host: str, pool: str) -> None:
    ours, theirs = PoolLocks(tmp_path), PoolLocks(tmp_path)

    assert (ours.acquire(host, pool), theirs.acquire(host, pool)) == (True, False)
    ours.release()
    theirs.release()
    assert theirs.acquire(host, pool)
    theirs.release()


def test_a_file_is_called_after_its_host_and_pool_also_where_they_are_too_long() -> None:
    assert lock_file_name("alpha", "tank") == "alpha:tank.lock"
    assert lock_file_name("alpha", LONG).startswith("alpha:ppp")


def test_long_names_that_begin_alike_have_locks_of_their_own(tmp_path: Path) -> None:
    locks = PoolLocks(tmp_path)

    assert locks.acquire_all("alpha", [f"{LONG}{number}" for number in range(5)]) == tuple(
        f"{LONG}{number}" for number in range(5)
    )
    assert len(list(tmp_path.iterdir())) == 5
    locks.release()
