"""Look for what is left over, and let go of a copy that a repair set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from zfsctl.errors import ExitCode
from zfsctl.executor.collect_chains import ChainRequest
from zfsctl.model.diagnosis import Diagnosis
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding
from zfsctl.model.names import LOCAL, pool_of
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.planning import chained, no_garbage_collection, zone_of
from zfsctl.operations.session import Chained, Session, Wanted
from zfsctl.planner.consent import Consent
from zfsctl.planner.diagnosing import diagnose
from zfsctl.planner.pairing import Tree, hosts_of, trees_of, with_an_end_on
from zfsctl.planner.receiving import adopts_of
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
    chains = chained(trees) | {host: Chained(_all_datasets, _all_chains) for host in hosts}
    wanted = {} if locking is None else {host: locking(host) for host in hosts}
    with no_garbage_collection():
        facts = session.collect(wanted, chains)
        selection = select_datasets(policy, facts)
        now = session.clock()
        replicating = plan_replicating(
            trees,
            facts,
            policy=policy,
            adopts=adopts_of(policy, selection.datasets),
            sends=lambda _: True,
            consent=Consent(now, tuple(session.journal.approvals(now))),
        )
    return DoctorsView(facts, tuple(hosts), trees, selection, replicating)


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


def _all_datasets(facts: HostFacts) -> Sequence[str]:
    return tuple(facts.datasets)


def _all_chains(facts: HostFacts) -> ChainRequest:
    return ChainRequest(tuple(facts.datasets), marked=tuple(dict.fromkeys(pool_of(name) for name in facts.datasets)))
