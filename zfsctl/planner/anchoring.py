"""What a replication rests on: which snapshots no prune may take, and how cursor and holds are to stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from zfsctl.model.dataset import Bookmark, Snapshot
from zfsctl.model.lineage import Lineage, LinkState, ResumeToken
from zfsctl.model.names import EXPIRES_PROPERTY, REASON_PROPERTY, ownership_of
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import Send, Transfer, base_tag, cursor_name, send_tag
from zfsctl.model.verdicts import Reason, Rule
from zfsctl.planner.lineage import End
from zfsctl.planner.wording import span

_RELATED = frozenset(
    {LinkState.PARTIAL, LinkState.CONFLICT, LinkState.BEHIND, LinkState.CURRENT, LinkState.STUCK, LinkState.MISSING}
)
"""States in which a receiver is ours and in order, so that its rules may go on."""

Notes = tuple[tuple[SnapshotRef, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The anchors of one pair as they are."""

    cursors: tuple[Bookmark, ...]
    """Bookmarks of this replication, by their form; what they say is their guid."""
    held: tuple[Snapshot, ...]
    """Snapshots of the receiver that carry our hold."""
    in_flight: tuple[Snapshot, ...]
    """Snapshots of the sender that carry our hold."""


def standing_of(name: str, sender: End, receiver: End) -> Standing:
    """How the anchors of replication `name` stand."""
    form = re.compile(rf"zfsctl-{re.escape(name)}-[0-9a-f]{{16}}")
    return Standing(
        cursors=tuple(one for one in sender.bookmarks if form.fullmatch(one.name)),
        held=tuple(one for one in receiver.snapshots if base_tag(name) in receiver.tags(one)),
        in_flight=tuple(one for one in sender.snapshots if send_tag(name) in sender.tags(one)),
    )


def unreceived(standing: Standing, candidates: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    """What a receiver that cannot be looked at lacks, oldest first: all that is newer than the newest cursor."""
    if not standing.cursors:
        return tuple(candidates)
    return tuple(one for one in candidates if one.createtxg > standing.cursors[-1].createtxg)


def is_begun_by_us(token: ResumeToken, standing: Standing, *, prefix: str) -> bool:
    """Whether we began an interrupted receive: our hold is on its target or on what it goes on from."""
    if any(one.guid == token.to_guid for one in standing.in_flight):
        return True
    owned = ownership_of(token.to_name.partition("@")[2], prefix=prefix) is not None
    return owned and (token.from_guid is None or any(one.guid == token.from_guid for one in standing.held))


def is_settled(name: str, standing: Standing, found: Lineage) -> bool:
    """Whether cursor and hold are on the base and nowhere else, and nothing is held in flight for nothing."""
    if found.base is None:
        return not standing.in_flight or found.token is not None
    base = found.base.guid
    return (
        [(one.name, one.guid) for one in standing.cursors] == [(cursor_name(name, base), base)]
        and [one.guid for one in standing.held] == [base]
        and (not standing.in_flight or found.token is not None)
    )


def chain_of(found: Lineage, sends: Sequence[Send]) -> tuple[SnapshotRef, ...]:
    """What may be on the receiver after the streams, oldest first; the base first. Its name is that of its snapshot,
    or of its bookmark with a #."""
    chain: list[SnapshotRef] = []
    if found.base is not None:
        sent, bookmark = found.base.sent, found.base.bookmark
        name = sent.name if sent is not None else f"#{bookmark.name}" if bookmark is not None else ""
        chain.append(SnapshotRef(name, found.base.guid))
    chain += [ref for send in sends for ref in send.snapshots]
    return tuple(chain)


def notes_of(sends: Sequence[Send], sender: End) -> Notes:
    """The zfsctl:expires and zfsctl:reason of what is sent: plain streams carry no properties of snapshots."""
    by_guid = {one.guid: one for one in sender.snapshots}
    notes = []
    for ref in (ref for send in sends for ref in send.snapshots):
        snapshot = by_guid.get(ref.guid)
        if snapshot is None:
            continue
        said = []
        if snapshot.reason is not None:
            said.append((REASON_PROPERTY, snapshot.reason))
        if snapshot.expires is not None:
            said.append((EXPIRES_PROPERTY, str(snapshot.expires)))
        if said:
            notes.append((ref, tuple(said)))
    return tuple(notes)


@dataclass(slots=True)
class Anchors:
    """By host and dataset, and then by guid, why a snapshot must stay whatever the rules say."""

    reasons: dict[tuple[str, str], dict[int, Reason]] = field(default_factory=dict)

    def keep(self, end: End, snapshots: Iterable[Snapshot], reason: Reason) -> None:
        """Keep these of one end; the first reason given is the one that is told."""
        here = self.reasons.setdefault((end.host.host, end.name), {})
        for snapshot in snapshots:
            here.setdefault(snapshot.guid, reason)


def anchor(
    anchors: Anchors,
    name: str,
    sender: End,
    receiver: End,
    found: Lineage,
    *,
    candidates: Sequence[Snapshot],
    pending_limit: int,
    now: int,
) -> bool:
    """Add what one pair needs to `anchors`; whether something that has waited too long is no longer kept for it.

    Args:
        anchors: Grows.
        name: Of the replication.
        sender: One end.
        receiver: The other.
        found: How they stand to each other.
        candidates: What is to be sent at all, oldest first.
        pending_limit: Seconds for which what was not received yet is kept on the sender.
        now: The controller's clock. What waits is old when both clocks say so, since one of them may be wrong.
    """
    standing = standing_of(name, sender, receiver)
    late = _anchor_sender(anchors, name, sender, found, standing, candidates, pending_limit, now)
    _anchor_receiver(anchors, name, receiver, found, standing)
    return late


def age_of_oldest(waiting: Iterable[Snapshot], clock: int) -> int:
    """Seconds for which the oldest has waited; 0 for none. A date that is still to come says nothing."""
    return max((clock - one.creation for one in waiting if one.creation <= clock), default=0)


def anchor_in_flight(anchors: Anchors, sender: End, step: Transfer) -> None:
    """Keep what a transfer reads: destroys of the same plan run beside it. What it sets free goes by the next run."""
    reads = {ref.guid for send in step.sends for ref in send.snapshots}
    reads |= {send.source_guid for send in step.sends if send.source_guid is not None}
    anchors.keep(
        sender,
        [one for one in sender.snapshots if one.guid in reads],
        Reason(Rule.IN_FLIGHT, f"{step.replication}: it is sent, or sent from, by the same plan"),
    )


def _anchor_sender(
    anchors: Anchors,
    name: str,
    sender: End,
    found: Lineage,
    standing: Standing,
    candidates: Sequence[Snapshot],
    pending_limit: int,
    now: int,
) -> bool:
    if found.state in (LinkState.UNKNOWN, LinkState.AWAY):
        if not standing.cursors:
            why = f"{name}: its receiver is not known, and no cursor tells what it has"
            anchors.keep(sender, sender.snapshots, Reason(Rule.UNKNOWN, why))
            return False
        waiting = unreceived(standing, candidates)
    else:
        waiting = found.waiting
        base = found.base
        if base is not None and base.sent is not None and base.guid not in {one.guid for one in standing.cursors}:
            anchors.keep(sender, [base.sent], Reason(Rule.BASE, f"{name}: the newest that its receiver has"))
    if found.token is not None:
        ends = {found.token.to_guid, found.token.from_guid}
        needed = [one for one in sender.snapshots if one.guid in ends]
        anchors.keep(sender, needed, Reason(Rule.TOKEN, f"{name}: an interrupted transfer needs it"))
    clock = min(sender.host.clock, now)
    young = [one for one in waiting if clock - one.creation < pending_limit]
    anchors.keep(
        sender, young, Reason(Rule.PENDING, f"{name}: not received yet, waits for at most {span(pending_limit)}")
    )
    return len(young) < len(waiting)


def _anchor_receiver(anchors: Anchors, name: str, receiver: End, found: Lineage, standing: Standing) -> None:
    if found.base is not None:
        base = Reason(Rule.BASE, f"{name}: the newest that its sender knows")
        anchors.keep(receiver, [found.base.received], base)
    elif standing.held:
        anchors.keep(receiver, standing.held, Reason(Rule.BASE, f"{name}: the last base that is known"))
    if receiver.host.datasets.get(receiver.name) is not None and receiver.token is not None:
        why = f"{name}: a receive is under way or may be gone on with"
        anchors.keep(receiver, receiver.snapshots, Reason(Rule.TOKEN, why))
    unknown = found.state is LinkState.UNKNOWN and not standing.held
    if unknown or (found.state is not LinkState.UNKNOWN and found.state not in _RELATED):
        why = f"{name}: nothing goes while the chain is {str(found.state).upper().replace('-', ' ')}"
        anchors.keep(receiver, receiver.snapshots, Reason(Rule.UNKNOWN, why))
