"""How replications stand: how far behind a receiver is, whether that is bad, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.planner.notation import at, dataset, snapshots
from zfsctl.model.dataset import Bookmark, Dataset, Snapshot
from zfsctl.model.facts import Chains, Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.lineage import Lineage, LinkState, ResumeToken
from zfsctl.model.policy import HostEntry, Pattern, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.model.replication import Initial, Repair, Replication
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.model.transfer import base_tag, cursor_name
from zfsctl.planner.lineage import End, lineage
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Pair, trees_of
from zfsctl.planner.replicating import Replicating, plan_replicating
from zfsctl.planner.replication_health import obstacle_of, obstacles, pair_status, replication_statuses

DAY = 86_400
RULE = Replication("r", "zfsctl.toml: replications.0", Pattern("alpha:tank/a", "alpha", "tank/a"), "beta", "bk/a")
"""warn_after = 24h, max_delay = 72h."""
POLICY = PolicyFile(hosts={name: HostEntry(name, name) for name in ("alpha", "beta")}, replications=(RULE,))
SENT = "18T00 19T00 20T00"


QUIET = {
    LinkState.BEHIND,
    LinkState.BUSY,
    LinkState.CONFLICT,
    LinkState.CURRENT,
    LinkState.EMPTY,
    LinkState.PARTIAL,
    LinkState.STUCK,
}
"""Nothing is wrong with these as long as nothing is late."""


def sender(history: str = SENT, *, clock: str = "20T01", **changes: Any) -> HostFacts:
    sent = snapshots(history, dataset="tank/a") if history else ()
    of = {"tank": dataset("tank", guid=1), "tank/a": replace(dataset("tank/a", guid=2), **changes)}
    return HostFacts("alpha", at(clock), pools=(Pool("tank", 1),), datasets=of, snapshots={"tank": (), "tank/a": sent})


def receiver(history: str | None, *, of: str = SENT, **changes: Any) -> HostFacts:
    """The copy with these snapshots; those that the sender has too have its guids. None: there is no copy."""
    ours = {one.name: one.guid for one in snapshots(of, dataset="bk/a")}
    listed: dict[str, tuple[Snapshot, ...]] = {"bk": ()}
    datasets = {"bk": replace(dataset("bk", guid=3), available=1 << 40)}
    if history is not None:
        received = snapshots(history, dataset="bk/a", guid=900) if history else ()
        listed["bk/a"] = tuple(replace(one, guid=ours.get(one.name, one.guid)) for one in received)
        datasets["bk/a"] = replace(dataset("bk/a", guid=4), readonly=True, **changes)
    return HostFacts("beta", at("20T01"), pools=(Pool("bk", 2),), datasets=datasets, snapshots=listed)


def with_cursor(host: HostFacts, number: int) -> HostFacts:
    """The sender with a cursor at one of its snapshots."""
    base = host.snapshots["tank/a"][number]
    cursor = Bookmark("tank/a", cursor_name("r", base.guid), base.guid, base.createtxg, base.creation)
    return replace(host, chains=Chains(bookmarks={"tank/a": (cursor,)}))


def plan(alpha: HostFacts, beta: HostFacts, rule: Replication = RULE) -> Replicating:
    policy = replace(POLICY, replications=(rule,))
    facts = Facts({"alpha": alpha, "beta": beta})
    return plan_replicating(
        trees_of(policy), facts, policy=policy, adopts=lambda _host, _name: (), sends=lambda _: True
    )


def statuses(alpha: HostFacts, beta: HostFacts, rule: Replication = RULE) -> ReplicationStatus:
    planned = plan(alpha, beta, rule)
    (found,) = replication_statuses(trees_of(replace(POLICY, replications=(rule,))), planned.links, planned.findings)
    return found


def status(alpha: HostFacts, beta: HostFacts, rule: Replication = RULE) -> PairStatus:
    (pair,) = statuses(alpha, beta, rule).pairs
    return pair


@pytest.mark.parametrize(
    ("received", "clock", "health", "lag"),
    [
        pytest.param("18T00 19T00 20T00", "30T00", LinkHealth.HEALTHY, 0, id="everything-is-there-however-old-it-is"),
        pytest.param("18T00 19T00", "20T01", LinkHealth.HEALTHY, 3600, id="the-newest-waits-for-an-hour"),
        pytest.param("18T00 19T00", "21T00", LinkHealth.HEALTHY, DAY, id="just-as-long-as-warn-after"),
        pytest.param("18T00 19T00", "21T00:00:01", LinkHealth.WARNING, DAY + 1, id="longer-than-warn-after"),
        pytest.param("18T00", "20T01", LinkHealth.WARNING, 25 * 3600, id="the-oldest-that-waits-counts"),
        pytest.param("18T00 19T00", "23T00", LinkHealth.WARNING, 3 * DAY, id="just-as-long-as-max-delay"),
        pytest.param("18T00 19T00", "23T00:00:01", LinkHealth.BROKEN, 3 * DAY + 1, id="longer-than-max-delay"),
        pytest.param("18T00 19T00", "19T23", LinkHealth.HEALTHY, 0, id="a-snapshot-of-tomorrow-is-not-late"),
    ],
)
def test_health_is_how_long_the_oldest_snapshot_waits(received: str, clock: str, health: LinkHealth, lag: int) -> None:
    found = status(sender(clock=clock), receiver(received))

    assert (found.health, found.lag) == (health, lag)


@pytest.mark.parametrize(
    ("clock", "health"),
    [
        pytest.param("18T01", LinkHealth.WARNING, id="at-first-it-is-a-warning"),
        pytest.param("19T01", LinkHealth.BROKEN, id="after-warn-after-there-should-be-one"),
        pytest.param("25T00", LinkHealth.BROKEN, id="after-max-delay"),
    ],
)
def test_without_a_copy_nothing_is_healthy(clock: str, health: LinkHealth) -> None:
    found = status(sender(clock=clock), receiver(None))

    assert (found.state, found.health, found.base) == (LinkState.MISSING, health, None)


def test_a_date_that_is_still_to_come_hides_no_wait() -> None:
    """The clock was wrong for one snapshot, which is the oldest that waits."""
    history = "18T00 25T00 20T00"

    assert status(sender(history, clock="20T12"), receiver("18T00", of=history)).lag == 12 * 3600


def test_a_first_copy_of_the_newest_alone_waits_for_no_older_one() -> None:
    found = status(sender(clock="20T01"), receiver(None), replace(RULE, initial=Initial.NEWEST))

    assert (found.lag, found.waiting, found.health) == (3600, 1, LinkHealth.WARNING)
    assert found.next == "the next run sends the first copy, 1 snapshot"


@pytest.mark.parametrize(
    ("beta", "state", "why"),
    [
        pytest.param(
            receiver("01T00 02T00"),
            LinkState.UNRELATED,
            "the receiver's 2 snapshots and the sender's history share nothing",
            id="histories-that-share-nothing",
        ),
        pytest.param(
            receiver("18T00 19T00 19T12f", written=5),
            LinkState.DIVERGED,
            "the receiver has 1 snapshot of its own after @zfsctl-20261119T000000Z",
            id="a-receiver-that-went-its-own-way",
        ),
        pytest.param(
            receiver("18T00 19T00 20T00", written=5),
            LinkState.MODIFIED,
            "5 bytes were written on the receiver after @zfsctl-20261120T000000Z",
            id="a-receiver-that-was-written-to",
        ),
    ],
)
def test_a_chain_that_waits_for_a_person_is_broken_however_short_the_wait(
    beta: HostFacts, state: LinkState, why: str
) -> None:
    found = status(sender(), beta, replace(RULE, warn_after=100 * DAY, max_delay=200 * DAY))

    assert (found.state, found.health) == (state, LinkHealth.BROKEN)
    assert found.why.startswith(f"{why}; ")
    assert found.next.startswith("zfsctl ")


@pytest.mark.parametrize(
    ("clock", "health"),
    [
        pytest.param("20T01", LinkHealth.WARNING, id="soon"),
        pytest.param("24T00", LinkHealth.BROKEN, id="but-it-is-too-late-already"),
    ],
)
def test_a_chain_that_the_next_run_repairs_is_a_warning(clock: str, health: LinkHealth) -> None:
    beta = receiver("18T00 19T00 19T12f", written=5)
    beta = replace(beta, chains=Chains(holds={"bk/a@zfsctl-20261119T000000Z": (base_tag("r"),)}))
    found = status(sender(clock=clock), beta, replace(RULE, repair=Repair.AUTO))

    assert (found.state, found.health) == (LinkState.DIVERGED, health)
    assert found.next == "the next run builds a new receiver beside it, and sets this one aside with all that it has"


def test_a_sender_that_is_gone_is_broken_and_its_copy_stays() -> None:
    alpha = sender()
    alpha = replace(alpha, datasets={"tank": alpha.datasets["tank"]}, snapshots={"tank": ()})
    found = status(alpha, receiver("18T00"))

    assert (found.state, found.health) == (LinkState.SENDER_GONE, LinkHealth.BROKEN)
    assert found.next == "the copy stays; destroy it when nobody needs it, or keep it under a name outside beta:bk/a"


def test_a_receiver_in_use_is_taken_over() -> None:
    beta = receiver("18T00 19T00")
    used = replace(beta.datasets["bk/a"], readonly=False, mounted=True)
    found = status(sender(), replace(beta, datasets={**beta.datasets, "bk/a": used}))

    assert (found.state, found.health, found.lag) == (LinkState.TAKEN_OVER, LinkHealth.TAKEN_OVER, 3600)
    assert found.base == "@zfsctl-20261119T000000Z"


def test_nothing_to_send_is_how_a_pair_begins() -> None:
    found = status(sender(""), receiver(None))

    assert (found.state, found.health, found.lag) == (LinkState.EMPTY, LinkHealth.HEALTHY, 0)


def test_nothing_to_send_to_a_copy_that_the_sender_does_not_know_is_a_warning() -> None:
    found = status(sender(""), receiver("18T00", of="18T00f"))

    assert (found.health, found.why) == (
        LinkHealth.WARNING,
        "the sender has no snapshot to send and knows none of the receiver's 1 snapshot",
    )


def test_a_host_that_is_silent_makes_a_pair_unknown_and_a_cursor_tells_what_waits() -> None:
    silent = HostFacts("beta", 0, problems=("beta: no route to host",), reached=False)

    blind = status(sender(), silent)
    seen = status(with_cursor(sender(), 1), silent)

    assert (blind.health, blind.lag, blind.base) == (LinkHealth.UNKNOWN, None, None)
    assert (seen.health, seen.lag, seen.waiting) == (LinkHealth.UNKNOWN, 3600, 1)
    assert (seen.base, seen.base_at) == ("#zfsctl-r-0000000000000002", at("19T00"))
    assert seen.why == "beta: no route to host"


def test_nothing_is_known_of_what_a_silent_sender_has() -> None:
    silent = HostFacts("alpha", 0, problems=("alpha: no route to host",), reached=False)

    assert (status(silent, receiver("18T00")).health, status(silent, receiver("18T00")).lag) == (
        LinkHealth.UNKNOWN,
        None,
    )


@pytest.mark.parametrize(
    ("clock", "health"),
    [
        pytest.param("20T01", LinkHealth.AWAY, id="for-an-hour"),
        pytest.param("30T00", LinkHealth.AWAY, id="for-as-long-as-the-policy-allows"),
        pytest.param("30T00:00:01", LinkHealth.BROKEN, id="for-longer"),
    ],
)
def test_a_pool_may_be_unplugged_as_long_as_the_policy_says(clock: str, health: LinkHealth) -> None:
    gone = HostFacts("beta", at("20T01"))
    found = status(with_cursor(sender(clock=clock), 1), gone, replace(RULE, away=10 * DAY))

    assert (found.state, found.health) == (LinkState.AWAY, health)
    assert ("away is 10d" in found.why) is (health is LinkHealth.BROKEN)


def test_a_pool_that_never_got_a_copy_is_away_since_the_oldest_snapshot() -> None:
    found = status(sender(clock="20T00"), HostFacts("beta", 0), replace(RULE, away=10 * DAY))

    assert (found.health, found.lag) == (LinkHealth.AWAY, 2 * DAY)


def test_an_interrupted_copy_is_late_by_what_waits() -> None:
    alpha, beta = sender(), receiver("18T00 19T00", receive_resume_token="1-a-b-c")
    by_name = {one.name: one for one in alpha.snapshots["tank/a"]}
    token = ResumeToken(
        "1-a-b-c",
        by_name["zfsctl-20261120T000000Z"].guid,
        "tank/a@zfsctl-20261120T000000Z",
        by_name["zfsctl-20261119T000000Z"].guid,
    )
    found = status(alpha, replace(beta, chains=Chains(tokens={"bk/a": token})))

    assert (found.state, found.health, found.lag) == (LinkState.PARTIAL, LinkHealth.HEALTHY, 3600)
    assert found.next == "the next run goes on where it was interrupted"


@pytest.mark.parametrize(
    ("clock", "health"),
    [
        pytest.param("22T00", LinkHealth.REPAIRING, id="it-may-be-late"),
        pytest.param("24T00", LinkHealth.BROKEN, id="but-no-later-than-max-delay"),
    ],
)
def test_a_repair_that_is_half_done_is_repairing(clock: str, health: LinkHealth) -> None:
    (tree,) = trees_of(POLICY)
    alpha, beta = End(sender(clock=clock), "tank/a"), End(receiver("18T00 19T00"), "bk/a")
    found = lineage(alpha, beta, is_candidate=lambda _: True, repair="a repair of yesterday is half done")
    pair = pair_status(Link(Pair(tree, "tank/a", "bk/a"), found, alpha, beta, alpha.snapshots))

    assert (pair.state, pair.health, pair.base) == (LinkState.REPAIRING, health, "@zfsctl-20261119T000000Z")
    assert pair.why.startswith("a repair of yesterday is half done")
    assert pair.next == "the next run finishes the repair"


@pytest.mark.parametrize("state", LinkState)
@pytest.mark.parametrize("blocked", [False, True])
def test_every_state_has_a_health_and_a_next_step(state: LinkState, blocked: bool) -> None:
    (tree,) = trees_of(POLICY)
    alpha, beta = End(sender(), "tank/a"), End(receiver("18T00 19T00"), "bk/a")
    link = Link(Pair(tree, "tank/a", "bk/a"), Lineage(state, "so it is"), alpha, beta, alpha.snapshots)
    finding = Finding(Severity.CRITICAL, "no-space", "beta", "bk/a", "no space", "zfsctl explain r")
    pair = pair_status(link, obstacle_of(link, obstacles([finding] if blocked else [])))

    assert bool(pair.next) is (state is not LinkState.CURRENT)
    assert bool(pair.why) is (state not in (LinkState.CURRENT, LinkState.EMPTY))
    assert pair.health is not LinkHealth.HEALTHY or state in QUIET


def test_what_keeps_a_run_from_sending_is_told_and_is_broken() -> None:
    locked: dict[str, Any] = {"encryption": "aes-256-gcm", "keystatus": "unavailable", "encryptionroot": "tank/a"}
    found = status(sender(**locked), receiver("18T00 19T00"))

    assert (found.state, found.health) == (LinkState.BEHIND, LinkHealth.BROKEN)
    assert found.why == "not sent, its chain is not raw and the sender's key is not loaded"
    assert found.next == "ssh alpha zfs load-key tank/a"


def test_a_name_that_is_taken_is_no_hindrance() -> None:
    found = status(sender("19T00 20T00"), receiver("19T00 20T00", of="19T00"))

    assert (found.state, found.health) == (LinkState.CONFLICT, LinkHealth.HEALTHY)
    assert found.next.startswith("the next run renames the receiver's @zfsctl-20261120T000000Z, then sends 1 snapshot")


def test_everything_that_a_line_of_status_needs() -> None:
    assert status(sender(), receiver("18T00")) == PairStatus(
        sender_host="alpha",
        sender="tank/a",
        receiver_host="beta",
        receiver="bk/a",
        health=LinkHealth.WARNING,
        state=LinkState.BEHIND,
        why="BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d",
        lag=25 * 3600,
        waiting=2,
        base="@zfsctl-20261118T000000Z",
        base_at=at("18T00"),
        next="the next run sends 2 snapshots from @zfsctl-20261118T000000Z",
    )


def test_a_replication_is_as_healthy_as_its_worst_pair_and_as_late_as_its_latest() -> None:
    alpha, beta = sender(clock="20T01"), receiver("18T00")
    of: dict[str, Dataset] = {**alpha.datasets, "tank/a/new": dataset("tank/a/new", guid=9)}
    alpha = replace(alpha, datasets=of, snapshots={**alpha.snapshots, "tank/a/new": ()})
    found = statuses(alpha, beta)

    assert [pair.health for pair in found.pairs] == [LinkHealth.WARNING, LinkHealth.HEALTHY]
    assert (found.name, found.health, found.lag) == ("r", LinkHealth.WARNING, 25 * 3600)
    assert (found.warn_after, found.max_delay) == (DAY, 3 * DAY)
    assert found.count(LinkHealth.HEALTHY) == 1


@pytest.mark.parametrize(
    ("seen", "worst"),
    [
        pytest.param([], LinkHealth.HEALTHY, id="no-pair"),
        pytest.param(["healthy", "away"], LinkHealth.AWAY, id="away"),
        pytest.param(["away", "repairing"], LinkHealth.REPAIRING, id="repairing"),
        pytest.param(["repairing", "warning"], LinkHealth.WARNING, id="warning"),
        pytest.param(["warning", "unknown"], LinkHealth.UNKNOWN, id="unknown"),
        pytest.param(["unknown", "taken-over"], LinkHealth.TAKEN_OVER, id="taken-over"),
        pytest.param(["taken-over", "broken", "healthy"], LinkHealth.BROKEN, id="broken"),
    ],
)
def test_which_pair_is_the_worst(seen: list[str], worst: LinkHealth) -> None:
    one = status(sender(), receiver("18T00"))
    pairs = tuple(replace(one, health=LinkHealth(word)) for word in seen)
    whole = ReplicationStatus("r", DAY, DAY, pairs)

    assert whole.health is worst
    assert [pair.health for pair in whole.worst_first][:1] == ([worst] if seen else [])
