"""What was done: runs, and the steps of one of them."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.history import RunRecord, StepRecord
from zfsctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class History:
    """Runs, newest first; with `steps` when it is about one of them."""

    runs: tuple[RunRecord, ...]
    steps: tuple[StepRecord, ...] = ()


def history(session: Session, *, run: str | None = None, limit: int = 20) -> History:
    """The last `limit` runs, or one run (by id or the unique beginning of one) with its steps.

    Raises:
        UnknownNameError: No run has that id, or several begin with it.
        StateError: The state file cannot be read.
    """
    journal = session.journal
    if run is None:
        return History(journal.runs(limit))
    chosen = journal.run(run)
    return History((chosen,), journal.steps(chosen.id))
