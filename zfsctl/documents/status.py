"""Status as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.history import document_of_run
from zfsctl.documents.plan import document_of_finding
from zfsctl.model.pool import Pool
from zfsctl.model.status import DatasetStatus, HostStatus, Status

if TYPE_CHECKING:
    from zfsctl.documents.types import DatasetStatusDocument, HostStatusDocument, PoolDocument, StatusDocument


def document_of_status(status: Status) -> StatusDocument:
    """The data of a `zfsctl.status/1` document."""
    return {
        "at": status.generated_at,
        "health": status.health.value,
        "hosts": [_host(host) for host in status.hosts],
        "datasets": [_dataset(dataset) for dataset in status.datasets],
        "last_run": None if status.last_run is None else document_of_run(status.last_run),
        "approvals_waiting": status.approvals_waiting,
        "findings": [document_of_finding(finding) for finding in status.findings],
        "errors": [],
    }


def _host(host: HostStatus) -> HostStatusDocument:
    return {
        "host": host.host,
        "health": host.health.value,
        "why": host.why,
        "version": host.version,
        "pools": [_pool(pool) for pool in host.pools],
    }


def _pool(pool: Pool) -> PoolDocument:
    return {
        "name": pool.name,
        "guid": str(pool.guid),
        "size": pool.size,
        "allocated": pool.allocated,
        "free": pool.free,
        "capacity": pool.capacity,
        "health": pool.health,
        "readonly": pool.readonly,
    }


def _dataset(dataset: DatasetStatus) -> DatasetStatusDocument:
    return {
        "host": dataset.host,
        "dataset": dataset.dataset,
        "policy": dataset.policy,
        "health": dataset.health.value,
        "why": dataset.why,
        "newest": dataset.newest,
        "newest_at": dataset.newest_at,
        "next_due": dataset.next_due,
        "scheduled": dataset.scheduled,
        "manual": dataset.manual,
        "foreign": dataset.foreign,
        "used_by_snapshots": dataset.used_by_snapshots,
    }
