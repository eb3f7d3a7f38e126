"""Status as JSON, both ways: `status --cached` reads what a command kept earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding, finding_from_document
from zfsctl.documents.history import document_of_run, run_from_document
from zfsctl.documents.replication_status import document_of_replication, replication_from_document
from zfsctl.model.pool import Pool
from zfsctl.model.status import DatasetStatus, Health, HostStatus, Status

if TYPE_CHECKING:
    from zfsctl.documents.view_types import DatasetStatusDocument, HostStatusDocument, PoolDocument, StatusDocument


def document_of_status(status: Status) -> StatusDocument:
    """The data of a `zfsctl.status/1` document."""
    return {
        "at": status.generated_at,
        "health": status.health.value,
        "hosts": [_host(host) for host in status.hosts],
        "datasets": [_dataset(dataset) for dataset in status.datasets],
        "replications": [document_of_replication(replication) for replication in status.replications],
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


def status_from_document(document: StatusDocument) -> Status:
    """The status that `document` was made from.

    Raises:
        ValueError: It is no such document, or one of a version that this program does not know.
    """
    try:
        run = document["last_run"]
        return Status(
            generated_at=document["at"],
            hosts=tuple(_host_from(host) for host in document["hosts"]),
            datasets=tuple(_dataset_from(dataset) for dataset in document["datasets"]),
            last_run=None if run is None else run_from_document(run),
            approvals_waiting=document["approvals_waiting"],
            findings=tuple(finding_from_document(finding) for finding in document["findings"]),
            replications=tuple(replication_from_document(one) for one in document.get("replications", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no status: {error!r}") from error


def _host_from(document: HostStatusDocument) -> HostStatus:
    return HostStatus(
        host=document["host"],
        health=Health(document["health"]),
        why=document["why"],
        version=document["version"],
        pools=tuple(_pool_from(pool) for pool in document["pools"]),
    )


def _pool_from(document: PoolDocument) -> Pool:
    return Pool(
        name=document["name"],
        guid=int(document["guid"]),
        size=document["size"],
        allocated=document["allocated"],
        free=document["free"],
        capacity=document["capacity"],
        health=document["health"],
        readonly=document["readonly"],
    )


def _dataset_from(document: DatasetStatusDocument) -> DatasetStatus:
    return DatasetStatus(
        host=document["host"],
        dataset=document["dataset"],
        policy=document["policy"],
        health=Health(document["health"]),
        why=document["why"],
        newest=document["newest"],
        newest_at=document["newest_at"],
        next_due=document["next_due"],
        scheduled=document["scheduled"],
        manual=document["manual"],
        foreign=document["foreign"],
        used_by_snapshots=document["used_by_snapshots"],
    )
