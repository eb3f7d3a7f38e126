"""Take the snapshots of one step: all in one command, then read back what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zfsctl.errors import HostTimeoutError, InterruptedOutputError
from zfsctl.hosts.protocol import Host
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import stamp, stamped_at
from zfsctl.model.plan import CreateSnapshots, DatasetRef
from zfsctl.zfs.failures import Failure, FailureKind, parse_failure
from zfsctl.zfs.rereading import argv_guids, argv_reread_datasets, parse_guids, parse_reread_datasets
from zfsctl.zfs.snapshotting import argv_snapshot

MOST_SECONDS_LATER = 10
"""How often a taken name is tried again with the next second."""


def apply_create(step: CreateSnapshots, host: Host) -> StepOutcome:
    """Take them, and tell what became of each dataset.

    Datasets that are gone, or are no longer the planned ones, are left out first. When OpenZFS then refuses
    the command because of some, those are left out and it is repeated once: it takes all or none. When it does
    not say which, each is taken by itself: not at one moment any more, but not missing either. A taken
    name is tried again with the next second. What was taken is what is listed afterwards, by guid.

    Raises:
        UnreachableError: The host could not be dialled.
    """
    left_out, wanted = _still_planned(step, host)
    taken, failed, doubt = _take(step, wanted, host)
    guids = _read_back(taken, step, host, doubt)
    outcomes = {**left_out, **failed}
    for name in taken.datasets:
        full = f"{name}@{taken.snapshot}"
        if full in guids:
            outcomes[name] = MemberOutcome(name, taken.snapshot, guids[full], Result.DONE)
        else:
            detail = doubt or "it was not there when it was looked for afterwards"
            outcomes[name] = MemberOutcome(name, taken.snapshot, None, Result.FAILED, detail)
    members = tuple(outcomes[ref.name] for ref in step.datasets)
    return StepOutcome(step.id, _result_of(members), _detail_of(members), members)


class _Taken:
    """What one `zfs snapshot` was last asked for."""

    def __init__(self, snapshot: str, datasets: Sequence[str]) -> None:
        self.snapshot = snapshot
        self.datasets = list(datasets)


def _still_planned(step: CreateSnapshots, host: Host) -> tuple[dict[str, MemberOutcome], list[DatasetRef]]:
    """The datasets that are not what was planned, and those that are."""
    names = [ref.name for ref in step.datasets]
    answer = host.run(argv_reread_datasets(names))
    seen = parse_reread_datasets(answer.stdout)
    failure = parse_failure(answer, names)
    left_out: dict[str, MemberOutcome] = {}
    wanted: list[DatasetRef] = []
    for ref in step.datasets:
        found = seen.get(ref.name)
        if found is None:
            result, detail = _why_not_seen(ref.name, failure)
            left_out[ref.name] = MemberOutcome(ref.name, step.snapshot, None, result, detail)
        elif found.guid != ref.guid:
            detail = f"it is another dataset now, guid {found.guid} instead of {ref.guid}"
            left_out[ref.name] = MemberOutcome(ref.name, step.snapshot, None, Result.STALE, detail)
        else:
            wanted.append(ref)
    return left_out, wanted


def _why_not_seen(name: str, failure: Failure | None) -> tuple[Result, str]:
    """STALE for a dataset that OpenZFS says is gone; for any other reason it could not be looked at, and FAILED."""
    if failure is None:
        return Result.FAILED, "it was not listed"
    said = next((member for member in failure.members if member.name == name), None)
    if said is None:
        return Result.FAILED, failure.first_line
    return Result.STALE if said.kind is FailureKind.DATASET_MISSING else Result.FAILED, said.text


def _take(
    step: CreateSnapshots, wanted: Sequence[DatasetRef], host: Host
) -> tuple[_Taken, dict[str, MemberOutcome], str]:
    """Run `zfs snapshot`; returns what may exist now, what was left out and why, and any doubt about the rest."""
    taken = _Taken(step.snapshot, [ref.name for ref in wanted])
    failed: dict[str, MemberOutcome] = {}
    seconds_later = 0
    repeated = False
    while taken.datasets:
        names = [f"{name}@{taken.snapshot}" for name in taken.datasets]
        try:
            failure = parse_failure(host.run(argv_snapshot(names, step.properties)), names)
            if failure is not None and not failure.members and len(names) > 1:
                for name, text in _refused_alone(taken, step, host).items():
                    failed[name] = MemberOutcome(name, taken.snapshot, None, Result.FAILED, text)
                taken.datasets = [name for name in taken.datasets if name not in failed]
                break
        except (HostTimeoutError, InterruptedOutputError) as error:
            return taken, failed, str(error)
        if failure is None:
            break
        if _name_is_taken(failure) and seconds_later < MOST_SECONDS_LATER:
            seconds_later += 1
            taken.snapshot = next_second(taken.snapshot)
            continue
        named = {member.name.partition("@")[0]: member.text for member in failure.members}
        blamed = named if named and not repeated else dict.fromkeys(taken.datasets, failure.first_line) | named
        for name, text in blamed.items():
            failed[name] = MemberOutcome(name, taken.snapshot, None, Result.FAILED, text)
        taken.datasets = [name for name in taken.datasets if name not in blamed]
        repeated = True
    return taken, failed, ""


def _refused_alone(taken: _Taken, step: CreateSnapshots, host: Host) -> Mapping[str, str]:
    """Take each snapshot by itself, in one exchange; gives what was said of those that are refused.

    For a refusal that names nobody, such as `cannot create snapshots : out of space` (seen on 2.3.9 where one dataset
    of several has a refreservation that the pool cannot back): one dataset must not cost all others their snapshots.
    """
    names = {dataset: f"{dataset}@{taken.snapshot}" for dataset in taken.datasets}
    answers = host.run_all([argv_snapshot([name], step.properties) for name in names.values()])
    failures = {
        dataset: parse_failure(answer, [name]) for (dataset, name), answer in zip(names.items(), answers, strict=True)
    }
    return {dataset: failure.first_line for dataset, failure in failures.items() if failure is not None}


def _name_is_taken(failure: Failure) -> bool:
    return failure.kind is FailureKind.EXISTS and all(member.kind is FailureKind.EXISTS for member in failure.members)


def next_second(name: str) -> str:
    """`name` with the UTC stamp at its end one second later.

    Raises:
        ValueError: It does not end with a stamp.
    """
    later = stamp(stamped_at(name) + 1)
    return f"{name[: -len(later)]}{later}"


def _read_back(taken: _Taken, step: CreateSnapshots, host: Host, doubt: str) -> Mapping[str, int]:
    """The guid of each snapshot that is there now, by full name.

    A connection that was cut tells nothing of what happened; a listing does, as far as it is readable.
    """
    if not taken.datasets:
        return {}
    answer = host.run(argv_guids([f"{name}@{taken.snapshot}" for name in taken.datasets]))
    return parse_guids(answer.stdout)


def _result_of(members: Sequence[MemberOutcome]) -> Result:
    results = {member.result for member in members}
    if len(results) == 1:
        return results.pop()
    return Result.PARTIAL if Result.DONE in results else Result.FAILED


def _detail_of(members: Sequence[MemberOutcome]) -> str:
    wrong = [member for member in members if member.result is not Result.DONE]
    if not wrong:
        return ""
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{wrong[0].dataset}: {wrong[0].detail}{more}"
