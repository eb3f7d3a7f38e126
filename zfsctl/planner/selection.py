"""Which rule of the policy file each dataset follows, and what a selection on the command line means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from zfsctl.errors import ConfigError
from zfsctl.model.dataset import Dataset
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import LOCAL
from zfsctl.model.policy import DatasetRule, Pattern, Policy, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.planner.matching import (
    ANY_HOST,
    host_matches,
    literal_prefix,
    made_by_us,
    matches,
    selects,
    selects_host,
    tree_order,
)
from zfsctl.planner.naming import hosts_of_selection, resolve_selection, wanted_by_selection
from zfsctl.planner.pool_findings import no_writes

__all__ = [
    "Selected",
    "Selection",
    "Unmatched",
    "excludes_host",
    "hosts_in_use",
    "hosts_of_selection",
    "resolve_selection",
    "restrict",
    "rule_of",
    "select_datasets",
    "wanted_by_selection",
    "wanted_snapshots",
]


RuleOnHost = tuple[DatasetRule, Sequence[Pattern], Sequence[Pattern]]


@dataclass(frozen=True, slots=True)
class Selected:
    """A dataset, and the one rule of the policy file that it follows."""

    host: str
    dataset: Dataset
    rule: DatasetRule | None
    """None for a dataset that was named on the command line and that no rule is about."""
    policy: Policy | None
    """None where the rule says "none", or without a rule: no snapshot is taken by schedule or pruned by rules."""
    adopt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A pattern that selects nothing on a host that answered in full, or is about no host at all."""

    rule: DatasetRule
    pattern: Pattern
    host: str
    """The host's name; the host pattern itself where no host of the policy has such a name."""
    near: str = ""
    """The pattern that was probably meant, empty where nothing is near."""

    @property
    def where(self) -> str:
        """File and key path."""
        return f"{self.rule.where}.select[{self.rule.select.index(self.pattern) + 1}]"

    def __str__(self) -> str:
        return f'{self.where}: "{self.pattern.text}" selects nothing on {self.host}'

    @property
    def hint(self) -> str:
        """The nearest that would select something, empty where nothing is near."""
        return f"did you mean {self.near}?" if self.near else ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Every dataset that a rule is about, by host and name, and the patterns that select nothing."""

    datasets: tuple[Selected, ...]
    unmatched: tuple[Unmatched, ...] = ()
    unseen: tuple[tuple[str, Pool], ...] = ()
    """Host and pool where a rule may be about datasets that could not be listed."""

    def findings(self, hosts: Collection[str], *, hint: str = "zfsctl config check") -> tuple[Finding, ...]:
        """One for each pattern that selects nothing on one of `hosts`, or anywhere where no host is named; and one for
        each pool there that was not looked into.
        """
        sick = tuple(no_writes(host, pool) for host, pool in self.unseen if not hosts or host in hosts)
        return sick + tuple(
            Finding(
                Severity.CRITICAL,
                "no-match",
                one.host,
                "",
                str(one),
                one.hint or hint,
            )
            for one in self.unmatched
            if not hosts or one.host in hosts
        )


def select_datasets(policy: PolicyFile, facts: Facts) -> Selection:
    """The rule of every dataset: of all rules that select and do not exclude it, the one with the longest literal
    prefix before the first wildcard; between prefixes of datasets that are alike, that of the host decides.

    A pattern selects its dataset and all below, and so does an exclusion. A dataset that its most precise rule
    excludes follows the next one. What zfsctl made for itself is outside every selection.

    Raises:
        ConfigError: Two rules fit one dataset equally well.
    """
    selected: list[Selected] = []
    unmatched: list[Unmatched] = []
    unseen: list[tuple[str, Pool]] = []
    for name in sorted(facts.hosts):
        host = facts.hosts[name]
        selected.extend(_select_on(policy, host))
        unseen.extend((name, pool) for pool in host.unseen_pools if _is_wanted(policy, name, pool))
        if host.complete:
            unmatched.extend(_unmatched_on(policy, host))
    unmatched.extend(
        Unmatched(rule, pattern, pattern.host)
        for rule in policy.rules
        for pattern in rule.select
        if not any(selects_host(pattern, known) for known in policy.hosts)
    )
    return Selection(tuple(selected), tuple(unmatched), tuple(unseen))


def wanted_snapshots(policy: PolicyFile, host: str) -> Callable[[HostFacts], Sequence[str]]:
    """A function that, given the datasets of `host`, names those whose snapshots the policy needs.

    It raises ConfigError where two rules fit one dataset equally well.
    """

    def wanted(facts: HostFacts) -> Sequence[str]:
        if facts.host != host:
            raise ValueError(f"asked about {host}, given the datasets of {facts.host}")
        return [one.dataset.name for one in _select_on(policy, facts) if one.policy is not None]

    return wanted


def rule_of(rules: Iterable[DatasetRule], host: str, dataset: str) -> DatasetRule | None:
    """The rule that a dataset of this name follows on `host`, whether or not it is there; None without one.

    Raises:
        ConfigError: Two rules fit it equally well.
    """
    return _rule_of(host, dataset, _rules_on(rules, host))


def hosts_in_use(policy: PolicyFile) -> tuple[str, ...]:
    """The hosts that a rule with a policy is about, in the order of the policy file."""
    return tuple(
        name
        for name in policy.hosts
        if any(
            selects_host(pattern, name) for rule in policy.rules if rule.policy is not None for pattern in rule.select
        )
    )


def restrict(selection: Selection, places: Iterable[tuple[str, Dataset]]) -> tuple[Selected, ...]:
    """For each place its entry in `selection`; one without rule and policy where no rule is about it."""
    known = {(one.host, one.dataset.name): one for one in selection.datasets}
    return tuple(known.get((host, dataset.name)) or Selected(host, dataset, None, None) for host, dataset in places)


def _select_on(policy: PolicyFile, host: HostFacts) -> list[Selected]:
    rules = _rules_on(policy.rules, host.host)
    if not rules:
        return []
    outside = made_by_us(host)
    found: list[Selected] = []
    for name in sorted(host.datasets, key=tree_order):
        if outside(name):
            continue
        rule = _rule_of(host.host, name, rules)
        if rule is None:
            continue
        by = policy.policies[rule.policy] if rule.policy is not None else None
        found.append(Selected(host.host, host.datasets[name], rule, by, rule.adopt if by is not None else ()))
    return found


def _rules_on(rules: Iterable[DatasetRule], host: str) -> list[RuleOnHost]:
    """The rules that are about a host, each with what of its `select` and `exclude` is."""
    return [
        (rule, patterns, [pattern for pattern in rule.exclude if excludes_host(pattern, host)])
        for rule in rules
        if (patterns := [pattern for pattern in rule.select if selects_host(pattern, host)])
    ]


def _rule_of(host: str, name: str, rules: Iterable[RuleOnHost]) -> DatasetRule | None:
    """The one rule of a dataset, None if no rule is about it."""
    best: tuple[tuple[int, int, int], DatasetRule, Pattern] | None = None
    tie: tuple[DatasetRule, Pattern] | None = None
    for rule, patterns, exclusions in rules:
        fitting = [pattern for pattern in patterns if selects(pattern.dataset, name)]
        if not fitting or any(selects(pattern.dataset, name) for pattern in exclusions):
            continue
        pattern = max(fitting, key=_precision)
        precision = _precision(pattern)
        if best is None or precision > best[0]:
            best, tie = (precision, rule, pattern), None
        elif precision == best[0]:
            tie = (rule, pattern)
    if best is None:
        return None
    if tie is not None:
        _, rule, pattern = best
        raise ConfigError(
            f"{host}:{name}: two rules fit it equally well, so nothing was done",
            why=f'{rule.where} selects "{pattern.text}", {tie[0].where} selects "{tie[1].text}"',
            hint="make one of the two more precise, or exclude the dataset in one of them",
            where=f"{rule.where}, {tie[0].where}",
        )
    return best[1]


def _precision(pattern: Pattern) -> tuple[int, int, int]:
    """The dataset's literal prefix decides, then a host named in full, then the host's literal prefix."""
    host = pattern.host or LOCAL
    return (len(literal_prefix(pattern.dataset)), int("*" not in host), len(literal_prefix(host)))


def excludes_host(pattern: Pattern, host: str) -> bool:
    """Whether an `exclude` entry is about `host`; one without a host is about every host."""
    return host_matches(pattern.host or ANY_HOST, host)


def _unmatched_on(policy: PolicyFile, host: HostFacts) -> Iterable[Unmatched]:
    outside = made_by_us(host)
    names = [name for name in host.datasets if not outside(name)]
    for rule in policy.rules:
        for pattern in rule.select:
            if (
                selects_host(pattern, host.host)
                and not any(selects(pattern.dataset, name) for name in names)
                and not any(_may_be_on(pattern, pool) for pool in host.unseen_pools)
            ):
                yield Unmatched(rule, pattern, host.host, _nearest(pattern, names))


def _nearest(pattern: Pattern, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = [] if "*" in pattern.dataset else get_close_matches(pattern.dataset, names, n=1)
    return f"{pattern.text.removesuffix(pattern.dataset)}{near[0]}" if near else ""


def _is_wanted(policy: PolicyFile, host: str, pool: Pool) -> bool:
    return any(
        selects_host(pattern, host) and _may_be_on(pattern, pool) for rule in policy.rules for pattern in rule.select
    )


def _may_be_on(pattern: Pattern, pool: Pool) -> bool:
    return matches(pattern.dataset.partition("/")[0], pool.name)
