"""How a dataset on a sender and its copy on a receiver stand to each other."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.dataset import Bookmark, Snapshot
from zfsctl.model.link_state import LinkState as LinkState


@dataclass(frozen=True, slots=True)
class ResumeToken:
    """What an interrupted receive needs to go on, as `zfs send -nvt` tells it."""

    text: str
    to_guid: int
    to_name: str
    """Full name of the snapshot when it was sent."""
    from_guid: int | None = None
    """None for a full stream."""
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """The newest snapshot of the receiver that the sender still knows."""

    guid: int
    received: Snapshot
    """On the receiver."""
    sent: Snapshot | None
    """On the sender; None when only a bookmark is left there."""
    bookmark: Bookmark | None
    """On the sender."""

    @property
    def createtxg(self) -> int:
        """Its place in the sender's history."""
        if self.sent is not None:
            return self.sent.createtxg
        if self.bookmark is not None:
            return self.bookmark.createtxg
        raise ValueError("a base that the sender does not know")

    @property
    def source(self) -> str:
        """What `zfs send -i` is given, without the dataset: `@name` or `#name`."""
        if self.sent is not None:
            return f"@{self.sent.name}"
        if self.bookmark is not None:
            return f"#{self.bookmark.name}"
        raise ValueError("a base that the sender does not know")


@dataclass(frozen=True, slots=True)
class Lineage:
    """A pair's state with all that it rests on."""

    state: LinkState
    why: str
    """One line for people."""
    base: Base | None = None
    waiting: tuple[Snapshot, ...] = ()
    """Candidates of the sender that the receiver does not have yet, oldest first."""
    own: tuple[Snapshot, ...] = ()
    """Snapshots of the receiver newer than the base, which the sender does not know; oldest first."""
    clashes: tuple[Snapshot, ...] = ()
    """Snapshots of the receiver whose name is about to be sent under another guid."""
    token: ResumeToken | None = None
