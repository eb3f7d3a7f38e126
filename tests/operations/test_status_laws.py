"""Laws of health over generated histories: whatever happened, a run knows how replications stand after it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.operations.replicating import MEMORY, Copies, an_hour, new_copies
from tests.operations.test_replication_laws import Copy, Life, histories, impatient
from zfsctl.documents.status import status_from_document
from zfsctl.errors import ZfsctlError
from zfsctl.model.lineage import LinkState
from zfsctl.model.replication_status import LinkHealth, PairStatus
from zfsctl.operations.explain import explain
from zfsctl.operations.status import status
from zfsctl.sandbox.faults import KilledAt

__all__ = ["impatient"]

NAMES = ("near", "far", "chain")
Stand = dict[tuple[str, ...], PairStatus]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Everything is copied everywhere."""
    world = new_copies(tmp_path_factory.mktemp("copied"))
    for _ in range(3):
        an_hour(world)
        assert world.run().exit_code == 0
    return world.copy


def asked(world: Copies) -> Stand:
    """What the hosts say."""
    with world.session(dry_run=True) as session:
        seen = status(session)
    return {(one.name, *pair.place): pair for one in seen.replications for pair in one.pairs}


def kept(world: Copies) -> Stand:
    """What the last run left for those who ask no host."""
    with world.session(dry_run=True) as session:
        found = session.journal.cached_status()
    assert found is not None
    seen = status_from_document(json.loads(found.document))
    return {(one.name, *pair.place): pair for one in seen.replications for pair in one.pairs}


def explained(world: Copies) -> Stand:
    """What `explain` says of each replication."""
    found: Stand = {}
    with world.session(dry_run=True) as session:
        for name in NAMES:
            found |= {(name, *pair.status.place): pair.status for pair in explain(session, name).pairs}
    return found


def makes_sense(pair: PairStatus) -> None:
    """What must be true of every pair, whatever its state."""
    assert (pair.next == "") is (pair.state is LinkState.CURRENT)
    assert pair.lag is None or (pair.lag == 0 or pair.waiting > 0)
    if pair.state is LinkState.CURRENT:
        assert (pair.health, pair.waiting) == (LinkHealth.HEALTHY, 0)
    if pair.health is not LinkHealth.HEALTHY:
        assert pair.why


def live(copy: Copy, history: list[tuple[str, object]], *, repairs: bool) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        life = Life(copy(Path(folder)), repairs=repairs)
        world = life.world
        for what, detail in history:
            life.number += 1
            if what == "run":
                with contextlib.suppress(ZfsctlError, KilledAt):
                    world.run(only=detail)
            else:
                life.happen(what, detail)
        world.fleet.faults.clear()
        for _ in range(2):
            an_hour(world)
            world.run()
            known, seen = kept(world), asked(world)
            assert known == seen
            assert explained(world) == seen
            for pair in seen.values():
                makes_sense(pair)


@settings(max_examples=3)
@given(histories, st.booleans())
def test_a_run_knows_how_replications_stand_after_it(
    copied: Copy, history: list[tuple[str, object]], repairs: bool
) -> None:
    live(copied, history, repairs=repairs)


@pytest.mark.slow
@settings(max_examples=300)
@given(histories, st.booleans())
def test_a_run_knows_how_replications_stand_after_it_in_many_histories(
    copied: Copy, history: list[tuple[str, object]], repairs: bool
) -> None:
    live(copied, history, repairs=repairs)
