"""Which state a dataset and its copy are in: histories compared by guid, never by name.

The order of the questions is that of the table in the design: the first that is answered yes decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from zfsctl.model.dataset import Bookmark, Dataset, Snapshot, why_in_use
from zfsctl.model.facts import HostFacts
from zfsctl.model.lineage import Base, Lineage, LinkState, ResumeToken
from zfsctl.model.names import PARENT_MARK, pool_of
from zfsctl.planner.wording import counted

RECEIVING = "/%recv"
"""How an interrupted or running receive shows among the clones of the snapshot that it goes on from."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a pair as its host told it."""

    host: HostFacts
    name: str

    @property
    def unknown(self) -> str:
        """Why nothing can be said about it; empty when all is known."""
        if self.host.problems:
            return self.host.problems[0]
        if why := self.host.why_unseen(self.name):
            return why
        if self.pool_is_absent:
            return f"pool {pool_of(self.name)} is not imported on {self.host.host}"
        if self.dataset is not None and self.name not in self.host.snapshots:
            return f"the snapshots of {self.host.host}:{self.name} were not listed"
        return ""

    @property
    def pool_is_absent(self) -> bool:
        """Whether the host answered in full and does not have the pool, or only what is left of one whose disks went:
        without an export it is suspended, or unavailable after the next start.
        """
        host = self.host
        return host.complete and (host.pool(pool_of(self.name)) is None or host.why_unseen(self.name) != "")

    @property
    def dataset(self) -> Dataset | None:
        """None where it does not exist; only to be asked when nothing is unknown."""
        return self.host.datasets.get(self.name)

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Oldest first."""
        return self.host.snapshots.get(self.name, ())

    @property
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """Oldest first."""
        return self.host.chains.bookmarks.get(self.name, ())

    @property
    def token(self) -> ResumeToken | None:
        """What an interrupted or running receive into it is about."""
        return self.host.chains.tokens.get(self.name)

    @property
    def is_empty_parent(self) -> bool:
        """Whether zfsctl made it for others to lie below, and it has no history.

        It may hold files all the same: somebody may have mounted it in the meantime.
        """
        return not self.snapshots and PARENT_MARK in self.host.chains.marks.get(self.name, {})

    def tags(self, snapshot: Snapshot) -> tuple[str, ...]:
        """The holds on one of its snapshots."""
        return self.host.chains.holds.get(str(snapshot), ())


def lineage(
    sender: End,
    receiver: End,
    *,
    is_candidate: Callable[[Snapshot], bool],
    may_be_away: bool = False,
    is_raw: bool = False,
    repair: str = "",
    comes_home: bool = False,
    is_received: bool = False,
) -> Lineage:
    """The state of one pair.

    Args:
        sender: Where the snapshots come from.
        receiver: Where they go.
        is_candidate: Whether a snapshot of the sender is to be sent at all.
        may_be_away: Whether the receiver's pool may be unplugged just now.
        is_raw: Whether the chain is raw; then no snapshot of the receiver's own is tolerated.
        repair: What tells that a repair of this receiver is half done; empty when none is.
        comes_home: Of that repair only renames are left, which come first whatever the sender is or has: until then
            the receiver is not where it belongs.
        is_received: The sender is itself a receiver, so that before its own first copy nobody misses it.
    """
    if comes_home and not receiver.unknown and not why_busy(receiver, receiver.dataset):
        candidates = tuple(filter(is_candidate, sender.snapshots))
        return _with_base(Lineage(LinkState.REPAIRING, repair, token=receiver.token), sender, receiver, candidates)
    unknown = sender.unknown or receiver.unknown
    if unknown:
        away = may_be_away and not sender.unknown and receiver.pool_is_absent
        return Lineage(LinkState.AWAY if away else LinkState.UNKNOWN, unknown)
    source, target = sender.dataset, receiver.dataset
    if source is None and target is None and is_received:
        return Lineage(LinkState.EMPTY, f"{sender.host.host}:{sender.name} has not been received itself yet")
    if source is None:
        return Lineage(LinkState.SENDER_GONE, f"{sender.host.host}:{sender.name} does not exist")
    candidates = tuple(filter(is_candidate, sender.snapshots))
    if not candidates:
        return Lineage(LinkState.EMPTY, "there is no snapshot to send yet")
    if busy := why_busy(receiver, target):
        return _with_base(Lineage(LinkState.BUSY, busy), sender, receiver, candidates)
    if repair:
        return _with_base(Lineage(LinkState.REPAIRING, repair, token=receiver.token), sender, receiver, candidates)
    if target is not None and (taken := taken_over(target)):
        return _with_base(Lineage(LinkState.TAKEN_OVER, taken), sender, receiver, candidates)
    if target is None or target.inconsistent:
        return _missing(sender, receiver, candidates)
    found = _with_base(Lineage(LinkState.UNRELATED, ""), sender, receiver, candidates)
    if found.base is None:
        return replace(found, why=_unrelated(receiver))
    return _related(found, sender, receiver, target, is_raw=is_raw)


def _related(found: Lineage, sender: End, receiver: End, target: Dataset, *, is_raw: bool) -> Lineage:
    """The state of a pair that has a base."""
    base = found.base
    assert base is not None
    newer = [one for one in receiver.snapshots if one.createtxg > base.received.createtxg]
    if newer and (is_raw or target.written or any(one.written for one in newer)):
        what = f"{counted(len(newer), 'snapshot')} of its own after @{base.received.name}"
        return replace(found, state=LinkState.DIVERGED, why=f"the receiver has {what}")
    if target.written:
        why = f"{target.written} bytes were written on the receiver after @{base.received.name}"
        return replace(found, state=LinkState.MODIFIED, why=why)
    if receiver.token is not None:
        return _interrupted(found, sender, receiver.token)
    if not found.waiting:
        return replace(found, state=LinkState.CURRENT, why=f"the receiver has everything up to @{base.received.name}")
    behind = f"BEHIND by {counted(len(found.waiting), 'snapshot')}"
    names = {one.name: one for one in receiver.snapshots}
    clashes = tuple(names[one.name] for one in found.waiting if one.name in names and names[one.name].guid != one.guid)
    if clashes:
        why = f"{behind}; @{clashes[0].name} is another snapshot on the receiver"
        return replace(found, state=LinkState.CONFLICT, why=why, clashes=clashes)
    return replace(found, state=LinkState.BEHIND, why=behind)


def _interrupted(found: Lineage, sender: End, token: ResumeToken) -> Lineage:
    """An increment that can be resumed, or one that is in the way for ever."""
    base = found.base
    assert base is not None
    found = replace(found, token=token)
    if token.from_guid != base.guid:
        why = "an interrupted receive does not go on from the newest snapshot that both have"
        return replace(found, state=LinkState.STUCK, why=why)
    if found.own:
        why = "an interrupted receive would end in vain, the receiver has taken a snapshot of its own since"
        return replace(found, state=LinkState.STUCK, why=why)
    sent = _by_guid(sender.snapshots, token.to_guid)
    if sent is None:
        why = f"an interrupted receive needs {token.to_name}, which the sender does not have any more"
        return replace(found, state=LinkState.STUCK, why=why)
    return replace(found, state=LinkState.PARTIAL, why=f"an interrupted receive of @{sent.name} goes on")


def _missing(sender: End, receiver: End, candidates: Sequence[Snapshot]) -> Lineage:
    """A first copy: to be made, to be resumed, or in its own way."""
    found = Lineage(LinkState.MISSING, "the first copy", waiting=tuple(candidates))
    token = receiver.token
    if token is None:
        return found
    found = replace(found, token=token)
    if token.from_guid is not None and not _knows(sender, token.from_guid):
        return replace(found, state=LinkState.STUCK, why="an unfinished first copy needs a snapshot that is gone")
    sent = _by_guid(sender.snapshots, token.to_guid)
    if sent is None:
        why = f"an unfinished first copy needs {token.to_name}, which the sender does not have any more"
        return replace(found, state=LinkState.STUCK, why=why)
    return replace(found, why=f"the first copy goes on with @{sent.name}")


def why_busy(receiver: End, target: Dataset | None) -> str:
    """Why a receive must be running: it has left its traces and no token."""
    if receiver.token is not None or target is None:
        return ""
    if target.inconsistent:
        return "a first copy is being received, and not by a run of this kind"
    if any(clone.endswith(RECEIVING) for one in receiver.snapshots for clone in one.clones):
        return "a receive is running that cannot be resumed, so it is not ours"
    return ""


def taken_over(target: Dataset) -> str:
    """Why the receiver is in use; empty when it is not."""
    return "" if target.inconsistent else why_in_use(target.kind, readonly=target.readonly, mounted=target.mounted)


def _with_base(found: Lineage, sender: End, receiver: End, candidates: Iterable[Snapshot]) -> Lineage:
    """`found` with the base, what waits, and what the receiver has of its own."""
    base = find_base(sender, receiver)
    if base is None:
        return replace(found, waiting=tuple(candidates))
    known = {one.guid for one in sender.snapshots}
    return replace(
        found,
        base=base,
        waiting=tuple(one for one in candidates if one.createtxg > base.createtxg),
        own=tuple(
            one for one in receiver.snapshots if one.createtxg > base.received.createtxg and one.guid not in known
        ),
    )


def find_base(sender: End, receiver: End) -> Base | None:
    """The receiver's newest snapshot whose guid is among the sender's snapshots or bookmarks; None if there is none.

    A bookmark counts only as far as its guid goes; its name proves nothing.
    """
    snapshots = {one.guid: one for one in sender.snapshots}
    bookmarks = {one.guid: one for one in sender.bookmarks}
    for received in reversed(receiver.snapshots):
        sent, bookmark = snapshots.get(received.guid), bookmarks.get(received.guid)
        if sent is not None or bookmark is not None:
            return Base(received.guid, received, sent, bookmark)
    return None


def _unrelated(receiver: End) -> str:
    if receiver.is_empty_parent:
        return f"{receiver.host.host}:{receiver.name} was made for others to lie below, and is no copy yet"
    if not receiver.snapshots:
        return f"{receiver.host.host}:{receiver.name} exists and has no snapshot"
    return f"the receiver's {counted(len(receiver.snapshots), 'snapshot')} and the sender's history share nothing"


def _knows(sender: End, guid: int) -> bool:
    return any(one.guid == guid for one in sender.snapshots) or any(one.guid == guid for one in sender.bookmarks)


def _by_guid(snapshots: Collection[Snapshot], guid: int) -> Snapshot | None:
    return next((one for one in snapshots if one.guid == guid), None)
