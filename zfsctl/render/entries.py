"""What a plan does to each snapshot, one entry for each line that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import assert_never

from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import Place
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, Plan, RunHook, Step
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Transfer,
)
from zfsctl.model.verdicts import Decision, Verdict
from zfsctl.render.transfers import in_full, sends_text, shortened


class Kind(Enum):
    """What a line is about; the value is how the totals count it."""

    SNAPSHOT = ("snapshot", "snapshots")
    TRANSFER = ("transfer", "transfers")
    DESTROY = ("destroy", "destroys")
    RELEASE = ("dataset", "datasets")
    ABORT = ("abort", "aborts")
    RENAME = ("rename", "renames")
    REPAIR = ("repair step", "repair steps")
    SWAP = ("swap", "swaps")
    PARENT = ("parent", "parents")
    HOLD = ("hold", "holds")
    ANCHORS = ("mended anchor", "mended anchors")
    HOOK = ("hook", "hooks")
    KEPT = ("kept", "kept")


WHOLE_DATASET = "(dataset)"
"""What stands where the name of a snapshot would; none can be called so."""

_UNTOLD = (Result.DONE, Result.RUNNING, Result.SKIPPED)
"""How a step that serves a transfer ends without a line of its own: the transfer's line says it all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a plan or of its result."""

    host: str
    dataset: str
    """Empty for what is about a whole host."""
    sign: str
    """+ new, - destroyed, > sent, ~ changed, = kept."""
    name: str
    why: str
    kind: Kind
    short: str = ""
    """What a terminal shows for the name, where that is less."""
    size: int | None = None
    """Bytes that go with it, where known."""
    estimate: int | None = None
    """Bytes that are sent, where known: about so many."""
    step: str = ""
    guid: int | None = None
    result: Result | None = None
    """None while it is only planned."""
    detail: str = ""
    """Why it did not end well."""

    @property
    def place(self) -> str:
        """The dataset as people write it, or the host."""
        return str(Place(self.host, self.dataset)) if self.dataset else self.host


def entries_of_plan(plan: Plan, *, kept: bool = False) -> tuple[Entry, ...]:
    """The lines of a plan in the order of its steps.

    With `kept` also what it keeps, and the steps that only serve a transfer of the plan.
    """
    serving = frozenset() if kept else _serving(plan)
    entries = [entry for entry in _all_entries(plan, kept=kept) if entry.step not in serving]
    if kept:
        entries += [_kept(decision) for decision in plan.decisions if decision.verdict is Verdict.KEEP]
    return tuple(entries)


def entries_of_step(step: Step, *, at: int) -> tuple[Entry, ...]:
    """The lines of one step by itself, in a plan made at `at`."""
    return tuple(_entries_of(step, {}, at))


def _all_entries(plan: Plan, *, kept: bool = False) -> list[Entry]:
    reasons = {(d.host, d.dataset, d.guid): d for d in plan.decisions if kept or d.verdict is Verdict.DESTROY}
    return [entry for step in plan.steps for entry in _entries_of(step, reasons, plan.created_at)]


def _serving(plan: Plan) -> frozenset[str]:
    """The ids of the steps that are of interest only together with a transfer that the plan has."""
    transfers = [step for step in plan.steps if isinstance(step, Transfer)]
    sending = {(step.replication, step.sender_host) for step in transfers}
    receiving = {(step.replication, step.host) for step in transfers}
    pairs = {(step.replication, step.host, step.receiver) for step in transfers}
    return frozenset(
        step.id
        for step in plan.steps
        if (isinstance(step, HoldSnapshots) and (step.replication, step.host) in sending)
        or (isinstance(step, CreateParents) and (step.replication, step.host) in receiving)
        or (isinstance(step, MoveAnchors) and (step.replication, step.host, step.receiver) in pairs)
    )


def entries_of_result(plan: Plan, outcomes: Sequence[StepOutcome]) -> tuple[Entry, ...]:
    """The lines of a plan that was applied, each with what became of it."""
    by_step = {outcome.step: outcome for outcome in outcomes}
    members = {
        (outcome.step, member.dataset, member.snapshot): member for outcome in outcomes for member in outcome.members
    }
    by_dataset = {(outcome.step, member.dataset): member for outcome in outcomes for member in outcome.members}
    serving = _serving(plan)
    applied = []
    for entry in _all_entries(plan):
        outcome = by_step.get(entry.step)
        if outcome is None:
            ended = replace(entry, result=Result.SKIPPED)
        elif entry.kind is Kind.HOLD:
            ended = _held(entry, outcome)
        else:
            member = members.get((entry.step, entry.dataset, entry.name))
            if member is None and entry.kind is Kind.SNAPSHOT:
                # A name that was taken became the next free second.
                member = by_dataset.get((entry.step, entry.dataset))
            ended = _applied(entry, outcome, member)
        if entry.step not in serving or ended.result not in _UNTOLD:
            applied.append(ended)
    return tuple(applied)


def _held(entry: Entry, outcome: StepOutcome) -> Entry:
    """A hold is of several snapshots of a dataset; the first that went wrong is told."""
    members = [member for member in outcome.members if member.dataset == entry.dataset]
    wrong = next((member for member in members if member.result is not Result.DONE), None)
    if wrong is not None:
        return replace(entry, result=wrong.result, detail=f"@{wrong.snapshot}: {wrong.detail or outcome.detail}")
    return replace(entry, result=Result.DONE if members else outcome.result, detail=outcome.detail)


def _applied(entry: Entry, outcome: StepOutcome, member: MemberOutcome | None) -> Entry:
    if member is None:
        return replace(entry, result=outcome.result, detail=outcome.detail)
    return replace(
        entry,
        name=member.snapshot,
        guid=member.guid or entry.guid,
        result=member.result,
        detail=member.detail or ("" if member.result is Result.DONE else outcome.detail),
    )


def _entries_of(step: Step, reasons: Mapping[tuple[str, str, int], Decision], at: int) -> Iterable[Entry]:
    match step:
        case CreateSnapshots():
            for dataset in step.datasets:
                yield Entry(step.host, dataset.name, "+", step.snapshot, step.why, Kind.SNAPSHOT, step=step.id)
        case DestroySnapshots():
            for snapshot in step.snapshots:
                decision = reasons.get((step.host, step.dataset, snapshot.guid))
                yield Entry(
                    step.host,
                    step.dataset,
                    "-",
                    snapshot.name,
                    step.why if decision is None else reasons_text(decision),
                    Kind.DESTROY,
                    size=None if decision is None else decision.used,
                    step=step.id,
                    guid=snapshot.guid,
                )
        case DestroyDataset():
            for snapshot in step.snapshots:
                yield Entry(
                    step.host,
                    step.dataset,
                    "-",
                    snapshot.name,
                    "it goes with its dataset",
                    Kind.DESTROY,
                    step=step.id,
                    guid=snapshot.guid,
                )
            yield Entry(
                step.host, step.dataset, "-", WHOLE_DATASET, step.why, Kind.RELEASE, size=step.frees, step=step.id
            )
        case RunHook():
            yield Entry(step.host, step.dataset, "~", f"hook {step.name}", step.why, Kind.HOOK, step=step.id)
        case _:
            yield from _entries_of_replication(step, at)


def _entries_of_replication(step: ReplicationStep, at: int) -> Iterable[Entry]:
    name = step.replication
    match step:
        case Transfer():
            yield Entry(
                step.sender_host,
                step.sender,
                ">",
                f"{name}  {sends_text(step, in_full)}",
                step.why,
                Kind.TRANSFER,
                short=f"{name}  {sends_text(step, shortened(at, name), most=3)}",
                estimate=step.estimate,
                step=step.id,
            )
        case AbortReceive():
            yield Entry(step.host, step.dataset, "~", f"abort  {name}", step.why, Kind.ABORT, step=step.id)
        case RenameSnapshot():
            change = f"rename  {step.snapshot.name} → {step.to}"
            yield Entry(step.host, step.dataset, "~", change, step.why, Kind.RENAME, step=step.id)
        case CloneDataset():
            change = f"clone  @{step.base.name} → {step.to}"
            yield Entry(step.host, step.dataset, "+", change, step.why, Kind.REPAIR, step=step.id)
        case PromoteClone():
            change = f"promote  {step.dataset}"
            yield Entry(step.host, step.origin, "~", change, step.why, Kind.REPAIR, step=step.id)
        case SwapDatasets():
            change = f"swap  {step.built} → {step.dataset} → {step.aside}"
            yield Entry(step.host, step.dataset, "~", change, step.why, Kind.SWAP, step=step.id)
        case HoldSnapshots():
            for dataset in dict.fromkeys(held.dataset for held in step.snapshots):
                yield Entry(step.host, dataset, "~", f"hold  {name}", step.why, Kind.HOLD, step=step.id)
        case CreateParents():
            for dataset in step.datasets:
                yield Entry(step.host, dataset, "+", f"parent  {name}", step.why, Kind.PARENT, step=step.id)
        case MoveAnchors():
            yield Entry(step.sender_host, step.sender, "~", f"anchors  {name}", step.why, Kind.ANCHORS, step=step.id)
        case _:
            assert_never(step)


def _kept(decision: Decision) -> Entry:
    return Entry(
        decision.host,
        decision.dataset,
        "=",
        decision.snapshot,
        reasons_text(decision),
        Kind.KEPT,
        size=decision.used,
        guid=decision.guid,
    )


def reasons_text(decision: Decision) -> str:
    """Every reason of a decision in one line."""
    return "; ".join(reason.detail or reason.rule.value for reason in decision.reasons)
