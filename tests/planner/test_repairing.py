"""Whether a repair is begun, and how one that is half done is known again: by marks and guids, never by names alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.planner.notation import dataset, receiver, sender
from tests.planner.replicating import RULE, beside, codes, plan, transfers
from zfsctl.model.dataset import Dataset
from zfsctl.model.facts import HostFacts
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import REPAIR_MARK
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairKind, RepairMark, SwapDatasets, aside_name, new_name
from zfsctl.model.replication import Repair, Replication
from zfsctl.model.transfer import AbortReceive
from zfsctl.planner.lineage import End
from zfsctl.planner.repairing import Begun
from zfsctl.planner.replicating import Replicating

STAMP = "20261120T140000Z"
BUILT = new_name("bk/a", STAMP)
FORMER = 2
"""The guid of the receiver."""
AUTO = replace(RULE, repair=Repair.AUTO)
SENT = sender("20T12 20T13 20T14")
DIVERGED = "20T12k 20T12:30fw"
"""The base with our hold, and a snapshot of somebody who wrote there."""


def named(end: End, name: str, guid: int) -> End:
    """The dataset of `end` under another name and guid."""
    host = end.host
    of = replace(host.datasets[end.name], name=name, guid=guid)
    history = tuple(replace(one, dataset=name) for one in host.snapshots[end.name])
    holds = {f"{name}@{full.partition('@')[2]}": tags for full, tags in host.chains.holds.items()}
    chains = replace(host.chains, bookmarks={}, holds=holds)
    return End(replace(host, datasets={name: of}, snapshots={name: history}, chains=chains), name)


def marked(end: End, name: str, mark: str) -> End:
    chains = replace(end.host.chains, marks={**end.host.chains.marks, name: {REPAIR_MARK: mark}})
    return replace(end, host=replace(end.host, chains=chains))


def half_done(mark: RepairMark, *, former: str | None = DIVERGED, **changes: object) -> End:
    """A receiver and the full copy that is to take its place."""
    end = receiver(former, **changes)
    return marked(beside(end, named(receiver("20T12 20T13 20T14"), BUILT, 50)), BUILT, str(mark))


def kinds_of(found: Replicating) -> str:
    words = {CloneDataset: "clone", PromoteClone: "promote", SwapDatasets: "swap", AbortReceive: "abort"}
    return " ".join(words[type(step)] for step in found.steps if type(step) in words)


@pytest.mark.parametrize(
    ("beta", "rule", "steps", "asked"),
    [
        pytest.param(receiver(DIVERGED), AUTO, "clone promote swap", 0, id="by itself where our hold is on it"),
        pytest.param(receiver("20T12 20T12:30fw"), AUTO, "", 1, id="not by itself where it is not"),
        pytest.param(receiver(DIVERGED), RULE, "", 1, id="never by itself where the policy says ask"),
        pytest.param(
            receiver(DIVERGED, origin="bk/b@x"), AUTO, "swap", 0, id="a receiver that is a clone is copied in full"
        ),
    ],
)
def test_which_repairs_are_begun(beta: End, rule: Replication, steps: str, asked: int) -> None:
    found = plan(SENT, beta, rule)

    assert (kinds_of(found), len(found.approvals)) == (steps, asked)


def test_a_receive_of_somebody_else_is_not_given_up_for_a_repair() -> None:
    foreign = receiver(DIVERGED, token="20T13>20T14")
    token = replace(foreign.host.chains.tokens["bk/a"], to_name="tank/a@theirs", to_guid=4711, from_guid=4712)
    chains = replace(foreign.host.chains, tokens={"bk/a": token})
    found = plan(SENT, replace(foreign, host=replace(foreign.host, chains=chains)), AUTO)

    assert (kinds_of(found), codes(found)) == ("", ["foreign-receive"])


def test_a_receive_of_ours_is_given_up_for_a_repair() -> None:
    found = plan(SENT, receiver(DIVERGED, token="20T12>20T13"), AUTO)

    assert kinds_of(found) == "abort clone promote swap"


def busy_below(end: End) -> End:
    """With a receive into a dataset below it that left no token, so that it is not ours."""
    kid = named(receiver("20T12r"), "bk/a/kid", 60)
    return beside(end, kid)


def test_nothing_is_renamed_below_which_somebody_receives() -> None:
    kid = named(sender("20T12 20T13"), "tank/a/kid", 70)
    alpha = beside(SENT, kid)
    begun = RepairMark(RepairKind.FULL, "r", FORMER, STAMP)

    for beta in (busy_below(receiver(DIVERGED)), busy_below(half_done(begun))):
        found = plan(alpha, beta, AUTO)

        assert kinds_of(found) == ""
        assert any("a rename would end it" in finding.message for finding in found.findings)


@pytest.mark.parametrize(
    ("mark", "goes_on"),
    [
        pytest.param(RepairMark(RepairKind.FULL, "r", FORMER, STAMP), True, id="of this dataset"),
        pytest.param(RepairMark(RepairKind.FULL, "r", 99, STAMP), False, id="of a dataset that is gone"),
        pytest.param(RepairMark(RepairKind.FULL, "q", FORMER, STAMP), False, id="of another replication"),
    ],
)
def test_a_repair_goes_on_only_with_what_it_built_itself(mark: RepairMark, goes_on: bool) -> None:
    found = plan(SENT, half_done(mark), RULE)

    assert [step.built for step in found.steps if isinstance(step, SwapDatasets)] == ([BUILT] if goes_on else [])
    assert (found.approvals == ()) is goes_on


def test_a_repair_whose_receiver_is_gone_goes_on() -> None:
    found = plan(SENT, half_done(RepairMark(RepairKind.FULL, "r", FORMER, STAMP), former=None), RULE)

    assert kinds_of(found) == "swap"


@pytest.mark.parametrize(("name", "is_ours"), [("r", True), ("q", False)])
def test_a_mark_of_another_replication_on_a_receiver_is_not_ours_to_take_off(name: str, is_ours: bool) -> None:
    beta = marked(receiver("20T12k"), "bk/a", str(RepairMark(RepairKind.FULL, name, 77, STAMP)))
    found = plan(SENT, beta, RULE)

    assert kinds_of(found) == ("swap" if is_ours else "")
    assert [one.state for one in transfers(found)] == [LinkState.BEHIND]


def test_a_receiver_that_is_in_use_by_now_is_not_set_aside() -> None:
    mark = RepairMark(RepairKind.FULL, "r", FORMER, STAMP)
    found = plan(SENT, half_done(mark, readonly=False, mounted=True), RULE)

    assert kinds_of(found) == ""
    assert any("somebody may be at work on it" in finding.message for finding in found.findings)


MARK = RepairMark(RepairKind.CLONE, "r", FORMER, STAMP)
WHOLE = dataset(BUILT, guid=7)
ASIDE = dataset(aside_name("bk/a", STAMP), guid=FORMER)


@pytest.mark.parametrize(
    ("there", "torn"),
    [
        pytest.param((WHOLE, ASIDE), True, id="between-the-two-renames"),
        pytest.param((WHOLE,), False, id="nothing-was-set-aside"),
        pytest.param((WHOLE, replace(ASIDE, guid=99)), False, id="another-has-the-name-of-what-was-set-aside"),
        pytest.param((WHOLE, ASIDE, dataset("bk/a", guid=FORMER)), False, id="something-is-in-its-place"),
        pytest.param((replace(WHOLE, inconsistent=True), ASIDE), False, id="what-was-built-is-not-whole"),
        pytest.param((replace(WHOLE, receive_resume_token="1-a-b"), ASIDE), False, id="a-receive-can-be-gone-on-with"),
        pytest.param((replace(WHOLE, origin=f"{ASIDE}@s"), ASIDE), False, id="a-clone-was-not-promoted"),
    ],
)  # fmt: skip
def test_a_swap_counts_as_cut_off_by_guids_and_by_what_was_built(there: tuple[Dataset, ...], torn: bool) -> None:
    host = HostFacts("beta", 0, datasets={one.name: one for one in there}, snapshots={one.name: () for one in there})

    assert Begun("bk/a", BUILT, MARK).is_torn(host) is torn
