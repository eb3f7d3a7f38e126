"""How replications stand, in the words of operators: per pair, and for all pairs of one replication together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.link_state import LinkState


class LinkHealth(StrEnum):
    """How a pair stands. Values are part of the JSON and only ever added."""

    HEALTHY = "healthy"
    """What the receiver lacks is younger than warn_after."""
    AWAY = "away"
    """The receiver's pool is unplugged, for no longer than the policy allows."""
    REPAIRING = "repairing"
    """A repair is half done."""
    WARNING = "warning"
    """What the receiver lacks is older than warn_after, there is no copy yet, or the next run repairs the chain."""
    UNKNOWN = "unknown"
    """One end could not be looked at."""
    TAKEN_OVER = "taken-over"
    """The receiver is in use, so nothing is sent."""
    BROKEN = "broken"
    """What the receiver lacks is older than max_delay, or than warn_after without any copy, or a person must act."""


_WORST_FIRST = (
    LinkHealth.BROKEN,
    LinkHealth.TAKEN_OVER,
    LinkHealth.UNKNOWN,
    LinkHealth.WARNING,
    LinkHealth.REPAIRING,
    LinkHealth.AWAY,
)


@dataclass(frozen=True, slots=True)
class PairStatus:
    """One dataset and its copy."""

    sender_host: str
    sender: str
    receiver_host: str
    receiver: str
    health: LinkHealth
    state: LinkState
    why: str
    """Empty when all is well and nothing waits."""
    lag: int | None
    """Age in seconds, by the sender's clock, of the oldest snapshot that is to be sent and was not received; 0 when
    there is none, None when it is not known."""
    waiting: int
    """Snapshots that the receiver lacks, as far as is known."""
    base: str | None
    """The newest that both ends know: `@name` on the receiver, or `#name`, the sender's own note of it, where the
    receiver is not known. None if there is none."""
    base_at: int | None
    """When it was taken, epoch seconds."""
    next: str
    """What comes next, or what a person can do."""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What tells it from the other pairs of a replication."""
        return (self.sender_host, self.sender, self.receiver_host, self.receiver)


@dataclass(frozen=True, slots=True)
class ReplicationStatus:
    """All pairs of one replication."""

    name: str
    warn_after: int
    """Seconds of lag until it is a warning."""
    max_delay: int
    """Seconds of lag until it is broken."""
    pairs: tuple[PairStatus, ...]

    @property
    def health(self) -> LinkHealth:
        """The worst of its pairs."""
        seen = {pair.health for pair in self.pairs}
        return next((health for health in _WORST_FIRST if health in seen), LinkHealth.HEALTHY)

    @property
    def lag(self) -> int | None:
        """The largest that is known; None when none is."""
        return max((pair.lag for pair in self.pairs if pair.lag is not None), default=None)

    def count(self, health: LinkHealth) -> int:
        """How many pairs stand so."""
        return sum(pair.health is health for pair in self.pairs)

    @property
    def worst_first(self) -> tuple[PairStatus, ...]:
        """The pairs, the worst ahead, otherwise in their order."""
        order = {health: place for place, health in enumerate((*_WORST_FIRST, LinkHealth.HEALTHY))}
        return tuple(sorted(self.pairs, key=lambda pair: order[pair.health]))
