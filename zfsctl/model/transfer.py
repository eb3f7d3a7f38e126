"""The steps of replication: hold, send, look what arrived, and move the anchors to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.lineage import LinkState
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import RepairStep
from zfsctl.model.route import Route


@dataclass(frozen=True, slots=True)
class HeldSnapshot:
    """A snapshot that gets or loses a hold."""

    dataset: str
    snapshot: SnapshotRef


@dataclass(frozen=True, slots=True)
class Send:
    """One `zfs send` of a dataset, and what it brings."""

    source: str
    """`@name` or `#name` of the same dataset, `pool/other@name` for the origin of a clone, empty for a full stream."""
    source_guid: int | None
    snapshots: tuple[SnapshotRef, ...]
    """What arrives, oldest first. More than one: all that lies between source and the last (`-I`)."""

    @property
    def last(self) -> SnapshotRef:
        """The snapshot that is named to `zfs send`."""
        return self.snapshots[-1]

    @property
    def with_intermediates(self) -> bool:
        """Whether it is `-I`."""
        return len(self.snapshots) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSnapshots:
    """Hold what is about to be sent, and read its guid back: it can neither go nor be replaced any more.

    A snapshot that is no longer the planned one gets no hold, and what waits for it is not sent.
    """

    id: str
    host: str
    why: str
    replication: str
    tag: str
    snapshots: tuple[HeldSnapshot, ...]
    after: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The only dataset that it is about; empty for several."""
        names = {held.dataset for held in self.snapshots}
        return names.pop() if len(names) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateParents:
    """Create the datasets above a first copy that do not exist yet, such that none of them is ever mounted."""

    id: str
    host: str
    why: str
    replication: str
    datasets: tuple[str, ...]
    """Topmost first."""
    after: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The only dataset that it creates; empty for several."""
        return self.datasets[0] if len(self.datasets) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortReceive:
    """Give up an interrupted receive, if it is still the planned one."""

    id: str
    host: str
    why: str
    replication: str
    dataset: str
    token: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameSnapshot:
    """Give a receiver's snapshot another name, so that its present one becomes free."""

    id: str
    host: str
    why: str
    replication: str
    dataset: str
    snapshot: SnapshotRef
    to: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Send what a receiver lacks of one dataset. `host` is the receiver's."""

    id: str
    host: str
    why: str
    replication: str
    state: LinkState
    sender_host: str
    sender: str
    sender_guid: int
    receiver: str
    receiver_guid: int | None
    """None for a first copy."""
    sends: tuple[Send, ...]
    """In this order. With a token the first of them is what the token goes on with."""
    token: str = ""
    flags: tuple[str, ...] = ()
    """For `zfs send`: -w, or those of -L -e -c that both pools allow."""
    properties: tuple[tuple[str, str], ...] = ()
    """Set on the receiver by a first copy, and read back."""
    carries: tuple[str, ...] = ()
    """Names of properties that a first copy takes over from the sender, as far as they are set there."""
    route: Route = Route.RELAY
    bandwidth: int | None = None
    compress: bool = False
    parallel: int = 1
    """How many of this replication may run at a time."""
    estimate: int | None = None
    """Bytes, by what was written."""
    after: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The receiver: what the step changes."""
        return self.receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAnchors:
    """Look by guid what the receiver has, then move to the newest of it: the cursor bookmark on the sender and the
    hold on the receiver. Then let go of what they replace, and of the hold in flight. `host` is the receiver's.

    Runs after every attempt, also after one that failed.
    """

    id: str
    host: str
    why: str
    replication: str
    sender_host: str
    sender: str
    sender_guid: int
    receiver: str
    chain: tuple[SnapshotRef, ...]
    """Snapshots of the sender that may have arrived, oldest first; the base first, where there is one.

    A base of which only a bookmark is left has that one's name, with its #.
    """
    bookmarks: tuple[SnapshotRef, ...] = ()
    """The cursors that are there now; those that are not the newest arrival's go."""
    held: tuple[SnapshotRef, ...] = ()
    """Snapshots of the receiver that carry our hold now."""
    in_flight: tuple[SnapshotRef, ...] = ()
    """Snapshots of the sender that carry our hold, or get it by this plan."""
    properties: tuple[tuple[str, str], ...] = ()
    """What a first copy set on the receiver, to be read back."""
    notes: tuple[tuple[SnapshotRef, tuple[tuple[str, str], ...]], ...] = ()
    """zfsctl:expires and zfsctl:reason of snapshots that arrive by a plain stream, which carries none."""
    after: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The receiver: what the anchors are about."""
        return self.receiver


ReplicationStep = HoldSnapshots | CreateParents | AbortReceive | RenameSnapshot | Transfer | MoveAnchors | RepairStep


NOT_TAKEN_YET = 0
"""Stands for the guid of a snapshot that a step before takes, or of a dataset that it makes; nothing has it."""

REPLICATION_LOCK = "@replication"
"""Stands for the host in the lock of a replication; no host is called so."""


_OWN_TAG = re.compile(r"zfsctl:[a-z0-9][a-z0-9-]{0,31}:(?:send|base)")


def cursor_name(replication: str, guid: int) -> str:
    """The name of the bookmark that says: up to here the receiver of `replication` has everything."""
    return f"zfsctl-{replication}-{guid:016x}"


def send_tag(replication: str) -> str:
    """The hold on a sender's snapshot while it is in flight."""
    return f"zfsctl:{replication}:send"


def base_tag(replication: str) -> str:
    """The hold on the newest snapshot that a receiver shares with its sender."""
    return f"zfsctl:{replication}:base"


def is_own_tag(tag: str) -> bool:
    """Whether a hold has the form of those that replications place."""
    return _OWN_TAG.fullmatch(tag) is not None


def what_is_left(sends: Sequence[Send], arrived: int) -> tuple[Send, ...]:
    """The streams that are still needed once the snapshot with guid `arrived` is on the receiver; all if none of them
    brings it."""
    for index, send in enumerate(sends):
        for position, ref in enumerate(send.snapshots):
            if ref.guid == arrived:
                rest = send.snapshots[position + 1 :]
                first = (Send(f"@{ref.name}", ref.guid, rest),) if rest else ()
                return (*first, *sends[index + 1 :])
    return tuple(sends)


def on_its_own(sends: Sequence[Send], guid: int) -> tuple[Send, ...] | None:
    """The same streams, the first snapshot that they bring in one of its own, for a token that goes on with it.

    None where the first is not `guid`.
    """
    if not sends or sends[0].snapshots[0].guid != guid:
        return None
    first, rest = sends[0].snapshots[0], sends[0].snapshots[1:]
    alone = Send(sends[0].source, sends[0].source_guid, (first,))
    return (alone, *((Send(f"@{first.name}", first.guid, rest),) if rest else ()), *sends[1:])
