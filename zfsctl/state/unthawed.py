"""Hooks that an earlier run owes: what may have been frozen before it was cut short must be thawed by the next."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from zfsctl.documents.plan import plan_from_document
from zfsctl.model.event import Result
from zfsctl.model.plan import RunHook
from zfsctl.state.process import is_alive

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST_RUNS = 50
"""So many runs with hooks are looked at, the newest."""

_NOT_RUN = ("", Result.SKIPPED, Result.UNREACHABLE)
"""Results of a hook that was not carried out, or not to its end. One that failed was told of, and is not repeated."""


def read_unthawed(db: Database) -> tuple[RunHook, ...]:
    """The hooks that must always run, follow a step that was begun, and did not run, of runs that are over.

    Oldest run first. Each gets the id `RUN/HOOK` and waits for nothing. It is owed until a step of that id was run.
    """
    rows = db.execute(
        "SELECT runs.id, runs.finished_at, runs.process, plans.document FROM runs JOIN plans ON plans.run = runs.id "
        'WHERE plans.document LIKE \'%"kind":"hook"%\' ORDER BY runs.seq DESC LIMIT ?',
        (MOST_RUNS,),
    ).fetchall()
    owed: list[RunHook] = []
    for run, finished_at, process, document in reversed(rows):
        if finished_at is None and is_alive(process):
            continue
        results = dict(db.execute("SELECT step, result FROM actions WHERE run = ?", (run,)).fetchall())
        for step in plan_from_document(json.loads(document)).steps:
            follows_something = any(results.get(name, Result.SKIPPED) != Result.SKIPPED for name in step.after)
            if isinstance(step, RunHook) and step.always and follows_something and results.get(step.id, "") in _NOT_RUN:
                owed.append(replace(step, id=f"{run}/{step.id}", after=(), why=f"run {run} did not come to it"))
    return tuple(step for step in owed if not _was_run(db, step.id))


def _was_run(db: Database, step: str) -> bool:
    query = "SELECT result FROM actions WHERE step = ?"
    return any(result not in _NOT_RUN for (result,) in db.execute(query, (step,)).fetchall())
