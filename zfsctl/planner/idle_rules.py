"""What the policy file says without any effect on the datasets that are there."""

from __future__ import annotations

from collections.abc import Iterator

from zfsctl.model.facts import Facts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.policy import DatasetRule, Pattern, PolicyFile
from zfsctl.planner.matching import made_by_us, selects, selects_host
from zfsctl.planner.selection import Selection, excludes_host


def idle_findings(policy: PolicyFile, facts: Facts, selection: Selection) -> tuple[Finding, ...]:
    """A warning for each rule that no dataset follows, and for each exclusion that excludes nothing.

    Both are judged only where all hosts that the rule is about answered in full. A rule of which a pattern selects
    nothing is left to `Selection.findings`.
    """
    followed = {one.rule.where for one in selection.datasets if one.rule is not None}
    unmatched = {one.rule.where for one in selection.unmatched}
    return tuple(
        finding
        for rule in policy.rules
        if rule.where not in unmatched and _is_known(rule, policy, facts)
        for finding in (
            *([] if rule.where in followed else [_not_followed(rule)]),
            *_idle_exclusions(rule, facts),
        )
    )


def _is_known(rule: DatasetRule, policy: PolicyFile, facts: Facts) -> bool:
    hosts = [name for name in policy.hosts if any(selects_host(pattern, name) for pattern in rule.select)]
    known = (facts.hosts.get(name) for name in hosts)
    return all(host is not None and host.complete and not host.unseen_pools for host in known)


def _not_followed(rule: DatasetRule) -> Finding:
    message = f"{rule.where}: no dataset follows it, all that it selects are excluded or follow a more precise rule"
    return Finding(Severity.WARNING, "no-effect", "", "", message, "remove it, or make it more precise")


def _idle_exclusions(rule: DatasetRule, facts: Facts) -> Iterator[Finding]:
    selected = [
        (host.host, name)
        for host in facts.hosts.values()
        if (patterns := [pattern for pattern in rule.select if selects_host(pattern, host.host)])
        for outside in (made_by_us(host),)
        for name in host.datasets
        if not outside(name) and any(selects(pattern.dataset, name) for pattern in patterns)
    ]
    for number, exclude in enumerate(rule.exclude, 1):
        if not any(_excludes(exclude, host, name) for host, name in selected):
            message = f'{rule.where}.exclude[{number}]: "{exclude.text}" excludes nothing that this rule selects'
            yield Finding(Severity.WARNING, "no-effect", "", "", message, "zfs list -t filesystem,volume")


def _excludes(exclude: Pattern, host: str, dataset: str) -> bool:
    return excludes_host(exclude, host) and selects(exclude.dataset, dataset)
