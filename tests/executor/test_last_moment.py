"""A repair on a host where something changes between the look and the change: the remote shell looks once more."""

from __future__ import annotations

import pytest

from tests.executor.transfers import Ends, Meddled, new_ends, said
from zfsctl.executor.repair import apply_clone, apply_promote
from zfsctl.executor.swap import apply_swap
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairKind, RepairMark, SwapDatasets, aside_name, new_name

STAMP = "20261120T140000Z"
BUILT, ASIDE = new_name("bk/a", STAMP), aside_name("bk/a", STAMP)


class Repair:
    """The three steps of the repair of bk/a, whose base is s1."""

    def __init__(self, ends: Ends) -> None:
        guid = int(ends.zfs("beta", "get -Hp -o value guid bk/a")[0])
        mark = str(RepairMark(RepairKind.CLONE, "r", guid, STAMP))
        shared = {"host": "beta", "why": "", "replication": "r", "mark": mark}
        base = ends.ref("s1")
        self.clone = CloneDataset(id="c", dataset="bk/a", dataset_guid=guid, base=base, to=BUILT, **shared)
        self.promote = PromoteClone(id="p", dataset=BUILT, origin="bk/a", base=base, **shared)
        self.swap = SwapDatasets(id="s", dataset="bk/a", dataset_guid=guid, built=BUILT, aside=ASIDE, **shared)


@pytest.fixture
def ends() -> Ends:
    """bk/a has s1 of its sender and a snapshot of its own."""
    made = new_ends()
    made.copy("s1")
    made.zfs("beta", "snapshot bk/a@own")
    return made


def test_undisturbed_it_is_cloned_promoted_and_swapped(ends: Ends) -> None:
    repair, host = Repair(ends), ends.fleet.host("beta")

    assert said(apply_clone(repair.clone, host)) == ("done", "")
    assert said(apply_promote(repair.promote, host)) == ("done", "")
    assert said(apply_swap(repair.swap, host)) == ("done", f"what was there is kept as {ASIDE}")
    assert (ends.received(), ends.received(ASIDE)) == ("s1", "own!")


def test_the_base_is_replaced_before_it_is_cloned(ends: Ends) -> None:
    def happens() -> None:
        ends.zfs("beta", "destroy bk/a@s1")
        ends.zfs("beta", "snapshot bk/a@s1")

    outcome = apply_clone(Repair(ends).clone, Meddled(ends.fleet.host("beta"), happens))

    assert said(outcome) == ("stale", "bk/a@s1 is no longer the planned snapshot")
    assert BUILT not in ends.zfs("beta", "list -H -r -o name bk")


def test_a_bookmark_appears_that_would_hang_the_pool(ends: Ends) -> None:
    repair, host = Repair(ends), ends.fleet.host("beta")
    apply_clone(repair.clone, host)
    ends.zfs("beta", f"snapshot {BUILT}@x")

    def happens() -> None:
        ends.zfs("beta", "bookmark bk/a@own bk/a#same")
        ends.zfs("beta", f"bookmark {BUILT}@x {BUILT}#same")

    outcome = apply_promote(repair.promote, Meddled(host, happens))

    assert said(outcome) == ("stale", "the bookmarks around it changed at that moment")
    assert not ends.asked("zfs promote")


@pytest.mark.parametrize("name", ["bk/a", BUILT])
def test_another_dataset_takes_a_name_before_it_is_renamed(ends: Ends, name: str) -> None:
    repair, host = Repair(ends), ends.fleet.host("beta")
    apply_clone(repair.clone, host)
    apply_promote(repair.promote, host)
    happened: list[str] = []

    def happens() -> None:
        if not happened:
            happened.append(name)
            ends.zfs("beta", f"rename {name} bk/moved")
            ends.zfs("beta", f"create -o canmount=off {name}")

    outcome = apply_swap(repair.swap, Meddled(host, happens))

    assert said(outcome) == ("failed", f"{name} changed at that moment")
    moved = "own!" if name == "bk/a" else "s1"
    assert (ends.received("bk/moved"), ends.received(name)) == (moved, "")
