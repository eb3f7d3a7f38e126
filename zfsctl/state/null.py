"""The journal of a command that has none: it remembers nothing and knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from zfsctl.errors import StateError, UnknownNameError
from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.event import Event
from zfsctl.model.health_change import HealthChange
from zfsctl.model.history import RunRecord, StepRecord
from zfsctl.model.plan import RunHook
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.state.cached import CachedStatus


class NullJournal:
    """Answers like the journal of a machine on which nothing ever ran; what is recorded is forgotten.

    A dry run uses it when the state file cannot be used. Knowing no rule and no approval, the guards withhold
    more, never less.
    """

    def __enter__(self) -> NullJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open."""

    def record(self, event: Event) -> None:
        """Forget it."""

    def runs(self, limit: int = 20) -> tuple[RunRecord, ...]:
        """None."""
        return ()

    def run(self, run_id: str) -> RunRecord:
        """None.

        Raises:
            UnknownNameError: Always.
        """
        raise UnknownNameError(f"{run_id}: no such run in the journal", hint="zfsctl history", where=run_id)

    def steps(self, run_id: str) -> tuple[StepRecord, ...]:
        """None."""
        return ()

    def last_run(self) -> RunRecord | None:
        """None."""
        return None

    def approvals(self, now: int) -> tuple[Approval, ...]:
        """None."""
        return ()

    def file_approval(self, request: ApprovalRequest, now: int, expires_at: int) -> Approval:
        """Hand it back as filed, and forget it."""
        return Approval(request, ApprovalStatus.WAITING, filed_at=now, expires_at=expires_at)

    def decide_approvals(self, ids: Sequence[str], status: ApprovalStatus, now: int) -> tuple[Approval, ...]:
        """Refuse: a decision that is not kept would be worth nothing.

        Raises:
            StateError: Always.
        """
        raise StateError(
            f"{', '.join(ids)}: not decided, there is no state file to write it to",
            hint="zfsctl approvals",
            where=ids[0],
        )

    def unthawed(self) -> tuple[RunHook, ...]:
        """None."""
        return ()

    def known_rules(self) -> Mapping[tuple[str, int], frozenset[str]]:
        """None, so that the guards ask."""
        return {}

    def remember_rules(self, host: str, dataset_guid: int, fingerprint: str, now: int) -> None:
        """Forget it."""

    def note_health(self, replications: Iterable[ReplicationStatus], now: int) -> None:
        """Forget it."""

    def health_changes(self, replication: str | None = None, limit: int = 20) -> tuple[HealthChange, ...]:
        """None."""
        return ()

    def save_status(self, document: str, now: int) -> None:
        """Forget it."""

    def cached_status(self) -> CachedStatus | None:
        """None."""
        return None
