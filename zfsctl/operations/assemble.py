"""Put the parts of a plan together: identity, validity, and what the hosts could not tell."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import stamp
from zfsctl.model.plan import Plan, PlannedDataset, Step
from zfsctl.model.verdicts import Decision

VALID_SECONDS = 3600
"""How long a plan may be applied unless --valid says otherwise."""


def assemble_plan(
    command: str,
    facts: Facts,
    *,
    now: int,
    datasets: Sequence[PlannedDataset] = (),
    decisions: Sequence[Decision] = (),
    steps: Sequence[Step] = (),
    findings: Iterable[Finding] = (),
    approvals: Sequence[ApprovalRequest] = (),
) -> Plan:
    """The plan of a command, its findings headed by what is wrong with the hosts, each told once."""
    fingerprint = fingerprint_of_facts(facts)
    identity = hashlib.sha256(f"{command} {now} {fingerprint} {steps!r}".encode("utf-8", "surrogateescape"))
    return Plan(
        id=f"{stamp(now)}-{identity.hexdigest()[:8]}",
        command=command,
        created_at=now,
        valid_until=now + VALID_SECONDS,
        fingerprint=fingerprint,
        datasets=tuple(datasets),
        decisions=tuple(decisions),
        steps=tuple(steps),
        findings=tuple(dict.fromkeys((*host_findings(facts), *findings))),
        approvals=tuple(approvals),
    )


def host_findings(facts: Facts) -> tuple[Finding, ...]:
    """One finding for each host that could not be reached, or each reason why its listing is not complete."""
    return tuple(finding for host in facts.hosts.values() for finding in _about(host))


def _about(host: HostFacts) -> Iterable[Finding]:
    for problem in host.problems:
        if host.reached:
            message = f"{host.host}: nothing is destroyed there, its listing is not complete: {problem}"
            yield Finding(Severity.CRITICAL, "incomplete", host.host, "", message, f"zfsctl status --host {host.host}")
        else:
            code = host.unreachable_code or "unreachable"
            yield Finding(Severity.CRITICAL, code, host.host, "", problem, f"zfsctl config check --host {host.host}")


def fingerprint_of_facts(facts: Facts) -> str:
    """A digest of every dataset and snapshot guid that was seen; recorded, never decided by."""
    digest = hashlib.sha256()
    for name in sorted(facts.hosts):
        host = facts.hosts[name]
        digest.update(f"{name}\n".encode())
        for dataset in host.datasets.values():
            guids = " ".join([str(snapshot.guid) for snapshot in host.snapshots.get(dataset.name, ())])
            digest.update(f"{dataset.guid} {guids}\n".encode())
    return digest.hexdigest()[:16]
