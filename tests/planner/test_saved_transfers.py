"""A saved plan sends what it said, from and to where it said, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.planner.notation import dataset, snapshots
from zfsctl.model.dataset import Bookmark, Dataset, Snapshot
from zfsctl.model.facts import Chains, Facts, HostFacts
from zfsctl.model.lineage import LinkState, ResumeToken
from zfsctl.model.plan import Plan, SnapshotRef, Step
from zfsctl.model.policy import HostEntry, Pattern, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.model.replication import Replication
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    Send,
    Transfer,
)
from zfsctl.planner.saved import check_saved_steps
from zfsctl.planner.saved_transfers import check_saved_transfers

RULE = Replication("r", "zfsctl.toml: replications.0", Pattern("alpha:tank", "alpha", "tank"), "beta", "bk/{host}")
POLICY = PolicyFile(hosts={name: HostEntry(name, name) for name in ("alpha", "beta")}, replications=(RULE,))

HISTORY = snapshots("20T10 20T11 20T12", dataset="tank/a")
BASE, MIDDLE, LAST = (SnapshotRef(one.name, one.guid) for one in HISTORY)
RECEIVED = (replace(HISTORY[0], dataset="bk/alpha/a", createtxg=77),)


def host(name: str, *histories: tuple[Dataset, tuple[Snapshot, ...]], chains: Chains | None = None) -> HostFacts:
    return HostFacts(
        name,
        0,
        datasets={of.name: of for of, _ in histories},
        snapshots={of.name: history for of, history in histories},
        chains=chains or Chains(),
    )


ALPHA = host("alpha", (dataset("tank", guid=1), ()), (dataset("tank/a", guid=9), HISTORY))
BETA = host("beta", (dataset("bk", guid=2), ()), (dataset("bk/alpha/a", guid=90), RECEIVED))
EMPTY = host("beta", (dataset("bk", guid=2), ()))

HOLD = HoldSnapshots(
    id="h", host="alpha", why="", replication="r", tag="zfsctl:r:send", snapshots=(HeldSnapshot("tank/a", LAST),)
)
TRANSFER = Transfer(
    id="t",
    host="beta",
    why="BEHIND by 2 snapshots",
    replication="r",
    state=LinkState.BEHIND,
    sender_host="alpha",
    sender="tank/a",
    sender_guid=9,
    receiver="bk/alpha/a",
    receiver_guid=90,
    sends=(Send(f"@{BASE.name}", BASE.guid, (MIDDLE, LAST)),),
    after=("h",),
)
FIRST = replace(TRANSFER, state=LinkState.MISSING, receiver_guid=None, sends=(Send("", None, (LAST,)),))
ANCHORS = MoveAnchors(
    id="m",
    host="beta",
    why="",
    replication="r",
    sender_host="alpha",
    sender="tank/a",
    sender_guid=9,
    receiver="bk/alpha/a",
    chain=(BASE, MIDDLE, LAST),
    after=("t",),
)
PARENTS = CreateParents(id="c", host="beta", why="", replication="r", datasets=("bk/alpha",))
ABORT = AbortReceive(id="a", host="beta", why="", replication="r", dataset="bk/alpha/a", token="1-a-b-c")
RENAME = RenameSnapshot(
    id="n", host="beta", why="", replication="r", dataset="bk/alpha/a", snapshot=BASE, to=f"{BASE.name}.away"
)


def left(
    *steps: Step, alpha: HostFacts = ALPHA, beta: HostFacts | None = BETA, policy: PolicyFile = POLICY
) -> tuple[list[str], list[str]]:
    """The ids of the steps that are left, and what is said of the others."""
    hosts = {"alpha": alpha, **({} if beta is None else {"beta": beta})}
    checked = check_saved_steps(Plan("p", "replicate", 0, 9, "", steps=steps), Facts(hosts), (), policy=policy)
    assert {finding.code for finding in checked.findings} <= {"stale"}
    return [step.id for step in checked.steps], [finding.message for finding in checked.findings]


def with_dataset(
    facts: HostFacts, name: str, history: tuple[Snapshot, ...] | None = None, **changes: object
) -> HostFacts:
    of = facts.datasets.get(name, dataset(name, guid=5))
    kept = facts.snapshots.get(name, ()) if history is None else history
    datasets = {**facts.datasets, name: replace(of, **changes)}
    return replace(facts, datasets=datasets, snapshots={**facts.snapshots, name: kept})


def without(facts: HostFacts, name: str) -> HostFacts:
    return replace(
        facts,
        datasets={key: value for key, value in facts.datasets.items() if key != name},
        snapshots={key: value for key, value in facts.snapshots.items() if key != name},
    )


def test_what_is_as_it_was_planned_is_left_whole() -> None:
    assert left(HOLD, TRANSFER, ANCHORS) == (["h", "t", "m"], [])
    assert left(PARENTS, HOLD, FIRST, ANCHORS, beta=EMPTY) == (["c", "h", "t", "m"], [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(
            lambda a, b: (with_dataset(a, "tank/a", guid=10), b), "another dataset now", id="another sender of the name"
        ),
        pytest.param(lambda a, b: (without(a, "tank/a"), b), "was not listed", id="the sender is gone"),
        pytest.param(
            lambda a, b: (with_dataset(a, "tank/a", HISTORY[:2]), b), "no longer the planned", id="the newest is gone"
        ),
        pytest.param(
            lambda a, b: (with_dataset(a, "tank/a", (*HISTORY[:2], replace(HISTORY[2], guid=77))), b),
            "no longer the planned",
            id="the newest was made anew under its name",
        ),
        pytest.param(
            lambda a, b: (with_dataset(a, "tank/a", HISTORY[1:]), b),
            "no longer the planned",
            id="its base is gone on the sender",
        ),
        pytest.param(lambda a, b: (a, with_dataset(b, "bk/alpha/a", ())), "does not have", id="its base is gone there"),
        pytest.param(
            lambda a, b: (a, with_dataset(b, "bk/alpha/a", guid=91)),
            "receiver is another dataset",
            id="another receiver of the name",
        ),
        pytest.param(
            lambda a, b: (a, with_dataset(b, "bk/alpha/a", mounted=True)),
            "mounted and writable",
            id="the receiver is in use by now",
        ),
        pytest.param(lambda a, b: (a, without(b, "bk/alpha/a")), "was not listed", id="the receiver is gone"),
        pytest.param(
            lambda a, b: (a, with_dataset(b, "bk/alpha/a", (*RECEIVED, replace(HISTORY[2], dataset="bk/alpha/a")))),
            "was received since",
            id="another run has sent it",
        ),
        pytest.param(
            lambda a, b: (a, with_dataset(b, "bk/alpha/a", receive_resume_token="1-x-y-z")),
            "in the way",
            id="a receive was interrupted since",
        ),
        pytest.param(lambda a, b: (a, None), "did not answer", id="the receiver's host was not asked"),
        pytest.param(lambda a, b: (replace(a, reached=False), b), "did not answer", id="the sender's host is away"),
        pytest.param(
            lambda a, b: (replace(a, snapshots={}), b), "were not listed", id="the sender's snapshots are not known"
        ),
        pytest.param(
            lambda a, b: (a, replace(b, snapshots={})), "were not listed", id="the receiver's snapshots are not known"
        ),
    ],
)
def test_what_moved_is_not_sent_and_neither_held_nor_anchored(
    change: Callable[[HostFacts, HostFacts], tuple[HostFacts, HostFacts | None]], why: str
) -> None:
    alpha, beta = change(ALPHA, BETA)

    steps, said = left(HOLD, TRANSFER, ANCHORS, alpha=alpha, beta=beta)

    assert steps == []
    assert len(said) == 1
    assert "beta:bk/alpha/a: nothing was sent" in said[0]
    assert why in said[0]


def test_an_intermediate_that_is_gone_is_less_than_what_was_shown() -> None:
    assert left(HOLD, TRANSFER, alpha=with_dataset(ALPHA, "tank/a", (HISTORY[0], HISTORY[2]))) == (["h", "t"], [])


@pytest.mark.parametrize(
    ("beta", "why"),
    [
        pytest.param(BETA, "there already", id="the receiver came into being"),
        pytest.param(replace(EMPTY, problems=("noise",)), "could not be read", id="absence is not proven"),
        pytest.param(
            replace(EMPTY, pools=(Pool("bk", 1, health="SUSPENDED"),), datasets={}),
            "pool bk is SUSPENDED",
            id="its pool cannot be looked into",
        ),
    ],
)
def test_a_first_copy_goes_only_where_nothing_is(beta: HostFacts, why: str) -> None:
    steps, said = left(PARENTS, HOLD, FIRST, ANCHORS, beta=beta)

    assert steps == []
    assert why in said[0]


def test_an_interrupted_receive_goes_on_only_with_its_own_token() -> None:
    step = replace(TRANSFER, token="1-a-b-c", state=LinkState.PARTIAL)

    assert left(step, beta=with_dataset(BETA, "bk/alpha/a", receive_resume_token="1-a-b-c")) == (["t"], [])
    assert left(step, beta=with_dataset(BETA, "bk/alpha/a", receive_resume_token="1-a-b-d"))[0] == []
    assert left(step)[0] == []


def test_an_unfinished_first_copy_goes_on() -> None:
    step = replace(FIRST, token="1-a-b-c", receiver_guid=90)
    there = with_dataset(BETA, "bk/alpha/a", (), receive_resume_token="1-a-b-c", inconsistent=True)

    assert left(step, beta=there) == (["t"], [])


def test_a_bookmark_is_a_base_by_its_guid() -> None:
    step = replace(TRANSFER, sends=(Send("#zfsctl-r-1", BASE.guid, (MIDDLE,)), Send(f"@{MIDDLE.name}", 2, (LAST,))))
    alpha = with_dataset(ALPHA, "tank/a", HISTORY[1:])

    def marked(guid: int) -> HostFacts:
        return replace(alpha, chains=Chains({"tank/a": (Bookmark("tank/a", "zfsctl-r-1", guid, 1, 0),)}))

    assert left(step, alpha=marked(BASE.guid)) == (["t"], [])
    assert left(step, alpha=marked(8))[0] == []
    assert left(step, alpha=alpha)[0] == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(replace(TRANSFER, replication="other"), id="a replication that the policy does not have"),
        pytest.param(replace(TRANSFER, receiver="bk/beta/a"), id="another receiver"),
        pytest.param(replace(TRANSFER, host="alpha"), id="another host"),
        pytest.param(replace(TRANSFER, sender="secret/a"), id="a dataset that is not replicated"),
        pytest.param(replace(TRANSFER, sender_host="beta"), id="a host that is not replicated"),
        pytest.param(replace(TRANSFER, properties=(("sharenfs", "on"),)), id="a property that is not carried over"),
    ],
)
def test_what_the_policy_does_not_have_is_not_sent(step: Transfer) -> None:
    steps, said = left(HOLD, step)

    assert "t" not in steps
    assert "the policy does not have it like this" in said[0]


def test_a_property_that_the_policy_carries_over_is_set() -> None:
    policy = replace(POLICY, replications=(replace(RULE, properties=("compression",)),))
    step = replace(FIRST, properties=(("readonly", "on"), ("compression", "zstd")))

    assert left(step, beta=EMPTY, policy=policy) == (["t"], [])


def interrupted(token: str | None, *, sent: str = LAST.name, holds: tuple[str, ...] = ("zfsctl:r:base",)) -> HostFacts:
    """beta with a receive of a snapshot called `sent` into bk/alpha/a, whose base carries `holds`."""
    if token is None:
        return BETA
    told = ResumeToken(token, LAST.guid, f"tank/a@{sent}", BASE.guid)
    chains = Chains(tokens={"bk/alpha/a": told}, holds={f"bk/alpha/a@{BASE.name}": holds})
    return replace(with_dataset(BETA, "bk/alpha/a", receive_resume_token=token), chains=chains)


@pytest.mark.parametrize(
    ("beta", "goes"),
    [
        pytest.param(interrupted("1-a-b-c"), True, id="the planned receive"),
        pytest.param(interrupted("1-a-b-d"), False, id="another receive by now"),
        pytest.param(interrupted(None), False, id="none by now"),
        pytest.param(interrupted("1-a-b-c", sent="auto-1"), False, id="a receive of somebody else's snapshot"),
        pytest.param(interrupted("1-a-b-c", holds=("keep",)), False, id="a receive on what we do not hold"),
        pytest.param(replace(interrupted("1-a-b-c"), chains=Chains()), False, id="nothing is known of its token"),
    ],
)
def test_only_the_planned_receive_is_given_up_and_what_waits_for_it_goes_with_it(beta: HostFacts, goes: bool) -> None:
    step = replace(TRANSFER, after=("a", "h"))

    assert left(ABORT, HOLD, step, ANCHORS, beta=beta)[0] == (["a", "h", "t", "m"] if goes else [])


def test_a_receive_is_ours_by_what_is_held_in_flight() -> None:
    alpha = replace(ALPHA, chains=Chains(holds={f"tank/a@{LAST.name}": ("zfsctl:r:send",)}))

    assert left(ABORT, alpha=alpha, beta=interrupted("1-a-b-c", sent="auto-1", holds=())) == (["a"], [])


def test_no_receive_is_given_up_that_is_no_receiver_of_the_replication() -> None:
    beta = interrupted("1-a-b-c")

    assert left(ABORT, beta=beta)[0] == ["a"]
    assert left(replace(ABORT, dataset="bk"), beta=with_dataset(beta, "bk", receive_resume_token="1-a-b-c"))[0] == []
    assert left(ABORT, beta=beta, policy=PolicyFile())[0] == []


def test_a_snapshot_is_renamed_only_while_it_is_that_one_and_its_new_name_is_free() -> None:
    taken = (*RECEIVED, replace(RECEIVED[0], name=RENAME.to, guid=55))

    assert left(RENAME)[0] == ["n"]
    assert left(replace(RENAME, snapshot=SnapshotRef(BASE.name, 4)))[0] == []
    assert left(RENAME, beta=with_dataset(BETA, "bk/alpha/a", taken))[0] == []
    assert left(replace(RENAME, dataset="bk"))[0] == []


def test_a_step_loses_what_served_a_dropped_transfer_and_keeps_the_rest() -> None:
    alpha = with_dataset(ALPHA, "tank/deep/b", snapshots("20T12", dataset="tank/deep/b", guid=50))
    sent = SnapshotRef(alpha.snapshots["tank/deep/b"][0].name, 51)
    other = replace(FIRST, id="t2", sender="tank/deep/b", sender_guid=5, receiver="bk/alpha/deep/b")
    other = replace(other, sends=(Send("", None, (sent,)),))
    hold = replace(HOLD, snapshots=(*HOLD.snapshots, HeldSnapshot("tank/deep/b", sent)))
    parents = replace(PARENTS, datasets=("bk/alpha", "bk/alpha/deep", "bk/alpha/unused"))
    plan = Plan("p", "replicate", 0, 9, "", steps=(parents, hold, TRANSFER, other))
    beta = with_dataset(BETA, "bk/alpha/a", guid=91)

    steps, findings = check_saved_transfers(plan, Facts({"alpha": alpha, "beta": beta}), POLICY)

    assert steps["h"] == replace(hold, snapshots=hold.snapshots[1:])
    assert steps["c"] == replace(parents, datasets=("bk/alpha", "bk/alpha/deep"))
    assert [finding.dataset for finding in findings] == ["bk/alpha/a"]


def test_anchors_that_stand_alone_are_mended_for_the_planned_pair_only() -> None:
    assert left(ANCHORS) == (["m"], [])
    assert left(replace(ANCHORS, sender_guid=10))[0] == []
    assert left(ANCHORS, policy=PolicyFile())[0] == []
    assert left(HOLD) == (["h"], [])
    assert left(HOLD, policy=PolicyFile())[0] == []
    assert left(replace(HOLD, snapshots=(HeldSnapshot("tank/a", SnapshotRef("gone", 3)),)))[0] == []
