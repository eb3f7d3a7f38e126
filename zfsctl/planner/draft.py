"""A plan of replications as it grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.facts import Facts
from zfsctl.model.finding import Finding
from zfsctl.model.plan import PlannedDataset, Step
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.consent import Consent


@dataclass(slots=True)
class Draft:
    """What the trees of a plan share while they are planned one after another."""

    facts: Facts
    policy: PolicyFile
    datasets: list[PlannedDataset] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    findings: dict[Finding, None] = field(default_factory=dict)
    promised: dict[tuple[str, str], int] = field(default_factory=dict)
    """By host and pool, the bytes that first copies of this plan will take."""
    takers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By host and dataset, the id of the step that takes a snapshot which is sent too."""
    consent: Consent = field(default_factory=Consent)
    requests: dict[ApprovalRequest, None] = field(default_factory=dict)
    """What waits for a person."""
    replaced: set[tuple[str, str]] = field(default_factory=set)
    """By host and name, the receivers in whose place this plan puts another dataset."""
    number: int = 0

    def next_id(self, kind: str) -> str:
        """An id that no other step of the plan has."""
        self.number += 1
        return f"{kind}-{self.number}"
