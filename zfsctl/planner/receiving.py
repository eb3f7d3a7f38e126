"""What a receiver's snapshots are kept by, and that nobody takes snapshots of its own there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from zfsctl.model.facts import Facts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import is_at_or_below
from zfsctl.model.policy import Policy, PolicyFile
from zfsctl.planner.pairing import Tree, pairs_of, trees_of
from zfsctl.planner.selection import Selected, rule_of

Adopts = Callable[[str, str], Sequence[str]]
"""The adopt globs of a dataset, by host and name."""


def receivers_of(
    trees: Sequence[Tree], facts: Facts, selected: Iterable[Selected], adopts: Adopts
) -> tuple[tuple[Selected, ...], tuple[Finding, ...]]:
    """Every dataset of `selected`, and every receiver besides with the rules that its snapshots are kept by.

    These are the `keep` of its replication, else the policy of a rule that selects the receiver itself (where that says
    none, nothing goes), else the policy of its sender. A receiver that a rule with a schedule selects gets no snapshots
    of its own: the schedule is left out, and a finding says so.
    """
    by_place = {(one.host, one.dataset.name): one for one in selected}
    findings: list[Finding] = []
    for tree in trees:
        host = facts.hosts.get(tree.receiver_host)
        if host is None:
            continue
        scheduled = ""
        for pair in pairs_of(tree, facts.hosts):
            dataset = host.datasets.get(pair.receiver)
            if dataset is None:
                continue
            own = by_place.get((tree.receiver_host, pair.receiver))
            sender = by_place.get((tree.sender_host, pair.sender))
            if own is not None and own.policy is not None and own.policy.schedule is not None:
                scheduled = scheduled or pair.receiver
            policy = _kept_by(tree, own, sender)
            adopt = tuple(adopts(tree.receiver_host, pair.receiver))
            rule = own.rule if own is not None and (policy is not None or says_none(own)) else None
            by_place[tree.receiver_host, pair.receiver] = Selected(tree.receiver_host, dataset, rule, policy, adopt)
        if scheduled:
            findings.append(_scheduled(tree, scheduled))
    return tuple(by_place.values()), tuple(findings)


def is_receiver(trees: Sequence[Tree]) -> Callable[[str, str], bool]:
    """A function that tells of a host and a dataset whether it is a receiver."""
    roots = [(tree.receiver_host, tree.receiver) for tree in trees]
    return lambda host, name: any(host == where and is_at_or_below(name, root) for where, root in roots)


def adopts_of(policy: PolicyFile) -> Adopts:
    """What counts as owned on a dataset besides our own names: what its rule adopts, and what arrives as owned.

    Names alone decide, so that it holds for hosts that nobody asked, too.
    """
    trees = trees_of(policy)
    known: dict[tuple[str, str], tuple[str, ...]] = {}

    def adopts(host: str, name: str) -> tuple[str, ...]:
        if (host, name) not in known:
            rule = rule_of(policy.rules, host, name)
            found = dict.fromkeys(rule.adopt if rule is not None and rule.policy is not None else ())
            for tree in trees:
                if tree.receiver_host == host and is_at_or_below(name, tree.receiver):
                    found.update(dict.fromkeys(adopts(tree.sender_host, tree.sender_of(name))))
            known[host, name] = tuple(found)
        return known[host, name]

    return adopts


def _kept_by(tree: Tree, own: Selected | None, sender: Selected | None) -> Policy | None:
    replication = tree.replication
    if replication.keep:
        return Policy(name=f"{replication.name} (receiver)", keep=replication.keep)
    if own is not None and says_none(own):
        return None
    for one in (own, sender):
        if one is not None and one.policy is not None:
            return Policy(name=one.policy.name, keep=one.policy.keep)
    return None


def says_none(one: Selected) -> bool:
    """Whether a rule says that no policy is about it."""
    return one.rule is not None and one.policy is None


def _scheduled(tree: Tree, dataset: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "receiver-snapshots",
        tree.receiver_host,
        dataset,
        f"{tree.receiver_host}:{dataset}: no snapshot is taken there, it is a receiver of {tree.replication.name}",
        "zfsctl config check",
    )
