"""The last look before a destroy: is each snapshot still the planned one, and does nothing hold it?

One exchange for all destroys of a host, whatever their number; commands are split by pool, so that a sick pool
makes nothing doubtful but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

from zfsctl.errors import UnreadableOutputError
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.command import Command, Completed
from zfsctl.model.names import pool_of
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.rereading import (
    SeenDataset,
    SeenSnapshot,
    argv_reread_datasets,
    argv_reread_snapshots,
    parse_reread_datasets,
    parse_reread_snapshots,
)


class SnapshotState(StrEnum):
    """What became of a snapshot since it was planned to go. Only UNCHANGED may be destroyed."""

    UNCHANGED = "unchanged"
    GONE = "gone"
    OTHER_GUID = "other-guid"
    """Its name, or that of its dataset, now belongs to another one."""
    HELD = "held"
    CLONED = "cloned"
    PARTIAL_RECEIVE = "partial-receive"
    """Its dataset has a resume token: a receive is running or may be resumed."""
    UNKNOWN = "unknown"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class SnapshotCheck:
    """One snapshot as it is now."""

    ref: SnapshotRef
    state: SnapshotState
    detail: str = ""
    """For people; empty when unchanged."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """The snapshots of one step as they are now, in the order of the step."""

    step: str
    """The id of the step."""
    dataset: str
    receive_resume_token: str | None
    snapshots: tuple[SnapshotCheck, ...]

    @property
    def unchanged(self) -> tuple[SnapshotRef, ...]:
        """Those that may go."""
        return tuple(check.ref for check in self.snapshots if check.state is SnapshotState.UNCHANGED)


def check_snapshots(host: Host, steps: Sequence[DestroySnapshots]) -> tuple[Recheck, ...]:
    """Look once more at every snapshot of `steps`, in one exchange; the answer is in their order.

    Nothing is asked for no steps.

    Raises:
        UnreachableError: No connection.
        HostTimeoutError: No answer in time.
        InterruptedOutputError: The connection was cut.
    """
    if not steps:
        return ()
    # OpenZFS says of a dataset in a pool that is not imported that it does not exist, so the pools are asked for too.
    datasets = _questions(
        argv_reread_datasets, {name for step in steps for name in (pool_of(step.dataset), step.dataset)}
    )
    snapshots = _questions(
        argv_reread_snapshots, {f"{step.dataset}@{ref.name}" for step in steps for ref in step.snapshots}
    )
    answers = host.run_all([question.command for question in (*datasets, *snapshots)])
    seen_datasets = _seen(datasets, answers[: len(datasets)], parse_reread_datasets)
    seen_snapshots = _seen(snapshots, answers[len(datasets) :], parse_reread_snapshots)
    return tuple(_recheck(step, seen_datasets, seen_snapshots) for step in steps)


@dataclass(frozen=True, slots=True)
class _Question:
    names: tuple[str, ...]
    command: Command


@dataclass(frozen=True, slots=True)
class _NotSeen:
    """Why there is nothing to compare."""

    state: SnapshotState
    detail: str


def _questions(argv: Callable[[Sequence[str]], Command], names: Collection[str]) -> list[_Question]:
    by_pool = groupby(sorted(names, key=lambda name: (_pool_of_name(name), name)), key=_pool_of_name)
    return [_Question(part, argv(part)) for _, members in by_pool for part in batches(members)]


def _pool_of_name(name: str) -> str:
    return pool_of(name.partition("@")[0])


Seen = TypeVar("Seen", SeenDataset, SeenSnapshot)


def _seen(
    questions: Sequence[_Question], answers: Sequence[Completed], parse: Callable[[str], dict[str, Seen]]
) -> dict[str, Seen | _NotSeen]:
    """Every name that was asked about, as it is now or why that is not known."""
    result: dict[str, Seen | _NotSeen] = {}
    for question, answer in zip(questions, answers, strict=True):
        doubt, gone = _judge(question, answer)
        found: dict[str, Seen] = {}
        try:
            found = parse(answer.stdout)
        except UnreadableOutputError as error:
            doubt = str(error)
        for name in question.names:
            if doubt:
                result[name] = _NotSeen(SnapshotState.UNKNOWN, doubt)
            elif name in found:
                result[name] = found[name]
            elif name in gone:
                result[name] = _NotSeen(SnapshotState.GONE, "it no longer exists")
            else:
                result[name] = _NotSeen(SnapshotState.UNKNOWN, "zfs did not list it and did not say why")
    return result


def _judge(question: _Question, answer: Completed) -> tuple[str, frozenset[str]]:
    """Why nothing of the answer counts, empty when it does, and the names that are said to be gone.

    `zfs list` of a missing name lists the others, says so on stderr and exits 1; anything else is a doubt.
    """
    failure = parse_failure(answer, question.names)
    if failure is None:
        return answer.stderr.strip(), frozenset()
    missing = frozenset(member.name for member in failure.members if member.kind is FailureKind.DATASET_MISSING)
    explained = failure.exit_code == 1 and missing and len(missing) == len(failure.members) and not failure.others
    return ("" if explained else failure.first_line), missing


def _recheck(
    step: DestroySnapshots,
    datasets: Mapping[str, SeenDataset | _NotSeen],
    snapshots: Mapping[str, SeenSnapshot | _NotSeen],
) -> Recheck:
    dataset, pool = datasets[step.dataset], datasets[pool_of(step.dataset)]
    if isinstance(pool, _NotSeen):
        dataset = _NotSeen(SnapshotState.UNKNOWN, f"its pool cannot be looked at: {pool.detail}")
    checks = tuple(_check(step, ref, dataset, snapshots[f"{step.dataset}@{ref.name}"]) for ref in step.snapshots)
    token = dataset.receive_resume_token if isinstance(dataset, SeenDataset) else None
    return Recheck(step.id, step.dataset, token, checks)


def _check(
    step: DestroySnapshots, ref: SnapshotRef, dataset: SeenDataset | _NotSeen, snapshot: SeenSnapshot | _NotSeen
) -> SnapshotCheck:
    if isinstance(dataset, _NotSeen):
        return SnapshotCheck(ref, dataset.state, f"{step.dataset}: {dataset.detail}")
    if isinstance(snapshot, _NotSeen):
        return SnapshotCheck(ref, snapshot.state, snapshot.detail)
    if dataset.guid != step.dataset_guid:
        detail = f"{step.dataset} is another dataset now, guid {dataset.guid} instead of {step.dataset_guid}"
        return SnapshotCheck(ref, SnapshotState.OTHER_GUID, detail)
    if snapshot.guid != ref.guid:
        detail = f"another snapshot has this name now, guid {snapshot.guid} instead of {ref.guid}"
        return SnapshotCheck(ref, SnapshotState.OTHER_GUID, detail)
    if snapshot.userrefs:
        return SnapshotCheck(ref, SnapshotState.HELD, f"it has {snapshot.userrefs} user hold(s)")
    if snapshot.clones:
        return SnapshotCheck(ref, SnapshotState.CLONED, f"it has clones: {', '.join(snapshot.clones)}")
    if dataset.receive_resume_token is not None:
        detail = f"{step.dataset} has a resume token: a receive is running or may be resumed"
        return SnapshotCheck(ref, SnapshotState.PARTIAL_RECEIVE, detail)
    return SnapshotCheck(ref, SnapshotState.UNCHANGED)
