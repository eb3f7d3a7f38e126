"""What a plan does to each snapshot, one entry for each line that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import Place
from zfsctl.model.plan import CreateSnapshots, DestroySnapshots, Plan, RunHook, Step
from zfsctl.model.verdicts import Decision, Verdict


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
    size: int | None = None
    """Bytes that go with it, where known."""
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
    """The lines of a plan in the order of its steps; with `kept` also what it keeps."""
    reasons = {(d.host, d.dataset, d.guid): d for d in plan.decisions if kept or d.verdict is Verdict.DESTROY}
    entries = [entry for step in plan.steps for entry in _entries_of(step, reasons)]
    if kept:
        entries += [_kept(decision) for decision in plan.decisions if decision.verdict is Verdict.KEEP]
    return tuple(entries)


def entries_of_result(plan: Plan, outcomes: Sequence[StepOutcome]) -> tuple[Entry, ...]:
    """The lines of a plan that was applied, each with what became of it."""
    by_step = {outcome.step: outcome for outcome in outcomes}
    members = {
        (outcome.step, member.dataset, member.snapshot): member for outcome in outcomes for member in outcome.members
    }
    by_dataset = {(outcome.step, member.dataset): member for outcome in outcomes for member in outcome.members}
    applied = []
    for entry in entries_of_plan(plan):
        outcome = by_step.get(entry.step)
        if outcome is None:
            applied.append(replace(entry, result=Result.SKIPPED))
            continue
        member = members.get((entry.step, entry.dataset, entry.name))
        if member is None and entry.sign == "+":
            # A name that was taken became the next free second.
            member = by_dataset.get((entry.step, entry.dataset))
        applied.append(_applied(entry, outcome, member))
    return tuple(applied)


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


def _entries_of(step: Step, reasons: Mapping[tuple[str, str, int], Decision]) -> Iterable[Entry]:
    match step:
        case CreateSnapshots():
            for dataset in step.datasets:
                yield Entry(step.host, dataset.name, "+", step.snapshot, step.why, step=step.id)
        case DestroySnapshots():
            for snapshot in step.snapshots:
                decision = reasons.get((step.host, step.dataset, snapshot.guid))
                yield Entry(
                    step.host,
                    step.dataset,
                    "-",
                    snapshot.name,
                    step.why if decision is None else reasons_text(decision),
                    size=None if decision is None else decision.used,
                    step=step.id,
                    guid=snapshot.guid,
                )
        case RunHook():
            yield Entry(step.host, step.dataset, "~", f"hook {step.name}", step.why, step=step.id)
        case _:
            assert_never(step)


def _kept(decision: Decision) -> Entry:
    return Entry(
        decision.host,
        decision.dataset,
        "=",
        decision.snapshot,
        reasons_text(decision),
        size=decision.used,
        guid=decision.guid,
    )


def reasons_text(decision: Decision) -> str:
    """Every reason of a decision in one line."""
    return "; ".join(reason.detail or reason.rule.value for reason in decision.reasons)
