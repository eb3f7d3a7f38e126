"""A state file that cannot be used: each fault is one StateError that says why and what to try."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.state.plans import NOW, PLAN, events
from zfsctl.errors import StateError
from zfsctl.model.event import RunStarted
from zfsctl.state.cached import read_cached_status
from zfsctl.state.journal import Journal, open_journal
from zfsctl.state.protocol import JournalLike


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def filled(path: Path) -> Path:
    with open_journal(path) as journal:
        for event in events():
            journal.record(event)
        journal.save_status('{"a": 1}', NOW)
    return path


def garbage(path: Path) -> None:
    path.write_bytes(b"these are no pages of a database " * 300)


def torn(path: Path) -> None:
    data = filled(path).read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def newer(path: Path) -> None:
    with sqlite3.connect(filled(path)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('zfsctl', 'tables_of_2031', '')"
        )
    connection.close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()


def folder(path: Path) -> None:
    path.mkdir()


def changed(path: Path) -> None:
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("DROP TABLE runs")
    connection.close()


def read_everything(path: Path, *, read_only: bool) -> None:
    with open_journal(path, read_only=read_only) as journal:
        journal.runs()
        journal.known_rules()


def fill_up(journal: JournalLike) -> None:
    for number in range(1000):
        journal.record(RunStarted(f"r{number}", PLAN, NOW))


FAULTS = [
    pytest.param(garbage, "damaged", id="garbage"),
    pytest.param(torn, "damaged", id="torn-pages"),
    pytest.param(newer, "newer zfsctl.*tables_of_2031", id="newer"),
    pytest.param(foreign, "something else", id="database-of-another-program"),
    pytest.param(folder, "directory|not a file", id="folder"),
    pytest.param(changed, "not as zfsctl made them", id="tables-changed"),
]


@pytest.mark.parametrize(("make", "why"), FAULTS)
@pytest.mark.parametrize("read_only", [pytest.param(False, id="writing"), pytest.param(True, id="reading")])
def test_an_unusable_file_is_an_error_with_a_reason_and_a_line_to_try(
    path: Path, make: object, why: str, read_only: bool
) -> None:
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(StateError) as raised:
        read_everything(path, read_only=read_only)

    error = raised.value
    assert error.message.startswith(f"{path}: ")
    assert re.search(why, error.why), error.why
    assert error.hint
    assert error.where == str(path)
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize(("make", "why"), FAULTS)
def test_the_cache_of_an_unusable_file_is_empty_and_no_error(path: Path, make: object, why: str) -> None:
    assert callable(make)
    make(path)
    if make in (newer, changed):
        assert read_cached_status(path) is not None, "the cache itself is whole"
    else:
        assert read_cached_status(path) is None


def test_the_way_out_of_a_damaged_file_works_even_beside_its_old_wal(path: Path) -> None:
    with open_journal(path) as journal:
        for event in events():
            journal.record(event)
        wal = Path(f"{path}-wal").read_bytes()
    path.rename(f"{path}.aside")
    Path(f"{path}-wal").write_bytes(wal)

    with open_journal(path) as journal:
        assert journal.runs() == ()
        for event in events("new"):
            journal.record(event)
        assert [run.id for run in journal.runs()] == ["new"]


def test_a_file_that_another_process_keeps_locked_is_an_error_after_a_while(path: Path) -> None:
    other = sqlite3.connect(filled(path), check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with open_journal(path, busy_seconds=0.1) as journal, pytest.raises(StateError, match="another process") as raised:
        journal.record(RunStarted("r", PLAN, NOW))
    assert raised.value.hint == f"fuser -v {path}"

    # A reader is not held up, and a writer goes on as soon as the other has ended.
    with open_journal(path, read_only=True, busy_seconds=0.1) as journal:
        assert len(journal.runs()) == 1
    threading.Timer(0.2, other.rollback).start()
    with open_journal(path, busy_seconds=10) as journal:
        journal.record(RunStarted("r", PLAN, NOW))
        assert len(journal.runs()) == 2
    other.close()


@pytest.mark.parametrize("read_only", [pytest.param(False, id="writing"), pytest.param(True, id="reading")])
def test_a_path_below_a_file_is_an_error_for_writers_and_nothing_for_readers(tmp_path: Path, read_only: bool) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "state.db"

    if read_only:
        with open_journal(path, read_only=True) as journal:
            assert journal.runs() == ()
    else:
        with pytest.raises(StateError, match=r"not a directory|file exists"):
            open_journal(path)
    assert read_cached_status(path) is None


def test_a_file_that_reached_its_largest_size_is_full_and_keeps_what_it_has(path: Path) -> None:
    with open_journal(filled(path)) as journal:
        assert isinstance(journal, Journal)
        journal._db.execute("PRAGMA max_page_count = 1")

        with pytest.raises(StateError, match="disk is full"):
            fill_up(journal)

        journal._db.execute("PRAGMA max_page_count = 100000")
        before = len(journal.runs(2000))
        journal.record(RunStarted("later", PLAN, NOW))
        assert len(journal.runs(2000)) == before + 1


IN_A_NAMESPACE = """
import os, subprocess, sys
from pathlib import Path
from tests.state.plans import PLAN, NOW, events
from zfsctl.errors import StateError
from zfsctl.model.event import RunStarted
from zfsctl.state.cached import read_cached_status
from zfsctl.state.journal import open_journal

folder, fault = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(folder)], check=True)
path = folder / "state.db"
with open_journal(path) as journal:
    for event in events():
        journal.record(event)
    journal.save_status("{}", NOW)
if fault == "full":
    with open(folder / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass
else:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
try:
    with open_journal(path) as journal:
        for number in range(1000):
            journal.record(RunStarted(f"r{number}", PLAN, NOW))
    print("written")
except StateError as error:
    print(type(error).__name__, error.why, "|", error.hint)
if fault == "full":
    os.unlink(folder / "ballast")
with open_journal(path, read_only=True) as journal:
    print(journal.runs(2000)[-1].id, read_cached_status(path).saved_at == NOW)
"""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param("full", "disk is full|disk refuses", id="full-disk"),
        pytest.param("ro", "read-only", id="read-only"),
    ],
)
def test_a_real_full_or_read_only_file_system_is_an_error_and_what_was_written_stays(
    tmp_path: Path, fault: str, why: str
) -> None:
    inside = ["unshare", "-rm", sys.executable, "-c", IN_A_NAMESPACE, str(tmp_path), fault]
    try:
        done = subprocess.run(inside, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare(1) is not installed")
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount namespace may be made here: {done.stderr.strip()}")

    said, kept = done.stdout.splitlines()
    assert said.startswith("StateError"), done.stderr
    assert re.search(why, said)
    assert " | " in said
    assert kept == "run-1 True"


TOO_LARGE = """
import resource, sys
from pathlib import Path
from tests.state.plans import PLAN, NOW
from zfsctl.errors import StateError
from zfsctl.model.event import RunStarted
from zfsctl.state.journal import open_journal
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with open_journal(Path(sys.argv[1])) as journal:
        for number in range(2000):
            journal.record(RunStarted(f"r{number}", PLAN, NOW))
except StateError as error:
    print(error.why)
"""


def test_a_write_that_the_system_refuses_is_an_error_and_what_was_written_stays(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TOO_LARGE, str(path)], capture_output=True, text=True, check=False)

    assert "disk" in done.stdout, done.stderr
    with open_journal(path) as journal:
        kept = len(journal.runs(5000))
        assert kept
        journal.record(RunStarted("later", PLAN, NOW))
        assert len(journal.runs(5000)) == kept + 1
