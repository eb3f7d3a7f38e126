"""A plan file can let nothing go but a copy that was set aside, and what lies below it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zfsctl.documents.step_checks import check_step
from zfsctl.documents.steps import document_of_step, step_from_document
from zfsctl.model.plan import DestroyDataset, SnapshotRef

ASIDE = "bk/copies/a.zfsctl-aside-20261121T163000Z"
STEP = DestroyDataset(
    id="r1",
    host="beta",
    why="",
    dataset=ASIDE,
    dataset_guid=90,
    aside=ASIDE,
    mark="clone:copy:90:20261121T163000Z",
    snapshots=(SnapshotRef("own", 177),),
    holds=(("own", "zfsctl:copy:base"),),
)


@pytest.mark.parametrize("step", [STEP, replace(STEP, dataset=f"{ASIDE}/x"), replace(STEP, snapshots=(), holds=())])
def test_what_zfsctl_plans_is_taken(step: DestroyDataset) -> None:
    check_step(step)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        pytest.param(replace(STEP, dataset="bk/copies/a"), "no part of a copy", id="a-receiver"),
        pytest.param(replace(STEP, dataset="bk/copies/a", aside="bk/copies/a"), "no part of a copy", id="no-copy"),
        pytest.param(replace(STEP, dataset=f"{ASIDE}/x", aside=f"{ASIDE}/x"), "no part of a copy", id="below-a-copy"),
        pytest.param(replace(STEP, dataset=f"{ASIDE}x"), "no part of a copy", id="a-longer-name"),
        pytest.param(replace(STEP, dataset=f"{ASIDE}@own"), "not allow", id="a-snapshot"),
        pytest.param(replace(STEP, mark="on"), "no mark", id="another-mark"),
        pytest.param(replace(STEP, dataset_guid=0), "no guid", id="no-guid"),
        pytest.param(replace(STEP, snapshots=(SnapshotRef("own", 0),)), "no guid", id="a-snapshot-without-a-guid"),
        pytest.param(replace(STEP, snapshots=(SnapshotRef("a,b", 5),)), "not allow", id="two-snapshots-in-one-name"),
        pytest.param(replace(STEP, holds=(("own", "mine"),)), "no hold of zfsctl", id="somebody's-hold"),
        pytest.param(replace(STEP, holds=(("other", "zfsctl:copy:base"),)), "no hold of", id="another-snapshot's-hold"),
    ],
)
def test_what_no_release_would_do_is_refused(step: DestroyDataset, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_step(step)


def test_it_may_not_play_down_what_it_does() -> None:
    document = document_of_step(STEP)
    document["risk"] = "safe"

    with pytest.raises(ValueError, match="destructive"):
        step_from_document(document)
