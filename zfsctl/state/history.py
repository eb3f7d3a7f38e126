"""Rows of runs and steps as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zfsctl.errors import ExitCode, UnknownNameError
from zfsctl.model.history import RunRecord, RunState, StepRecord
from zfsctl.state.process import is_alive

if TYPE_CHECKING:
    from sqlite_utils import Database

_RUN = "id, command, started_at, finished_at, exit_code, created, destroyed, failed, process"
_STATES = {
    ExitCode.DONE: RunState.DONE,
    ExitCode.PARTIAL: RunState.PARTIAL,
    ExitCode.REFUSED: RunState.REFUSED,
    ExitCode.INTERRUPTED: RunState.STOPPED,
    ExitCode.TERMINATED: RunState.STOPPED,
}


def read_runs(db: Database, limit: int) -> tuple[RunRecord, ...]:
    """The newest runs, newest first, in the order in which they were written: clocks may be set back."""
    rows = db.execute(f"SELECT {_RUN} FROM runs ORDER BY seq DESC LIMIT ?", (max(limit, 0),)).fetchall()
    return tuple(_run(row) for row in rows)


def read_run(db: Database, start: str) -> RunRecord:
    """The one run whose id begins with `start`.

    Raises:
        UnknownNameError: None or several do.
    """
    rows = db.execute(
        f"SELECT {_RUN} FROM runs WHERE substr(id, 1, length(:start)) = :start AND :start <> '' "
        "ORDER BY id = :start DESC, seq DESC LIMIT 6",
        {"start": start},
    ).fetchall()
    if rows and (len(rows) == 1 or rows[0][0] == start):
        return _run(rows[0])
    if rows:
        raise UnknownNameError(
            f"{start}: several runs begin with it",
            why=", ".join(row[0] for row in rows),
            hint=f"zfsctl history {rows[0][0]}",
            where=start,
        )
    newest = read_runs(db, 1)
    raise UnknownNameError(
        f"{start or 'no id'}: no such run in the journal",
        why=f"the newest is {newest[0].id}" if newest else "the journal has no runs",
        hint="zfsctl history",
        where=start,
    )


def read_steps(db: Database, run_id: str) -> tuple[StepRecord, ...]:
    """The steps of one run in the order in which they began."""
    rows = db.execute(
        "SELECT run, step, kind, host, dataset, why, started_at, finished_at, result, detail, snapshots "
        "FROM actions WHERE run = ? ORDER BY seq",
        (run_id,),
    ).fetchall()
    return tuple(_step(row) for row in rows)


def _step(row: Sequence[Any]) -> StepRecord:
    run, step, kind, host, dataset, why, started_at, finished_at, result, detail, snapshots = row
    names = tuple(json.loads(snapshots))
    return StepRecord(run, step, kind, host, dataset, why, started_at, finished_at, result, detail, names)


def _run(row: Sequence[Any]) -> RunRecord:
    run_id, command, started_at, finished_at, exit_code, created, destroyed, failed, process = row
    if finished_at is None:
        state = RunState.RUNNING if is_alive(process) else RunState.INTERRUPTED
    else:
        state = _STATES.get(exit_code, RunState.FAILED)
    return RunRecord(run_id, command, state, started_at, finished_at, exit_code, created, destroyed, failed)
