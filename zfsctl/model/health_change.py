"""When the health of a replication, or of one pair of it, became another."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.link_state import LinkState
from zfsctl.model.names import Place
from zfsctl.model.replication_status import LinkHealth


@dataclass(frozen=True, slots=True)
class HealthChange:
    """One change as it was seen."""

    at: int
    """When it was seen, epoch seconds; it happened since the time before that somebody looked."""
    replication: str
    sender: Place | None
    """None for the replication as a whole."""
    receiver: Place | None
    """None for the replication as a whole."""
    old: LinkHealth | None
    """None where it was seen for the first time."""
    new: LinkHealth
    state: LinkState | None
    """None for the replication as a whole."""
    lag: int | None
    """Seconds; None when it was not known."""
    why: str
