"""What became of a plan, as JSON: the plan's own fields plus `outcomes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zfsctl.documents.errors import error_entry
from zfsctl.documents.plan import document_of_plan
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.names import Place
from zfsctl.model.plan import Plan, Step

if TYPE_CHECKING:
    from zfsctl.documents.types import ErrorEntry, MemberOutcomeDocument, ResultDocument, StepOutcomeDocument

NOT_WRONG = (Result.DONE, Result.RUNNING)
"""Another run that holds the lock does the work: no error."""


def document_of_result(plan: Plan, outcomes: Sequence[StepOutcome], *, exit_code: int, run: str = "") -> ResultDocument:
    """The data of a `zfsctl.result/1` document. Each outcome that is not well also stands in `errors`.

    Args:
        plan: As it was applied.
        outcomes: Of the steps that have ended.
        exit_code: That of the command.
        run: The id of the run in the journal, empty where a run was broken off before it had one.
    """
    steps = {step.id: step for step in plan.steps}
    document: ResultDocument = {
        **document_of_plan(plan),
        "run": run,
        "outcomes": [document_of_outcome(outcome) for outcome in outcomes],
        "exit_code": exit_code,
    }
    document["errors"] = [_error_of(outcome, steps) for outcome in outcomes if outcome.result not in NOT_WRONG]
    return document


def document_of_outcome(outcome: StepOutcome) -> StepOutcomeDocument:
    """One entry of `outcomes`."""
    return {
        "step": outcome.step,
        "result": outcome.result.value,
        "detail": outcome.detail,
        "code": outcome.code,
        "members": [_member(member) for member in outcome.members],
    }


def _member(member: MemberOutcome) -> MemberOutcomeDocument:
    return {
        "dataset": member.dataset,
        "snapshot": member.snapshot,
        "guid": None if member.guid is None else str(member.guid),
        "result": member.result.value,
        "detail": member.detail,
    }


def _error_of(outcome: StepOutcome, steps: Mapping[str, Step]) -> ErrorEntry:
    step = steps.get(outcome.step)
    where = "" if step is None else _place_of(step)
    left = [f"{m.dataset}@{m.snapshot}: {m.detail or m.result}" for m in outcome.members if m.result not in NOT_WRONG]
    return error_entry(
        outcome.code or outcome.result.value,
        f"{where or outcome.step}: step {outcome.step} ended {outcome.result.value}",
        where=where,
        why="; ".join([outcome.detail, *left] if outcome.detail else left),
    )


def _place_of(step: Step) -> str:
    return str(Place(step.host, step.dataset)) if step.dataset else step.host
