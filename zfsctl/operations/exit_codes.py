"""From what became of each part to the one number that the process returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import eq

from zfsctl.errors import ExitCode
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.finding import Finding
from zfsctl.model.names import POLICY_PROPERTY, is_at_or_below
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, Plan, RunHook, Step, datasets_of
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets, home_of
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    Transfer,
)
from zfsctl.planner.pool_findings import POOL_TAKES_NO_WRITES

_OF_FINDING = {
    "unreachable": ExitCode.UNREACHABLE,
    "authentication": ExitCode.UNREACHABLE,
    "host-key": ExitCode.UNREACHABLE,
    "timeout": ExitCode.FAILED,
    "incomplete": ExitCode.FAILED,
    POOL_TAKES_NO_WRITES: ExitCode.FAILED,
    "name-too-long": ExitCode.FAILED,
    "no-match": ExitCode.PARTIAL,
    "withheld": ExitCode.REFUSED,
    "stale": ExitCode.REFUSED,
    "diverged": ExitCode.REFUSED,
    "modified": ExitCode.REFUSED,
    "unrelated": ExitCode.REFUSED,
    "taken-over": ExitCode.REFUSED,
    "repairing": ExitCode.REFUSED,
    "foreign-receive": ExitCode.REFUSED,
    "sender-gone": ExitCode.FAILED,
    "link-unknown": ExitCode.FAILED,
    "away": ExitCode.FAILED,
    "no-space": ExitCode.FAILED,
    "key-not-loaded": ExitCode.FAILED,
    "encryption-root": ExitCode.FAILED,
}
_OF_RESULT = {
    Result.DONE: ExitCode.DONE,
    Result.RUNNING: ExitCode.DONE,
    Result.SKIPPED: ExitCode.FAILED,
    Result.PARTIAL: ExitCode.PARTIAL,
    Result.FAILED: ExitCode.FAILED,
    Result.STALE: ExitCode.REFUSED,
    Result.UNREACHABLE: ExitCode.UNREACHABLE,
}


def exit_code_of(plan: Plan, outcomes: Iterable[StepOutcome]) -> ExitCode:
    """One target: its own code. Several: the code they all share if all failed alike, else 3. What another run does is
    no error, but where that is all there was to do the code is 11.

    A target is a dataset that the plan is about, or a host of which nothing is known. For a dataset that is sent and
    to which nothing else happens, its receiver stands.
    """
    sent = _only_sent(plan)
    targets = {
        place: ExitCode.DONE for planned in plan.datasets if (place := (planned.host, planned.dataset)) not in sent
    }
    for finding in plan.findings:
        code = _OF_FINDING.get(finding.code)
        if code is not None:
            _mark(targets, finding, code)
    steps = {step.id: step for step in plan.steps}
    transfers = [step for step in plan.steps if isinstance(step, Transfer)]
    ended = tuple(outcomes)
    for outcome in ended:
        for target, code in _codes_of(steps[outcome.step], outcome, transfers):
            targets[target] = max(targets.get(target, ExitCode.DONE), code)
    seen = set(targets.values())
    if len(seen) > 1:
        return ExitCode.PARTIAL
    code = next(iter(seen), ExitCode.DONE)
    nothing = ended and all(outcome.result is Result.RUNNING for outcome in ended)
    return ExitCode.LOCKED if nothing and code is ExitCode.DONE else code


def _only_sent(plan: Plan) -> set[tuple[str, str]]:
    senders = {(step.sender_host, step.sender) for step in plan.steps if isinstance(step, Transfer)}
    replication = (HoldSnapshots, Transfer, MoveAnchors)
    changed = {place for step in plan.steps if not isinstance(step, replication) for place in datasets_of(step)}
    received = {(step.host, step.receiver) for step in plan.steps if isinstance(step, Transfer)}
    return senders - changed - received


def _mark(targets: dict[tuple[str, str], ExitCode], finding: Finding, code: ExitCode) -> None:
    """A finding about a host or pool is about each of its datasets; about nothing known, it is a target itself."""
    is_about = is_at_or_below if finding.code == POOL_TAKES_NO_WRITES else eq
    about = [
        target
        for target in targets
        if target[0] == finding.host and (not finding.dataset or is_about(target[1], finding.dataset))
    ]
    for target in about or [(finding.host, finding.dataset)]:
        targets[target] = max(targets.get(target, ExitCode.DONE), code)


def _codes_of(
    step: Step, outcome: StepOutcome, transfers: Sequence[Transfer]
) -> list[tuple[tuple[str, str], ExitCode]]:
    code = _OF_RESULT[outcome.result]
    match step:
        case RunHook():
            # One that went well is no target of its own: what it is about has its own code.
            return [] if code is ExitCode.DONE else [((step.host, step.dataset), code)]
        case CloneDataset() | PromoteClone() | SwapDatasets() | Transfer() | MoveAnchors():
            return [((step.host, home_of(step.dataset)), code)]
        case DestroyDataset():
            return [((step.host, step.aside), code)]
        case DestroySnapshots() | AbortReceive() | RenameSnapshot():
            return [((step.host, step.dataset), code)]
        case CreateSnapshots():
            if outcome.result is Result.RUNNING and POLICY_PROPERTY not in dict(step.properties):
                code = ExitCode.LOCKED  # the other run takes what is due, not what a person asked for
            members = {member.dataset: _OF_RESULT[member.result] for member in outcome.members}
            return [((step.host, ref.name), members.get(ref.name, code)) for ref in step.datasets]
        case HoldSnapshots() | CreateParents():
            return _codes_of_preparation(step, outcome, transfers)


def _codes_of_preparation(
    step: HoldSnapshots | CreateParents, outcome: StepOutcome, transfers: Sequence[Transfer]
) -> list[tuple[tuple[str, str], ExitCode]]:
    """What is done for a transfer is no target of its own: where it goes wrong, that of the transfer is marked."""
    members: dict[str, ExitCode] = {}
    for member in outcome.members:
        members[member.dataset] = max(members.get(member.dataset, ExitCode.DONE), _OF_RESULT[member.result])
    codes: list[tuple[tuple[str, str], ExitCode]] = []
    for place in datasets_of(step):
        code = members.get(place[1], _OF_RESULT[outcome.result])
        if code is not ExitCode.DONE:
            codes += [(target, code) for target in _served(step, place, transfers) or [place]]
    return codes


def _served(
    step: HoldSnapshots | CreateParents, place: tuple[str, str], transfers: Sequence[Transfer]
) -> list[tuple[str, str]]:
    """The receivers of the transfers for which something is done to one dataset."""
    mine = [transfer for transfer in transfers if transfer.replication == step.replication]
    if isinstance(step, HoldSnapshots):
        return [(one.host, one.receiver) for one in mine if (one.sender_host, one.sender) == place]
    return [(one.host, one.receiver) for one in mine if one.host == place[0] and is_at_or_below(one.receiver, place[1])]
