"""Build a receiver anew beside the old one: clone the base, and give the clone its history."""

from __future__ import annotations

from collections.abc import Iterable

from zfsctl.hosts.protocol import Host
from zfsctl.model.command import CONDITION_FAILED, Condition
from zfsctl.model.dataset import DatasetKind
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.names import ASIDE_MARK, PARENT_MARK, REPAIR_MARK, SCRATCH_MARK
from zfsctl.model.received import CARRIED
from zfsctl.model.repair import CloneDataset, PromoteClone
from zfsctl.zfs.failures import parse_failure
from zfsctl.zfs.repairing import (
    SeenPlace,
    argv_clone,
    argv_list_bookmark_names,
    argv_list_places,
    argv_names_of_set_properties,
    argv_promote,
    argv_value,
    parse_bookmark_names,
    parse_names_of_set_properties,
    parse_places,
)
from zfsctl.zfs.rereading import argv_guids, parse_guids

_NEVER_COPIED = frozenset({REPAIR_MARK, ASIDE_MARK, SCRATCH_MARK, PARENT_MARK})
_COPIED = frozenset({*CARRIED, "canmount", "mountpoint"})


def apply_clone(step: CloneDataset, host: Host) -> StepOutcome:
    """Clone the base with every property that was set on the receiver; one that is there already is as good.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether it exists.
        UnreadableOutputError: An answer that is not what OpenZFS prints.
    """
    base = f"{step.dataset}@{step.base.name}"
    listing, guids, set_here = host.run_all(
        [
            argv_list_places(step.dataset.rpartition("/")[0]),
            argv_guids([base]),
            argv_names_of_set_properties(step.dataset),
        ]
    )
    places = parse_places(listing.stdout)
    built, former = places.get(step.to), places.get(step.dataset)
    if built is not None:
        if built.mark == step.mark:
            return StepOutcome(step.id, Result.DONE, "it was there already")
        return StepOutcome(step.id, Result.STALE, f"{step.to} is there, and is not ours")
    if former is None or former.guid != step.dataset_guid:
        return StepOutcome(step.id, Result.STALE, f"{step.dataset} is no longer the planned dataset")
    if parse_guids(guids.stdout).get(base) != step.base.guid:
        return StepOutcome(step.id, Result.STALE, f"{base} is no longer the planned snapshot")
    if not set_here.clean:
        return StepOutcome(step.id, Result.FAILED, f"the properties of {step.dataset} could not be read")
    names = [name for name in parse_names_of_set_properties(set_here.stdout) if _is_copied(name)]
    answers = host.run_all([argv_value(step.dataset, name) for name in names]) if names else ()
    if not all(answer.clean for answer in answers):
        return StepOutcome(step.id, Result.FAILED, f"the properties of {step.dataset} could not be read")
    values = {name: answer.stdout.removesuffix("\n") for name, answer in zip(names, answers, strict=True)}
    properties = _properties(values, former, step.mark)
    condition = Condition(argv_guids([base]).argv, f"{base}\t{step.base.guid}")
    answer = host.run(argv_clone(step.dataset, step.base.name, step.to, properties, only_if=condition))
    if answer.exit_code == CONDITION_FAILED:
        return StepOutcome(step.id, Result.STALE, f"{base} is no longer the planned snapshot")
    failure = parse_failure(answer, [step.to])
    if failure is not None:
        return StepOutcome(step.id, Result.FAILED, failure.first_line)
    return StepOutcome(step.id, Result.DONE)


def _is_copied(name: str) -> bool:
    return (name in _COPIED or ":" in name) and name not in _NEVER_COPIED and "@" not in name


def _properties(values: dict[str, str], former: SeenPlace, mark: str) -> Iterable[tuple[str, str]]:
    """What the clone gets: read-only and not mounted, whatever else was set."""
    filesystem = former.kind is DatasetKind.FILESYSTEM
    yield "readonly", "on"
    if filesystem:
        yield "canmount", "off" if values.get("canmount") == "off" else "noauto"
    yield REPAIR_MARK, mark
    for name, value in values.items():
        if name not in ("readonly", "canmount") and (filesystem or name != "mountpoint"):
            yield name, value


def apply_promote(step: PromoteClone, host: Host) -> StepOutcome:
    """Promote the clone of the base; one that is promoted already is as good.

    Refused where the clone and its origin's head share the name of a bookmark: that would hang the pool. The shell that
    promotes looks once more. Refused too where the origin is itself a clone (openzfs #17389).

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether it is promoted.
        UnreadableOutputError: An answer that is not what OpenZFS prints.
    """
    around = argv_list_bookmark_names([step.origin, step.dataset])
    listing, marks = host.run_all([argv_list_places(step.dataset.rpartition("/")[0]), around])
    places = parse_places(listing.stdout)
    clone, former = places.get(step.dataset), places.get(step.origin)
    if clone is None or clone.mark != step.mark:
        return StepOutcome(step.id, Result.STALE, f"{step.dataset} is not what was built")
    if former is not None and former.origin == f"{step.dataset}@{step.base.name}":
        return StepOutcome(step.id, Result.DONE, "it was promoted already")
    if former is None or clone.origin != f"{step.origin}@{step.base.name}":
        return StepOutcome(step.id, Result.STALE, f"{step.dataset} is no clone of {step.origin}@{step.base.name}")
    if former.origin is not None:
        return StepOutcome(step.id, Result.FAILED, f"{step.origin} is itself a clone: promoting there can hang")
    if not marks.clean:
        return StepOutcome(step.id, Result.FAILED, "the bookmarks around it could not be listed")
    named = parse_bookmark_names(marks.stdout)
    shared = named.get(step.dataset, frozenset()) & named.get(step.origin, frozenset())
    if shared:
        why = f"{step.dataset} and {step.origin} both have a bookmark #{min(shared)}: promoting would hang the pool"
        return StepOutcome(step.id, Result.FAILED, why, code="bookmark-conflict")
    answer = host.run(argv_promote(step.dataset, only_if=Condition(around.argv, marks.stdout)))
    if answer.exit_code == CONDITION_FAILED:
        return StepOutcome(step.id, Result.STALE, "the bookmarks around it changed at that moment")
    failure = parse_failure(answer, [step.dataset])
    if failure is not None:
        return StepOutcome(step.id, Result.FAILED, failure.first_line)
    return StepOutcome(step.id, Result.DONE)
