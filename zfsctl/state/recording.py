"""Events of a run as rows: each step is written before it begins and again when it has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from zfsctl.documents.plan import document_of_plan
from zfsctl.documents.steps import document_of_step
from zfsctl.model.event import (
    MemberOutcome,
    Result,
    RunFinished,
    RunStarted,
    StepFinished,
    StepOutcome,
    StepStarted,
)
from zfsctl.model.names import POLICY_PROPERTY, REASON_PROPERTY
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, Plan, Step, datasets_of
from zfsctl.model.transfer import Transfer
from zfsctl.model.verdicts import Decision, Verdict
from zfsctl.state.process import this_process

if TYPE_CHECKING:
    from sqlite_utils import Database

ENDED_WELL = frozenset({Result.DONE, Result.PARTIAL, Result.RUNNING})

Destroyed = Mapping[tuple[str, str, int], Decision]
"""By host, dataset and guid, the decisions of a plan to destroy."""


def destroyed_by(plan: Plan) -> Destroyed:
    """What a plan wants to destroy."""
    return {
        (decision.host, decision.dataset, decision.guid): decision
        for decision in plan.decisions
        if decision.verdict is Verdict.DESTROY
    }


def journaled(plan: Plan) -> tuple[Plan, int]:
    """The plan as it is kept, and how many decisions to keep a snapshot were left out of it.

    Those, and the datasets to which nothing happens, are left out: they are most of a plan, the next plan says the
    same again, and a run that finds nothing to do must cost the journal next to nothing.
    """
    decisions = tuple(decision for decision in plan.decisions if decision.verdict is Verdict.DESTROY)
    touched = {place for step in plan.steps for place in datasets_of(step)}
    datasets = tuple(planned for planned in plan.datasets if (planned.host, planned.dataset) in touched)
    return replace(plan, decisions=decisions, datasets=datasets), len(plan.decisions) - len(decisions)


def record_run_started(db: Database, event: RunStarted) -> None:
    """A row for the run and one for its plan."""
    plan, kept = journaled(event.plan)
    db.execute(
        "INSERT INTO runs (id, command, started_at, process) VALUES (?, ?, ?, ?)",
        (event.run, plan.command, event.at, this_process()),
    )
    document = json.dumps(document_of_plan(plan), ensure_ascii=True, separators=(",", ":"))
    db.execute(
        "INSERT INTO plans (run, id, kept, bytes, document) VALUES (?, ?, ?, ?, ?)",
        (event.run, plan.id, kept, len(document), document),
    )


def record_step_started(db: Database, event: StepStarted) -> None:
    """The step, without an end."""
    _ensure_action(db, event.run, event.step, event.at)


def record_step_finished(db: Database, event: StepFinished, destroyed: Destroyed) -> None:
    """How the step ended, and what it did to snapshots."""
    _ensure_action(db, event.run, event.step, event.at)
    _end_action(db, event.run, event.outcome, event.at)
    done = [member for member in event.outcome.members if member.result is Result.DONE]
    created = gone = 0
    match event.step:
        case CreateSnapshots() as step:
            created = len(done)
            _insert_created(db, step, done, event.at)
        case DestroySnapshots() | DestroyDataset() as step:
            gone = len(done)
            _insert_destroyed(db, step, done, destroyed, event.at)
        case Transfer() as step:
            _insert_received(db, step, done, event.at)
        case _:
            pass
    failed = int(event.outcome.result not in ENDED_WELL)
    db.execute(
        "UPDATE runs SET created = created + ?, destroyed = destroyed + ?, failed = failed + ? WHERE id = ?",
        (created, gone, failed, event.run),
    )


def record_run_finished(db: Database, event: RunFinished) -> None:
    """The end of the run, and rows for the steps that never began."""
    outcomes = {outcome.step: outcome for outcome in event.outcomes}
    for step in event.plan.steps:
        outcome = outcomes.get(step.id)
        if outcome is not None:
            _ensure_action(db, event.run, step, event.at)
            _end_action(db, event.run, outcome, event.at)
    failed = sum(outcome.result not in ENDED_WELL for outcome in event.outcomes)
    db.execute(
        "UPDATE runs SET finished_at = ?, exit_code = ?, failed = max(failed, ?) WHERE id = ?",
        (event.at, event.exit_code, failed, event.run),
    )


def _ensure_action(db: Database, run: str, step: Step, at: int) -> None:
    document = document_of_step(step)
    db.execute(
        "INSERT INTO actions (run, step, kind, host, dataset, why, started_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run, step) DO NOTHING",
        (run, step.id, document["kind"], step.host, document["dataset"], storable(step.why), at),
    )


def _end_action(db: Database, run: str, outcome: StepOutcome, at: int) -> None:
    """The first end counts: RunFinished repeats what the steps themselves have said."""
    snapshots = [f"{member.dataset}@{member.snapshot}" for member in outcome.members if member.result is Result.DONE]
    db.execute(
        "UPDATE actions SET finished_at = ?, result = ?, detail = ?, code = ?, snapshots = ? "
        "WHERE run = ? AND step = ? AND finished_at IS NULL",
        (at, outcome.result.value, storable(outcome.detail), outcome.code, json.dumps(snapshots), run, outcome.step),
    )


def _insert_created(db: Database, step: CreateSnapshots, done: Sequence[MemberOutcome], at: int) -> None:
    properties = dict(step.properties)
    for member in done:
        if member.guid is None:
            continue
        db.execute(
            "INSERT INTO snapshots (host, dataset, guid, name, policy, reason, creation, verified_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host, dataset, guid) DO UPDATE SET "
            "name = excluded.name, verified_at = excluded.verified_at",
            (
                step.host,
                member.dataset,
                str(member.guid),
                member.snapshot,
                properties.get(POLICY_PROPERTY),
                properties.get(REASON_PROPERTY),
                _stamp_of(member.snapshot, at),
                at,
            ),
        )


def _insert_received(db: Database, step: Transfer, done: Sequence[MemberOutcome], at: int) -> None:
    for member in done:
        if member.guid is None:
            continue
        db.execute(
            "INSERT INTO snapshots (host, dataset, guid, name, creation, verified_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (host, dataset, guid) DO UPDATE SET name = excluded.name, verified_at = excluded.verified_at",
            (step.host, member.dataset, str(member.guid), member.snapshot, _stamp_of(member.snapshot, at), at),
        )


def _insert_destroyed(
    db: Database, step: DestroySnapshots | DestroyDataset, done: Sequence[MemberOutcome], destroyed: Destroyed, at: int
) -> None:
    guids = {ref.name: ref.guid for ref in step.snapshots}
    for member in done:
        guid = guids.get(member.snapshot, member.guid)
        if guid is None:
            continue
        decision = destroyed.get((step.host, step.dataset, guid))
        db.execute(
            "INSERT INTO snapshots (host, dataset, guid, name, size, creation, destroyed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host, dataset, guid) DO UPDATE SET "
            "size = excluded.size, destroyed_at = excluded.destroyed_at",
            (
                step.host,
                step.dataset,
                str(guid),
                member.snapshot,
                decision and decision.used,
                decision and decision.creation,
                at,
            ),
        )


def _stamp_of(snapshot: str, otherwise: int) -> int:
    """When a snapshot of ours was taken, by its name; `otherwise` if the name does not say."""
    try:
        return int(datetime.strptime(snapshot[-16:], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return otherwise


def storable(text: str) -> str:
    """Bytes that are no UTF-8 arrive as surrogates, which SQLite does not take; inside JSON they become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
