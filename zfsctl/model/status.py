"""How things stand, per host and dataset."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.finding import Finding, Severity
from zfsctl.model.history import RunRecord
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import LinkHealth, ReplicationStatus


class Health(StrEnum):
    """The words of monitoring, worst last but one; UNKNOWN when it could not be looked at."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host."""

    host: str
    health: Health
    why: str
    version: str
    pools: tuple[Pool, ...]


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """The snapshots of one dataset under a policy."""

    host: str
    dataset: str
    policy: str
    health: Health
    why: str
    """Empty when all is well."""
    newest: str | None
    """Short name of the newest scheduled snapshot of ours; None if there is none."""
    newest_at: int | None
    next_due: int | None
    """None without a schedule; not after now when it is due."""
    scheduled: int
    """Snapshots of ours taken by schedule."""
    manual: int
    foreign: int
    used_by_snapshots: int
    """Bytes, as OpenZFS sums them (usedbysnapshots)."""


_OF_FINDING = {
    Severity.INFO: Health.OK,
    Severity.WARNING: Health.WARNING,
    Severity.CRITICAL: Health.CRITICAL,
}


_OF_LINK = {
    LinkHealth.HEALTHY: Health.OK,
    LinkHealth.AWAY: Health.OK,
    LinkHealth.REPAIRING: Health.WARNING,
    LinkHealth.WARNING: Health.WARNING,
    LinkHealth.UNKNOWN: Health.UNKNOWN,
    LinkHealth.TAKEN_OVER: Health.CRITICAL,
    LinkHealth.BROKEN: Health.CRITICAL,
}


def level_of(health: LinkHealth) -> Health:
    """The health of a pair or a replication in the words of monitoring."""
    return _OF_LINK[health]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one glance."""

    generated_at: int
    hosts: tuple[HostStatus, ...]
    datasets: tuple[DatasetStatus, ...]
    last_run: RunRecord | None
    approvals_waiting: int
    findings: tuple[Finding, ...]
    replications: tuple[ReplicationStatus, ...] = ()

    @property
    def health(self) -> Health:
        """The worst of all parts: critical over unknown over warning over ok."""
        order = (Health.CRITICAL, Health.UNKNOWN, Health.WARNING)
        seen = {host.health for host in self.hosts} | {dataset.health for dataset in self.datasets}
        seen.update(level_of(replication.health) for replication in self.replications)
        seen.update(_OF_FINDING[finding.severity] for finding in self.findings)
        return next((health for health in order if health in seen), Health.OK)
