"""Small changes on a receiver before a transfer: parents, an abort, a rename. And a look at what it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from zfsctl.errors import HostCommandError
from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.command import CONDITION_FAILED, Command, Completed
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import pool_of
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import AbortReceive, CreateParents, RenameSnapshot
from zfsctl.zfs.changing import argv_create_parent, argv_rename_snapshot
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.receiving import argv_abort_receive
from zfsctl.zfs.rereading import (
    SeenDataset,
    argv_guids,
    argv_reread_datasets,
    parse_guids,
    parse_reread_datasets,
)
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.snapshots import argv_list_snapshots, parse_snapshots
from zfsctl.zfs.text import text_lines


@dataclass(frozen=True, slots=True)
class Received:
    """What receivers have, as far as it was asked for."""

    snapshots: dict[str, tuple[SnapshotRef, ...]] = field(default_factory=dict)
    """By dataset; one that does not exist has no entry."""
    tokens: dict[str, str] = field(default_factory=dict)


def collect_received(host: Host, datasets: Sequence[str]) -> Received:
    """What is on `datasets` now, oldest first, in one exchange; those that do not exist are passed over.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: No answer.
        HostCommandError: An answer that leaves something open: what is not seen has not vanished.
    """
    parts = tuple(batches(datasets))
    questions = [(part, argv_list_snapshots(Scope(part, recursive=False))) for part in parts]
    found, answers = _collect(host, datasets, questions)
    for answer in answers:
        for name, listed in parse_snapshots(text_lines(answer.stdout)).items():
            found.snapshots[name] = tuple(SnapshotRef(one.name, one.guid) for one in listed)
    return found


def collect_named(host: Host, names: Mapping[str, Collection[str]]) -> Received:
    """As `collect_received`, but of the snapshots of each dataset only those of these short names.

    Each snapshot of a listing costs a host about ten milliseconds, and receivers keep hundreds of them.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: No answer.
        HostCommandError: An answer that leaves something open: what is not seen has not vanished.
    """
    snapshots = [f"{dataset}@{name}" for dataset, here in names.items() for name in here]
    found, answers = _collect(host, list(names), [(part, argv_guids(part)) for part in batches(snapshots)])
    for answer in answers:
        for full, guid in parse_guids(answer.stdout).items():
            dataset, _, name = full.partition("@")
            found.snapshots[dataset] = (*found.snapshots.get(dataset, ()), SnapshotRef(name, guid))
    return found


def _collect(
    host: Host, datasets: Sequence[str], questions: Sequence[tuple[Sequence[str], Command]]
) -> tuple[Received, Sequence[Completed]]:
    """Which of `datasets` exist, without their snapshots yet, and what was answered to `questions`.

    Each question comes with the names that it is about, of which those that do not exist may be missing.
    """
    # OpenZFS says of a dataset in a pool that is not imported that it does not exist, so the pools are asked for too.
    pools = sorted({pool_of(name) for name in datasets})
    looks = [(part, argv_reread_datasets(part)) for part in batches([*pools, *datasets])]
    asked = [*questions, *looks]
    commands = [command for _, command in asked]
    answers = host.run_all(commands, timeout=patience(commands))
    missing = {name for (part, _), answer in zip(asked, answers, strict=True) for name in _missing(host, part, answer)}
    seen: dict[str, SeenDataset] = {}
    for answer in answers[len(questions) :]:
        seen.update(parse_reread_datasets(answer.stdout))
    found = Received()
    for name in datasets:
        if pool_of(name) not in seen:
            raise HostCommandError(
                f"{host.name}: what {name} has was not seen", why=f"pool {pool_of(name)} is not there"
            )
        one = seen.get(name)
        if one is not None:
            found.snapshots[name] = ()
            if one.receive_resume_token is not None:
                found.tokens[name] = one.receive_resume_token
        elif name not in missing:
            raise HostCommandError(f"{host.name}: what {name} has was not seen", why="zfs did not list it, nor say why")
    return found, answers[: len(questions)]


def _missing(host: Host, names: Sequence[str], answer: Completed) -> frozenset[str]:
    """What does not exist is named on stderr with exit 1; anything else there is a doubt about all of it."""
    failure = parse_failure(answer, names)
    members = () if failure is None else failure.members
    if failure is None:
        doubt = answer.stderr.strip()
    else:
        gone = {member.kind for member in members} == {FailureKind.DATASET_MISSING}
        doubt = "" if gone and not failure.others else failure.first_line
    if doubt:
        raise HostCommandError(f"{host.name}: what {names[-1]} has was not seen", why=doubt)
    return frozenset(member.name for member in members)


def apply_parents(step: CreateParents, host: Host) -> StepOutcome:
    """Create them, topmost first; one that is there by now is as good.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether they exist.
    """
    commands = [argv_create_parent(name) for name in step.datasets]
    answers = host.run_all(commands, timeout=patience(commands))
    for name, answer in zip(step.datasets, answers, strict=True):
        failure = parse_failure(answer, [name])
        if failure is not None and failure.kind is not FailureKind.EXISTS:
            return StepOutcome(step.id, Result.FAILED, f"{name}: {failure.first_line}")
    return StepOutcome(step.id, Result.DONE)


def apply_abort(step: AbortReceive, host: Host) -> StepOutcome:
    """Give up the interrupted receive, unless another one has taken its place; one that is gone is as good.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether it is given up.
    """
    token = collect_received(host, [step.dataset]).tokens.get(step.dataset)
    if token is None:
        return StepOutcome(step.id, Result.DONE, "it was gone already")
    another = StepOutcome(step.id, Result.STALE, "another receive has begun since")
    if token != step.token:
        return another
    answer = host.run(argv_abort_receive(step.dataset, step.token))
    if answer.exit_code == CONDITION_FAILED:
        return another
    if answer.exit_code == 0 or "does not have any resumable receive state" in answer.stderr:
        return StepOutcome(step.id, Result.DONE)
    failure = parse_failure(answer, [step.dataset])
    busy = failure is not None and failure.kind is FailureKind.BUSY
    detail = failure.first_line if failure is not None else ""
    return StepOutcome(step.id, Result.FAILED, detail, code="receiving" if busy else "")


def apply_rename(step: RenameSnapshot, host: Host) -> StepOutcome:
    """Rename the snapshot if it is still the planned one; one that has its new name is as good.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known which name it has.
    """
    old, new = f"{step.dataset}@{step.snapshot.name}", f"{step.dataset}@{step.to}"
    guids = parse_guids(host.run(argv_guids([old, new])).stdout)
    if guids.get(new) == step.snapshot.guid:
        return StepOutcome(step.id, Result.DONE, "it has the new name already")
    another = StepOutcome(step.id, Result.STALE, f"{old} is no longer the planned snapshot")
    if guids.get(old) != step.snapshot.guid:
        return another
    answer = host.run(argv_rename_snapshot(step.dataset, step.snapshot, step.to))
    if answer.exit_code == CONDITION_FAILED:
        return another
    failure = parse_failure(answer, [old])
    if failure is not None:
        return StepOutcome(step.id, Result.FAILED, failure.first_line)
    member = MemberOutcome(step.dataset, step.to, step.snapshot.guid, Result.DONE)
    return StepOutcome(step.id, Result.DONE, members=(member,))
