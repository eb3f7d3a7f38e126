"""Put what was built beside a receiver in its place: by renames only, each of what it was a moment before.

Whatever part is done already is passed over, and the mark goes last: a swap that was cut off is finished by the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.errors import UnreadableOutputError
from zfsctl.hosts.protocol import Host
from zfsctl.model.command import CONDITION_FAILED, Command, Completed, Condition
from zfsctl.model.dataset import why_in_use
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.names import ASIDE_MARK, REPAIR_MARK
from zfsctl.model.repair import SwapDatasets
from zfsctl.zfs.allowing import argv_grant, argv_list_grants, parse_grants
from zfsctl.zfs.failures import parse_failure
from zfsctl.zfs.repairing import (
    SeenPlace,
    argv_clear_mark,
    argv_list_places,
    argv_rename_dataset,
    argv_set_mark,
    parse_places,
    still,
)


def apply_swap(step: SwapDatasets, host: Host) -> StepOutcome:
    """Swap, and bring home what lies below the one that is set aside.

    What has another encryption root than what is home cannot move there, and stays: a child is sent anew, and of one
    that was repaired with its parent the old copy stays.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known how far it came; the next run sees.
        UnreadableOutputError: An answer that is not what OpenZFS prints.
    """
    listing = host.run(argv_list_places(step.dataset.rpartition("/")[0]))
    if not listing.clean:
        return StepOutcome(step.id, Result.FAILED, f"what lies beside {step.dataset} could not be listed")
    places = parse_places(listing.stdout)
    renames, wrong = _renames(step, places)
    if wrong:
        return StepOutcome(step.id, Result.STALE, wrong)
    *looks, granted = host.run_all(
        [*renames, argv_list_places(step.aside), argv_list_places(step.dataset), argv_list_grants(step.aside)]
    )
    answers = tuple(looks)
    if problem := _problem(renames, answers):
        return StepOutcome(step.id, Result.FAILED, problem)
    below, around = answers[len(renames) :]
    # It was there before, or the first of two renames made it: then a failed listing does not mean that it is gone.
    if (step.aside in places or len(renames) > 1) and not below.clean:
        return StepOutcome(step.id, Result.FAILED, f"what lies below {step.aside} could not be listed")
    aside, home = parse_places(below.stdout), parse_places(around.stdout)
    here = home.get(step.dataset)
    if here is None or here.mark != step.mark:
        return StepOutcome(step.id, Result.FAILED, f"{step.dataset} is not what was built")
    stays: list[str] = []
    if step.aside in aside and (problem := _bring_home(step, host, aside, here, stays)):
        return StepOutcome(step.id, Result.FAILED, problem)
    rights = _grant_again(step, host, granted) if step.aside in aside else ""
    answer = host.run(argv_clear_mark(step.dataset, REPAIR_MARK, only_if=still(step.dataset, here.guid)))
    failure = parse_failure(answer, [step.dataset])
    if failure is not None:
        return StepOutcome(step.id, Result.FAILED, failure.first_line)
    said = [f"what was there is kept as {step.aside}"] if step.aside in aside else []
    said += [f"{name} stays there, its encryption root is another" for name in stays]
    said += [rights] if rights else []
    return StepOutcome(step.id, Result.DONE, "; ".join(said))


def _renames(step: SwapDatasets, places: dict[str, SeenPlace]) -> tuple[list[Command], str]:
    """What is left of the two renames, or why they cannot be."""
    here, built = places.get(step.dataset), places.get(step.built)
    if here is not None and here.mark == step.mark:
        return [], ""
    if built is None or built.mark != step.mark:
        return [], f"{step.built} is not what was built"
    home = argv_rename_dataset(
        step.built,
        step.dataset,
        built.kind,
        only_if=Condition(
            ("zfs", "list", "-Hp", "-o", f"guid,{REPAIR_MARK}", step.built), f"{built.guid}\t{step.mark}"
        ),
    )
    if here is None:
        return [home], ""
    if here.guid != step.dataset_guid:
        return [], f"{step.dataset} is no longer the planned dataset"
    if used := why_in_use(here.kind, readonly=here.readonly, mounted=here.mounted):
        return [], used
    if step.aside in places:
        return [], f"{step.aside} is there already"
    return [argv_rename_dataset(step.dataset, step.aside, here.kind, only_if=still(step.dataset, here.guid)), home], ""


def _bring_home(step: SwapDatasets, host: Host, aside: dict[str, SeenPlace], here: SeenPlace, stays: list[str]) -> str:
    """Mark the set-aside copy and move what lies below it to below `here`; what went wrong."""
    former = aside[step.aside]
    if former.guid != step.dataset_guid:
        return f"{step.aside} is not what was in its place"
    moves: list[Command] = []
    for name, child in aside.items():
        if name == step.aside:
            continue
        if child.encryptionroot not in (None, name, here.encryptionroot):
            stays.append(name)
            continue
        target = f"{step.dataset}{name[len(step.aside) :]}"
        moves.append(argv_rename_dataset(name, target, child.kind, only_if=still(name, child.guid)))
    mark = argv_set_mark(step.aside, ASIDE_MARK, step.mark, only_if=still(step.aside, former.guid))
    commands = [mark, *moves]
    return _problem(commands, host.run_all(commands))


def _grant_again(step: SwapDatasets, host: Host, granted: Completed) -> str:
    """Grant on what is home what `zfs allow` had granted on what is aside; what could not be, for a person to do.

    A clone has the properties of its origin's dataset, and none of the rights.
    """
    try:
        grants = parse_grants(granted.stdout, step.aside) if granted.clean else None
    except UnreadableOutputError:
        grants = None
    if grants is None:
        return f"rights granted by `zfs allow {step.aside}`, if any, stay there"
    commands = [argv_grant(grant, step.dataset) for grant in grants]
    answers = host.run_all(commands) if commands else ()
    if all(answer.exit_code == 0 for answer in answers):
        return ""
    return f"rights could not be granted again, see `zfs allow {step.aside}`"


def _problem(commands: Sequence[Command], answers: Sequence[Completed]) -> str:
    """What the first of `commands` that failed has to say."""
    for command, answer in zip(commands, answers, strict=False):
        if answer.exit_code == CONDITION_FAILED:
            return f"{command.argv[-2]} changed at that moment"
        failure = parse_failure(answer, [command.argv[-2]])
        if failure is not None:
            return failure.first_line
    return ""
