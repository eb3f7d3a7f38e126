"""The journal: what runs did, step by step, and what is worth remembering between them. Never the truth.

Whoever deletes the file loses history and nothing else: everything that decides is read from ZFS, and a guard that no
longer remembers asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Self, assert_never

from zfsctl.errors import StateError
from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.event import Event, RunFinished, RunStarted, StepFinished, StepMoved, StepStarted
from zfsctl.model.health_change import HealthChange
from zfsctl.model.history import RunRecord, StepRecord
from zfsctl.model.plan import RunHook
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.state.approvals import decide_request, file_request, read_approvals
from zfsctl.state.cached import STATUS, CachedStatus
from zfsctl.state.failures import state_errors
from zfsctl.state.health_changes import note_health, read_health
from zfsctl.state.history import read_run, read_runs, read_steps
from zfsctl.state.opening import immediate, open_for_reading, open_for_writing
from zfsctl.state.protocol import JournalLike, NullJournal
from zfsctl.state.recording import (
    Destroyed,
    destroyed_by,
    record_run_finished,
    record_run_started,
    record_step_finished,
    record_step_started,
    storable,
)
from zfsctl.state.trimming import trim
from zfsctl.state.unthawed import read_unthawed

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing. A transaction takes milliseconds."""

_REFRESHED_SECONDS = 86_400
"""A rule seen again is written down again after so long; once a day is enough to know what is still in use."""


def open_journal(path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> JournalLike:
    """Open the journal at `path`; a new one is made, unless `read_only`, for which no file is an empty journal.

    Raises:
        StateError: The file is damaged, locked, newer than this program, not ours, or cannot be written.
    """
    if not read_only:
        return Journal(open_for_writing(path, busy_seconds=busy_seconds), path)
    db = open_for_reading(path, busy_seconds=busy_seconds)
    return NullJournal() if db is None else Journal(db, path, read_only=True)


class Journal:
    """An open state file. Safe to be used by several threads; calls take turns."""

    def __init__(self, db: Database, path: Path, *, read_only: bool = False) -> None:
        self._db = db
        self._path = path
        self._read_only = read_only
        self._turn = RLock()
        self._destroyed: dict[str, Destroyed] = {}
        self._noted: dict[tuple[str, int], tuple[str, int]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it. May be called twice."""
        with self._turn, state_errors(self._path, "the state file was not closed"):
            self._db.close()

    def record(self, event: Event) -> None:
        """Write down one event in a transaction of its own.

        Raises:
            StateError: It could not be written.
        """
        if isinstance(event, StepMoved):
            return
        with self._writing("the journal was not written") as db:
            match event:
                case RunStarted():
                    self._destroyed[event.run] = destroyed_by(event.plan)
                    record_run_started(db, event)
                case StepStarted():
                    record_step_started(db, event)
                case StepFinished():
                    record_step_finished(db, event, self._destroyed.get(event.run, {}))
                case RunFinished():
                    self._destroyed.pop(event.run, None)
                    record_run_finished(db, event)
                    trim(db, event.at)
                case _:
                    assert_never(event)

    def runs(self, limit: int = 20) -> tuple[RunRecord, ...]:
        """The newest runs, newest first. One without an end whose process is gone was INTERRUPTED."""
        with self._reading() as db:
            return read_runs(db, limit)

    def run(self, run_id: str) -> RunRecord:
        """The run whose id begins with `run_id`.

        Raises:
            UnknownNameError: None or several do.
        """
        with self._reading() as db:
            return read_run(db, run_id)

    def steps(self, run_id: str) -> tuple[StepRecord, ...]:
        """The steps of one run, by its full id, in the order in which they began; empty for an unknown run."""
        with self._reading() as db:
            return read_steps(db, run_id)

    def last_run(self) -> RunRecord | None:
        """The newest run; None if there never was one."""
        return next(iter(self.runs(1)), None)

    def approvals(self, now: int) -> tuple[Approval, ...]:
        """Every request that was filed, oldest first; one that ran out by `now` is EXPIRED."""
        with self._reading() as db:
            return read_approvals(db, now)

    def file_approval(self, request: ApprovalRequest, now: int, expires_at: int) -> Approval:
        """File a request, and say how it stands.

        The same request filed again is the one already there, decided or not, until it runs out.
        """
        with self._writing("the request was not filed") as db:
            return file_request(db, request, now, expires_at)

    def decide_approvals(self, ids: Sequence[str], status: ApprovalStatus, now: int) -> tuple[Approval, ...]:
        """Approve or deny the requests whose ids begin with these: all of them, or on an error none.

        Raises:
            UnknownNameError: None begins so, or several do.
            StaleError: One has run out.
        """
        with self._writing("nothing was decided") as db:
            return tuple(decide_request(db, start, status, now) for start in dict.fromkeys(ids))

    def unthawed(self) -> tuple[RunHook, ...]:
        """The hooks that must always run and that an earlier run still owes, oldest first."""
        with self._reading() as db:
            return read_unthawed(db)

    def known_rules(self) -> Mapping[tuple[str, int], frozenset[str]]:
        """By host and dataset guid, the fingerprint of the rules that pruned there last."""
        return {place: frozenset({fingerprint}) for place, (fingerprint, _) in self._read_noted().items()}

    def remember_rules(self, host: str, dataset_guid: int, fingerprint: str, now: int) -> None:
        """Note that rules of this fingerprint pruned this dataset; those that did before are forgotten.

        So rules that were loosened and then tightened again ask again: much may have gathered in between.
        """
        key = (host, dataset_guid)
        with self._turn:
            if self._noted is None:
                self._noted = self._read_noted()
            noted, at = self._noted.get(key, ("", 0))
            if noted == fingerprint and abs(now - at) < _REFRESHED_SECONDS:
                return
            with self._writing("the rules were not noted") as db:
                db.execute(
                    "DELETE FROM rule_fingerprints "
                    "WHERE host = :host AND dataset_guid = :guid AND fingerprint <> :fingerprint",
                    {"host": host, "guid": str(dataset_guid), "fingerprint": fingerprint},
                )
                db.execute(
                    "INSERT INTO rule_fingerprints (host, dataset_guid, fingerprint, first_at, last_at) "
                    "VALUES (:host, :guid, :fingerprint, :now, :now) "
                    "ON CONFLICT DO UPDATE SET last_at = excluded.last_at",
                    {"host": host, "guid": str(dataset_guid), "fingerprint": fingerprint, "now": now},
                )
            self._noted[key] = fingerprint, now

    def note_health(self, replications: Iterable[ReplicationStatus], now: int) -> None:
        """Note how replications and their pairs stand, where that is not what was noted last."""
        with self._writing("the health of replications was not noted") as db:
            note_health(db, replications, now)

    def health_changes(self, replication: str | None = None, limit: int = 20) -> tuple[HealthChange, ...]:
        """The newest changes of health, newest first: of all replications as a whole, or of one and its pairs."""
        with self._reading() as db:
            return read_health(db, replication, limit)

    def save_status(self, document: str, now: int) -> None:
        """Keep a status document for `status --cached`."""
        with self._writing("the status was not kept") as db:
            db.execute(
                "INSERT OR REPLACE INTO cache (name, document, saved_at) VALUES (?, ?, ?)",
                (STATUS, storable(document), now),
            )

    def cached_status(self) -> CachedStatus | None:
        """The status document kept last; None if none ever was."""
        with self._reading() as db:
            row = db.execute("SELECT document, saved_at FROM cache WHERE name = ?", (STATUS,)).fetchone()
        return CachedStatus(row[0], row[1]) if row else None

    def _read_noted(self) -> dict[tuple[str, int], tuple[str, int]]:
        """The fingerprint that was noted last and when, by host and dataset guid."""
        query = "SELECT host, dataset_guid, fingerprint, last_at FROM rule_fingerprints ORDER BY last_at"
        with self._reading() as db:
            return {(host, int(guid)): (fingerprint, at) for host, guid, fingerprint, at in db.execute(query)}

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._turn, state_errors(self._path, "the journal was not read"):
            yield self._db

    @contextmanager
    def _writing(self, what: str) -> Iterator[Database]:
        if self._read_only:
            raise StateError(f"{self._path}: {what}", why="it was opened for reading only", where=str(self._path))
        with self._turn, state_errors(self._path, what), immediate(self._db) as db:
            yield db
