"""Look for what is left over, and let go of a copy that a repair set aside."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from zfsctl.errors import (
    ExitCode,
    HostCommandError,
    LockedError,
    RefusedError,
    UnknownNameError,
    UnreachableError,
    UsageError,
)
from zfsctl.model.diagnosis import Diagnosis, SetAside
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding
from zfsctl.model.names import LOCAL, is_at_or_below, pool_of, split_host
from zfsctl.model.plan import Plan, PlannedDataset
from zfsctl.operations.assemble import assemble_plan, host_findings
from zfsctl.operations.planning import EVERYTHING, chained, no_garbage_collection, zone_of
from zfsctl.operations.session import Session, Wanted
from zfsctl.planner.asides import asides_on
from zfsctl.planner.consent import Consent
from zfsctl.planner.diagnosing import diagnose
from zfsctl.planner.naming import hosts_of_selection
from zfsctl.planner.pairing import Tree, hosts_of, trees_of, with_an_end_on
from zfsctl.planner.receiving import adopts_of
from zfsctl.planner.releasing import plan_release
from zfsctl.planner.replicating import Replicating, plan_replicating
from zfsctl.planner.selection import Selection, hosts_in_use, select_datasets

_HOST_CODES = {
    "unreachable": ExitCode.UNREACHABLE,
    "authentication": ExitCode.UNREACHABLE,
    "host-key": ExitCode.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class DoctorsView:
    """Everything on some hosts, and what the next run would do about their replications."""

    facts: Facts
    hosts: tuple[str, ...]
    trees: tuple[Tree, ...]
    selection: Selection
    replicating: Replicating


def examine(session: Session) -> Diagnosis:
    """Look at every host of the policy, or only at those named by --host.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    policy = session.policy
    used = {*hosts_in_use(policy), *hosts_of(trees_of(policy))}
    # What a replication left behind that is gone may lie where nothing is done any more. This machine is always in the
    # policy, and need not have ZFS at all.
    view = view_of(session, session.host_names([name for name in policy.hosts if name in used or name != LOCAL]))
    found = diagnose(
        view.facts,
        view.hosts,
        policy=policy,
        trees=view.trees,
        replicating=view.replicating,
        selection=view.selection,
        zone=zone_of(session),
        now=session.clock(),
    )
    here = Facts({name: view.facts.hosts[name] for name in view.hosts})
    findings = (*host_findings(here), *session.findings, *found.findings)
    return replace(found, findings=tuple(dict.fromkeys(findings)))


def view_of(session: Session, hosts: Sequence[str], *, locking: Callable[[str], Wanted] | None = None) -> DoctorsView:
    """Read everything of `hosts`, and the other ends of their replications.

    Args:
        session: Where from.
        hosts: By name.
        locking: Given a host, the datasets whose pools are to be locked first, where this command acts.
    """
    policy = session.policy
    trees = with_an_end_on(trees_of(policy), hosts)
    chains = chained(trees) | dict.fromkeys(hosts, EVERYTHING)
    wanted = {} if locking is None else {host: locking(host) for host in hosts}
    with no_garbage_collection():
        facts = session.collect(wanted, chains)
        selection = select_datasets(policy, facts)
        now = session.clock()
        replicating = plan_replicating(
            trees,
            facts,
            policy=policy,
            adopts=adopts_of(policy),
            sends=lambda _: True,
            consent=Consent(now, tuple(session.journal.approvals(now))),
        )
    return DoctorsView(facts, tuple(hosts), trees, selection, replicating)


def plan_doctor_release(session: Session, text: str) -> Plan:
    """Let go of the copy that `text`, [HOST:]DATASET, names.

    Raises:
        UsageError: It names no dataset of a host that is asked, or one that is no copy that zfsctl set aside.
        UnknownNameError: Nothing carries that name, or the policy has no such host.
        UnreachableError: Its host did not answer.
        RefusedError: Something speaks against letting it go.
        LockedError: Another run is at work on its pool.
    """
    host, name = _named(session, text)

    def around(_: str) -> Wanted:
        return lambda facts: [one for one in facts.datasets if is_at_or_below(one, name)]

    view = view_of(session, (host,), locking=around)
    facts = view.facts.hosts[host]
    if (host, pool_of(name)) in session.locks.busy:
        raise LockedError(
            f"{text}: not released, another run is at work on {host}:{pool_of(name)}",
            why="two runs never change one pool at the same time",
            hint="zfsctl history",
            where=text,
        )
    aside = _aside_called(facts, name, asides_on(facts, view.replicating.links), text)
    if aside.obstacles:
        raise RefusedError(
            f"{text}: not released, it stays", why="; ".join(aside.obstacles[:3]), hint="zfsctl doctor", where=text
        )
    if aside.after:
        raise RefusedError(
            f"{text}: not released, {aside.after[0]} has to go first",
            why="that one is a clone of a snapshot of it, or lies below it",
            hint=f"zfsctl doctor --release {shlex.quote(f'{host}:{aside.after[0]}')}",
            where=text,
        )
    return assemble_plan(
        "doctor --release",
        Facts({host: facts}),
        now=session.clock(),
        datasets=[PlannedDataset(host, name, "", aside.snapshots, guid=facts.datasets[name].guid)],
        steps=plan_release(facts, aside),
        findings=session.findings,
    )


def _named(session: Session, text: str) -> tuple[str, str]:
    (*hosts,) = hosts_of_selection((text,), session.policy)
    name = split_host(text)[1]
    chosen = session.host_names(hosts)
    if len(hosts) > 1 or "*" in name or not chosen:
        raise UsageError(
            f"{text}: not released, one copy on one host goes at a time",
            why="it has a wildcard" if chosen else "--host names another one",
            hint="zfsctl doctor",
            where=text,
        )
    return chosen[0], name


def _aside_called(host: HostFacts, name: str, known: Sequence[SetAside], text: str) -> SetAside:
    found = next((one for one in known if one.dataset == name), None)
    if found is not None:
        return found
    if not host.reached:
        raise UnreachableError(f"{text}: not released", why=host.problems[0], where=host.host)
    if name in host.datasets:
        raise UsageError(
            f"{text}: not released, it is no copy that a repair set aside",
            why="such a one is called NAME.zfsctl-aside-STAMP",
            hint="zfsctl doctor",
            where=text,
        )
    if not host.complete:
        raise HostCommandError(f"{text}: not released, it was not listed", why=host.problems[0], where=text)
    near = get_close_matches(name, [one.dataset for one in known], n=1)
    raise UnknownNameError(
        f"{text}: not released, there is no such dataset on {host.host}",
        hint=f"did you mean {host.host}:{near[0]}?" if near else "zfsctl doctor",
        where=text,
    )


def exit_code_of_diagnosis(found: Diagnosis) -> ExitCode:
    """6 where something was found; where hosts could not be looked at in full, what they have in common, else 3."""
    failed: dict[str, ExitCode] = {}
    others: list[Finding] = []
    for finding in found.findings:
        if finding.code in ("incomplete", "timeout", *_HOST_CODES):
            failed[finding.host] = _HOST_CODES.get(finding.code, ExitCode.FAILED)
        else:
            others.append(finding)
    if failed:
        codes = set(failed.values())
        alone = len(failed) == len(found.hosts) and len(codes) == 1 and not others
        return codes.pop() if alone else ExitCode.PARTIAL
    return ExitCode.FOUND_WRONG if found.found_something else ExitCode.DONE
