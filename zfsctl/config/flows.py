"""What flows from which dataset to which, as far as the policy file tells: one flow for each sending host."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zfsctl.model.names import Place, is_at_or_below
from zfsctl.model.replication import Replication
from zfsctl.planner.matching import selects_host


@dataclass(frozen=True, slots=True)
class Flow:
    """One dataset and all below it, on its way to one receiver."""

    path: tuple[str, int]
    """Of the replication."""
    replication: Replication
    sender: Place
    receiver: Place

    @property
    def returns(self) -> bool:
        """Whether it arrives inside what it sends, or sends from inside where it arrives."""
        return overlap(self.sender, self.receiver)


def flows_of(path: tuple[str, int], replication: Replication, hosts: Collection[str]) -> tuple[Flow, ...]:
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


def by_sending_host(flows: Iterable[Flow]) -> Mapping[str, Sequence[Flow]]:
    """The flows of each host that sends, in their order; a fleet has many flows, and few of them go on."""
    found: dict[str, list[Flow]] = {}
    for flow in flows:
        found.setdefault(flow.sender.host, []).append(flow)
    return found


def downstream(flow: Flow, flows: Mapping[str, Sequence[Flow]]) -> Iterator[Flow]:
    """The other flows that send on something of what `flow` brings."""
    there = flows.get(flow.receiver.host, ())
    return (other for other in there if other is not flow and overlap(flow.receiver, other.sender))


def circle(start: Flow, flows: Mapping[str, Sequence[Flow]]) -> tuple[Flow, ...]:
    """The shortest way on which data of `start` comes back to where it was sent from, through flows before it.

    `start` is the first of them; empty if there is no such way.
    """
    ways: list[tuple[Flow, ...]] = [(start,)]
    seen = {(start.path, start.sender)}
    for way in ways:
        for following in downstream(way[-1], flows):
            if following is start:
                return way
            if following.path[1] <= start.path[1] and (following.path, following.sender) not in seen:
                seen.add((following.path, following.sender))
                ways.append((*way, following))
    return ()
