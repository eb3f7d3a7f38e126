"""A plan that was saved: read the facts again, and leave out of it what is stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zfsctl.errors import StaleError
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.names import stamp
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, Plan, Step, datasets_of
from zfsctl.model.transfer import MoveAnchors, Transfer
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.planning import EVERYTHING, Scene, chained, joined, prune_scene, replicate_scene
from zfsctl.operations.session import Session, Wanted, unknown_host
from zfsctl.planner.pairing import trees_of, with_an_end_on
from zfsctl.planner.receiving import adopts_of, receivers_of
from zfsctl.planner.saved import check_saved_steps
from zfsctl.planner.selection import restrict, select_datasets

MOST_AHEAD_SECONDS = 300
"""A plan dated further ahead of this clock was made by another clock."""


_CHANGE_A_POOL = CreateSnapshots | DestroySnapshots | DestroyDataset
"""Steps that need the lock of their pool."""


def check_saved_plan(session: Session, saved: Plan) -> Plan:
    """The same plan without what is stale, its findings those of now.

    Raises:
        StaleError: It is no longer valid, or nothing of it is left.
        UnknownNameError: The policy does not have one of its hosts.
        LockedError: Another run is at work on all of it.
    """
    _check_validity(saved, session.clock())
    scene, hosts = _scene_of_steps(session, saved.steps)
    standing = replicate_scene(session, scene, sends=False)
    pruning = prune_scene(session, scene, standing)
    chosen = Facts({host: scene.facts.hosts[host] for host in hosts})
    checked = check_saved_steps(saved, chosen, pruning.decisions, policy=session.policy, links=standing.links)
    if saved.steps and not checked.steps:
        raise StaleError(
            f"{saved.id}: nothing was applied, nothing of the plan is left",
            why="; ".join(finding.message for finding in checked.findings[:3]),
            hint=f"zfsctl {saved.command} --dry-run",
            where=saved.id,
        )
    pruned = {(step.host, step.dataset) for step in checked.steps if isinstance(step, DestroySnapshots)}
    receivers = {(planned.host, planned.dataset): planned.receivers for planned in saved.datasets}
    datasets = [
        replace(
            planned,
            receivers=receivers.get((planned.host, planned.dataset), planned.receivers),
            rules=planned.rules if (planned.host, planned.dataset) in pruned else "",
        )
        for planned in pruning.datasets
    ]
    return replace(
        saved,
        datasets=joined([replace(planned, rules="") for planned in saved.datasets], datasets),
        steps=checked.steps,
        findings=(*host_findings(scene.facts), *session.findings, *checked.findings),
        approvals=(),
    )


def _scene_of_steps(session: Session, steps: Sequence[Step]) -> tuple[Scene, tuple[str, ...]]:
    """What is snapshotted or pruned by `steps`, and their hosts as far as --host chooses them.

    Both ends of every replication of those hosts are read too: for what is sent, and for what no prune may take.
    """
    policy = session.policy
    named: dict[str, set[str]] = {}
    for step in steps:
        here = {name for _, name in datasets_of(step)} if isinstance(step, _CHANGE_A_POOL) else ()
        named.setdefault(step.host, set()).update(here)
        if isinstance(step, Transfer | MoveAnchors):
            named.setdefault(step.sender_host, set())
    for host in named:
        if host not in policy.hosts:
            raise unknown_host(host, policy)
    hosts = session.host_names(tuple(named))
    trees = with_an_end_on(trees_of(policy), hosts)
    # What a copy that was set aside may still be needed for is seen only where everything on its host is.
    released = {(step.host, step.dataset) for step in steps if isinstance(step, DestroyDataset)}
    chains = chained(trees) | dict.fromkeys((host for host, _ in released if host in hosts), EVERYTHING)
    facts = session.collect({host: _listing(frozenset(named[host])) for host in hosts}, chains)
    places = [
        (host, facts.hosts[host].datasets[name])
        for host in hosts
        for name in sorted(named[host])
        if name in facts.hosts[host].datasets and (host, name) not in released
    ]
    rules = select_datasets(policy, facts)
    selected, _ = receivers_of(trees, facts, rules.datasets, adopts_of(policy))
    return Scene(facts, restrict(replace(rules, datasets=selected), places), (), trees, rules.datasets), hosts


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
