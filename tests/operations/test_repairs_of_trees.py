"""Repairs in which parents and children hinder each other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.replicating import MEMORY, Copies, an_hour, dataset_on, lawful_run, new_copies, states
from zfsctl.model.event import Result
from zfsctl.model.lineage import LinkState
from zfsctl.sandbox.building import do
from zfsctl.sandbox.faults import Fault, FaultKind
from zfsctl.sandbox.workload import write

CHILD = "alpha:tank/a/kid → beta:bk/a/kid"
PARENT = "alpha:tank/a → beta:bk/a"


def copied(folder: Path, *, encrypted: bool) -> Copies:
    world = new_copies(folder)
    world.policy_text = world.policy_text.replace('repair = "never"', 'repair = "auto"')
    if encrypted:
        do(world.sim, "alpha", "zfs", "destroy", "-r", "tank/a")
        do(world.sim, "alpha", "zfs", "create", "-o", "encryption=on", "-o", "keyformat=passphrase", "tank/a")
        do(world.sim, "alpha", "zfs", "create", "tank/a/kid")
    for _ in range(4):
        an_hour(world)
        assert world.run().exit_code == 0
    return world


@pytest.fixture
def locked() -> Iterator[Copies]:
    """An encrypted tree with its raw copies, each of them a root of its own."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield copied(Path(folder), encrypted=True)


@pytest.fixture
def world() -> Iterator[Copies]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield copied(Path(folder), encrypted=False)


def test_an_encrypted_child_repaired_with_its_parent_leaves_its_old_copy_where_it_is(locked: Copies) -> None:
    """What was set aside is a clone of what was built, with its encryption root, and cannot move below another."""
    for name in ("tank/a", "tank/a/kid"):
        dataset = dataset_on(locked, "alpha", name)
        assert dataset is not None
        locked.zfs("alpha", "rollback", "-r", f"{name}@{list(dataset.snapshots)[1]}")
    an_hour(locked)
    for _ in range(5):
        lawful_run(locked)

    assert set(states(locked).values()) == {LinkState.CURRENT}
    assert locked.plan().steps == ()


def test_children_come_home_even_if_their_parent_was_written_to_meanwhile(world: Copies) -> None:
    write_into_what_is_home(world)
    world.fleet.faults.add(Fault(FaultKind.KILL_BEFORE, match="/kid bk/a/kid", times=None))
    lawful_run(world)
    world.fleet.faults.clear()
    assert states(world)[PARENT] is LinkState.REPAIRING
    assert dataset_on(world, "beta", "bk/a/kid") is None

    write_into_what_is_home(world)
    for _ in range(3):
        lawful_run(world)

    assert dataset_on(world, "beta", "bk/a/kid") is not None
    found = states(world)
    assert found[CHILD] is LinkState.CURRENT
    assert found[PARENT] is LinkState.MODIFIED, "a second repair waits for a person"


def test_what_is_repaired_is_not_sent_on_at_the_same_time(world: Copies) -> None:
    """One would read by names what the other puts another dataset in the place of."""
    an_hour(world)
    world.run()
    write_into_what_is_home(world)
    world.zfs("beta", "snapshot", "bk/a@own")
    assert states(world)["beta:bk/a → gamma:vault/chain"] is LinkState.BEHIND
    an_hour(world)

    done = world.run()

    assert done.exit_code == 0
    assert {outcome.result for outcome in done.outcomes} == {Result.DONE}
    assert ("sender-repaired", "gamma", "vault/chain") in {
        (finding.code, finding.host, finding.dataset) for finding in done.plan.findings
    }
    for _ in range(3):
        lawful_run(world)
    assert set(states(world).values()) == {LinkState.CURRENT}


def write_into_what_is_home(world: Copies) -> None:
    world.zfs("beta", "set", "readonly=off", "bk/a")
    write(world.sim, "beta", "bk/a", 1 << 20)
    world.zfs("beta", "set", "readonly=on", "bk/a")
