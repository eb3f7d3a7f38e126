"""What the state of a pair rests on, and what is kept for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from zfsctl.model.explanation import ExplainedPair
from zfsctl.model.finding import Finding
from zfsctl.model.lineage import LinkState, ResumeToken
from zfsctl.model.names import Place
from zfsctl.model.plan import Step
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets, home_of
from zfsctl.model.transfer import AbortReceive, HoldSnapshots, MoveAnchors, RenameSnapshot, Transfer
from zfsctl.model.verdicts import Reason
from zfsctl.planner.anchoring import standing_of
from zfsctl.planner.lineage import End, find_base
from zfsctl.planner.links import Link
from zfsctl.planner.replicating import Replicating
from zfsctl.planner.replication_health import arrears_of, obstacle_of, obstacles, pair_status
from zfsctl.planner.wording import counted

_EndOf = tuple[str, str, str]
"""Replication, host and dataset."""


def explained_pairs(replicating: Replicating) -> tuple[ExplainedPair, ...]:
    """Every pair of a plan that sends, with its evidence and the steps that are about it."""
    in_the_way = obstacles(replicating.findings)
    steps = _by_end(replicating.steps)
    return tuple(
        _explained(link, replicating.anchors, _steps_about(link, steps), obstacle_of(link, in_the_way))
        for link in replicating.links
    )


def _explained(
    link: Link,
    anchors: Mapping[tuple[str, str], Mapping[int, Reason]],
    steps: tuple[Step, ...],
    obstacle: Finding | None,
) -> ExplainedPair:
    found = link.lineage
    blind = found.state in (LinkState.UNKNOWN, LinkState.AWAY)
    base = found.base or (None if blind else find_base(link.sender, link.receiver))
    sent = {one.guid for one in link.sender.snapshots}
    received = {one.guid for one in link.receiver.snapshots}
    return ExplainedPair(
        status=pair_status(link, obstacle),
        base_guid=base.guid if base is not None else None,
        common=None if blind else len(sent & received),
        only_sender=None if blind else len(sent - received),
        only_receiver=None if blind else len(received - sent),
        to_send=tuple(one.name for one in arrears_of(link).waiting),
        own=tuple(one.name for one in found.own),
        clashes=tuple(one.name for one in found.clashes),
        resumes=_resumes(found.token),
        kept=tuple(_kept(link, anchors)),
        steps=steps,
    )


def _resumes(token: ResumeToken | None) -> str:
    if token is None:
        return ""
    return f"{token.to_name}, {'a full stream' if token.from_guid is None else 'an increment'}"


def _kept(link: Link, anchors: Mapping[tuple[str, str], Mapping[int, Reason]]) -> Iterator[str]:
    """Cursor, holds, and what no prune may take."""
    name = link.pair.replication.name
    standing = standing_of(name, link.sender, link.receiver)
    for cursor in standing.cursors:
        yield f"{_at(link.sender)}#{cursor.name}: the cursor, it tells what the receiver has"
    for one in standing.in_flight:
        yield f"{_at(link.sender)}@{one.name}: held while it is being sent"
    yield from _anchored(link.sender, anchors, name)
    for one in standing.held:
        yield f"{_at(link.receiver)}@{one.name}: held, as what the next increment goes on from"
    yield from _anchored(link.receiver, anchors, name)


def _anchored(end: End, anchors: Mapping[tuple[str, str], Mapping[int, Reason]], replication: str) -> Iterator[str]:
    """What of one end no prune may take, those with the same reason together."""
    here = anchors.get((end.host.host, end.name), {})
    prefix = f"{replication}: "
    by_reason: dict[str, list[str]] = {}
    for one in end.snapshots:
        reason = here.get(one.guid)
        if reason is not None and reason.detail.startswith(prefix):
            by_reason.setdefault(reason.detail.removeprefix(prefix), []).append(one.name)
    for detail, names in by_reason.items():
        if len(names) == 1:
            yield f"{_at(end)}@{names[0]}: {detail}"
        else:
            yield f"{_at(end)}: {counted(len(names), 'snapshot')}, @{names[0]} to @{names[-1]}: {detail}"


def _at(end: End) -> str:
    return str(Place(end.host.host, end.name))


def _by_end(steps: Iterable[Step]) -> Mapping[_EndOf, dict[int, Step]]:
    """The steps that are about one end of a pair, by their place in the plan."""
    found: dict[_EndOf, dict[int, Step]] = {}
    for place, step in enumerate(steps):
        match step:
            case HoldSnapshots():
                datasets = [held.dataset for held in step.snapshots]
            case Transfer() | MoveAnchors() | AbortReceive() | RenameSnapshot() | CloneDataset() | PromoteClone():
                datasets = [home_of(step.dataset)]
            case SwapDatasets():
                datasets = [step.dataset]
            case _:
                continue
        for dataset in datasets:
            found.setdefault((step.replication, step.host, dataset), {})[place] = step
    return found


def _steps_about(link: Link, steps: Mapping[_EndOf, dict[int, Step]]) -> tuple[Step, ...]:
    """In the order of the plan."""
    tree, pair = link.pair.tree, link.pair
    name = pair.replication.name
    found = {
        **steps.get((name, tree.sender_host, pair.sender), {}),
        **steps.get((name, tree.receiver_host, pair.receiver), {}),
    }
    return tuple(found[place] for place in sorted(found))
