"""The cache that `status --cached` reads without sqlite-utils."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.state.plans import NOW
from zfsctl.state.cached import CachedStatus, read_cached_status
from zfsctl.state.journal import open_journal


@pytest.mark.parametrize(
    "open_elsewhere", [pytest.param(True, id="while-a-run-writes"), pytest.param(False, id="at-rest")]
)
def test_what_was_saved_last_is_read_with_the_standard_library_alone(tmp_path: Path, open_elsewhere: bool) -> None:
    path = tmp_path / "with # and ? and %41" / "state.db"
    journal = open_journal(path)
    journal.save_status('{"old": 1}', NOW)
    journal.save_status('{"new": "\\ud83d"}', NOW + 5)
    expected = CachedStatus('{"new": "\\ud83d"}', NOW + 5)
    assert journal.cached_status() == expected
    if not open_elsewhere:
        journal.close()

    assert read_cached_status(path) == expected
    journal.close()


def test_a_surrogate_in_a_document_is_kept_as_an_escape(tmp_path: Path) -> None:
    with open_journal(tmp_path / "state.db") as journal:
        journal.save_status('{"name": "\udcff"}', NOW)

        assert journal.cached_status() == CachedStatus('{"name": "\\udcff"}', NOW)


def test_nothing_is_cached_where_there_is_no_file_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "none" / "state.db"

    assert read_cached_status(path) is None
    assert not path.parent.exists()


def test_nothing_is_cached_in_a_new_journal(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with open_journal(path) as journal:
        assert journal.cached_status() is None

    assert read_cached_status(path) is None


def test_the_cache_is_read_in_a_folder_where_nothing_may_be_written(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with open_journal(path) as journal:
        journal.save_status("{}", NOW)
    if os.getuid() == 0:
        # Nothing keeps root from writing; the way an ordinary user would go is tried by itself.
        from zfsctl.state.cached import read_only_uris

        connection = sqlite3.connect(read_only_uris(path)[1], uri=True)
        assert connection.execute("SELECT document FROM cache").fetchall() == [("{}",)]
        connection.close()
        assert sorted(part.name for part in tmp_path.iterdir()) == ["state.db"]
    else:
        tmp_path.chmod(0o500)
        assert read_cached_status(path) == CachedStatus("{}", NOW)
        tmp_path.chmod(0o700)


def test_reading_the_cache_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from zfsctl.state.cached import read_cached_status;"
        "read_cached_status(Path(sys.argv[1])); print(*sys.modules)"
    )
    path = tmp_path / "state.db"
    open_journal(path).close()
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)

    modules = set(done.stdout.split())
    assert "sqlite3" in modules
    assert not modules & {"sqlite_utils", "pydantic", "click", "dateutil", "asyncio", "typing_extensions", "re2"}
