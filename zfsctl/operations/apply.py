"""Apply any plan: journal it, file what waits for a person, run the steps, tell the listeners."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zfsctl.documents.status import document_of_status
from zfsctl.errors import ExitCode, RefusedError
from zfsctl.executor.apply import Stop, apply_steps
from zfsctl.model.event import Event, Result, RunFinished, RunStarted, StepFinished, StepOutcome
from zfsctl.model.names import stamp
from zfsctl.model.plan import DestroySnapshots, Plan
from zfsctl.model.repair import SwapDatasets
from zfsctl.model.transfer import REPLICATION_LOCK, ReplicationStep
from zfsctl.operations.exit_codes import exit_code_of
from zfsctl.operations.names_cache import save_names
from zfsctl.operations.observed import facts_after
from zfsctl.operations.session import Session
from zfsctl.operations.status import ask, replications_of_facts, status_of_facts

APPROVAL_SECONDS = 30 * 24 * 3600
"""How long a request waits for a person, and how long what was approved holds."""

Listener = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan and what became of it."""

    run: str
    plan: Plan
    outcomes: tuple[StepOutcome, ...]
    exit_code: ExitCode


def apply_plan(
    session: Session, plan: Plan, *, listeners: Sequence[Listener] = (), stop: Stop | None = None
) -> Applied:
    """Apply `plan` exactly as it is.

    Raises:
        RefusedError: The session may not change anything (`--dry-run`, `read_only = true`).
        StateError: The run could not be journaled, so nothing was begun.
    """
    if not session.acts:
        raise RefusedError("nothing was changed, this command may only look", why="--dry-run or read_only = true")
    journal = session.journal
    now = session.clock()
    run = f"{stamp(now)}-{os.urandom(4).hex()}"
    everyone: tuple[Listener, ...] = (journal.record, *listeners)

    def listen(event: Event) -> None:
        for listener in everyone:
            listener(event)

    listen(RunStarted(run, plan, now))
    for request in plan.approvals:
        journal.file_approval(request, now, now + APPROVAL_SECONDS)
    outcomes: tuple[StepOutcome, ...] = ()
    code = ExitCode.FAILED
    ended: dict[str, StepOutcome] = {}

    def listen_and_note(event: Event) -> None:
        if isinstance(event, StepFinished):
            ended[event.step.id] = event.outcome
        listen(event)

    locks = session.locks
    changed = {step.host for step in plan.steps if not isinstance(step, ReplicationStep)}
    for host in locks.hosts - changed - {REPLICATION_LOCK}:
        locks.release_host(host)
    try:
        outcomes = apply_steps(
            plan,
            session.fleet,
            run=run,
            now=session.clock,
            listen=listen_and_note,
            may_change=locks.acquire,
            stop=stop or Stop(),
            done_with=locks.release_host,
        )
        code = exit_code_of(plan, outcomes)
    except BaseException:
        outcomes = tuple(ended.get(step.id, StepOutcome(step.id, Result.SKIPPED)) for step in plan.steps)
        raise
    finally:
        listen(RunFinished(run, plan, outcomes, int(code), session.clock()))
    _remember_rules(session, plan, outcomes)
    _keep_view(session, plan, outcomes)
    return Applied(run, plan, outcomes, code)


def _remember_rules(session: Session, plan: Plan, outcomes: Sequence[StepOutcome]) -> None:
    """Note which rules have pruned which dataset, so that the mass-destroy guard knows them the next time.

    Rules count as known once a plan made by them was applied to a dataset without a guard's objection.
    """
    objected = {(request.host, request.dataset) for request in plan.approvals}
    failed = {
        (step.host, step.dataset)
        for step, outcome in zip(plan.steps, outcomes, strict=True)
        if isinstance(step, DestroySnapshots) and outcome.result not in (Result.DONE, Result.PARTIAL)
    }
    unknown = {finding.host for finding in plan.findings if finding.code in ("incomplete", "unreachable")}
    now = session.clock()
    for planned in plan.datasets:
        place = (planned.host, planned.dataset)
        if planned.rules and place not in objected | failed and planned.host not in unknown:
            session.journal.remember_rules(planned.host, planned.guid, planned.rules, now)


def _keep_view(session: Session, plan: Plan, outcomes: Sequence[StepOutcome]) -> None:
    """After a run over the whole policy keep how things stand, and the names for completion, without asking again;
    only what a repair has left behind is looked at.
    After every other that knows of replications note how these stand.

    Where a pool was left to another run nothing is known of its snapshots, and a run that neither prunes nor sends
    knows nothing of replications, so the last view stands.
    """
    if session.facts is None:
        return
    repaired = any(isinstance(step, SwapDatasets) for step in plan.steps)
    facts = ask(session) if repaired else facts_after(session.facts, plan, outcomes)
    save_names(session, facts)
    if session.options.hosts:
        return
    is_whole = plan.command.startswith("run") and not _busy_pools(session)
    if is_whole and (session.trees or not session.policy.replications):
        seen = status_of_facts(session, facts)
        session.journal.save_status(json.dumps(document_of_status(seen)), seen.generated_at)
        session.journal.note_health(seen.replications, seen.generated_at)
    elif session.trees:
        session.journal.note_health(replications_of_facts(session, facts), session.clock())


def _busy_pools(session: Session) -> bool:
    """Whether a pool was left to another run. A replication that was is known all the same."""
    return any(host != REPLICATION_LOCK for host, _ in session.locks.busy)
