"""What the state of a pair rests on, what is kept for it, and what a run would do about it."""

from __future__ import annotations

from dataclasses import replace

from tests.planner.notation import at
from tests.planner.test_replication_health import RULE, plan, receiver, sender, with_cursor
from zfsctl.model.explanation import ExplainedPair
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.lineage import LinkState, ResumeToken
from zfsctl.model.replication import Repair
from zfsctl.model.replication_status import LinkHealth
from zfsctl.model.transfer import HoldSnapshots, MoveAnchors, RenameSnapshot, Transfer, base_tag
from zfsctl.planner.replication_evidence import explained_pairs


def explained(alpha: HostFacts, beta: HostFacts) -> ExplainedPair:
    (pair,) = explained_pairs(plan(alpha, beta))
    return pair


def test_what_each_side_has_alone_is_counted_by_guid_and_what_matters_is_named() -> None:
    found = explained(sender("17T00 18T00 18T12f 19T00 20T00"), receiver("01T00 17T00 18T00", of="17T00 18T00"))

    assert (found.common, found.only_sender, found.only_receiver) == (2, 3, 1)
    assert found.to_send == ("zfsctl-20261119T000000Z", "zfsctl-20261120T000000Z")
    assert (found.base_guid, found.own) == (2, ())


def test_the_own_snapshots_of_a_receiver_are_named() -> None:
    found = explained(sender(), receiver("18T00 19T00 19T12f", written=5))

    assert found.status.state is LinkState.DIVERGED
    assert found.own == ("auto-3",)
    assert found.steps == ()


def test_the_steps_of_the_next_run_are_those_about_the_pair() -> None:
    found = explained(sender("19T00 20T00"), receiver("19T00 20T00", of="19T00"))

    assert [type(step) for step in found.steps] == [RenameSnapshot, HoldSnapshots, Transfer, MoveAnchors]
    assert found.clashes == ("zfsctl-20261120T000000Z",)


def test_the_steps_of_a_repair_are_told_in_their_order() -> None:
    beta = receiver("18T00 19T00 19T12f", written=5)
    beta = replace(beta, chains=Chains(holds={"bk/a@zfsctl-20261119T000000Z": (base_tag("r"),)}))
    (found,) = explained_pairs(plan(sender(), beta, replace(RULE, repair=Repair.AUTO)))

    assert [type(step).__name__ for step in found.steps] == [
        "CloneDataset",
        "PromoteClone",
        "HoldSnapshots",
        "Transfer",
        "MoveAnchors",
        "SwapDatasets",
    ]


def test_what_an_interrupted_receive_is_about_is_told() -> None:
    beta = receiver("18T00 19T00", receive_resume_token="1-a-b-c")
    token = ResumeToken("1-a-b-c", 77, "tank/a@theirs", 1)
    found = explained(sender(), replace(beta, chains=Chains(tokens={"bk/a": token})))

    assert (found.status.state, found.status.health) == (LinkState.STUCK, LinkHealth.BROKEN)
    assert found.resumes == "tank/a@theirs, an increment"
    assert found.steps == (), "nothing says that we began it"


def test_cursor_hold_and_what_no_prune_may_take_are_told() -> None:
    beta = receiver("18T00 19T00")
    held = Chains(holds={"bk/a@zfsctl-20261119T000000Z": (base_tag("r"),)})
    kept = explained(with_cursor(sender(), 1), replace(beta, chains=held)).kept

    assert kept[0] == "alpha:tank/a#zfsctl-r-0000000000000002: the cursor, it tells what the receiver has"
    assert "beta:bk/a@zfsctl-20261119T000000Z: held, as what the next increment goes on from" in kept
    assert "beta:bk/a@zfsctl-20261119T000000Z: the newest that its sender knows" in kept


def test_many_with_one_reason_are_one_line() -> None:
    silent = HostFacts("beta", 0, problems=("beta: no route to host",), reached=False)
    kept = explained(with_cursor(sender("17T00 18T00 19T00"), 0), silent).kept

    assert kept[1:] == (
        "alpha:tank/a: 2 snapshots, @zfsctl-20261118T000000Z to @zfsctl-20261119T000000Z: "
        "not received yet, waits for at most 14 d",
    )


def test_where_an_end_is_not_known_nothing_is_counted() -> None:
    silent = HostFacts("beta", 0, problems=("beta: no route to host",), reached=False)
    found = explained(with_cursor(sender(), 1), silent)

    assert (found.common, found.only_sender, found.only_receiver, found.base_guid) == (None, None, None, None)
    assert found.to_send == ("zfsctl-20261120T000000Z",)
    assert found.status.base_at == at("19T00")
