"""Reading the cache in the state file with the standard library alone, for commands that may take no time.

Opening the file through sqlite-utils costs 70 ms of imports, which `status --cached` cannot afford.
Nothing here writes, waits, or raises for a file that cannot be read: there is simply nothing cached then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATUS = "status"


@dataclass(frozen=True, slots=True)
class CachedStatus:
    """A status document as it was when hosts were last asked."""

    document: str
    """JSON, as it was saved."""
    saved_at: int
    """Epoch seconds."""


def read_cached_status(state_file: Path) -> CachedStatus | None:
    """The status document kept last; None when there is none, or the file cannot be read."""
    import sqlite3
    from contextlib import closing

    query = "SELECT document, saved_at FROM cache WHERE name = ?"
    for uri in read_only_uris(state_file):
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as connection:
                row = connection.execute(query, (STATUS,)).fetchone()
        except sqlite3.Error:
            continue
        return CachedStatus(row[0], row[1]) if row else None
    return None


def read_only_uris(state_file: Path) -> tuple[str, ...]:
    """How SQLite can open the file without writing to it, best first; none when there is no such file.

    A reader of a WAL file normally needs its shared memory file beside it, which someone who may not write to the
    folder cannot make. Without a WAL file everything is in the file itself, and `immutable` does without.
    """
    try:
        if not state_file.is_file():
            return ()
        plain = f"{state_file.absolute().as_uri()}?mode=ro"
        return (plain,) if Path(f"{state_file}-wal").exists() else (plain, f"{plain}&immutable=1")
    except OSError:
        return ()
