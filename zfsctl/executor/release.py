"""Let go of one dataset of a copy that was set aside: release, destroy what it has by name, then destroy it alone.

Everything goes out in one exchange after one look; each command is carried out only where the shell that runs it still
sees what was planned, so whatever changes in between leaves the rest standing.
"""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.errors import UnreadableOutputError
from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.command import CONDITION_FAILED, Command, Completed
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import pool_of
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.release import DestroyDataset
from zfsctl.zfs.destroying import argv_destroy_seen
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.holds import argv_list_holds, parse_holds
from zfsctl.zfs.releasing import (
    SeenPart,
    argv_destroy_bare,
    argv_look,
    argv_release_own,
    parse_look,
)
from zfsctl.zfs.rereading import argv_reread_datasets, parse_reread_datasets

MOST_AT_ONCE = 200
"""Snapshots in one command, each of which is looked at by name and guid in the same line."""


def apply_release(step: DestroyDataset, host: Host) -> StepOutcome:
    """Destroy the dataset of `step` and its snapshots; one that is gone is as good.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known what is gone; the next plan sees.
    """
    held = [f"{step.dataset}@{name}" for name in dict.fromkeys(name for name, _ in step.holds)]
    parts = tuple(batches(held))
    looks = [argv_look(step.dataset), argv_reread_datasets([pool_of(step.dataset)])]
    listing, pool, *holds = host.run_all([*looks, *(argv_list_holds(part) for part in parts)])
    if _is_gone(step, listing, pool):
        members = tuple(_member(step, ref, Result.DONE, "it was gone already") for ref in step.snapshots)
        return StepOutcome(step.id, Result.DONE, "it was gone already", members)
    if not listing.clean:
        return StepOutcome(step.id, Result.FAILED, f"{step.dataset} could not be looked at")
    try:
        seen = parse_look(listing.stdout)
        tags = {(hold.snapshot.partition("@")[2], hold.tag) for one in holds for hold in parse_holds(one.stdout)}
    except UnreadableOutputError as error:
        return StepOutcome(step.id, Result.FAILED, str(error), code=error.code)
    if wrong := _changed(step, seen, tags):
        return StepOutcome(step.id, Result.STALE, wrong)
    mounted = next(part.mounted for part in seen if part.name == step.dataset)
    return _carry_out(step, host, _in_listed_order(step, seen), sorted(tags & set(step.holds)), mounted)


def _is_gone(step: DestroyDataset, listing: Completed, pool: Completed) -> bool:
    """Whether OpenZFS says that there is no such dataset, in a pool that is there."""
    failure = parse_failure(listing, [step.dataset])
    return failure is not None and failure.kind is FailureKind.DATASET_MISSING and pool.clean


def _in_listed_order(step: DestroyDataset, seen: Sequence[SeenPart]) -> list[SnapshotRef]:
    planned = {f"{step.dataset}@{ref.name}": ref for ref in step.snapshots}
    return [planned[part.name] for part in seen if part.name in planned]


def _changed(step: DestroyDataset, seen: Sequence[SeenPart], tags: set[tuple[str, str]]) -> str:
    """What is not as it was planned; empty where all is."""
    planned = {f"{step.dataset}@{ref.name}": ref.guid for ref in step.snapshots}
    there = next((part for part in seen if part.name == step.dataset), None)
    if there is None or there.guid != step.dataset_guid:
        return f"{step.dataset} is no longer the planned dataset"
    if there.mark != step.mark:
        return f"{step.aside} does not carry the mark of a copy set aside any more"
    if there.mounted == "yes":
        return f"{step.dataset} is mounted"
    # Where its newest snapshot went meanwhile, that has become more by itself.
    newest = [part.guid for part in seen if "@" in part.name][-1:]
    if there.written > step.written and newest == [ref.guid for ref in step.snapshots[-1:]]:
        return f"{step.dataset} was written to since it was planned: {there.written} bytes are in no snapshot"
    if there.token is not None:
        return f"a receive into {step.dataset} is running or may be resumed"
    for part in seen:
        if part is there:
            continue
        if part.name not in planned:
            return f"{part.name} was not part of the plan"
        if part.guid != planned[part.name]:
            return f"another snapshot is called {part.name} now"
        if part.clones:
            return f"{part.name} has clones: {', '.join(part.clones)}"
        name = part.name.partition("@")[2]
        if part.userrefs != sum(snapshot == name for snapshot, _ in tags & set(step.holds)):
            return f"{part.name} has a hold that was not part of the plan"
    return ""


def _carry_out(
    step: DestroyDataset, host: Host, left: Sequence[SnapshotRef], holds: Sequence[tuple[str, str]], mounted: str
) -> StepOutcome:
    by_tag: dict[str, list[str]] = {}
    for name, tag in holds:
        by_tag.setdefault(tag, []).append(name)
    releases = [
        argv_release_own(step.dataset, step.dataset_guid, tag, part)
        for tag, names in by_tag.items()
        for part in batches(names, most_names=MOST_AT_ONCE)
    ]
    parts = list(batches(left, name=lambda ref: f"{step.dataset}@{ref.name}", most_names=MOST_AT_ONCE))
    destroys = [argv_destroy_seen(step.dataset, step.dataset_guid, part) for part in parts]
    alone = argv_destroy_bare(step.dataset, step.dataset_guid, step.mark, mounted)
    commands = [*releases, *destroys, alone]
    *answers, after = host.run_all([*commands, argv_reread_datasets([step.dataset])], timeout=patience(commands))
    said = _first_problem(commands, answers)
    gone = {ref.name for ref in step.snapshots} - {ref.name for ref in left}
    for part, answer in zip(parts, answers[len(releases) :], strict=False):
        gone |= {ref.name for ref in part} if answer.exit_code == 0 else set()
    members = tuple(
        _member(step, ref, Result.DONE if ref.name in gone else Result.FAILED, "" if ref.name in gone else said)
        for ref in step.snapshots
    )
    if not said and step.dataset in parse_reread_datasets(after.stdout):
        said = f"{step.dataset} is still there"
    if not said:
        return StepOutcome(step.id, Result.DONE, members=members)
    return StepOutcome(step.id, Result.PARTIAL if gone else Result.FAILED, said, members)


def _first_problem(commands: Sequence[Command], answers: Sequence[Completed]) -> str:
    for command, answer in zip(commands, answers, strict=True):
        if answer.exit_code == CONDITION_FAILED:
            return f"`{' '.join(command.argv[:2])}`: what it rests on changed at that moment"
        failure = parse_failure(answer, [command.argv[-1]])
        if failure is not None:
            return failure.first_line
    return ""


def _member(step: DestroyDataset, ref: SnapshotRef, result: Result, detail: str) -> MemberOutcome:
    return MemberOutcome(step.dataset, ref.name, ref.guid, result, detail)
