"""What a run sent can be read back."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from tests.documents.replicating import AT, NEWEST, PLAN, STEPS, TRANSFER
from zfsctl.model.event import MemberOutcome, Result, RunFinished, RunStarted, StepFinished, StepOutcome, StepStarted
from zfsctl.model.plan import PlannedDataset
from zfsctl.state.journal import open_journal
from zfsctl.state.recording import journaled


def test_every_step_of_a_replication_is_journaled_and_what_arrived_is_remembered(tmp_path: Path) -> None:
    arrived = MemberOutcome(TRANSFER.receiver, NEWEST.name, NEWEST.guid, Result.DONE)
    missed = MemberOutcome(TRANSFER.receiver, "late", 3, Result.FAILED)
    outcomes = tuple(
        StepOutcome(step.id, Result.DONE, members=(arrived, missed) if step is TRANSFER else ()) for step in STEPS
    )
    with open_journal(tmp_path / "state.db") as journal:
        journal.record(RunStarted("r1", PLAN, AT))
        for step, outcome in zip(STEPS, outcomes, strict=True):
            journal.record(StepStarted("r1", step, AT))
            journal.record(StepFinished("r1", step, outcome, AT + 1))
        journal.record(RunFinished("r1", PLAN, outcomes, 0, AT + 2))
        steps = journal.steps("r1")

    assert [(step.kind, step.host, step.dataset) for step in steps] == [
        ("hold-snapshots", "alpha", ""),
        ("create-parents", "beta", ""),
        ("abort-receive", "beta", "bk/alpha/tank/db"),
        ("rename-snapshot", "beta", "bk/alpha/tank/db"),
        ("transfer", "beta", "bk/alpha/tank/db"),
        ("transfer", "beta", "bk/alpha/tank/new"),
        ("move-anchors", "beta", "bk/alpha/tank/db"),
    ]
    with sqlite3.connect(tmp_path / "state.db") as connection:
        found = connection.execute("SELECT host, dataset, guid, name, creation FROM snapshots").fetchall()
    assert found == [("beta", TRANSFER.receiver, str(NEWEST.guid), NEWEST.name, AT)]


def test_both_ends_of_a_transfer_are_journaled_and_idle_datasets_are_not() -> None:
    ends = (PlannedDataset("alpha", "tank/db", "p", 61), PlannedDataset("beta", TRANSFER.receiver, "", 3))
    idle = (PlannedDataset("alpha", TRANSFER.receiver, "p", 1), PlannedDataset("beta", "tank/db", "p", 1))

    kept, _ = journaled(replace(PLAN, datasets=(*ends, *idle), steps=(TRANSFER,)))

    assert kept.datasets == ends
