"""What `doctor` sees: what is left over, and the copies that were set aside."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.finding import Finding


@dataclass(frozen=True, slots=True)
class SetAside:
    """A former receiver that a repair set aside, with all that lies below it."""

    host: str
    dataset: str
    home: str
    """The receiver that took its place, by name."""
    replication: str
    """Whose repair set it aside; empty where no mark says so."""
    since: int
    """When its repair was planned, epoch seconds."""
    datasets: tuple[str, ...]
    """Itself and all below it, deepest first."""
    snapshots: int
    used: int
    """Bytes that become free when it goes, by OpenZFS's own `used`."""
    written: int
    """Bytes that are in no snapshot of it."""
    obstacles: tuple[str, ...] = ()
    """Why it may not go, whatever goes before."""
    after: tuple[str, ...] = ()
    """Copies that have to go before it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found on the hosts that were looked at."""

    at: int
    hosts: tuple[str, ...]
    findings: tuple[Finding, ...]
    asides: tuple[SetAside, ...]
    """In an order in which they can go."""

    @property
    def found_something(self) -> bool:
        """Whether there is anything to be told."""
        return bool(self.findings or self.asides)
