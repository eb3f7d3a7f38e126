"""What a run does about each pair: the streams it sends and the anchors it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding
from zfsctl.model.lineage import Lineage, LinkState
from zfsctl.model.names import is_at_or_below
from zfsctl.model.plan import PlannedDataset, Step
from zfsctl.model.policy import PolicyFile
from zfsctl.model.repair import SwapDatasets
from zfsctl.model.replication import Chosen
from zfsctl.model.transfer import Transfer
from zfsctl.model.verdicts import Reason, Rule
from zfsctl.planner.anchoring import Anchors, anchor, anchor_in_flight
from zfsctl.planner.consent import NOBODY_SAID_ANYTHING, Consent
from zfsctl.planner.draft import Draft
from zfsctl.planner.lineage import End, lineage
from zfsctl.planner.link_findings import too_late
from zfsctl.planner.links import Link
from zfsctl.planner.ownership import Owners, Standing
from zfsctl.planner.pairing import Pair, Tree, pairs_of, upstream_first
from zfsctl.planner.planned import takers, with_planned
from zfsctl.planner.repairing import begun_repair, end_of
from zfsctl.planner.streams import is_raw_chain
from zfsctl.planner.tree_plan import TreePlan


@dataclass(frozen=True, slots=True)
class Replicating:
    """A part of a plan, and what the other parts need to know of replication."""

    datasets: tuple[PlannedDataset, ...] = ()
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    links: tuple[Link, ...] = ()
    anchors: Mapping[tuple[str, str], Mapping[int, Reason]] = field(default_factory=dict)
    """What no prune may take, by host and dataset, and then by guid."""
    approvals: tuple[ApprovalRequest, ...] = ()
    """Repairs that wait for a person."""


Adopts = Callable[[str, str], Sequence[str]]
"""The adopt globs of a dataset, by host and name."""


def plan_replicating(
    trees: Iterable[Tree],
    facts: Facts,
    *,
    policy: PolicyFile,
    adopts: Adopts,
    sends: Callable[[str], bool],
    taking: Sequence[Step] = (),
    consent: Consent = NOBODY_SAID_ANYTHING,
) -> Replicating:
    """Plan every pair of `trees`.

    Args:
        trees: What is copied where.
        facts: What the hosts at all ends said, their chains included.
        policy: The policy file, for the prefix of our names.
        adopts: Which foreign snapshots count as owned.
        taking: Steps of the same plan that take snapshots, which are sent too.
        consent: What a person has said about repairs.
        sends: Whether steps are wanted for the replication of a name; without them only how things stand.
    """
    trees = tuple(trees)
    draft = Draft(with_planned(facts, taking), policy, takers=takers(taking), consent=consent)
    stand = _Stand(draft, adopts, trees)
    links: list[Link] = []
    for tree in upstream_first(trees):
        found = stand.links(tree)
        links += [link for link, _, _ in found]
        sent: set[str] = set()
        if sends(tree.replication.name):
            begun = len(draft.steps)
            TreePlan(draft, tree, stand.relate).plan(found)
            senders = {sender.name: sender for _, sender, _ in found}
            for step in draft.steps[begun:]:
                if isinstance(step, Transfer):
                    sent.add(step.sender)
                    anchor_in_flight(stand.anchors, senders[step.sender], step)
                elif isinstance(step, SwapDatasets):
                    draft.replaced.add((step.host, step.dataset))
        for pair in stand.late:
            if pair.tree == tree and pair.sender not in sent:
                draft.findings[too_late(pair)] = None
    return Replicating(
        tuple(draft.datasets),
        tuple(draft.steps),
        tuple(draft.findings),
        tuple(links),
        stand.anchors.reasons,
        tuple(draft.requests),
    )


@dataclass(frozen=True, slots=True)
class _Stand:
    """How the pairs of a plan stand, and what no prune may take because of that."""

    draft: Draft
    adopts: Adopts
    trees: Sequence[Tree]
    anchors: Anchors = field(default_factory=Anchors)
    late: list[Pair] = field(default_factory=list)
    """Whose sender has something that has waited for longer than it is kept."""

    def links(self, tree: Tree) -> list[tuple[Link, End, End]]:
        """The pairs of a tree, parents first."""
        found: list[tuple[Link, End, End]] = []
        moving: list[str] = []
        for pair in pairs_of(tree, self.draft.facts.hosts):
            above = next((name for name in moving if is_at_or_below(pair.receiver, name)), "")
            link = self._link(pair, f"it comes home with {above}" if above else "")
            found.append(link)
            begun = link[0].begun
            if begun is not None and (begun.is_home or begun.receiver not in link[2].host.datasets):
                moving.append(pair.receiver)
        return found

    def relate(self, pair: Pair, sender: End, receiver: End, repair: str = "", *, comes_home: bool = False) -> Lineage:
        """How two datasets stand to each other by the rules of a pair."""
        return lineage(
            sender,
            receiver,
            is_candidate=self._is_candidate(pair),
            may_be_away=pair.replication.away is not None,
            is_raw=is_raw_chain(sender, receiver),
            repair=repair,
            comes_home=comes_home,
            is_received=any(
                other.receiver_host == pair.tree.sender_host and is_at_or_below(pair.sender, other.receiver)
                for other in self.trees
            ),
        )

    def _link(self, pair: Pair, moving: str) -> tuple[Link, End, End]:
        tree = pair.tree
        sender = End(self._host(tree.sender_host), pair.sender)
        receiver = End(self._host(tree.receiver_host), pair.receiver)
        begun = None if moving else begun_repair(pair.replication.name, receiver.host, receiver.name)
        found = self.relate(
            pair,
            sender,
            receiver,
            repair=moving or (begun.why if begun is not None else ""),
            comes_home=begun is not None and begun.comes_home(receiver.host),
        )
        chain = receiver
        if begun is not None and found.state is LinkState.REPAIRING:
            chain = end_of(receiver.host, begun)
            inner = self.relate(pair, sender, chain)
            found = replace(found, base=inner.base, waiting=inner.waiting, token=inner.token)
            why = Reason(Rule.UNKNOWN, f"{pair.replication.name}: nothing goes while its repair is half done")
            self.anchors.keep(receiver, receiver.snapshots, why)
        candidates = tuple(filter(self._is_candidate(pair), sender.snapshots))
        late = anchor(
            self.anchors,
            pair.replication.name,
            sender,
            chain,
            found,
            candidates=candidates,
            pending_limit=pair.replication.pending_limit,
            now=self.draft.consent.now or sender.host.clock,
        )
        if late:
            self.late.append(pair)
        return Link(pair, found, sender, receiver, candidates, begun), sender, receiver

    def _host(self, name: str) -> HostFacts:
        known = self.draft.facts.hosts.get(name)
        return known if known is not None else HostFacts(name, 0, problems=(f"{name} was not asked",), reached=False)

    def _is_candidate(self, pair: Pair) -> Callable[[Snapshot], bool]:
        if pair.replication.snapshots is Chosen.ALL:
            return lambda _: True
        owners = Owners(self.draft.policy.prefix, self.adopts(pair.tree.sender_host, pair.sender))
        return lambda one: owners.standing(one.name) is not Standing.FOREIGN
