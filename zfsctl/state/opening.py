"""Opening the state file: rights, pragmas, schema, and what is refused.

WAL lets `status` and `history` read while a run writes. It needs shared memory, so the file must not lie on a network
file system (sqlite.org/wal.html); where SQLite declines WAL the file is used with a rollback journal.

synchronous is NORMAL: in WAL mode that never damages the file and survives every end of the process; only a power cut
may take the last transactions. The file is a journal and no truth, so a lost entry costs history, or a question that
is asked once more, while FULL would cost two flushes of the disk for each of a run's thousands of steps.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zfsctl.errors import StateError
from zfsctl.state.cached import read_only_uris
from zfsctl.state.failures import damaged, state_error, state_errors

if TYPE_CHECKING:
    from sqlite_utils import Database

NOT_OPENED = "the state file was not opened"


def open_for_writing(path: Path, *, busy_seconds: float) -> Database:
    """Open the file, made first if need be (folder 0700, file 0600), its tables up to date.

    Raises:
        StateError: It cannot be used.
    """
    with state_errors(path, NOT_OPENED):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False)
        try:
            db = _database(connection)
            # Before anything is changed: what is not ours is refused as it is.
            _pending(db, path)
            _use_wal(connection, busy_seconds)
            _bring_up_to_date(db, path)
        except BaseException:
            connection.close()
            raise
        return db


def open_for_reading(path: Path, *, busy_seconds: float) -> Database | None:
    """Open the file without changing it; None when there is none.

    A file with older tables is copied into memory and brought up to date there.

    Raises:
        StateError: It cannot be read.
    """
    failure: StateError | None = None
    for uri in read_only_uris(path):
        try:
            connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, check_same_thread=False)
            with _closed_on_failure(connection):
                db = _database(connection)
                if not _pending(db, path):
                    return db
                return _copy_in_memory(connection, path)
        except sqlite3.Error as error:
            failure = failure or state_error(path, NOT_OPENED, error)
    if failure:
        raise failure
    with state_errors(path, NOT_OPENED):
        if path.exists():
            raise damaged(path, NOT_OPENED, "it is not a file")
    return None


@contextmanager
def immediate(db: Database) -> Iterator[Database]:
    """A transaction that waits for its turn at the start; one that began as a reader could only fail when it writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        # A full disk or an I/O error may have ended the transaction already.
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


def _database(connection: sqlite3.Connection) -> Database:
    from sqlite_utils import Database

    db = Database(connection, execute_plugins=False)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to WAL. SQLite does not wait here when another process is at the same switch."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _bring_up_to_date(db: Database, path: Path) -> None:
    from zfsctl.state.schema import MIGRATIONS

    if _pending(db, path):
        with immediate(db):
            # Asked again: another process may have done it while this one waited.
            if _pending(db, path):
                MIGRATIONS.apply(db)


def _pending(db: Database, path: Path) -> bool:
    """Whether tables are missing.

    Raises:
        StateError: The file is of a newer zfsctl, or of something else.
    """
    from zfsctl.state.schema import KNOWN, MIGRATIONS

    pending = {migration.name for migration in MIGRATIONS.pending(db)}
    applied = {migration.name for migration in MIGRATIONS.applied(db)}
    newer = sorted(applied - KNOWN)
    if newer:
        raise damaged(path, NOT_OPENED, f"a newer zfsctl has written it ({', '.join(newer)})", first="update zfsctl")
    if not applied and db.table_names():
        raise damaged(path, NOT_OPENED, "it is a database of something else")
    return bool(pending)


def _copy_in_memory(connection: sqlite3.Connection, path: Path) -> Database:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with _closed_on_failure(copy), closing(connection):
        connection.backup(copy)
        db = _database(copy)
        _bring_up_to_date(db, path)
    return db


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
