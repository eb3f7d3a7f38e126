"""What was done: runs, and the steps of one of them; and how the health of replications changed."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.health_change import HealthChange
from zfsctl.model.history import RunRecord, StepRecord
from zfsctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class History:
    """Newest first: runs, with `steps` when it is about one of them, or changes of health."""

    runs: tuple[RunRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    health: tuple[HealthChange, ...] | None = None
    """None where it is about runs."""


def history(session: Session, *, name: str | None = None, replications: bool = False, limit: int = 20) -> History:
    """The last `limit` runs, or what a name is about.

    Args:
        session: For its journal and policy.
        name: A replication, for the last changes of health of it and its pairs; else a run (by its id or the unique
            beginning of it), with its steps.
        replications: Without a name the last changes of health of all replications, instead of runs.
        limit: How many to tell of at most.

    Raises:
        UnknownNameError: Nothing has that name, or several runs begin with it.
        StateError: The state file cannot be read.
    """
    journal = session.required_journal
    if name is None:
        return History(health=journal.health_changes(limit=limit)) if replications else History(journal.runs(limit))
    # One that the policy dropped has a history all the same.
    changes = journal.health_changes(name, limit)
    if changes or replications or any(one.name == name for one in session.policy.replications):
        return History(health=changes)
    chosen = journal.run(name)
    return History((chosen,), journal.steps(chosen.id))
