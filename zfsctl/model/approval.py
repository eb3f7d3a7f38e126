"""What waits for a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


def request_id(kind: str, host: str, dataset_guid: int, guids: Iterable[int], written: int = 0) -> str:
    """The id of a request: the same for the same request made again."""
    text = "\n".join([kind, host, str(dataset_guid), *map(str, sorted(guids)), *([f"+{written}"] if written else [])])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


class ApprovalStatus(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


REPAIR = "repair"
"""The kind of a request that is about setting a receiver aside; all others are about destroys."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """Destroys that a guard withheld, or a repair that waits, bound to guids so that it can mean nothing else.

    `id` is a short digest of kind, host, dataset guid, snapshot guids and what is in no snapshot: the same request made
    again is the same.
    """

    id: str
    kind: str
    """mass-destroy, window-expiry, repair"""
    host: str
    dataset: str
    dataset_guid: int
    snapshots: tuple[tuple[str, int], ...]
    """Short name and guid of each snapshot that would be lost; of a repair, of the base and what would be set aside."""
    why: str
    written: int = 0
    """Bytes of a receiver that are in no snapshot, and would be set aside with it."""

    @property
    def destroys(self) -> bool:
        """Whether its snapshots would be destroyed; those of a repair are all kept."""
        return self.kind != REPAIR


@dataclass(frozen=True, slots=True)
class Approval:
    """A request as it was filed, and what became of it."""

    request: ApprovalRequest
    status: ApprovalStatus
    filed_at: int
    expires_at: int
    decided_at: int | None = None

    def covers(
        self, *, kind: str, host: str, dataset_guid: int, guids: frozenset[int], now: int, written: int = 0
    ) -> bool:
        """Whether it is approved, still holds at `now`, and allows the loss (or setting aside) of all of `guids`, and
        of as many bytes as are `written` in no snapshot.

        An approval holds while the newly made plan touches no more than it was given for.
        """
        return (
            self.status is ApprovalStatus.APPROVED
            and now < self.expires_at
            and self.request.kind == kind
            and self.request.host == host
            and self.request.dataset_guid == dataset_guid
            and guids <= {guid for _, guid in self.request.snapshots}
            and written <= self.request.written
        )
