"""Runs and their steps as the journal remembers them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """It never said that it ended: killed, or the machine went down."""
    DONE = "done"
    PARTIAL = "partial"
    REFUSED = "refused"
    """A guard stopped it, or it waits for an approval; nothing went wrong."""
    STOPPED = "stopped"
    """By a signal: it ended what was under way and began nothing more."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a command that acted."""

    id: str
    command: str
    state: RunState
    started_at: int
    finished_at: int | None
    exit_code: int | None
    created: int
    """Snapshots created."""
    destroyed: int
    """Snapshots destroyed."""
    failed: int
    """Steps that did not end well."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a run."""

    run: str
    step: str
    kind: str
    host: str
    dataset: str
    """Empty for a step that is not about one dataset."""
    why: str
    started_at: int
    finished_at: int | None
    result: str
    """A value of event.Result; empty while it has not ended."""
    detail: str = ""
    snapshots: tuple[str, ...] = ()
    """Full names of the snapshots it created or destroyed."""
