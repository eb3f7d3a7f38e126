"""The journal on real files: what a run did can be read back, from this process or another."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.state.plans import (
    CREATE,
    CREATED,
    DAY,
    DESTROY,
    DESTROYED,
    LARGE_GUID,
    NOW,
    PLAN,
    REQUEST,
    THAW,
    events,
)
from zfsctl.errors import StaleError, StateError, UnknownNameError
from zfsctl.model.approval import ApprovalStatus
from zfsctl.model.event import Result, RunFinished, RunStarted, StepFinished, StepOutcome, StepStarted
from zfsctl.model.history import RunState
from zfsctl.state.journal import Journal, open_journal
from zfsctl.state.protocol import JournalLike, NullJournal
from zfsctl.state.trimming import KEPT_SECONDS, trim


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with open_journal(path) as opened:
        assert isinstance(opened, Journal)
        yield opened


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What another program would read."""
    with sqlite3.connect(path) as connection:
        found: list[tuple[object, ...]] = connection.execute(query).fetchall()
    connection.close()
    return found


def record_all(journal: JournalLike, run: str = "run-1", at: int = NOW) -> None:
    for event in events(run, at):
        journal.record(event)


def test_a_finished_run_is_read_back_with_its_counts(journal: Journal) -> None:
    record_all(journal)

    (run,) = journal.runs()
    assert run.id == "run-1"
    assert run.command == "run"
    assert run.state is RunState.PARTIAL
    assert (run.started_at, run.finished_at, run.exit_code) == (NOW, NOW + 3, 3)
    assert (run.created, run.destroyed, run.failed) == (2, 1, 1)
    assert journal.last_run() == run


@pytest.mark.parametrize(
    ("exit_code", "state"),
    [
        pytest.param(0, RunState.DONE, id="done"),
        pytest.param(3, RunState.PARTIAL, id="partial"),
        pytest.param(1, RunState.FAILED, id="failed"),
        pytest.param(12, RunState.FAILED, id="unreachable"),
        pytest.param(5, RunState.REFUSED, id="refused"),
        pytest.param(130, RunState.STOPPED, id="interrupted-by-ctrl-c"),
        pytest.param(143, RunState.STOPPED, id="terminated"),
    ],
)
def test_the_exit_code_says_how_a_run_ended(journal: Journal, exit_code: int, state: RunState) -> None:
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(RunFinished("r", PLAN, (), exit_code, NOW))

    assert [run.state for run in journal.runs()] == [state]


def test_each_step_is_written_before_it_begins_and_when_it_ended(journal: Journal, path: Path) -> None:
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(StepStarted("r", CREATE, NOW + 1))

    (before,) = journal.steps("r")
    assert (before.step, before.kind, before.result, before.finished_at) == ("s1", "create-snapshots", "", None)
    assert rows(path, "SELECT step, result FROM actions") == [("s1", "")]

    journal.record(StepFinished("r", CREATE, CREATED, NOW + 2))

    (after,) = journal.steps("r")
    assert (after.result, after.started_at, after.finished_at) == ("done", NOW + 1, NOW + 2)
    assert after.snapshots == ("tank/a@zfsctl-20261120T143000Z", "tank/b@zfsctl-20261120T143000Z")
    assert after.why == CREATE.why


def test_steps_come_in_the_order_in_which_they_began(journal: Journal) -> None:
    record_all(journal)

    assert [step.step for step in journal.steps("run-1")] == ["s1", "s2", "s3"]
    assert [step.result for step in journal.steps("run-1")] == ["done", "done", "failed"]
    assert journal.steps("no such run") == ()


def test_bytes_that_are_no_utf8_do_not_stop_the_journal(journal: Journal) -> None:
    record_all(journal)

    assert journal.steps("run-1")[2].detail == "exit 1: bytes \\udcff"


def test_steps_that_never_began_are_written_at_the_end(journal: Journal) -> None:
    skipped = tuple(StepOutcome(step.id, Result.SKIPPED, "stopped") for step in PLAN.steps)
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(RunFinished("r", PLAN, skipped, 130, NOW + 1))

    assert [(step.result, step.detail) for step in journal.steps("r")] == [("skipped", "stopped")] * 3
    assert journal.runs()[0].failed == 3


def test_a_step_that_ended_is_not_written_over_by_the_end_of_the_run(journal: Journal) -> None:
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(StepFinished("r", CREATE, CREATED, NOW + 1))
    journal.record(RunFinished("r", PLAN, (StepOutcome("s1", Result.SKIPPED),), 1, NOW + 2))

    (step,) = journal.steps("r")
    assert (step.result, step.finished_at, len(step.snapshots)) == ("done", NOW + 1, 2)


def test_created_snapshots_are_remembered_with_guid_policy_and_when_they_were_verified(
    journal: Journal, path: Path
) -> None:
    record_all(journal)

    found = rows(
        path,
        "SELECT host, dataset, guid, name, policy, verified_at, destroyed_at, typeof(guid) FROM snapshots "
        "WHERE guid IN ('101', '102') ORDER BY guid",
    )
    name = "zfsctl-20261120T143000Z"
    assert found == [
        ("alpha", "tank/a", "101", name, "critical", NOW + 2, None, "text"),
        ("alpha", "tank/b", "102", name, "critical", NOW + 2, None, "text"),
    ]


def test_a_destroyed_snapshot_keeps_its_size_and_a_guid_beyond_signed_integers(journal: Journal, path: Path) -> None:
    record_all(journal)

    found = rows(path, "SELECT guid, size, creation, destroyed_at FROM snapshots WHERE destroyed_at IS NOT NULL")
    assert found == [(str(LARGE_GUID), 4096, NOW - DAY, NOW + 2)]


def test_a_snapshot_that_was_not_created_or_not_destroyed_is_not_remembered(journal: Journal, path: Path) -> None:
    left = replace(CREATED, members=tuple(replace(m, result=Result.FAILED, guid=None) for m in CREATED.members))
    held = replace(DESTROYED, members=tuple(replace(m, result=Result.FAILED) for m in DESTROYED.members))
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(StepFinished("r", CREATE, left, NOW))
    journal.record(StepFinished("r", DESTROY, held, NOW))

    assert rows(path, "SELECT * FROM snapshots") == []
    assert (journal.runs()[0].created, journal.runs()[0].destroyed) == (0, 0)


def test_the_plan_is_kept_with_what_it_destroys_and_without_what_it_keeps(journal: Journal, path: Path) -> None:
    record_all(journal)

    ((kept, text),) = rows(path, "SELECT kept, document FROM plans")
    document = json.loads(str(text))
    assert kept == 2
    assert [entry["guid"] for entry in document["decisions"]] == [str(LARGE_GUID)]
    assert [entry["dataset"] for entry in document["datasets"]] == ["tank/a"]
    assert [step["id"] for step in document["steps"]] == ["s1", "s2", "s3"]


def test_the_newest_run_comes_first_even_when_the_clock_was_set_back(journal: Journal) -> None:
    record_all(journal, "first", NOW)
    record_all(journal, "second", NOW - 300 * DAY)

    assert [run.id for run in journal.runs()] == ["second", "first"]
    assert [run.id for run in journal.runs(1)] == ["second"]
    assert journal.runs(0) == ()


@pytest.mark.parametrize(
    ("start", "found"),
    [
        pytest.param("run-10", "run-10", id="unique-beginning"),
        pytest.param("run-1", "run-1", id="whole-id-goes-before-longer-ones"),
        pytest.param("run-2", "run-2", id="whole-id"),
    ],
)
def test_a_run_is_found_by_the_beginning_of_its_id(journal: Journal, start: str, found: str) -> None:
    for run in ("run-1", "run-10", "run-2"):
        record_all(journal, run)

    assert journal.run(start).id == found


@pytest.mark.parametrize("start", [pytest.param("run", id="several"), pytest.param("x", id="none"), ""])
def test_an_id_that_names_no_single_run_is_refused(journal: Journal, start: str) -> None:
    for run in ("run-1", "run-2"):
        record_all(journal, run)

    with pytest.raises(UnknownNameError):
        journal.run(start)


def test_a_run_under_way_is_running_for_everybody(journal: Journal, path: Path) -> None:
    journal.record(RunStarted("r", PLAN, NOW))

    with open_journal(path, read_only=True) as other:
        assert [run.state for run in other.runs()] == [RunState.RUNNING]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.state.plans import PLAN, CREATE, NOW
from zfsctl.model.event import RunStarted, StepStarted
from zfsctl.state.journal import open_journal
journal = open_journal(Path(sys.argv[1]))
journal.record(RunStarted("killed", PLAN, NOW))
journal.record(StepStarted("killed", CREATE, NOW))
if len(sys.argv) > 2:
    journal._db.execute("BEGIN IMMEDIATE")
    journal._db.execute("DELETE FROM runs")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("arguments", [pytest.param((), id="between"), pytest.param(("x",), id="in-a-transaction")])
def test_a_run_killed_in_the_middle_leaves_a_readable_file_and_was_interrupted(
    path: Path, arguments: tuple[str, ...]
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), *arguments], capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for read_only in (True, False):
        with open_journal(path, read_only=read_only) as journal:
            assert [(run.id, run.state, run.finished_at) for run in journal.runs()] == [
                ("killed", RunState.INTERRUPTED, None)
            ]
            assert [(step.step, step.finished_at) for step in journal.steps("killed")] == [("s1", None)]
    with open_journal(path) as journal:
        record_all(journal, "next")
        assert [run.state for run in journal.runs()] == [RunState.PARTIAL, RunState.INTERRUPTED]


def _record_many(path: str, name: str) -> None:
    with open_journal(Path(path), busy_seconds=30) as journal:
        for number in range(25):
            record_all(journal, f"{name}-{number}")


def test_two_processes_write_at_once_and_nothing_is_lost(path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_record_many, args=(str(path), name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert [writer.exitcode for writer in writers] == [0, 0]
    with open_journal(path) as journal:
        runs = journal.runs(100)
        assert len(runs) == 50
        assert {(run.state, run.created, run.destroyed) for run in runs} == {(RunState.PARTIAL, 2, 1)}


def test_the_threads_of_one_run_write_in_turns(journal: Journal) -> None:
    threads = [threading.Thread(target=record_all, args=(journal, f"t{number}")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(journal.runs(100)) == 8
    assert all(len(journal.steps(run.id)) == 3 for run in journal.runs(100))


def test_the_file_and_its_folder_are_for_this_user_only(journal: Journal, path: Path) -> None:
    record_all(journal)

    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {part.name: part.stat().st_mode & 0o777 for part in path.parent.iterdir()} == dict.fromkeys(
        ("state.db", "state.db-wal", "state.db-shm"), 0o600
    )


def test_a_deleted_file_costs_history_and_nothing_else(path: Path) -> None:
    with open_journal(path) as journal:
        record_all(journal)
        journal.file_approval(REQUEST, NOW, NOW + DAY)
        journal.remember_rules("alpha", 11, "rules", NOW)
    path.unlink()

    with open_journal(path) as journal:
        assert journal.runs() == ()
        assert journal.approvals(NOW) == ()
        assert journal.known_rules() == {}
        record_all(journal)
        assert len(journal.runs()) == 1


def test_a_missing_file_is_an_empty_journal_for_readers_and_is_not_made(path: Path) -> None:
    with open_journal(path, read_only=True) as journal:
        assert journal.runs() == ()
        assert journal.last_run() is None

    assert not path.parent.exists()


def test_a_reader_cannot_write(path: Path, journal: Journal) -> None:
    with open_journal(path, read_only=True) as reader, pytest.raises(StateError, match="reading only"):
        reader.record(RunStarted("r", PLAN, NOW))

    assert journal.runs() == ()


def test_an_empty_file_is_brought_up_to_date_in_memory_for_readers_and_in_place_for_writers(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with open_journal(path, read_only=True) as reader:
        assert reader.runs() == ()
    assert path.stat().st_size == 0

    with open_journal(path) as journal:
        record_all(journal)
        assert len(journal.runs()) == 1


def test_a_journal_may_be_closed_twice(path: Path) -> None:
    journal = open_journal(path)
    journal.close()
    journal.close()


def test_known_rules_are_by_host_and_guid_and_survive(path: Path) -> None:
    with open_journal(path) as journal:
        for host, guid, rules in (("alpha", LARGE_GUID, "x"), ("alpha", LARGE_GUID, "y"), ("beta", LARGE_GUID, "x")):
            journal.remember_rules(host, guid, rules, NOW)
            journal.remember_rules(host, guid, rules, NOW + 5)
        expected = {("alpha", LARGE_GUID): frozenset({"y"}), ("beta", LARGE_GUID): frozenset({"x"})}
        assert journal.known_rules() == expected

    with open_journal(path, read_only=True) as journal:
        assert journal.known_rules() == expected


def test_rules_that_come_back_are_not_those_that_pruned_last(journal: Journal) -> None:
    for rules in ("short", "long", "short"):
        journal.remember_rules("alpha", 1, rules, NOW)
        assert journal.known_rules() == {("alpha", 1): frozenset({rules})}


def test_a_rule_still_in_use_is_noted_again_so_that_it_is_not_forgotten(path: Path, journal: Journal) -> None:
    journal.remember_rules("alpha", 1, "x", NOW)
    journal.remember_rules("alpha", 1, "x", NOW + 2 * DAY)

    assert rows(path, "SELECT first_at, last_at FROM rule_fingerprints") == [(NOW, NOW + 2 * DAY)]


def test_the_journal_forgets_runs_beyond_its_bounds_at_the_end_of_a_run(journal: Journal, path: Path) -> None:
    old = NOW - KEPT_SECONDS - DAY
    journal.remember_rules("alpha", 1, "old", old)
    journal.remember_rules("alpha", 1, "new", NOW)
    journal.file_approval(REQUEST, old, old + 1)
    record_all(journal, "old", old)
    assert len(journal.runs()) == 1

    record_all(journal, "new", NOW)

    assert [run.id for run in journal.runs()] == ["new"]
    assert rows(path, "SELECT DISTINCT run FROM actions UNION SELECT run FROM plans") == [("new",)]
    assert rows(path, "SELECT DISTINCT destroyed_at FROM snapshots WHERE destroyed_at IS NOT NULL") == [(NOW + 2,)]
    assert journal.known_rules() == {("alpha", 1): frozenset({"new"})}
    assert journal.approvals(NOW) == ()


def test_more_runs_than_the_bound_are_forgotten_oldest_first(journal: Journal) -> None:
    for number in range(5):
        record_all(journal, f"run-{number}")

    trim(journal._db, NOW, runs=3)

    assert [run.id for run in journal.runs()] == ["run-4", "run-3", "run-2"]


def test_large_plans_go_before_the_runs_do(journal: Journal, path: Path) -> None:
    for number in range(5):
        record_all(journal, f"run-{number}")
    ((size,),) = rows(path, "SELECT length(document) FROM plans WHERE run = 'run-0'")
    assert isinstance(size, int)

    trim(journal._db, NOW, plan_bytes=2 * size)

    assert len(journal.runs()) == 5
    assert rows(path, "SELECT run FROM plans ORDER BY run") == [("run-3",), ("run-4",)]
    trim(journal._db, NOW, plan_bytes=0)
    assert rows(path, "SELECT run FROM plans ORDER BY run") == [("run-4",)]


def test_a_request_filed_again_is_the_one_already_there(journal: Journal) -> None:
    first = journal.file_approval(REQUEST, NOW, NOW + DAY)
    again = journal.file_approval(REQUEST, NOW + 60, NOW + 2 * DAY)

    assert first == again
    assert journal.approvals(NOW) == (first,)
    assert (first.status, first.filed_at, first.expires_at) == (ApprovalStatus.WAITING, NOW, NOW + DAY)
    assert first.request == REQUEST


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.DENIED])
def test_a_decision_is_kept_when_the_request_is_filed_again(journal: Journal, status: ApprovalStatus) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)
    (decided,) = journal.decide_approvals(["4f2"], status, NOW + 5)

    assert (decided.status, decided.decided_at) == (status, NOW + 5)
    assert journal.file_approval(REQUEST, NOW + 60, NOW + 2 * DAY) == decided
    assert journal.approvals(NOW + 60) == (decided,)


def test_an_approval_covers_no_more_than_its_guids_and_no_longer_than_it_holds(journal: Journal) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)
    journal.decide_approvals([REQUEST.id], ApprovalStatus.APPROVED, NOW)

    def covers(guids: set[int], now: int) -> bool:
        (approval,) = journal.approvals(now)
        return approval.covers(
            kind=REQUEST.kind,
            host=REQUEST.host,
            dataset_guid=REQUEST.dataset_guid,
            guids=frozenset(guids),
            now=now,
        )

    assert covers({LARGE_GUID}, NOW)
    assert not covers({LARGE_GUID, 7}, NOW)
    assert not covers({LARGE_GUID}, NOW + DAY)


@pytest.mark.parametrize("decision", [ApprovalStatus.APPROVED, ApprovalStatus.DENIED, None])
def test_a_request_that_ran_out_is_filed_anew(journal: Journal, decision: ApprovalStatus | None) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)
    if decision:
        journal.decide_approvals([REQUEST.id], decision, NOW)

    anew = journal.file_approval(REQUEST, NOW + DAY, NOW + 3 * DAY)

    assert (anew.status, anew.filed_at, anew.decided_at) == (ApprovalStatus.WAITING, NOW + DAY, None)


def test_a_request_that_ran_out_is_shown_so_and_cannot_be_decided(journal: Journal) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)

    assert [approval.status for approval in journal.approvals(NOW + DAY)] == [ApprovalStatus.EXPIRED]
    with pytest.raises(StaleError):
        journal.decide_approvals([REQUEST.id], ApprovalStatus.APPROVED, NOW + DAY)


def test_an_approval_never_carries_over_to_a_request_that_reads_differently(journal: Journal) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)
    journal.decide_approvals([REQUEST.id], ApprovalStatus.APPROVED, NOW)

    other = journal.file_approval(replace(REQUEST, snapshots=(*REQUEST.snapshots, ("s3", 3))), NOW, NOW + DAY)

    assert other.status is ApprovalStatus.WAITING
    assert [approval.status for approval in journal.approvals(NOW)] == [ApprovalStatus.WAITING]


@pytest.mark.parametrize(
    ("start", "hint"),
    [
        pytest.param("4", "zfsctl approvals", id="several"),
        pytest.param("4f2ab2", "4f2ab1", id="near-miss"),
        pytest.param("", "zfsctl approvals", id="nothing"),
        pytest.param("%", "zfsctl approvals", id="no-wildcard"),
    ],
)
def test_a_decision_needs_exactly_one_request(journal: Journal, start: str, hint: str) -> None:
    journal.file_approval(REQUEST, NOW, NOW + DAY)
    journal.file_approval(replace(REQUEST, id="4e0000"), NOW, NOW + DAY)

    with pytest.raises(UnknownNameError) as raised:
        journal.decide_approvals([start], ApprovalStatus.APPROVED, NOW)

    assert raised.value.hint == hint
    assert {approval.status for approval in journal.approvals(NOW)} == {ApprovalStatus.WAITING}


def test_a_null_journal_has_every_method_of_a_real_one_and_remembers_nothing() -> None:
    with NullJournal() as journal:
        record_all(journal)
        journal.remember_rules("alpha", 1, "x", NOW)
        journal.save_status("{}", NOW)

        assert journal.file_approval(REQUEST, NOW, NOW + 1).status is ApprovalStatus.WAITING
        assert journal.runs() == journal.steps("run-1") == journal.approvals(NOW) == ()
        assert (journal.last_run(), journal.cached_status()) == (None, None)
        assert journal.known_rules() == {}
        with pytest.raises(UnknownNameError):
            journal.run("run-1")
        with pytest.raises(StateError):
            journal.decide_approvals([REQUEST.id], ApprovalStatus.APPROVED, NOW)


def test_a_process_is_known_by_more_than_its_number() -> None:
    from zfsctl.state.process import identity_of, is_alive

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identity_of(child.pid)
    pid, started, boot = identity.split()

    assert is_alive(identity)
    assert not is_alive(f"{pid} {int(started) - 1} {boot}")
    assert not is_alive(f"{pid} {started} another-boot")
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(identity), "a dead process that nobody has waited for is not at work"
    child.wait()
    assert not is_alive(identity)
    child.stdin.close()


def test_a_hook_without_dataset_is_journaled_too(journal: Journal) -> None:
    journal.record(RunStarted("r", PLAN, NOW))
    journal.record(StepFinished("r", THAW, StepOutcome("s3", Result.DONE), NOW))

    assert [(step.kind, step.dataset) for step in journal.steps("r")] == [("hook", "")]
