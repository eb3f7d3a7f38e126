"""The journal kept within bounds, at the end of each run, so that it does not grow for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

KEPT_SECONDS = 400 * 86_400
"""A year and a month: what happened last year at this time can still be looked up."""

KEPT_RUNS = 20_000
"""A run every quarter of an hour for 200 days."""

KEPT_PLAN_BYTES = 256 * 1024 * 1024
"""The plans of the newest runs up to this size; older runs keep their steps."""

KEPT_CHANGES = 200_000
"""Changes of health. A fleet of a thousand pairs writes so many when each of them changes once every other day."""


def trim(
    db: Database, now: int, *, runs: int = KEPT_RUNS, seconds: int = KEPT_SECONDS, plan_bytes: int = KEPT_PLAN_BYTES
) -> None:
    """Forget what is older or more than the bounds allow. The newest run always stays."""
    oldest = now - seconds
    newest = db.execute("SELECT coalesce(max(seq), 0) FROM runs").fetchone()[0]
    beyond = db.execute("SELECT seq FROM runs ORDER BY seq DESC LIMIT 1 OFFSET ?", (runs,)).fetchone()
    if beyond is not None:
        db.execute("DELETE FROM runs WHERE seq <= ? AND seq <> ?", (beyond[0], newest))
    db.execute("DELETE FROM runs WHERE started_at < ? AND seq <> ?", (oldest, newest))
    # The size is an indexed column: to measure the documents themselves SQLite would have to read them all.
    if db.execute("SELECT coalesce(sum(bytes), 0) FROM plans").fetchone()[0] > plan_bytes:
        db.execute(
            "DELETE FROM plans WHERE run IN (SELECT run FROM (SELECT plans.run AS run, runs.seq AS seq, "
            "sum(plans.bytes) OVER (ORDER BY runs.seq DESC) AS total FROM plans JOIN runs ON runs.id = plans.run) "
            "WHERE total > ? AND seq <> ?)",
            (plan_bytes, newest),
        )
    db.execute("DELETE FROM snapshots WHERE destroyed_at < ?", (oldest,))
    # The plus sign keeps SQLite from looking through all that exist by the other index.
    db.execute("DELETE FROM snapshots WHERE +destroyed_at IS NULL AND creation < ?", (oldest,))
    _trim_health(db, oldest)
    db.execute("DELETE FROM approvals WHERE expires_at < ?", (oldest,))
    db.execute("DELETE FROM rule_fingerprints WHERE last_at < ?", (oldest,))


def _trim_health(db: Database, oldest: int) -> None:
    """The newest change of each pair tells how it stood last, so it stays however old it is."""
    beyond = db.execute("SELECT seq FROM replication_health ORDER BY seq DESC LIMIT 1 OFFSET ?", (KEPT_CHANGES,))
    row = beyond.fetchone()
    if (
        row is None
        and db.execute("SELECT 1 FROM replication_health WHERE at < ? LIMIT 1", (oldest,)).fetchone() is None
    ):
        return
    db.execute(
        "DELETE FROM replication_health WHERE (at < ? OR seq <= ?) AND seq NOT IN (SELECT max(seq) "
        "FROM replication_health GROUP BY replication, sender_host, sender, receiver_host, receiver)",
        (oldest, row[0] if row is not None else 0),
    )
