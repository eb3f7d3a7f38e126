"""Scrubs and trims over simulated time: what is done by an instant follows from when they were started."""

from __future__ import annotations

from dataclasses import dataclass

SCRUB_RATE = 200 << 20
"""Bytes a second."""
TRIM_RATE = 2 << 30
"""Bytes a second."""


@dataclass(slots=True)
class Scan:
    """The last scrub or resilver of a pool; OpenZFS remembers one only."""

    function: str
    """scrub or resilver."""
    started: int
    """Epoch seconds."""
    to_examine: int
    """Bytes."""
    paused_at: int | None = None
    paused_seconds: int = 0
    canceled_at: int | None = None
    errors: int = 0
    repaired: int = 0

    @property
    def duration(self) -> int:
        """Seconds of work from beginning to end."""
        return max(1, -(-self.to_examine // SCRUB_RATE))

    def worked(self, now: int) -> int:
        """Seconds of work done by `now`."""
        until = min(now, self.paused_at if self.paused_at is not None else now)
        if self.canceled_at is not None:
            until = min(until, self.canceled_at)
        return max(0, min(self.duration, until - self.started - self.paused_seconds))

    def finished_at(self, now: int) -> int | None:
        """When it ended by itself, None if it had not by `now`."""
        if self.canceled_at is not None or self.worked(now) < self.duration:
            return None
        return self.started + self.paused_seconds + self.duration

    def running(self, now: int) -> bool:
        """Whether it is at work or paused."""
        return self.canceled_at is None and self.finished_at(now) is None

    def pause(self, now: int) -> None:
        """Stop working until `resume`."""
        self.paused_at = now

    def resume(self, now: int) -> None:
        """Go on after `pause`."""
        if self.paused_at is not None:
            self.paused_seconds += max(0, now - self.paused_at)
            self.paused_at = None


@dataclass(slots=True)
class Trim:
    """The last trim of all devices of a pool."""

    started: int
    size: int
    """Bytes to be looked at."""
    suspended_at: int | None = None
    canceled: bool = False

    @property
    def duration(self) -> int:
        """Seconds from beginning to end."""
        return max(1, -(-self.size // TRIM_RATE))

    def percent(self, now: int) -> int:
        """How much is done."""
        until = now if self.suspended_at is None else self.suspended_at
        return min(100, 100 * max(0, until - self.started) // self.duration)
