"""Runs, their steps, and changes of health as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zfsctl.model.history import RunRecord, RunState, StepRecord

if TYPE_CHECKING:
    from zfsctl.documents.view_types import HealthChangeDocument, HistoryDocument, RunDocument, StepRecordDocument
    from zfsctl.model.health_change import HealthChange


def document_of_history(
    runs: Sequence[RunRecord], steps: Sequence[StepRecord] = (), health: Sequence[HealthChange] = ()
) -> HistoryDocument:
    """The data of a `zfsctl.history/1` document."""
    return {
        "runs": [document_of_run(run) for run in runs],
        "steps": [_step(step) for step in steps],
        "health": [_change(change) for change in health],
        "errors": [],
    }


def document_of_run(run: RunRecord) -> RunDocument:
    """One entry of `runs`."""
    return {
        "id": run.id,
        "command": run.command,
        "state": run.state.value,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "exit_code": run.exit_code,
        "created": run.created,
        "destroyed": run.destroyed,
        "failed": run.failed,
    }


def run_from_document(document: RunDocument) -> RunRecord:
    """The run that `document` was made from; ValueError for an unknown state."""
    return RunRecord(
        id=document["id"],
        command=document["command"],
        state=RunState(document["state"]),
        started_at=document["started_at"],
        finished_at=document["finished_at"],
        exit_code=document["exit_code"],
        created=document["created"],
        destroyed=document["destroyed"],
        failed=document["failed"],
    )


def _change(change: HealthChange) -> HealthChangeDocument:
    sender, receiver = change.sender, change.receiver
    return {
        "at": change.at,
        "replication": change.replication,
        "sender": None if sender is None else {"host": sender.host, "dataset": sender.dataset},
        "receiver": None if receiver is None else {"host": receiver.host, "dataset": receiver.dataset},
        "old": None if change.old is None else change.old.value,
        "new": change.new.value,
        "state": None if change.state is None else change.state.value,
        "lag": change.lag,
        "why": change.why,
    }


def _step(step: StepRecord) -> StepRecordDocument:
    return {
        "run": step.run,
        "step": step.step,
        "kind": step.kind,
        "host": step.host,
        "dataset": step.dataset,
        "why": step.why,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "result": step.result,
        "detail": step.detail,
        "snapshots": list(step.snapshots),
    }
