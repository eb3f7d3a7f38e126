"""What a journal can do, whether it is a file or nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.event import Event
from zfsctl.model.health_change import HealthChange
from zfsctl.model.history import RunRecord, StepRecord
from zfsctl.model.plan import RunHook
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.state.cached import CachedStatus
from zfsctl.state.null import NullJournal

__all__ = ["CachedStatus", "JournalLike", "NullJournal"]


class JournalLike(Protocol):
    """A journal and a cache, never the truth. Every method may raise StateError; safe to be used by several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def close(self) -> None:
        """Close it. May be called twice."""
        ...

    def record(self, event: Event) -> None:
        """Write down one event in a transaction of its own."""
        ...

    def runs(self, limit: int = 20) -> tuple[RunRecord, ...]:
        """The newest runs, newest first."""
        ...

    def run(self, run_id: str) -> RunRecord:
        """The run whose id begins with `run_id`.

        Raises:
            UnknownNameError: None or several do.
        """
        ...

    def steps(self, run_id: str) -> tuple[StepRecord, ...]:
        """The steps of one run, by its full id, in the order in which they began; empty for an unknown run."""
        ...

    def last_run(self) -> RunRecord | None:
        """The newest run."""
        ...

    def approvals(self, now: int) -> tuple[Approval, ...]:
        """Every request that was filed, oldest first; one that ran out by `now` is EXPIRED."""
        ...

    def file_approval(self, request: ApprovalRequest, now: int, expires_at: int) -> Approval:
        """File a request, and say how it stands.

        The same request filed again is the one already there, decided or not, until it runs out.
        """
        ...

    def decide_approvals(self, ids: Sequence[str], status: ApprovalStatus, now: int) -> tuple[Approval, ...]:
        """Approve or deny the requests whose ids begin with these: all of them, or on an error none.

        Raises:
            UnknownNameError: None begins so, or several do.
            StaleError: One has run out.
        """
        ...

    def unthawed(self) -> tuple[RunHook, ...]:
        """The hooks that must always run and that an earlier run still owes, oldest first."""
        ...

    def known_rules(self) -> Mapping[tuple[str, int], frozenset[str]]:
        """By host and dataset guid, the fingerprints of the rules that pruned there before."""
        ...

    def remember_rules(self, host: str, dataset_guid: int, fingerprint: str, now: int) -> None:
        """Note that rules of this fingerprint pruned this dataset."""
        ...

    def note_health(self, replications: Iterable[ReplicationStatus], now: int) -> None:
        """Note how replications and their pairs stand, where that is not what was noted last."""
        ...

    def health_changes(self, replication: str | None = None, limit: int = 20) -> tuple[HealthChange, ...]:
        """The newest changes of health, newest first: of all replications as a whole, or of one and its pairs."""
        ...

    def save_status(self, document: str, now: int) -> None:
        """Keep a status document for `status --cached`."""
        ...

    def cached_status(self) -> CachedStatus | None:
        """The status document kept last."""
        ...
