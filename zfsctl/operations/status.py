"""How things stand: now, or as they were when hosts were last asked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from zfsctl.documents.status import document_of_status
from zfsctl.errors import StateError
from zfsctl.model.approval import REPAIR
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.history import RunState
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import ReplicationStatus
from zfsctl.model.status import Health, HostStatus, Status
from zfsctl.operations.names_cache import save_names
from zfsctl.operations.planning import chained, consent_of, no_garbage_collection, zone_of
from zfsctl.operations.session import Session
from zfsctl.planner.guards import MASS_DESTROY
from zfsctl.planner.health import dataset_status
from zfsctl.planner.pairing import hosts_of, trees_of, with_an_end_on
from zfsctl.planner.receiving import adopts_of, is_receiver
from zfsctl.planner.replicating import plan_replicating
from zfsctl.planner.replication_health import replication_statuses
from zfsctl.planner.selection import Selected, hosts_in_use, select_datasets, wanted_snapshots
from zfsctl.planner.wording import counted


def status(session: Session) -> Status:
    """Ask every host in use, and keep the answer for `--cached`.

    With --host only that one is told of, and the replications with an end there, for which the other end is asked too.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    facts = ask(session)
    seen = status_of_facts(session, facts)
    if not session.options.hosts:
        keep_status(session, seen)
    save_names(session, facts)
    return seen


def ask(session: Session) -> Facts:
    """What the hosts of a status say.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    hosts = _hosts(session)
    session.trees = with_an_end_on(trees_of(session.policy), hosts)
    wanted = {host: wanted_snapshots(session.policy, host) for host in hosts}
    return session.collect(wanted, chained(session.trees))


def status_of_facts(session: Session, facts: Facts) -> Status:
    """How things stand by these facts and the journal; replications as far as the facts are about them."""
    policy = session.policy
    zone = zone_of(session)
    selection = select_datasets(policy, facts)
    told = frozenset(_hosts(session))
    receives = is_receiver(trees_of(policy))
    journal = session.journal
    runs = journal.runs(50)
    looked_at = next((run.started_at for run in runs if _took_snapshots(run.command, run.state)), None)
    waiting = [
        approval
        for approval in journal.approvals(session.clock())
        if approval.status == "waiting" and approval.request.kind in (MASS_DESTROY, REPAIR)
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
                f"{counted(len(waiting), 'request')} to destroy or to repair must be answered by a person",
                "zfsctl approvals",
            )
        )
    if last_run is not None and last_run.state not in (RunState.DONE, RunState.RUNNING):
        message = f"the last run, {last_run.id}, ended {last_run.state}"
        findings.append(Finding(Severity.WARNING, "last-run", "", "", message, f"zfsctl history {last_run.id}"))
    return Status(
        generated_at=session.clock(),
        hosts=tuple(_host(host) for host in facts.hosts.values() if host.host in told),
        datasets=tuple(
            dataset_status(
                _unscheduled(one) if receives(one.host, one.dataset.name) else one,
                facts.hosts[one.host],
                prefix=policy.prefix,
                zone=zone,
                looked_at=looked_at,
            )
            for one in selection.datasets
            if one.policy is not None and one.host in told
        ),
        last_run=last_run,
        approvals_waiting=len(waiting),
        findings=tuple(findings),
        replications=replications_of_facts(session, facts),
    )


def replications_of_facts(session: Session, facts: Facts) -> tuple[ReplicationStatus, ...]:
    """How the replications stand whose ends these facts are about, by the plan that a run would make."""
    with no_garbage_collection():
        planned = plan_replicating(
            session.trees,
            facts,
            policy=session.policy,
            adopts=adopts_of(session.policy),
            sends=lambda _: True,
            consent=consent_of(session),
        )
        return replication_statuses(session.trees, planned.links, planned.findings)


def _hosts(session: Session) -> tuple[str, ...]:
    """Every host that a rule or a replication is about, or of these those named by --host."""
    policy = session.policy
    return session.host_names(tuple(dict.fromkeys((*hosts_in_use(policy), *hosts_of(trees_of(policy))))))


def _unscheduled(received: Selected) -> Selected:
    """No snapshot is taken of what is received, so none is ever late."""
    policy = received.policy
    return received if policy is None else replace(received, policy=replace(policy, schedule=None))


def keep_status(session: Session, seen: Status) -> None:
    """Keep an answer for `--cached`, and how replications stand for their history.

    A state file that cannot be written loses nothing else.
    """
    from zfsctl.state.journal import open_journal

    with contextlib.suppress(StateError), open_journal(session.paths.state_file) as journal:
        journal.save_status(json.dumps(document_of_status(seen)), seen.generated_at)
        journal.note_health(seen.replications, seen.generated_at)


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
