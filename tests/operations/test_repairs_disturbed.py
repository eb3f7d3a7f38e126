"""Somebody is at work on a receiver while it is repaired: each step looks once more, and leaves what has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.test_repair import COPY, Pair, new_pair
from zfsctl.model.event import Event, Result, StepOutcome, StepStarted
from zfsctl.model.plan import Step
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate


@pytest.fixture(scope="module")
def diverged(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A pair whose receiver has snapshots of its own, on the filesystem and on the volume below it."""
    pair = new_pair(tmp_path_factory.mktemp("diverged"))
    for name in (COPY, f"{COPY}/vol"):
        pair.writes_to(name, snapshot="own")
    return pair


@pytest.fixture
def pair(diverged: Pair, tmp_path: Path) -> Pair:
    return Pair(diverged.world.copy(tmp_path / "world"))


def repair(pair: Pair, moment: type[Step], happens: Callable[[Pair, Step], None], dataset: str) -> StepOutcome:
    """What became of the step of that kind on `dataset`, right before which something happened. Whatever was there
    then is there still.
    """
    disturbed = ""
    there: set[str] = set()

    def listen(event: Event) -> None:
        nonlocal disturbed
        if isinstance(event, StepStarted) and isinstance(event.step, moment) and of(event.step) == dataset:
            happens(pair, event.step)
            disturbed = event.step.id
            there.update(everything(pair))

    with pair.world.session() as session:
        done = apply_plan(session, plan_replicate(session, ReplicateRequest()), listeners=(listen,))
    assert {row for row in there if row.startswith(f"{dataset}\t")} <= everything(pair), "the receiver is where it was"
    assert {row.partition("\t")[2] for row in there} <= {row.partition("\t")[2] for row in everything(pair)}
    return next(outcome for outcome in done.outcomes if outcome.step == disturbed)


def everything(pair: Pair) -> set[str]:
    """Name and guid of every dataset and snapshot of the receiver."""
    return set(pair.world.zfs("beta", "list", "-Hp", "-r", "-t", "all", "-o", "name,guid", "bk"))


def of(step: Step) -> str:
    return step.origin if isinstance(step, PromoteClone) else getattr(step, "dataset", "")


def another_takes_its_name(pair: Pair, _: Step) -> None:
    pair.world.zfs("beta", "rename", COPY, "bk/copies/moved")
    pair.world.zfs("beta", "create", "-o", "readonly=on", "-o", "canmount=off", COPY)


def its_base_is_replaced(pair: Pair, step: Step) -> None:
    assert isinstance(step, CloneDataset)
    base = f"{COPY}@{step.base.name}"
    pair.world.zfs("beta", "release", "zfsctl:copy:base", base)
    pair.world.zfs("beta", "destroy", base)
    pair.world.zfs("beta", "snapshot", base)


def its_new_name_is_taken(pair: Pair, step: Step) -> None:
    assert isinstance(step, CloneDataset)
    pair.world.zfs("beta", "create", step.to)


def what_was_built_is_not_ours(pair: Pair, step: Step) -> None:
    built = step.dataset if isinstance(step, PromoteClone) else getattr(step, "built", "")
    pair.world.zfs("beta", "inherit", "zfsctl:repair", built)


def another_clone_has_its_name(pair: Pair, step: Step) -> None:
    assert isinstance(step, PromoteClone)
    pair.world.zfs("beta", "destroy", step.dataset)
    pair.world.zfs("beta", "snapshot", f"{COPY}@later")
    pair.world.zfs("beta", "clone", "-o", f"zfsctl:repair={step.mark}", f"{COPY}@later", step.dataset)


def it_became_a_clone(pair: Pair, _: Step) -> None:
    """Somebody cloned its oldest snapshot and promoted the clone, so that it depends on that (openzfs #17389)."""
    oldest = pair.world.zfs("beta", "list", "-H", "-s", "createtxg", "-t", "snapshot", "-o", "name", COPY)[0]
    pair.world.zfs("beta", "clone", "-o", "canmount=noauto", oldest, "bk/copies/theirs")
    pair.world.zfs("beta", "promote", "bk/copies/theirs")


def its_bookmarks_cannot_be_read(pair: Pair, _: Step) -> None:
    pair.world.fleet.faults.fail("filesystem,volume,bookmark", "internal error: I/O error")


def the_name_for_what_is_set_aside_is_taken(pair: Pair, step: Step) -> None:
    assert isinstance(step, SwapDatasets)
    pair.world.zfs("beta", "create", step.aside)


def somebody_mounts_it(pair: Pair, _: Step) -> None:
    pair.world.zfs("beta", "set", "readonly=off", COPY)
    pair.world.zfs("beta", "mount", COPY)


def somebody_opens_it(pair: Pair, _: Step) -> None:
    pair.world.zfs("beta", "set", "readonly=off", f"{COPY}/vol")


@pytest.mark.parametrize(
    ("moment", "happens", "said"),
    [
        (CloneDataset, another_takes_its_name, "bk/copies/a is no longer the planned dataset"),
        (CloneDataset, its_base_is_replaced, "is no longer the planned snapshot"),
        (CloneDataset, its_new_name_is_taken, "is there, and is not ours"),
        (PromoteClone, what_was_built_is_not_ours, "is not what was built"),
        (PromoteClone, another_clone_has_its_name, "is no clone of bk/copies/a@zfsctl-"),
        (PromoteClone, it_became_a_clone, "is itself a clone: promoting there can hang"),
        (PromoteClone, its_bookmarks_cannot_be_read, "the bookmarks around it could not be listed"),
        (SwapDatasets, another_takes_its_name, "bk/copies/a is no longer the planned dataset"),
        (SwapDatasets, what_was_built_is_not_ours, "is not what was built"),
        (SwapDatasets, the_name_for_what_is_set_aside_is_taken, "is there already"),
        (SwapDatasets, somebody_mounts_it, "somebody may be at work on it"),
        (SwapDatasets, somebody_opens_it, "somebody may be at work on it"),
    ],
    ids=lambda one: getattr(one, "__name__", None) if callable(one) else "",
)
def test_a_step_leaves_alone_what_has_changed(
    pair: Pair, moment: type[Step], happens: Callable[[Pair, Step], None], said: str
) -> None:
    outcome = repair(pair, moment, happens, f"{COPY}/vol" if happens is somebody_opens_it else COPY)

    assert outcome.result in (Result.STALE, Result.FAILED)
    assert said in outcome.detail
