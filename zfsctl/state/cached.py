"""Reading the cache in the state file with the standard library alone, for commands that may take no time.

Opening the file through sqlite-utils costs 70 ms of imports; `status --cached` and completion cannot afford that.
Nothing here writes, waits, or raises for a file that cannot be read: there is simply nothing cached then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

STATUS = "status"
NAMES = "names"


@dataclass(frozen=True, slots=True)
class CachedStatus:
    """A status document as it was when hosts were last asked."""

    document: str
    """JSON, as it was saved."""
    saved_at: int
    """Epoch seconds."""


def read_cached_status(state_file: Path) -> CachedStatus | None:
    """The status document kept last; None when there is none, or the file cannot be read."""
    found = _entry(state_file, STATUS)
    return CachedStatus(*found) if found else None


def read_cached_names(state_file: Path) -> tuple[str, ...]:
    """The names kept for completion; empty when there are none, or the file cannot be read."""
    found = _entry(state_file, NAMES)
    return names_of(found[0]) if found else ()


def names_of(document: str) -> tuple[str, ...]:
    """The names in a JSON list; empty when it is not one."""
    try:
        names = json.loads(document)
    except ValueError:
        return ()
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


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


def _entry(state_file: Path, name: str) -> tuple[str, int] | None:
    import sqlite3
    from contextlib import closing

    for uri in read_only_uris(state_file):
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as connection:
                row = connection.execute("SELECT document, saved_at FROM cache WHERE name = ?", (name,)).fetchone()
        except sqlite3.Error:
            continue
        return (str(row[0]), int(row[1])) if row else None
    return None
