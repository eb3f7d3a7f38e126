"""What flows from which dataset to which, as far as the policy file tells: one flow for each sending host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from zfsctl.config.merge import KeyPath
from zfsctl.model.names import Place, is_at_or_below
from zfsctl.model.replication import Replication
from zfsctl.planner.matching import selects_host


@dataclass(frozen=True, slots=True)
class Flow:
    """One dataset and all below it, on its way to one receiver."""

    path: KeyPath
    """Of the replication."""
    replication: Replication
    sender: Place
    receiver: Place

    @property
    def returns(self) -> bool:
        """Whether it arrives inside what it sends, or sends from inside where it arrives."""
        return overlap(self.sender, self.receiver)


def flows_of(path: KeyPath, replication: Replication, hosts: Collection[str]) -> tuple[Flow, ...]:
    """One flow for each of `hosts` that sends."""
    return tuple(
        Flow(
            path,
            replication,
            Place(host, replication.sender.dataset),
            Place(replication.receiver_host, replication.receiver_for(host)),
        )
        for host in hosts
        if selects_host(replication.sender, host)
    )


def overlap(left: Place, right: Place) -> bool:
    """Whether two places are one, or one lies inside the other."""
    return left.host == right.host and (
        is_at_or_below(left.dataset, right.dataset) or is_at_or_below(right.dataset, left.dataset)
    )


def downstream(flow: Flow, flows: Sequence[Flow]) -> Iterator[Flow]:
    """The other flows that send on something of what `flow` brings."""
    return (other for other in flows if other is not flow and overlap(flow.receiver, other.sender))


def circle(start: Flow, flows: Sequence[Flow]) -> tuple[Flow, ...]:
    """The shortest way on which data of `start` comes back to where it was sent from, through other flows.

    `start` is the first of them; empty if there is no such way.
    """
    ways: list[tuple[Flow, ...]] = [(start,)]
    seen = {(start.path, start.sender)}
    for way in ways:
        for following in downstream(way[-1], flows):
            if following is start:
                return way
            if (following.path, following.sender) not in seen:
                seen.add((following.path, following.sender))
                ways.append((*way, following))
    return ()
