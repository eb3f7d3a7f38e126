"""Destroy snapshots: look once more, destroy what is still as planned, and look what is really gone.

Three exchanges for any number of datasets; a member that cannot go costs one more round, and only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from zfsctl.errors import HostTimeoutError, InterruptedOutputError
from zfsctl.executor.patience import patience
from zfsctl.executor.recheck import Recheck, SnapshotCheck, SnapshotState, check_snapshots
from zfsctl.hosts.protocol import Host
from zfsctl.model.command import Command
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.zfs.destroying import argv_destroy_seen, destroy_batches
from zfsctl.zfs.failures import parse_failure


@dataclass(slots=True)
class _Progress:
    """One step while it is carried out."""

    step: DestroySnapshots
    left: list[SnapshotRef]
    """Asked to go, and not seen gone yet."""
    ended: dict[str, MemberOutcome] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What OpenZFS said of a member, or of the whole command under the empty name."""

    def end(self, ref: SnapshotRef, result: Result, detail: str = "") -> None:
        self.ended[ref.name] = MemberOutcome(self.step.dataset, ref.name, ref.guid, result, detail)


def apply_destroys(steps: Sequence[DestroySnapshots], host: Host) -> list[StepOutcome]:
    """Destroy what is still what was planned, and tell what became of each snapshot.

    A comma list is all or nothing up to OpenZFS 2.4 and stops at the first failure later, so after a failure
    the members that are left and were not named as the cause are tried one by one. Gone means: not listed
    any more by a listing that said so.

    Raises:
        UnreachableError: The host could not be dialled: for the first look, then nothing was destroyed, or later.
        HostTimeoutError, InterruptedOutputError: A look had no answer, so it is not known what is gone.
    """
    work = [_begin(step, recheck) for step, recheck in zip(steps, check_snapshots(host, steps), strict=True)]
    _destroy_and_look(work, host, _together)
    if any(progress.left for progress in work):
        _destroy_and_look(work, host, _one_by_one)
    for progress in work:
        for ref in progress.left:
            said = progress.said.get(ref.name) or progress.said.get("") or "it is still there"
            progress.end(ref, Result.FAILED, said)
    return [_outcome(progress) for progress in work]


def _begin(step: DestroySnapshots, recheck: Recheck) -> _Progress:
    progress = _Progress(step, list(recheck.unchanged))
    for check in recheck.snapshots:
        match check.state:
            case SnapshotState.UNCHANGED:
                pass
            case SnapshotState.GONE:
                progress.end(check.ref, Result.DONE, "it was gone already")
            case SnapshotState.UNKNOWN:
                progress.end(check.ref, Result.FAILED, check.detail)
            case _:
                progress.end(check.ref, Result.STALE, check.detail)
    return progress


Batches = Callable[[_Progress], Sequence[tuple[SnapshotRef, ...]]]


def _together(progress: _Progress) -> Sequence[tuple[SnapshotRef, ...]]:
    return list(destroy_batches(progress.step.dataset, progress.left))


def _one_by_one(progress: _Progress) -> Sequence[tuple[SnapshotRef, ...]]:
    """Those that nothing was said of: they were only refused in the company of others."""
    return [(ref,) for ref in progress.left if ref.name not in progress.said]


def _destroy_and_look(work: Sequence[_Progress], host: Host, batches: Batches) -> None:
    asked: list[tuple[_Progress, tuple[SnapshotRef, ...], Command]] = [
        (progress, refs, argv_destroy_seen(progress.step.dataset, progress.step.dataset_guid, refs))
        for progress in work
        for refs in batches(progress)
    ]
    if not asked:
        return
    commands = [command for _, _, command in asked]
    try:
        answers = host.run_all(commands, timeout=patience(commands))
        for (progress, refs, _), answer in zip(asked, answers, strict=True):
            names = [ref.name for ref in refs]
            full = [f"{progress.step.dataset}@{name}" for name in names]
            failure = parse_failure(answer, full)
            if failure is not None:
                progress.said.update({member.name.partition("@")[2]: member.text for member in failure.members})
                if not failure.members or len(names) == 1:
                    progress.said[names[0] if len(names) == 1 else ""] = failure.first_line
    except (HostTimeoutError, InterruptedOutputError) as error:
        for progress in work:
            progress.said[""] = str(error)
    _look(work, host)


def _look(work: Sequence[_Progress], host: Host) -> None:
    """Take what is gone off the list; what cannot be seen stays on it, as does what is still there."""
    asking = [progress for progress in work if progress.left]
    views = check_snapshots(host, [_only(progress) for progress in asking])
    for progress, view in zip(asking, views, strict=True):
        states: Mapping[str, SnapshotCheck] = {check.ref.name: check for check in view.snapshots}
        still: list[SnapshotRef] = []
        for ref in progress.left:
            check = states[ref.name]
            match check.state:
                case SnapshotState.GONE:
                    progress.end(ref, Result.DONE)
                case SnapshotState.UNCHANGED:
                    still.append(ref)
                case SnapshotState.UNKNOWN:
                    progress.end(ref, Result.FAILED, f"not known whether it is gone: {check.detail}")
                case _:
                    progress.end(ref, Result.STALE, check.detail)
        progress.left = still


def _only(progress: _Progress) -> DestroySnapshots:
    step = progress.step
    return DestroySnapshots(
        id=step.id,
        host=step.host,
        why=step.why,
        dataset=step.dataset,
        dataset_guid=step.dataset_guid,
        snapshots=tuple(progress.left),
    )


def _outcome(progress: _Progress) -> StepOutcome:
    members = tuple(progress.ended[ref.name] for ref in progress.step.snapshots)
    wrong = [member for member in members if member.result is not Result.DONE]
    if not wrong:
        return StepOutcome(progress.step.id, Result.DONE, members=members)
    done = len(members) > len(wrong)
    alike = {member.result for member in wrong}
    result = Result.PARTIAL if done else alike.pop() if len(alike) == 1 else Result.FAILED
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    detail = f"{progress.step.dataset}@{wrong[0].snapshot}: {wrong[0].detail}{more}"
    return StepOutcome(progress.step.id, result, detail, members)
