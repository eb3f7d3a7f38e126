"""Whether there is nothing to do about replications, seen from the newest snapshots of both ends."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.facts import Facts
from zfsctl.model.lineage import LinkState
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Tree
from zfsctl.planner.receiving import adopts_of
from zfsctl.planner.replicating import plan_replicating


def is_settled(trees: Sequence[Tree], heads: Facts, policy: PolicyFile) -> bool:
    """Whether all snapshots would show just what the newest alone do: every receiver ends where its sender does.

    Args:
        trees: What is copied where.
        heads: Facts with the newest snapshots alone.
        policy: The policy file.
    """
    planned = plan_replicating(trees, heads, policy=policy, adopts=adopts_of(policy), sends=lambda _: True)
    return not planned.steps and all(map(_is_quiet, planned.links))


def _is_quiet(link: Link) -> bool:
    found = link.lineage
    match found.state:
        case LinkState.CURRENT:
            return found.base is not None and found.base.sent is not None
        case LinkState.EMPTY:
            return not link.sender.snapshots and not link.receiver.snapshots
        case LinkState.SENDER_GONE:
            return True
    return False
