"""One pair of datasets while its anchors are moved, and what has arrived of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zfsctl.errors import HostCommandError, UnreachableError, ZfsctlError
from zfsctl.executor.receiver import Received, collect_named, collect_received
from zfsctl.hosts.protocol import Host
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import MAX_NAME_BYTES
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import MoveAnchors, cursor_name


@dataclass(slots=True)
class Settling:
    """One pair while its anchors are moved."""

    step: MoveAnchors
    arrived: SnapshotRef | None = None
    """The newest snapshot of the chain that the receiver has, as it is called there."""
    names: dict[int, str] = field(default_factory=dict)
    """What the receiver's snapshots are called now, by guid; not all of them, but ours and what has arrived."""
    token: bool = False
    """Whether the receiver waits to go on with something: then what is in flight stays held."""
    held: bool = False
    """Whether what arrived was seen to carry our hold."""
    marked: bool = False
    """Whether the cursor at what arrived was seen."""
    kept: str = ""
    """What the receiver keeps of its sender's properties."""
    set_there: str = ""
    """What it should keep; empty where that is not known."""
    let_go: bool = False
    """Whether the receiver has let go of what it held before."""
    wrong: list[str] = field(default_factory=list)
    unseen: HostCommandError | None = None
    """Why it is not known what has arrived; then nothing is moved."""

    @property
    def stands(self) -> bool:
        """Whether both new anchors were seen, so that the old ones may go."""
        return self.held and self.marked

    @property
    def ref(self) -> SnapshotRef:
        """What arrived, as the sender calls it."""
        assert self.arrived is not None
        return next(ref for ref in self.step.chain if ref.guid == self.arrived.guid)

    @property
    def arrival(self) -> str:
        """The full name of what arrived."""
        assert self.arrived is not None
        return f"{self.step.receiver}@{self.arrived.name}"

    @property
    def cursor(self) -> str:
        """The name of the bookmark that it gets."""
        return cursor_name(self.step.replication, self.ref.guid)

    @property
    def has_cursor(self) -> bool:
        """Whether that bookmark was there before."""
        return SnapshotRef(self.cursor, self.ref.guid) in self.step.bookmarks

    def outcome(self) -> StepOutcome:
        """How it ended."""
        if self.unseen is not None:
            return failed_anchors(self.step, self.unseen)
        members = () if self.arrived is None else (_member(self.step, self.arrived),)
        if self.wrong:
            return StepOutcome(self.step.id, Result.FAILED, "; ".join(self.wrong), members)
        return StepOutcome(self.step.id, Result.DONE, "" if members else "nothing has arrived yet", members)


def see_arrivals(work: Sequence[Settling], receiver: Host) -> None:
    """Look what has arrived: by name where the newest should be, and at all there is only where it is not.

    Raises:
        HostCommandError, UnreachableError: Nothing was seen at all.
    """
    named = collect_named(receiver, {one.step.receiver: _names_to_see(one.step) for one in work})
    open_ones = [one for one in work if not _take(one, named)]
    if not open_ones:
        return
    try:
        listed = collect_received(receiver, [one.step.receiver for one in open_ones])
    except HostCommandError as error:
        for one in open_ones:
            one.unseen = error
        return
    for one in open_ones:
        _take(one, listed)


def _names_to_see(step: MoveAnchors) -> list[str]:
    """What the newest is called where all has arrived, what carries our hold, and what something is to be noted on: as
    a rule that is all that counts.

    Only names that the receiver's snapshots can have: OpenZFS says of no other that it merely does not exist.
    """
    names = dict.fromkeys(ref.name for ref in (*step.chain[-1:], *step.held, *(ref for ref, _ in step.notes)))
    longest = MAX_NAME_BYTES - len(f"{step.receiver}@")
    return [name for name in names if name and not name.startswith("#") and len(name) <= longest]


def _take(one: Settling, received: Received) -> bool:
    """Note what was seen; whether that leaves nothing open, so that nobody needs to look for other names."""
    here = received.snapshots.get(one.step.receiver)
    one.names = {ref.guid: ref.name for ref in here or ()}
    newest = next((ref.guid for ref in reversed(one.step.chain) if ref.guid in one.names), None)
    one.arrived = None if newest is None else SnapshotRef(one.names[newest], newest)
    one.token = one.step.receiver in received.tokens
    return here is None or all(ref.guid in one.names for ref in (*one.step.chain[-1:], *one.step.held))


def _member(step: MoveAnchors, arrived: SnapshotRef) -> MemberOutcome:
    return MemberOutcome(step.receiver, arrived.name, arrived.guid, Result.DONE)


def failed_anchors(step: MoveAnchors, error: ZfsctlError) -> StepOutcome:
    """The outcome of a pair that a host did not let settle."""
    result = Result.UNREACHABLE if isinstance(error, UnreachableError) else Result.FAILED
    return StepOutcome(step.id, result, str(error), code=error.code)
