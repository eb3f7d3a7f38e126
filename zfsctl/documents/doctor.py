"""What `doctor` found, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.documents.findings import document_of_finding
from zfsctl.model.diagnosis import Diagnosis, SetAside

if TYPE_CHECKING:
    from zfsctl.documents.view_types import DoctorDocument, SetAsideDocument


def document_of_diagnosis(found: Diagnosis) -> DoctorDocument:
    """The data of a `zfsctl.doctor/1` document."""
    return {
        "at": found.at,
        "hosts": list(found.hosts),
        "findings": [document_of_finding(finding) for finding in found.findings],
        "asides": [_aside(one) for one in found.asides],
        "errors": [],
    }


def _aside(one: SetAside) -> SetAsideDocument:
    return {
        "host": one.host,
        "dataset": one.dataset,
        "home": one.home,
        "replication": one.replication,
        "since": one.since,
        "datasets": list(one.datasets),
        "snapshots": one.snapshots,
        "used": one.used,
        "written": one.written,
        "obstacles": list(one.obstacles),
        "after": list(one.after),
    }
