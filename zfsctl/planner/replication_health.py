"""How pairs stand as operators see it: how far behind the receiver is, whether that is bad, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from zfsctl.model.dataset import Snapshot
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.lineage import LinkState
from zfsctl.model.repair import home_of
from zfsctl.model.replication import Initial
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.planner.anchoring import age_of_oldest, standing_of
from zfsctl.planner.lineage import find_base
from zfsctl.planner.link_findings import message_of
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Tree
from zfsctl.planner.wording import counted, span, window_text

_REPAIRED = frozenset({LinkState.UNRELATED, LinkState.DIVERGED, LinkState.MODIFIED})
_SENT = frozenset({LinkState.MISSING, LinkState.PARTIAL, LinkState.STUCK, LinkState.CONFLICT, LinkState.BEHIND})


@dataclass(frozen=True, slots=True)
class Arrears:
    """What a receiver lacks, as far as it can be told."""

    waiting: Sequence[Snapshot]
    """Oldest first."""
    base: str | None
    """`@name` on the receiver, or `#name` on the sender where the receiver is not known."""
    base_at: int | None
    known: bool = True
    """False where nothing tells what waits."""


def replication_statuses(
    trees: Iterable[Tree], links: Iterable[Link], findings: Iterable[Finding]
) -> tuple[ReplicationStatus, ...]:
    """How the replications of `trees` stand, in their order.

    Args:
        trees: What is copied where.
        links: Every pair of them.
        findings: What a plan to send them says: where a pair cannot be sent, one of them tells why.
    """
    in_the_way = obstacles(findings)
    rules = {tree.replication.name: tree.replication for tree in trees}
    pairs: dict[str, list[PairStatus]] = {name: [] for name in rules}
    for link in links:
        pairs[link.pair.replication.name].append(pair_status(link, obstacle_of(link, in_the_way)))
    return tuple(
        ReplicationStatus(name, rule.warn_after, rule.max_delay, tuple(pairs[name])) for name, rule in rules.items()
    )


def obstacles(findings: Iterable[Finding]) -> Mapping[tuple[str, str], Finding]:
    """By host and dataset of the receiver, the first finding that keeps a pair from being sent or repaired."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        if finding.severity is Severity.CRITICAL:
            found.setdefault((finding.host, home_of(finding.dataset)), finding)
    return found


def obstacle_of(link: Link, in_the_way: Mapping[tuple[str, str], Finding]) -> Finding | None:
    """Why a run does nothing about a pair although its state would allow it; None where nothing is in the way."""
    state = link.lineage.state
    is_acted_on = state in _SENT | _REPAIRED or (state is LinkState.REPAIRING and link.begun is not None)
    if not is_acted_on:
        return None
    return in_the_way.get((link.pair.tree.receiver_host, link.pair.receiver))


def pair_status(link: Link, obstacle: Finding | None = None) -> PairStatus:
    """How one pair stands.

    Args:
        link: The pair as it was found.
        obstacle: Why a run does nothing about it although its state would allow it.
    """
    tree, pair = link.pair.tree, link.pair
    arrears = arrears_of(link)
    lag: int | None = None
    if arrears.known:
        lag = age_of_oldest(arrears.waiting, link.sender.host.clock)
    health, why = _judged(link, lag, obstacle)
    return PairStatus(
        sender_host=tree.sender_host,
        sender=pair.sender,
        receiver_host=tree.receiver_host,
        receiver=pair.receiver,
        health=health,
        state=link.lineage.state,
        why=why,
        lag=lag,
        waiting=len(arrears.waiting),
        base=arrears.base,
        base_at=arrears.base_at,
        next=_next_step(link, len(arrears.waiting), obstacle),
    )


def _judged(link: Link, lag: int | None, obstacle: Finding | None) -> tuple[LinkHealth, str]:
    found, replication = link.lineage, link.pair.replication
    if obstacle is not None:
        return LinkHealth.BROKEN, message_of(link, obstacle)
    match found.state:
        case LinkState.SENDER_GONE:
            return LinkHealth.BROKEN, found.why
        case LinkState.UNKNOWN:
            return LinkHealth.UNKNOWN, found.why
        case LinkState.TAKEN_OVER:
            return LinkHealth.TAKEN_OVER, found.why
        case LinkState.AWAY:
            if replication.away is not None and lag is not None and lag > replication.away:
                return LinkHealth.BROKEN, _late(found.why, lag, "away", replication.away)
            return LinkHealth.AWAY, found.why
        case LinkState.EMPTY:
            return _empty(link)
        case LinkState.CURRENT:
            return LinkHealth.HEALTHY, ""
    return _by_lag(link, lag or 0)


def _by_lag(link: Link, lag: int) -> tuple[LinkHealth, str]:
    """What waits makes a pair late. Without any copy nothing is healthy, and late is broken; nor is what a run has to
    repair first."""
    found, replication = link.lineage, link.pair.replication
    is_missing = found.state is LinkState.MISSING
    why = "there is no copy yet" if is_missing and found.token is None else found.why
    if lag > replication.max_delay:
        return LinkHealth.BROKEN, _late(why, lag, "max_delay", replication.max_delay)
    if found.state is LinkState.REPAIRING:
        return LinkHealth.REPAIRING, why
    if lag > replication.warn_after:
        late = _late(why, lag, "warn_after", replication.warn_after)
        return LinkHealth.BROKEN if is_missing else LinkHealth.WARNING, late
    return LinkHealth.WARNING if is_missing or found.state in _REPAIRED else LinkHealth.HEALTHY, why


def _late(why: str, lag: int, key: str, limit: int) -> str:
    return f"{why}; the oldest waits for {span(lag)}, {key} is {window_text(limit)}"


def _empty(link: Link) -> tuple[LinkHealth, str]:
    """Nothing to send is how a pair begins. Where the copy has a history of which the sender knows nothing, the next
    snapshot could not be sent."""
    received = link.receiver.snapshots
    if received and find_base(link.sender, link.receiver) is None:
        has = counted(len(received), "snapshot")
        return LinkHealth.WARNING, f"the sender has no snapshot to send and knows none of the receiver's {has}"
    return LinkHealth.HEALTHY, ""


def arrears_of(link: Link) -> Arrears:
    """What is not there yet. Where the receiver is not known the sender's newest cursor tells what it has had."""
    found, replication = link.lineage, link.pair.replication
    if found.state in (LinkState.UNKNOWN, LinkState.AWAY):
        cursors = standing_of(replication.name, link.sender, link.receiver).cursors
        if link.sender.unknown or (not cursors and found.state is LinkState.UNKNOWN):
            return Arrears((), None, None, known=False)
        if not cursors:
            return Arrears(link.candidates, None, None)
        cursor = cursors[-1]
        return Arrears(_after(link.candidates, cursor.createtxg), f"#{cursor.name}", cursor.creation)
    base = found.base
    if base is None and found.state in (LinkState.BUSY, LinkState.REPAIRING, LinkState.EMPTY):
        base = find_base(link.sender, link.receiver)
    if base is not None:
        return Arrears(_after(link.candidates, base.createtxg), f"@{base.received.name}", base.received.creation)
    only_newest = found.state is LinkState.MISSING and replication.initial is Initial.NEWEST
    return Arrears(found.waiting[-1:] if only_newest else found.waiting, None, None)


def _after(candidates: Iterable[Snapshot], createtxg: int) -> tuple[Snapshot, ...]:
    return tuple(one for one in candidates if one.createtxg > createtxg)


def _next_step(link: Link, waiting: int, obstacle: Finding | None) -> str:
    """What the next run does about a pair, or what a person can do where it does nothing. Empty for nothing."""
    found, pair = link.lineage, link.pair
    if obstacle is not None:
        mends = obstacle.hint and not obstacle.hint.startswith("zfsctl explain")
        return obstacle.hint if mends else "nothing is sent before that is mended"
    many = counted(waiting, "snapshot")
    since = f" from @{found.base.received.name}" if found.base is not None else ""
    match found.state:
        case LinkState.CURRENT:
            return ""
        case LinkState.EMPTY:
            return "the first snapshot will be sent"
        case LinkState.BEHIND:
            return f"the next run sends {many}{since}"
        case LinkState.CONFLICT:
            clash = found.clashes[0].name if found.clashes else ""
            return f"the next run renames the receiver's @{clash}, then sends {many}{since}"
        case LinkState.PARTIAL:
            return "the next run goes on where it was interrupted"
        case LinkState.STUCK:
            return f"the next run aborts the receive that it began, then sends {many}{since}"
        case LinkState.MISSING if found.token is not None:
            return "the next run goes on with the first copy where it was interrupted"
        case LinkState.MISSING:
            return f"the next run sends the first copy, {many}"
        case LinkState.BUSY:
            return "a run waits until that receive has ended"
        case LinkState.REPAIRING:
            return "the next run finishes the repair"
        case LinkState.AWAY:
            return "once the pool is there the next run goes on"
        case LinkState.UNKNOWN:
            return "nothing is sent before both ends can be looked at"
        case LinkState.TAKEN_OVER:
            host = pair.tree.receiver_host
            return f"nothing is sent while it is in use; after that, on {host}: zfs set readonly=on {pair.receiver}"
        case LinkState.SENDER_GONE:
            outside = f"{pair.tree.receiver_host}:{pair.tree.receiver}"
            return f"the copy stays; destroy it when nobody needs it, or keep it under a name outside {outside}"
        case LinkState.UNRELATED | LinkState.DIVERGED | LinkState.MODIFIED:
            return "the next run builds a new receiver beside it, and sets this one aside with all that it has"
        case _:
            assert_never(found.state)
