"""How things stand: now, or as they were when hosts were last asked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator

from zfsctl.documents.status import document_of_status
from zfsctl.errors import StateError
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.history import RunState
from zfsctl.model.pool import Pool
from zfsctl.model.status import Health, HostStatus, Status
from zfsctl.operations.names_cache import save_names
from zfsctl.operations.planning import zone_of
from zfsctl.operations.session import Session
from zfsctl.planner.guards import MASS_DESTROY
from zfsctl.planner.health import dataset_status
from zfsctl.planner.selection import hosts_in_use, select_datasets, wanted_snapshots


def status(session: Session) -> Status:
    """Ask every host in use, and keep the answer for `--cached`.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    policy = session.policy
    hosts = session.host_names(hosts_in_use(policy))
    facts = session.collect({host: wanted_snapshots(policy, host) for host in hosts})
    seen = status_of_facts(session, facts)
    if not session.options.hosts:
        keep_status(session, seen)
    save_names(session, facts)
    return seen


def status_of_facts(session: Session, facts: Facts) -> Status:
    """How things stand by these facts and the journal."""
    policy = session.policy
    zone = zone_of(session)
    selection = select_datasets(policy, facts)
    journal = session.journal
    runs = journal.runs(50)
    looked_at = next((run.started_at for run in runs if _took_snapshots(run.command, run.state)), None)
    waiting = [
        approval
        for approval in journal.approvals(session.clock())
        if approval.status == "waiting" and approval.request.kind == MASS_DESTROY
    ]
    last_run = runs[0] if runs else None
    findings = [*session.findings, *selection.findings(session.options.hosts)]
    if waiting:
        findings.append(
            Finding(
                Severity.WARNING,
                "approvals",
                "",
                "",
                f"{len(waiting)} request{'s' if len(waiting) > 1 else ''} for destroys wait for a person",
                "zfsctl approvals",
            )
        )
    if last_run is not None and last_run.state in (RunState.FAILED, RunState.PARTIAL, RunState.INTERRUPTED):
        message = f"the last run, {last_run.id}, ended {last_run.state}"
        findings.append(Finding(Severity.WARNING, "last-run", "", "", message, f"zfsctl history {last_run.id}"))
    return Status(
        generated_at=session.clock(),
        hosts=tuple(_host(host) for host in facts.hosts.values()),
        datasets=tuple(
            dataset_status(one, facts.hosts[one.host], prefix=policy.prefix, zone=zone, looked_at=looked_at)
            for one in selection.datasets
            if one.policy is not None
        ),
        last_run=last_run,
        approvals_waiting=len(waiting),
        findings=tuple(findings),
    )


def keep_status(session: Session, seen: Status) -> None:
    """Keep an answer for `--cached`. A state file that cannot be written loses nothing else."""
    from zfsctl.state.journal import open_journal

    with contextlib.suppress(StateError), open_journal(session.paths.state_file) as journal:
        journal.save_status(json.dumps(document_of_status(seen)), seen.generated_at)


def _took_snapshots(command: str, state: RunState) -> bool:
    """Whether a run looked for what is due, and did it."""
    whole = command == "run" or (command.startswith("run --only") and "snapshot" in command)
    return whole and state in (RunState.DONE, RunState.PARTIAL)


def _host(host: HostFacts) -> HostStatus:
    worst = list(_troubles(host))
    health = next(
        (level for level in (Health.UNKNOWN, Health.CRITICAL, Health.WARNING) if level in dict(worst)), Health.OK
    )
    why = "; ".join(text for level, text in worst if level is health)
    return HostStatus(host.host, health, why, host.version, host.pools)


def _troubles(host: HostFacts) -> Iterator[tuple[Health, str]]:
    for problem in host.problems:
        yield Health.UNKNOWN, problem
    yield from _pool_troubles(host.pools)


def _pool_troubles(pools: Iterable[Pool]) -> Iterator[tuple[Health, str]]:
    for pool in pools:
        if pool.health == "DEGRADED":
            yield Health.WARNING, f"pool {pool.name} is DEGRADED"
        elif pool.health != "ONLINE":
            yield Health.CRITICAL, f"pool {pool.name} is {pool.health}"
        elif pool.readonly:
            yield Health.WARNING, f"pool {pool.name} is imported read-only"
