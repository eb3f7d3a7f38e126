"""A plan that was saved: read the facts again, and leave out of it what is stale."""

from __future__ import annotations

from dataclasses import replace

from zfsctl.errors import StaleError
from zfsctl.model.facts import HostFacts
from zfsctl.model.names import stamp
from zfsctl.model.plan import DestroySnapshots, Plan, RunHook, Step, datasets_of
from zfsctl.model.transfer import Transfer
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.planning import Scene, joined, prune_scene
from zfsctl.operations.session import Session, Wanted, unknown_host
from zfsctl.planner.saved import check_saved_steps
from zfsctl.planner.selection import restrict, select_datasets

MOST_AHEAD_SECONDS = 300
"""A plan dated further ahead of this clock was made by another clock."""


def check_saved_plan(session: Session, saved: Plan) -> Plan:
    """The same plan without what is stale, its findings those of now.

    Raises:
        StaleError: It is no longer valid, or nothing of it is left.
        UnknownNameError: The policy does not have one of its hosts.
        LockedError: Another run is at work on all of it.
    """
    _check_validity(saved, session.clock())
    named: dict[str, set[str]] = {}
    for step in saved.steps:
        named.setdefault(step.host, set())
        if not isinstance(step, RunHook):
            for host, name in (*datasets_of(step), *_origins_of(step)):
                named.setdefault(host, set()).add(name)
    for host in named:
        if host not in session.policy.hosts:
            raise unknown_host(host, session.policy)
    hosts = session.host_names(tuple(named))
    facts = session.collect({host: _listing(frozenset(named[host])) for host in hosts})
    places = [
        (host, facts.hosts[host].datasets[name])
        for host in hosts
        for name in sorted(named[host])
        if name in facts.hosts[host].datasets
    ]
    scene = Scene(facts, restrict(select_datasets(session.policy, facts), places))
    pruning = prune_scene(session, scene)
    checked = check_saved_steps(saved, facts, pruning.decisions, policy=session.policy)
    if saved.steps and not checked.steps:
        raise StaleError(
            f"{saved.id}: nothing was applied, nothing of the plan is left",
            why="; ".join(finding.message for finding in checked.findings[:3]),
            hint=f"zfsctl {saved.command} --dry-run",
            where=saved.id,
        )
    pruned = {(step.host, step.dataset) for step in checked.steps if isinstance(step, DestroySnapshots)}
    datasets = [
        planned if (planned.host, planned.dataset) in pruned else replace(planned, rules="")
        for planned in pruning.datasets
    ]
    return replace(
        saved,
        datasets=joined([replace(planned, rules="") for planned in saved.datasets], datasets),
        steps=checked.steps,
        findings=(*host_findings(facts), *session.findings, *checked.findings),
        approvals=(),
    )


def _origins_of(step: Step) -> list[tuple[str, str]]:
    """The datasets that a clone is sent on top of."""
    if not isinstance(step, Transfer):
        return []
    sources = [send.source.partition("@") for send in step.sends if not send.source.startswith("#")]
    return [(step.sender_host, dataset) for dataset, _, _ in sources if dataset]


def _listing(names: frozenset[str]) -> Wanted:
    def wanted(facts: HostFacts) -> list[str]:
        return [name for name in facts.datasets if name in names]

    return wanted


def _check_validity(saved: Plan, now: int) -> None:
    if now >= saved.valid_until:
        raise StaleError(
            f"{saved.id}: nothing was applied, the plan is too old",
            why=f"it was valid until {stamp(saved.valid_until)}, and now is {stamp(now)}",
            hint=f"zfsctl {saved.command} --dry-run --out PLAN.json",
            where=saved.id,
        )
    if saved.created_at > now + MOST_AHEAD_SECONDS:
        raise StaleError(
            f"{saved.id}: nothing was applied, the plan is dated in the future",
            why=f"it was made at {stamp(saved.created_at)}, and now is {stamp(now)}",
            hint=f"zfsctl {saved.command} --dry-run --out PLAN.json",
            where=saved.id,
        )
