"""What has to be read besides the newest snapshots before replications can be planned."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts
from zfsctl.model.lineage import LinkState
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.anchoring import is_settled, standing_of
from zfsctl.planner.lineage import find_base, taken_over
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Tree
from zfsctl.planner.receiving import adopts_of
from zfsctl.planner.replicating import plan_replicating


def unread_hosts(trees: Sequence[Tree], heads: Facts, policy: PolicyFile) -> Collection[str] | None:
    """The hosts whose snapshots all have to be listed; None where that is everything at all ends.

    None of them where the newest snapshots show just what all would: every receiver ends where its sender does. Those
    that send where each receiver is as the last run left it, whatever it lacks by now.

    Args:
        trees: What is copied where.
        heads: Facts with the newest snapshots alone.
        policy: The policy file.
    """
    planned = plan_replicating(trees, heads, policy=policy, adopts=adopts_of(policy), sends=lambda _: True)
    if not planned.steps and all(map(_is_quiet, planned.links)):
        return ()
    if all(_is_quiet(link) or _is_as_left(link) for link in planned.links):
        return {tree.sender_host for tree in trees}
    return None


def waiting_of(trees: Sequence[Tree], facts: Facts, policy: PolicyFile) -> tuple[tuple[Link, Snapshot], ...] | None:
    """Each snapshot that a receiver lacks, with its pair, once the senders are listed.

    None where a pair is not any more as the newest snapshots told: what its receiver has besides then matters.
    """
    planned = plan_replicating(trees, facts, policy=policy, adopts=adopts_of(policy), sends=lambda _: False)
    if not all(_is_quiet(link) or _is_as_left(link) for link in planned.links):
        return None
    return tuple((link, one) for link in planned.links for one in link.lineage.waiting)


def _is_quiet(link: Link) -> bool:
    """Whether nothing is to be done about a pair, and older snapshots would tell nothing else."""
    found = link.lineage
    match found.state:
        case LinkState.CURRENT:
            return found.base is not None and found.base.sent is not None and _is_in_place(link)
        case LinkState.EMPTY:
            return not link.sender.snapshots and not link.receiver.snapshots
        case LinkState.SENDER_GONE:
            return True
    return False


def _is_as_left(link: Link) -> bool:
    """Whether a receiver ends with what the last run brought, with nothing after that and both anchors in place."""
    target = link.receiver.dataset
    if link.lineage.state not in (LinkState.BEHIND, LinkState.EMPTY) or link.begun is not None or target is None:
        return False
    return not target.written and not taken_over(target) and _is_in_place(link)


def _is_in_place(link: Link) -> bool:
    """Whether the newest snapshot of the receiver is the base, and cursor and holds are where they belong."""
    base = find_base(link.sender, link.receiver)
    if base is None or base.received != link.receiver.snapshots[-1]:
        return False
    name = link.pair.replication.name
    return is_settled(name, standing_of(name, link.sender, link.receiver), replace(link.lineage, base=base))
