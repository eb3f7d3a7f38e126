"""Which dataset of which host is copied where, and what has to be read for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zfsctl.model.facts import HostFacts
from zfsctl.model.names import REPAIR_MARK, is_at_or_below
from zfsctl.model.policy import PolicyFile
from zfsctl.model.repair import aside_name, home_of, parse_repair_mark
from zfsctl.model.replication import Replication
from zfsctl.planner.matching import made_by_us, selects_host, tree_order


@dataclass(frozen=True, slots=True)
class Tree:
    """One replication from one host: a tree of datasets and where it arrives."""

    replication: Replication
    sender_host: str
    sender: str
    receiver_host: str
    receiver: str

    def receiver_of(self, dataset: str) -> str:
        """Where a dataset of the sender's tree arrives."""
        return f"{self.receiver}{dataset[len(self.sender) :]}"

    def sender_of(self, dataset: str) -> str:
        """Where a dataset of the receiver's tree came from."""
        return f"{self.sender}{dataset[len(self.receiver) :]}"


@dataclass(frozen=True, slots=True)
class Pair:
    """One dataset and its copy, by name; either may not exist."""

    tree: Tree
    sender: str
    receiver: str

    @property
    def replication(self) -> Replication:
        """The replication that it belongs to."""
        return self.tree.replication

    def __str__(self) -> str:
        return f"{self.tree.sender_host}:{self.sender} → {self.tree.receiver_host}:{self.receiver}"


def trees_of(policy: PolicyFile, only: Sequence[str] | None = None) -> tuple[Tree, ...]:
    """Every tree that the policy copies, in its order; with `only` those of the replications of these names."""
    return tuple(
        Tree(
            replication,
            host,
            replication.sender.dataset,
            replication.receiver_host,
            replication.receiver_for(host),
        )
        for replication in policy.replications
        if only is None or replication.name in only
        for host in policy.hosts
        if selects_host(replication.sender, host)
    )


def hosts_of(trees: Iterable[Tree]) -> tuple[str, ...]:
    """Every host at an end of `trees`, each once."""
    return tuple(dict.fromkeys(host for tree in trees for host in (tree.sender_host, tree.receiver_host)))


def with_an_end_on(trees: Iterable[Tree], hosts: Collection[str]) -> tuple[Tree, ...]:
    """Those of `trees` that are sent from or arrive on one of `hosts`."""
    return tuple(tree for tree in trees if tree.sender_host in hosts or tree.receiver_host in hosts)


def upstream_first(trees: Sequence[Tree]) -> tuple[Tree, ...]:
    """The same trees, each after those that bring what it sends; otherwise in their order."""
    arriving: dict[str, list[Tree]] = {}
    for tree in trees:
        arriving.setdefault(tree.receiver_host, []).append(tree)
    done: dict[tuple[str, str, str], Tree] = {}

    def visit(tree: Tree, waiting: frozenset[tuple[str, str, str]]) -> None:
        key = (tree.replication.name, tree.sender_host, tree.sender)
        if key in done or key in waiting:
            return
        for other in arriving.get(tree.sender_host, ()):
            if is_at_or_below(tree.sender, other.receiver) or is_at_or_below(other.receiver, tree.sender):
                visit(other, waiting | {key})
        done[key] = tree

    for tree in trees:
        visit(tree, frozenset())
    return tuple(done.values())


def pairs_of(tree: Tree, facts: Mapping[str, HostFacts]) -> tuple[Pair, ...]:
    """The datasets of a tree with their copies, parents first; what exists at one end only is a pair too.

    Where one end is not known in full, what the other has is listed all the same.
    """
    names: dict[str, None] = {tree.sender: None}
    sender, receiver = facts.get(tree.sender_host), facts.get(tree.receiver_host)
    if sender is not None:
        names.update(dict.fromkeys(_tree_on(sender, tree.sender)))
    if receiver is not None:
        for name in (*_tree_on(receiver, tree.receiver), *_torn_from(receiver, tree.receiver)):
            names[tree.sender_of(name)] = None
    return tuple(Pair(tree, name, tree.receiver_of(name)) for name in sorted(names, key=tree_order))


def wanted_by_trees(trees: Sequence[Tree], host: str) -> Callable[[HostFacts], Sequence[str]]:
    """A function that, given the datasets of `host`, names those that take part in `trees` at either end."""
    roots = _roots(trees, host)

    def wanted(facts: HostFacts) -> Sequence[str]:
        found: dict[str, None] = {}
        for root in roots:
            found.update(dict.fromkeys(_tree_on(facts, root)))
        for root in receivers_on(trees, host):
            found.update(dict.fromkeys(_built_for(facts, root)))
        return list(found)

    return wanted


def receivers_on(trees: Iterable[Tree], host: str) -> tuple[str, ...]:
    """The roots of the trees that arrive on `host`."""
    return tuple(dict.fromkeys(tree.receiver for tree in trees if tree.receiver_host == host))


def senders_on(trees: Iterable[Tree], host: str) -> tuple[str, ...]:
    """The roots of the trees that are sent from `host`."""
    return tuple(dict.fromkeys(tree.sender for tree in trees if tree.sender_host == host))


def _roots(trees: Sequence[Tree], host: str) -> tuple[str, ...]:
    ends = [
        *((tree.sender_host, tree.sender) for tree in trees),
        *((tree.receiver_host, tree.receiver) for tree in trees),
    ]
    return tuple(dict.fromkeys(name for where, name in ends if where == host))


def _torn_from(host: HostFacts, root: str) -> Iterator[str]:
    """The receivers of a tree in whose place nothing is, because their swap was cut off between its two renames."""
    for name in _built_for(host, root):
        mark = parse_repair_mark(host.chains.marks.get(name, {}).get(REPAIR_MARK, ""))
        home = home_of(name)
        if mark is not None and home not in host.datasets and aside_name(home, mark.stamp) in host.datasets:
            yield home


def _built_for(host: HostFacts, root: str) -> list[str]:
    """What repairs are building for the receivers of a tree."""
    return [name for name in host.datasets if (home := home_of(name)) != name and is_at_or_below(home, root)]


def _tree_on(host: HostFacts, root: str) -> list[str]:
    outside = made_by_us(host)
    return [name for name in host.datasets if is_at_or_below(name, root) and not outside(name)]
