"""What the planning verbs share: reading the facts that a selection needs, and joining the parts of a plan."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from zfsctl.errors import ConfigError
from zfsctl.executor.collect_chains import ChainRequest
from zfsctl.executor.collect_waiting import Waiting, collect_waiting
from zfsctl.executor.estimate import collect_frees
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import pool_of
from zfsctl.model.plan import DestroySnapshots, Plan, PlannedDataset, RunHook, Step
from zfsctl.model.transfer import REPLICATION_LOCK
from zfsctl.operations.session import Chained, Session, Wanted
from zfsctl.planner.consent import NOBODY_SAID_ANYTHING, Consent
from zfsctl.planner.naming import hosts_of_selection, resolve_selection, wanted_by_selection
from zfsctl.planner.pairing import Tree, hosts_of, receivers_on, senders_on, trees_of, wanted_by_trees, with_an_end_on
from zfsctl.planner.pruning import Pruning, plan_pruning
from zfsctl.planner.receiving import adopts_of, is_receiver, receivers_of
from zfsctl.planner.replicating import Replicating, plan_replicating
from zfsctl.planner.selection import (
    Selected,
    Selection,
    hosts_in_use,
    restrict,
    select_datasets,
    wanted_snapshots,
)
from zfsctl.planner.unread import unread_hosts, waiting_of


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb plans from: the facts just read and the datasets that it is about."""

    facts: Facts
    selected: tuple[Selected, ...]
    findings: tuple[Finding, ...] = ()
    trees: tuple[Tree, ...] = ()
    """What is copied from or to the hosts of the scene."""
    rules: tuple[Selected, ...] = ()
    """Every dataset that a rule is about."""


def zone_of(session: Session) -> ZoneInfo:
    """The time zone of the policy."""
    return ZoneInfo(session.policy.timezone)


def scene_of_policy(session: Session, *, with_chains: bool = True) -> Scene:
    """Everything that the policy is about.

    Args:
        session: Where from.
        with_chains: Whether the receivers and what rests on them matter; not for taking snapshots.

    Raises:
        ConfigError: No rule selects anything, on hosts that all answered.
        UnknownNameError: --host names a host that the policy does not have.
    """
    policy = session.policy
    everywhere = trees_of(policy) if with_chains else ()
    hosts = session.host_names(tuple(dict.fromkeys((*hosts_in_use(policy), *hosts_of(everywhere)))))
    trees = with_an_end_on(everywhere, hosts)
    with no_garbage_collection():
        facts = session.collect(
            {host: _with_receivers(wanted_snapshots(policy, host), trees, host) for host in hosts},
            chained(trees),
        )
        selection = select_datasets(policy, facts)
    if facts.complete and not selection.datasets and not trees:
        raise _selects_nothing(session, facts, selection)
    selected, findings = receivers_of(trees, facts, selection.datasets, adopts_of(policy))
    here = tuple(one for one in selected if one.host in hosts)
    return Scene(facts, here, (*selection.findings(session.options.hosts), *findings), trees, selection.datasets)


def scene_of_replications(session: Session, names: Sequence[str], *, evidence: bool = False) -> Scene:
    """Both ends of the replications of these names. No pool is locked for that.

    Args:
        session: Where from.
        names: Of the replications.
        evidence: Whether all that both ends have is to be read, and not just what a plan needs.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    policy = session.policy
    everywhere = trees_of(policy, names)
    hosts = session.host_names(hosts_of(everywhere))
    trees = with_an_end_on(everywhere, hosts)
    with no_garbage_collection():
        facts = session.collect({}, chained(trees)) if evidence else _facts_of_replications(session, trees)
        rules = select_datasets(policy, facts)
    return Scene(facts, (), (), trees, rules.datasets)


def _facts_of_replications(session: Session, trees: Sequence[Tree]) -> Facts:
    """Both ends of `trees`, and no more of them than a plan to replicate needs."""
    policy = session.policy
    left: Collection[str] | None = None

    def unread(heads: Facts) -> Collection[str] | None:
        nonlocal left
        left = unread_hosts(trees, heads, policy)
        return left

    facts = session.collect({}, chained(trees), unread)
    if not left:
        return facts
    pending = waiting_of(trees, facts, policy)
    waiting: dict[str, Waiting] = {}
    for link, snapshot in pending or ():
        tree = link.pair.tree
        waiting.setdefault(tree.sender_host, Waiting()).sent[str(snapshot)] = snapshot
        waiting.setdefault(tree.receiver_host, Waiting()).free[f"{link.pair.receiver}@{snapshot.name}"] = None
    found = None if pending is None else collect_waiting(session.fleet, facts, waiting)
    return found or session.collect({}, chained(trees))


def scene_of_selection(session: Session, selections: Sequence[str], *, recursive: bool) -> Scene:
    """The datasets named on the command line, with the rule that each follows.

    Raises:
        UnknownNameError: A name that nothing carries.
        UnreachableError: Its host did not answer.
    """
    policy = session.policy
    hosts = session.host_names(hosts_of_selection(selections, policy))
    trees = with_an_end_on(trees_of(policy), hosts)
    facts = session.collect(
        {host: wanted_by_selection(selections, policy, host, recursive=recursive) for host in hosts}, chained(trees)
    )
    named = Facts({host: facts.hosts[host] for host in hosts})
    places = resolve_selection(selections, recursive=recursive, policy=policy, facts=named)
    rules = select_datasets(policy, facts)
    selected, findings = receivers_of(trees, facts, rules.datasets, adopts_of(policy))
    return Scene(facts, restrict(replace(rules, datasets=selected), places), findings, trees, rules.datasets)


def prune_scene(session: Session, scene: Scene, replicating: Replicating | None = None) -> Pruning:
    """What becomes of every snapshot of the scene; what replication rests on stays."""
    if replicating is None:
        replicating = replicate_scene(session, scene, sends=False)
    journal = session.journal
    now = session.clock()
    with no_garbage_collection():
        return plan_pruning(
            scene.selected,
            scene.facts,
            policy=session.policy,
            zone=zone_of(session),
            now=now,
            known_rules=journal.known_rules(),
            approvals=journal.approvals(now),
            anchors=replicating.anchors,
        )


def replicate_scene(
    session: Session,
    scene: Scene,
    *,
    sends: bool,
    taking: Sequence[Step] = (),
    adopt: bool = False,
    repairs: bool = True,
) -> Replicating:
    """How every pair of the scene stands; with `sends` also what is to be done about it.

    A replication that another run is at work on is left to it.

    Args:
        session: Where from.
        scene: What was read.
        sends: Whether anything is to be done.
        taking: Steps of the same plan that take snapshots.
        adopt: Whether receivers that zfsctl never wrote may be set aside.
        repairs: Whether broken chains are repaired at all.
    """
    busy = _replications_of_others(session, scene) if sends and session.acts else frozenset()
    return plan_replicating(
        scene.trees,
        scene.facts,
        policy=session.policy,
        adopts=adopts_of(session.policy),
        sends=lambda name: sends and name not in busy,
        taking=taking,
        consent=consent_of(session, adopt=adopt, repairs=repairs) if sends else NOBODY_SAID_ANYTHING,
    )


def consent_of(session: Session, *, adopt: bool = False, repairs: bool = True) -> Consent:
    """What people have said about repairs."""
    now = session.clock()
    return Consent(now, tuple(session.journal.approvals(now)), adopt, repairs)


def _replications_of_others(session: Session, scene: Scene) -> frozenset[str]:
    names = dict.fromkeys(tree.replication.name for tree in scene.trees)
    busy = frozenset(name for name in names if not session.locks.acquire(REPLICATION_LOCK, name))
    session.findings.extend(
        Finding(Severity.INFO, "running", "", "", f"another run is at work on {name}; left to it")
        for name in names
        if name in busy
    )
    return busy


def chained(trees: Sequence[Tree]) -> dict[str, Chained]:
    """What `trees` want to know of the hosts at their ends."""

    def one(host: str) -> Chained:
        wanted, receivers, senders = wanted_by_trees(trees, host), receivers_on(trees, host), senders_on(trees, host)
        return Chained(wanted, lambda facts: ChainRequest(tuple(wanted(facts)), receivers, senders))

    return {host: one(host) for host in hosts_of(trees)}


def _all_datasets(facts: HostFacts) -> Sequence[str]:
    return tuple(facts.datasets)


def _all_chains(facts: HostFacts) -> ChainRequest:
    return ChainRequest(tuple(facts.datasets), marked=tuple(dict.fromkeys(pool_of(name) for name in facts.datasets)))


EVERYTHING = Chained(_all_datasets, _all_chains)
"""For looking at a host as a whole."""


def _with_receivers(wanted: Wanted, trees: Sequence[Tree], host: str) -> Wanted:
    """The datasets of a host that rules are about, and those that it receives: their rules are of another place."""
    arriving = [tree for tree in trees if tree.receiver_host == host]
    below = is_receiver(arriving)

    def names(facts: HostFacts) -> Sequence[str]:
        return [*wanted(facts), *(name for name in facts.datasets if below(host, name))] if arriving else wanted(facts)

    return names


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Facts and decisions are trees of a million values without a cycle; looking for one costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def owed_hooks(session: Session, scene: Scene) -> tuple[RunHook, ...]:
    """What a run that was killed froze and did not thaw, on the hosts that answer; not what the policy dropped."""
    policy = session.policy
    reached = {name for name, host in scene.facts.hosts.items() if host.reached}
    return tuple(
        step
        for step in session.journal.unthawed()
        if step.host in reached and any(hook.name == step.name and hook.after == step.argv for hook in policy.hooks)
    )


def with_frees(session: Session, plan: Plan) -> Plan:
    """The same plan, each destroy with what OpenZFS says that it would free."""
    frees = collect_frees(session.fleet, [step for step in plan.steps if isinstance(step, DestroySnapshots)])
    steps = tuple(
        replace(step, frees=frees[step.id]) if isinstance(step, DestroySnapshots) and step.id in frees else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def joined(*parts: Iterable[PlannedDataset]) -> tuple[PlannedDataset, ...]:
    """The datasets of several parts of a plan, each once, by host and name; the last part that names one counts."""
    places: dict[tuple[str, str], PlannedDataset] = {}
    for part in parts:
        places.update({(planned.host, planned.dataset): planned for planned in part})
    return tuple(places[place] for place in sorted(places, key=lambda place: (place[0], place[1].split("/"))))


def _selects_nothing(session: Session, facts: Facts, selection: Selection) -> ConfigError:
    policy, unmatched = session.policy, selection.unmatched
    if unmatched:
        why = "; ".join(str(one) for one in unmatched)
    elif not policy.rules:
        why = "it has no [[datasets]]"
    elif not facts.hosts:
        why = f"no rule with a policy is about {' or '.join(session.options.hosts) or 'any host'}"
    else:
        why = "its rules exclude every dataset that they select"
    return ConfigError(
        "nothing was done, no rule of the policy selects anything",
        why=why,
        hint=next((one.hint for one in unmatched if one.hint), "zfsctl config check"),
        where=", ".join(one.where for one in unmatched) or ", ".join(policy.files),
    )
