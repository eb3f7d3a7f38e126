"""Copies that repairs set aside: what each holds, what speaks against letting it go, and which has to go first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from zfsctl.model.dataset import Snapshot
from zfsctl.model.diagnosis import SetAside
from zfsctl.model.facts import HostFacts
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import ASIDE_MARK, REPAIR_MARK, is_at_or_below, stamped_at
from zfsctl.model.repair import former_home_of, is_aside, is_new, parse_repair_mark
from zfsctl.model.transfer import is_own_tag
from zfsctl.planner.anchoring import standing_of
from zfsctl.planner.lineage import RECEIVING, End, find_base
from zfsctl.planner.links import Link


def deepest_first(host: HostFacts, top: str) -> tuple[str, ...]:
    """`top` and all datasets below it, each before what it lies below."""
    names = (name for name in host.datasets if is_at_or_below(name, top))
    return tuple(sorted(names, key=lambda name: (-name.count("/"), name)))


def asides_on(host: HostFacts, links: Sequence[Link]) -> tuple[SetAside, ...]:
    """Every copy that was set aside on `host`, in an order in which they can go.

    Args:
        host: What it said, the chains of all its datasets included.
        links: How the pairs with an end there stand.
    """
    names = [name for name in host.datasets if is_aside(name)]
    received = _received_into(host) if names else frozenset()
    return _in_order([_aside(host, name, links, received) for name in names])


def _aside(host: HostFacts, name: str, links: Sequence[Link], received: Collection[str]) -> SetAside:
    datasets = deepest_first(host, name)
    mark = parse_repair_mark(host.chains.marks.get(name, {}).get(ASIDE_MARK, ""))
    obstacles = dict.fromkeys(_obstacles(host, name, datasets, links, received))
    if mark is None:
        obstacles = {
            f"it has no mark {ASIDE_MARK} of its own, so it was not zfsctl that set it aside": None
        } | obstacles
    return SetAside(
        host=host.host,
        dataset=name,
        home=former_home_of(name),
        replication=mark.replication if mark is not None else "",
        since=_since(name, host.datasets[name].creation),
        datasets=datasets,
        snapshots=sum(len(host.snapshots.get(one, ())) for one in datasets),
        used=host.datasets[name].used,
        written=sum(host.datasets[one].written for one in datasets),
        obstacles=tuple(obstacles),
        after=tuple(dict.fromkeys(_before(host, name, datasets))),
    )


def _since(name: str, otherwise: int) -> int:
    try:
        return stamped_at(name)
    except ValueError:  # a stamp that is no instant of the calendar
        return otherwise


def _obstacles(
    host: HostFacts, top: str, datasets: Sequence[str], links: Sequence[Link], received: Collection[str]
) -> Iterator[str]:
    if not host.complete:
        yield f"the listing of {host.host} is not complete: {host.problems[0]}"
    for name in datasets:
        home = former_home_of(name)
        dataset = host.datasets[name]
        if name not in host.snapshots:
            yield f"the snapshots of {name} were not listed"
        if is_new(name):
            yield f"{name} is still being built"
        if dataset.receive_resume_token is not None or dataset.inconsistent:
            yield f"an unfinished receive lies in {name}"
        elif name in received:
            yield f"a receive into {name} is running"
        if dataset.mounted:
            yield f"{name} is mounted"
        if home not in host.datasets:
            yield f"nothing is at {home}, where {name} belongs"
        elif REPAIR_MARK in host.chains.marks.get(home, {}):
            yield f"the repair of {home} is not finished"
        elif host.datasets[home].inconsistent:
            yield f"the first copy into {home} has not ended"
        yield from _of_snapshots(host, top, datasets, host.snapshots.get(name, ()))
        for link in links:
            if (link.receiver.host.host, link.pair.receiver) == (host.host, home):
                yield from _of_chain(link, host.snapshots.get(name, ()))
            if (link.sender.host.host, link.pair.sender) == (host.host, home):
                yield from _of_chain_onwards(link, End(host, name))


def _received_into(host: HostFacts) -> frozenset[str]:
    """What is being received into, as the snapshots tell that this goes on from: they may have moved away since."""
    clones = (clone for snapshots in host.snapshots.values() for one in snapshots for clone in one.clones)
    return frozenset(clone.removesuffix(RECEIVING) for clone in clones if clone.endswith(RECEIVING))


def _of_snapshots(host: HostFacts, top: str, datasets: Sequence[str], snapshots: Iterable[Snapshot]) -> Iterator[str]:
    for one in snapshots:
        tags = host.chains.holds.get(str(one), ())
        if one.userrefs != len(tags):
            yield f"the holds of {one} were not listed"
        for tag in tags:
            if not is_own_tag(tag):
                yield f"{one} is held by {tag!r}, which is none of zfsctl's"
        for clone in one.clones:
            if clone.endswith(RECEIVING):
                yield f"a receive goes on from {one}"
            elif is_at_or_below(clone, top):
                if clone not in datasets[: datasets.index(one.dataset)]:
                    yield f"{clone} is a clone of {one}, and lies above it"
            elif not _aside_around(clone):
                yield f"{clone} is a clone of {one}"


def _of_chain(link: Link, snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """Whether something of the copy could still be needed to go on with its chain."""
    found, receiver = link.lineage, link.receiver.name
    if found.state in (LinkState.UNKNOWN, LinkState.AWAY):
        yield f"not known how {receiver} stands to its sender: {found.why}"
        return
    if link.begun is not None:
        yield f"the repair of {receiver} is not finished"
    if find_base(link.sender, link.receiver) is not None:
        return
    known = {one.guid for one in link.sender.snapshots} | {one.guid for one in link.sender.bookmarks}
    common = next((one for one in snapshots if one.guid in known), None)
    if common is not None:
        yield f"{receiver} shares nothing with its sender, and {common} is the base that could mend that"


def _of_chain_onwards(link: Link, aside: End) -> Iterator[str]:
    """Whether something of the copy could still be needed where the receiver is sent on from."""
    home, onwards = link.sender.name, f"{link.receiver.host.host}:{link.receiver.name}"
    if link.receiver.unknown:
        if not standing_of(link.pair.replication.name, link.sender, link.receiver).cursors:
            yield f"not known what {onwards} has of {home}: {link.receiver.unknown}"
        return
    if find_base(link.sender, link.receiver) is not None:
        return
    known = {one.guid for one in link.receiver.snapshots}
    places = {one.guid: str(one) for one in aside.bookmarks} | {one.guid: str(one) for one in aside.snapshots}
    common = next((place for guid, place in places.items() if guid in known), "")
    if common:
        yield f"{home} shares nothing with {onwards}, and {common} is the base that could mend that"


def _before(host: HostFacts, top: str, datasets: Sequence[str]) -> Iterator[str]:
    """The copies that lie below `top`, or that are clones of what lies there."""
    for name in datasets:
        if name != top and is_aside(name):
            yield name
        for one in host.snapshots.get(name, ()):
            for clone in one.clones:
                other = _aside_around(clone)
                if other and other != top and not is_at_or_below(top, other):
                    yield other


def _aside_around(name: str) -> str:
    """The innermost copy set aside that a dataset is or lies below; empty for none."""
    while name and not is_aside(name):
        name = name.rpartition("/")[0]
    return name


def _in_order(asides: Iterable[SetAside]) -> tuple[SetAside, ...]:
    """Each after those that have to go before it, else the oldest first."""
    left = sorted(asides, key=lambda one: (one.since, one.dataset))
    ordered: list[SetAside] = []
    while left:
        waiting = {one.dataset for one in left}
        ready = next((one for one in left if not waiting.intersection(one.after)), left[0])
        left.remove(ready)
        ordered.append(ready)
    return tuple(ordered)
