"""A plan file cannot make a repair touch anything that no plan of zfsctl's own would touch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zfsctl.documents.step_checks import check_step
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairStep, SwapDatasets

HOME = "bk/copies/a"
BUILT = f"{HOME}.zfsctl-new-20261121T163000Z"
ASIDE = f"{HOME}.zfsctl-aside-20261121T163000Z"
MARK = "clone:copy:90:20261121T163000Z"
BASE = SnapshotRef("zfsctl-20261120T133000Z", 177)

CLONE = CloneDataset(
    id="c1", host="beta", why="", replication="copy", dataset=HOME, dataset_guid=90, base=BASE, to=BUILT, mark=MARK
)
PROMOTE = PromoteClone(
    id="p1", host="beta", why="", replication="copy", dataset=BUILT, origin=HOME, base=BASE, mark=MARK
)
SWAP = SwapDatasets(
    id="s1", host="beta", why="", replication="copy", dataset=HOME, dataset_guid=90, built=BUILT, aside=ASIDE, mark=MARK
)


@pytest.mark.parametrize(
    "step", [CLONE, PROMOTE, SWAP, replace(SWAP, built=HOME)], ids=lambda step: type(step).__name__
)
def test_what_zfsctl_plans_is_taken(step: RepairStep) -> None:
    check_step(step)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        pytest.param(replace(CLONE, mark="mine"), "no mark", id="a-mark-of-somebody-else"),
        pytest.param(replace(CLONE, replication="other"), "no mark", id="the-mark-of-another-replication"),
        pytest.param(replace(CLONE, dataset_guid=91), "not about the dataset", id="another-dataset"),
        pytest.param(replace(CLONE, to="bk/copies/b"), "not what is built", id="a-clone-anywhere"),
        pytest.param(replace(CLONE, base=SnapshotRef("a", 0)), "no guid", id="a-base-without-a-guid"),
        pytest.param(replace(PROMOTE, dataset="bk/vm"), "not what is built", id="the-promotion-of-anything"),
        pytest.param(replace(SWAP, aside="bk/gone"), "is not set aside as", id="a-receiver-moved-anywhere"),
        pytest.param(replace(SWAP, built="bk/vm"), "not what is built", id="anything-moved-into-its-place"),
        pytest.param(
            replace(SWAP, dataset="bk", aside="bk.zfsctl-aside-20261121T163000Z", built="bk"), "root", id="a-pool"
        ),
        pytest.param(replace(SWAP, dataset="bk/a@b"), "set aside as", id="a-snapshot"),
    ],
)
def test_what_no_repair_would_do_is_refused(step: RepairStep, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_step(step)
