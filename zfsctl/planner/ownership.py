"""Whose a snapshot is, and which snapshots of a dataset the rules and schedules go by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum
from operator import attrgetter

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.names import Ownership, ownership_of

FUTURE_SECONDS = 300
"""A snapshot created later than this after its host's now is from a wrong clock."""

WITNESS_SECONDS = 86_400
"""How old a snapshot must be to bear out the clock that dated it."""

_MOST_REMEMBERED = 100_000


class Standing(Enum):
    """What a snapshot's name makes of it."""

    SCHEDULED = "scheduled"
    ADOPTED = "adopted"
    """Another tool's, given to the rules by an `adopt` pattern."""
    MANUAL = "manual"
    FOREIGN = "foreign"


_OURS = {Ownership.SCHEDULED: Standing.SCHEDULED, Ownership.MANUAL: Standing.MANUAL}


class Owners:
    """Tells whose a snapshot is by its name. A name of ours is ours whatever an `adopt` pattern says of it.

    Args:
        prefix: What our names begin with.
        adopt: Globs on names: `*` and `?`.
    """

    def __init__(self, prefix: str, adopt: Iterable[str] = ()) -> None:
        self._prefix = prefix
        self._adopted = re.compile("|".join(_expression(glob) for glob in adopt) or r"(?!)", re.DOTALL)
        self._known: dict[str, Standing] = {}

    def standing(self, name: str) -> Standing:
        """The standing of a snapshot called `name`, the part after the @."""
        known = self._known.get(name)
        if known is not None:
            return known
        own = ownership_of(name, prefix=self._prefix)
        if own is not None:
            standing = _OURS[own]
        else:
            standing = Standing.ADOPTED if self._adopted.fullmatch(name) else Standing.FOREIGN
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = standing
        return standing


def newest_first(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """A new list in descending createtxg, which is unique among the snapshots of one dataset.

    Where it is not (simulated hosts written by hand), creation, name and guid decide, so that the order of the
    input never does.
    """
    ordered = sorted(snapshots, key=attrgetter("createtxg"), reverse=True)
    if len({snapshot.createtxg for snapshot in ordered}) < len(ordered):
        ordered.sort(key=attrgetter("createtxg", "creation", "name", "guid"), reverse=True)
    return ordered


def is_future(snapshot: Snapshot, clock: int) -> bool:
    """Whether it was created later than its host's now, `clock`, by more than clocks may differ."""
    return snapshot.creation > clock + FUTURE_SECONDS


def newest_scheduled(snapshots: Sequence[Snapshot], *, prefix: str, clock: int) -> Snapshot | None:
    """The newest scheduled snapshot of ours that a schedule goes by; None if there is none.

    One from the future is passed over: after a clock was set back snapshots go on, and nobody waits until the
    wrong date comes.
    """
    for snapshot in newest_first(snapshots):
        if not is_future(snapshot, clock) and ownership_of(snapshot.name, prefix=prefix) is Ownership.SCHEDULED:
            return snapshot
    return None


def written_since_ours(snapshots: Sequence[Snapshot], head_written: int, *, prefix: str) -> int:
    """Bytes written since the newest scheduled snapshot of ours: in the head, and in every snapshot newer than it.

    The head alone does not tell: `written` is 0 right after anybody's snapshot. A manual snapshot does not count
    as the last one, because it may expire while the rules would have kept what it holds.
    """
    total = head_written
    for snapshot in newest_first(snapshots):
        if ownership_of(snapshot.name, prefix=prefix) is Ownership.SCHEDULED:
            break
        total += snapshot.written
    return total


def _expression(glob: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in glob)


def witness_of(host: HostFacts, *, prefix: str) -> int | None:
    """Until when scheduled snapshots bear the host's clock out: the creation of the newest that is a day old, or of the
    oldest where the rules do not reach back that far.

    After a clock has jumped ahead, by years perhaps, the snapshots of the day before say what it was. None where the
    host has no scheduled snapshot.
    """
    latest = host.clock - WITNESS_SECONDS
    taken = [
        one.creation
        for listed in host.snapshots.values()
        for one in listed
        if ownership_of(one.name, prefix=prefix) is Ownership.SCHEDULED
    ]
    return max((one for one in taken if one <= latest), default=min(taken, default=None))
