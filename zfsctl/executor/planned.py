"""A snapshot that a plan takes and sends: its guid, and perhaps its name, are known only once it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import (
    NOT_TAKEN_YET,
    HoldSnapshots,
    MoveAnchors,
    ReplicationStep,
    Send,
    Transfer,
)

Taken = Mapping[str, SnapshotRef]
"""By dataset, the snapshot that was taken by this plan."""


def taken_by(outcomes: Iterable[StepOutcome]) -> dict[str, SnapshotRef]:
    """What the steps that take snapshots have taken on one host."""
    return {
        member.dataset: SnapshotRef(member.snapshot, member.guid)
        for outcome in outcomes
        for member in outcome.members
        if member.result is Result.DONE and member.guid is not None
    }


def with_taken(step: ReplicationStep, taken: Taken) -> ReplicationStep:
    """The same step, about what was taken; what was not taken is left out of it."""
    match step:
        case HoldSnapshots():
            held = [
                replace(one, snapshot=ref)
                for one in step.snapshots
                if (ref := _taken(one.snapshot, taken.get(one.dataset))) is not None
            ]
            return replace(step, snapshots=tuple(held))
        case Transfer():
            here = taken.get(step.sender)
            return replace(step, sends=tuple(_sends(step.sends, here)))
        case MoveAnchors():
            here = taken.get(step.sender)
            return replace(step, chain=_refs(step.chain, here), in_flight=_refs(step.in_flight, here))
        case _:
            return step


def _sends(sends: Sequence[Send], here: SnapshotRef | None) -> Iterable[Send]:
    for send in sends:
        refs = _refs(send.snapshots, here)
        if refs:
            yield replace(send, snapshots=refs)


def _refs(refs: Iterable[SnapshotRef], here: SnapshotRef | None) -> tuple[SnapshotRef, ...]:
    return tuple(ref for one in refs if (ref := _taken(one, here)) is not None)


def _taken(ref: SnapshotRef, here: SnapshotRef | None) -> SnapshotRef | None:
    return ref if ref.guid != NOT_TAKEN_YET else here
