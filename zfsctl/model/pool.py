"""Pools as `zpool list -Hp` reports them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """One imported pool. Sizes are bytes; an unavailable pool reports none of them."""

    name: str
    guid: int
    size: int | None = None
    allocated: int | None = None
    free: int | None = None
    capacity: int | None = None
    """Percent in use."""
    health: str = "ONLINE"
    """ONLINE DEGRADED FAULTED OFFLINE REMOVED UNAVAIL SUSPENDED, or a word of a newer OpenZFS."""
    readonly: bool = False

    @property
    def is_healthy(self) -> bool:
        """Whether what is on it can be looked at."""
        return self.health in ("ONLINE", "DEGRADED")

    @property
    def takes_writes(self) -> bool:
        """Whether a change can be asked of it at all."""
        return self.is_healthy and not self.readonly
