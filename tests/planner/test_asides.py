"""Copies set aside, from facts alone: what speaks against letting one go, and the order of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from zlib import crc32

import pytest

from zfsctl.model.dataset import Dataset, DatasetKind, Snapshot
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.planner.asides import asides_on

FIRST = "bk/a.zfsctl-aside-20261118T120000Z"
SECOND = "bk/a.zfsctl-aside-20261119T120000Z"
THIRD = "bk/a.zfsctl-aside-20261120T120000Z"
MARK = {"zfsctl:aside": "clone:copy:7:20261118T120000Z"}


def dataset(name: str, **changes: object) -> Dataset:
    return replace(Dataset(name, DatasetKind.FILESYSTEM, crc32(name.encode())), **changes)


def snapshot(name: str, *clones: str, userrefs: int = 0) -> Snapshot:
    owner, _, short = name.partition("@")
    return Snapshot(owner, short, crc32(name.encode()), 1, 1, clones=clones, userrefs=userrefs)


def host(*snapshots: Snapshot, tags: Mapping[str, tuple[str, ...]] | None = None, **datasets: Dataset) -> HostFacts:
    """bk/a with its copies; `datasets` stand in for those of the same name."""
    names = ("bk", "bk/a", FIRST, SECOND, THIRD)
    known = {name: dataset(name) for name in names} | {one.name: one for one in datasets.values()}
    marks = dict.fromkeys(names[2:], MARK)
    by_dataset = {name: tuple(one for one in snapshots if one.dataset == name) for name in known}
    return HostFacts("beta", 0, datasets=known, snapshots=by_dataset, chains=Chains(holds=tags or {}, marks=marks))


def order(facts: HostFacts) -> list[str]:
    return [one.dataset for one in asides_on(facts, ())]


def obstacles(facts: HostFacts, name: str = FIRST) -> tuple[str, ...]:
    return next(one.obstacles for one in asides_on(facts, ()) if one.dataset == name)


@pytest.mark.parametrize(
    ("snapshots", "expected"),
    [
        pytest.param((), [FIRST, SECOND, THIRD], id="the oldest first where none needs another"),
        pytest.param((snapshot("bk/a@s", FIRST, SECOND),), [FIRST, SECOND, THIRD], id="clones of what is home"),
        pytest.param((snapshot(f"{FIRST}@s", SECOND),), [SECOND, FIRST, THIRD], id="a clone before its origin"),
        pytest.param(
            (snapshot(f"{FIRST}@s", SECOND), snapshot(f"{SECOND}@s", THIRD)), [THIRD, SECOND, FIRST], id="a chain"
        ),
        pytest.param(
            (snapshot(f"{FIRST}@s", f"{THIRD}/x"),), [SECOND, THIRD, FIRST], id="a clone that lies in another copy"
        ),
    ],
)
def test_copies_come_in_an_order_in_which_they_can_go(snapshots: tuple[Snapshot, ...], expected: list[str]) -> None:
    assert order(host(*snapshots)) == expected


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(host(), (), id="nothing"),
        pytest.param(host(snapshot("bk/a@s", FIRST)), (), id="it is a clone of what is home"),
        pytest.param(
            host(snapshot("bk/a@s", f"{FIRST}/%recv")), (f"a receive into {FIRST} is running",),
            id="a receive that goes on from what is home by now",
        ),
        pytest.param(
            host(snapshot(f"{FIRST}@s", f"{FIRST}/%recv")),
            (f"a receive into {FIRST} is running", f"a receive goes on from {FIRST}@s"), id="a receive into it",
        ),
        pytest.param(
            host(a=dataset(FIRST, receive_resume_token="1-a-b")), (f"an unfinished receive lies in {FIRST}",),
            id="a token",
        ),
        pytest.param(
            host(a=dataset("bk/a", inconsistent=True)), ("the first copy into bk/a has not ended",),
            id="what is at home is not whole yet",
        ),
        pytest.param(
            host(snapshot(f"{FIRST}@s", userrefs=2), tags={f"{FIRST}@s": ("zfsctl:copy:base",)}),
            (f"the holds of {FIRST}@s were not listed",), id="a hold that was not listed",
        ),
        pytest.param(
            host(snapshot(f"{FIRST}@s", userrefs=1), tags={f"{FIRST}@s": ("zfsctl:keep",)}),
            (f"{FIRST}@s is held by 'zfsctl:keep', which is none of zfsctl's",), id="a hold that only looks like ours",
        ),
        pytest.param(
            host(snapshot(f"{FIRST}@s", userrefs=1), tags={f"{FIRST}@s": ("zfsctl:copy:send",)}), (), id="our hold"
        ),
        pytest.param(
            replace(host(), problems=("`zfs list` failed",)),
            ("the listing of beta is not complete: `zfs list` failed",), id="a listing that is not complete",
        ),
    ],
)  # fmt: skip
def test_what_speaks_against_it(facts: HostFacts, said: tuple[str, ...]) -> None:
    assert obstacles(facts) == said


def test_a_name_alone_makes_no_copy_of_ours() -> None:
    facts = host()

    assert obstacles(replace(facts, chains=Chains())) == (
        "it has no mark zfsctl:aside of its own, so it was not zfsctl that set it aside",
    )
    wrong = Chains(marks={FIRST: {"zfsctl:aside": "on"}})
    assert obstacles(replace(facts, chains=wrong)) == obstacles(replace(facts, chains=Chains()))
