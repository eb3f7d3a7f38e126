"""The tables of the state file, as sqlite-utils migrations. A migration that was released never changes.

guids are TEXT: SQLite's integers are signed and a guid is a uint64. Times are epoch seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

MIGRATIONS = Migrations("zfsctl")

KNOWN = frozenset({"first_tables", "replication_health"})
"""Every migration of this version; a file that has others was written by a newer one."""

_FIRST_TABLES = (
    """
    CREATE TABLE runs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        command TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        exit_code INTEGER,
        created INTEGER NOT NULL DEFAULT 0,
        destroyed INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        process TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE plans (
        run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        id TEXT NOT NULL,
        kept INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        document TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE actions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        step TEXT NOT NULL,
        kind TEXT NOT NULL,
        host TEXT NOT NULL,
        dataset TEXT NOT NULL,
        why TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        result TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        code TEXT NOT NULL DEFAULT '',
        snapshots TEXT NOT NULL DEFAULT '[]',
        UNIQUE (run, step)
    ) STRICT
    """,
    """
    CREATE TABLE snapshots (
        host TEXT NOT NULL,
        dataset TEXT NOT NULL,
        guid TEXT NOT NULL,
        name TEXT NOT NULL,
        policy TEXT,
        reason TEXT,
        size INTEGER,
        creation INTEGER,
        verified_at INTEGER,
        destroyed_at INTEGER,
        PRIMARY KEY (host, dataset, guid)
    ) STRICT
    """,
    """
    CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        document TEXT NOT NULL,
        status TEXT NOT NULL,
        filed_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        decided_at INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE rule_fingerprints (
        host TEXT NOT NULL,
        dataset_guid TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (host, dataset_guid, fingerprint)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE cache (
        name TEXT PRIMARY KEY,
        document TEXT NOT NULL,
        saved_at INTEGER NOT NULL
    ) STRICT
    """,
)


@MIGRATIONS()
def first_tables(db: Database) -> None:
    """Runs, plans, actions, snapshots, approvals, rule fingerprints and the cache."""
    for statement in _FIRST_TABLES:
        db.execute(statement)
    db.execute("CREATE INDEX plans_bytes ON plans (bytes)")
    db.execute("CREATE INDEX runs_started_at ON runs (started_at)")
    db.execute("CREATE INDEX snapshots_destroyed_at ON snapshots (destroyed_at)")
    db.execute("CREATE INDEX snapshots_creation ON snapshots (creation)")


@MIGRATIONS()
def replication_health(db: Database) -> None:
    """When the health of replications and of their pairs changed; empty ends for a replication as a whole."""
    db.execute(
        """
        CREATE TABLE replication_health (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            replication TEXT NOT NULL,
            sender_host TEXT NOT NULL,
            sender TEXT NOT NULL,
            receiver_host TEXT NOT NULL,
            receiver TEXT NOT NULL,
            old TEXT NOT NULL,
            new TEXT NOT NULL,
            state TEXT NOT NULL,
            lag INTEGER,
            why TEXT NOT NULL
        ) STRICT
        """
    )
    db.execute(
        "CREATE INDEX replication_health_place "
        "ON replication_health (replication, sender_host, sender, receiver_host, receiver, seq, new)"
    )
