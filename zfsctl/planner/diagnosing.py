"""All that `doctor` can tell from facts: what is left over, what was set aside, and who else is at work."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo

from zfsctl.model.diagnosis import Diagnosis, SetAside
from zfsctl.model.facts import Facts
from zfsctl.model.finding import Finding
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.asides import asides_on
from zfsctl.planner.controllers import controllers_on
from zfsctl.planner.leaks import Known, leaks_on
from zfsctl.planner.pairing import Tree
from zfsctl.planner.replicating import Replicating
from zfsctl.planner.selection import Selection


def diagnose(
    facts: Facts,
    hosts: Collection[str],
    *,
    policy: PolicyFile,
    trees: tuple[Tree, ...],
    replicating: Replicating,
    selection: Selection,
    zone: tzinfo,
    now: int,
) -> Diagnosis:
    """What is found on `hosts`.

    Of one whose listing is not complete only the copies that were set aside are told: what was not listed is not
    known to be missing.

    Args:
        facts: Of these hosts, the chains of all their datasets included, and of those at the other ends of `trees`.
        hosts: By name, those to tell of.
        policy: The policy file.
        trees: What it copies from and to these hosts.
        replicating: What the next run would do about them.
        selection: The datasets that its rules are about.
        zone: The time zone of its schedules.
        now: When this is, epoch seconds.
    """
    known = Known(policy, trees, replicating.links, replicating.steps)
    findings: list[Finding] = []
    asides: list[SetAside] = []
    for host in (facts.hosts[name] for name in hosts):
        asides += asides_on(host, replicating.links)
        if host.complete:
            findings += leaks_on(host, known)
            findings += controllers_on(host, policy, selection.datasets, zone=zone)
    return Diagnosis(now, tuple(hosts), tuple(findings), tuple(asides))
