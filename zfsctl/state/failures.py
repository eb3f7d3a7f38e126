"""What SQLite says when the state file cannot be used, as a StateError that says what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zfsctl.errors import StateError

ONLY_HISTORY = "without this file the history is lost, and a large prune asks once more"

_ELSEWHERE = "ZFSCTL_STATE_DIR=/dev/shm/zfsctl zfsctl prune"
"""The file may lie on the very pool that a prune would relieve; a journal in memory lets it go on."""

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)


@contextmanager
def state_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what SQLite and the file system say inside into StateError; `what` did not happen."""
    try:
        yield
    except sqlite3.ProgrammingError:
        # A mistake of this program, such as using a closed journal; nothing an operator could mend.
        raise
    except (sqlite3.Error, OSError) as error:
        raise state_error(path, what, error) from error


def state_error(path: Path, what: str, error: sqlite3.Error | OSError) -> StateError:
    """The StateError for what SQLite or the file system said."""
    why, hint = _why(path, error)
    return StateError(f"{path}: {what}", why=why, hint=hint, where=str(path))


def damaged(path: Path, what: str, why: str, *, first: str = "") -> StateError:
    """The file is no state file that can be used; `first` is to be tried before it is given up."""
    aside = f"mv {path} {path}.aside"
    hint = f"{first}, or {aside}" if first else aside
    return StateError(f"{path}: {what}", why=f"{why}; {ONLY_HISTORY}", hint=hint, where=str(path))


def _why(path: Path, error: sqlite3.Error | OSError) -> tuple[str, str]:
    if isinstance(error, OSError):
        hint = _ELSEWHERE if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"ls -ld {error.filename or path}"
        return (error.strerror or str(error)).lower(), hint
    # The upper bytes tell the kind of I/O error and the like; the lowest says what matters here.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _LOCKED:
        return "another process is writing it and did not end in time", f"fuser -v {path}"
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full", _ELSEWHERE
    if code in _FORBIDDEN:
        return f"this user may not open or write it ({error})", f"ls -ld {path.parent} {path}"
    if code in _DAMAGED:
        return f"it is damaged ({error}); {ONLY_HISTORY}", f"mv {path} {path}.aside"
    if code == sqlite3.SQLITE_IOERR:
        return f"the disk refuses ({error})", f"df -h {path.parent}"
    # What is left is a statement that does not fit the tables: somebody else changed them.
    return f"its tables are not as zfsctl made them ({error}); {ONLY_HISTORY}", f"mv {path} {path}.aside"
