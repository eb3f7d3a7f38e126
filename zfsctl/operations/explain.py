"""Why a snapshot is kept, when it will go, and what a policy will keep."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from difflib import get_close_matches

from zfsctl.errors import UnknownNameError, UsageError
from zfsctl.model.explanation import ExplainedSnapshot, Explanation, KeptOn, Outlook, Subject
from zfsctl.model.names import Place, pool_of, split_host
from zfsctl.model.policy import Policy
from zfsctl.model.verdicts import Decision
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.explain_replication import explain_replication, part_in_replications
from zfsctl.operations.planning import Scene, prune_scene, replicate_scene, scene_of_policy, scene_of_selection, zone_of
from zfsctl.operations.session import Session
from zfsctl.operations.topics import TOPICS
from zfsctl.planner.forecast import forecast
from zfsctl.planner.health import dataset_status
from zfsctl.planner.keeping import rule_text
from zfsctl.planner.pruning import Pruning
from zfsctl.planner.replicating import Replicating
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import minute


def explain(session: Session, name: str, *, days: int = 90, kind: str | None = None) -> Explanation:
    """The answer to `explain NAME`.

    Args:
        session: Asked for facts only when the name is data or a replication.
        name: With /, @ or : it is data; any other is a policy, a replication or a topic, or the root dataset of a pool.
        days: How far to look ahead.
        kind: Which of several fitting kinds is meant; a value of Subject.

    Raises:
        UnknownNameError: Nothing carries that name.
        UsageError: Several things do, and `kind` does not choose.
    """
    subject = _subject_of(session, name, kind)
    match subject:
        case Subject.POLICY:
            return _policy(session, session.policy.policies[name], days)
        case Subject.REPLICATION:
            return explain_replication(session, name)
        case Subject.TOPIC:
            return Explanation(Subject.TOPIC, name, text=TOPICS[name])
        case Subject.SNAPSHOT:
            return _snapshot(session, name, days)
        case Subject.DATASET:
            return _dataset(session, name, days)


def _subject_of(session: Session, name: str, kind: str | None) -> Subject:
    fitting = _fitting(session, name)
    if kind is not None:
        if Subject(kind) not in fitting:
            raise UnknownNameError(
                f"{name}: not explained, it is no {kind}",
                why=f"it is a {_listed(fitting)}" if fitting else "nothing is called that",
                hint=f"zfsctl explain {shlex.quote(name)} --as {fitting[0]}" if fitting else "zfsctl config show",
                where=name,
            )
        return Subject(kind)
    if len(fitting) > 1:
        raise UsageError(
            f"{name}: not explained, it is a {_listed(fitting)}",
            hint=f"zfsctl explain {shlex.quote(name)} --as {fitting[0]}",
            where=name,
        )
    if not fitting:
        replications = [replication.name for replication in session.policy.replications]
        known = [*session.policy.policies, *replications, *TOPICS]
        near = get_close_matches(name, known, n=3)
        raise UnknownNameError(
            f"{name}: not explained, nothing is called that",
            why=f"policies: {', '.join(session.policy.policies) or 'none'}; "
            f"replications: {', '.join(replications) or 'none'}; topics: {', '.join(TOPICS)}",
            hint=f"did you mean {' or '.join(near)}?" if near else "zfsctl explain HOST:POOL/DATASET",
            where=name,
        )
    return fitting[0]


def _fitting(session: Session, name: str) -> list[Subject]:
    if "@" in name:
        return [Subject.SNAPSHOT]
    if "/" in name or ":" in name:
        return [Subject.DATASET]
    fitting = []
    policy = session.policy
    if name in policy.policies:
        fitting.append(Subject.POLICY)
    if any(replication.name == name for replication in policy.replications):
        fitting.append(Subject.REPLICATION)
    if name in TOPICS:
        fitting.append(Subject.TOPIC)
    selected = [pattern.dataset for rule in policy.rules for pattern in rule.select]
    ends = [end for one in policy.replications for end in (one.sender.dataset, one.receiver_dataset)]
    if any(pool_of(dataset) == name for dataset in (*selected, *ends)):
        fitting.append(Subject.DATASET)
    return fitting


def _listed(kinds: list[Subject]) -> str:
    return " and a ".join(str(kind) for kind in kinds)


def _policy(session: Session, policy: Policy, days: int) -> Explanation:
    now = session.clock()
    zone = zone_of(session)
    foretold = forecast((), policy=policy, prefix=session.policy.prefix, zone=zone, clock=now, days=days)
    selects = [
        (rule.where, ", ".join(pattern.text for pattern in rule.select))
        for rule in session.policy.rules
        if rule.policy == policy.name
    ]
    return Explanation(
        Subject.POLICY,
        policy.name,
        facts=(
            ("snapshot", policy.schedule.text if policy.schedule is not None else "not by schedule"),
            ("skip_empty", "yes" if policy.skip_empty else "no"),
            ("timezone", session.policy.timezone),
            *selects,
        ),
        rules=tuple(rule_text(rule) for rule in policy.keep),
        forecast=foretold.kept,
        days=days,
    )


def _dataset(session: Session, name: str, days: int) -> Explanation:
    look = _look(session, name)
    return _explained(session, look, look.pruning.decisions, days)


def _snapshot(session: Session, name: str, days: int) -> Explanation:
    dataset, _, short = name.rpartition("@")
    look = _look(session, dataset)
    scene, one, pruning = look.scene, look.one, look.pruning
    chosen = tuple(decision for decision in pruning.decisions if decision.snapshot == short)
    if not chosen:
        names = [decision.snapshot for decision in pruning.decisions]
        near = get_close_matches(short, names, n=3)
        place = Place(one.host, one.dataset.name)
        raise UnknownNameError(
            f"{name}: not explained, there is no such snapshot",
            why=f"{place} has {len(names)} snapshots" if scene.facts.complete else "the listing is not complete",
            hint=f"did you mean {' or '.join(f'{place}@{each}' for each in near)}?"
            if near
            else f"zfsctl explain {place.argument}",
            where=name,
        )
    answer = _explained(session, look, chosen, days)
    return Explanation(
        Subject.SNAPSHOT,
        f"{Place(one.host, one.dataset.name)}@{short}",
        facts=(("created", minute(chosen[0].creation, zone_of(session))), ("guid", str(chosen[0].guid)), *answer.facts),
        rules=answer.rules,
        snapshots=answer.snapshots,
        days=days,
        findings=answer.findings,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """One dataset, and what becomes of its snapshots by the very plan that a run makes."""

    scene: Scene
    one: Selected
    pruning: Pruning
    replicating: Replicating


def _look(session: Session, name: str) -> _Look:
    scene = scene_of_selection(session, (name,), recursive=False)
    one = scene.selected[0]
    _, dataset = split_host(name)
    if len(scene.selected) > 1:
        raise UsageError(
            f"{name}: not explained, it names {len(scene.selected)} datasets",
            hint=f"zfsctl explain {Place(one.host, one.dataset.name).argument}",
            where=dataset,
        )
    replicating = replicate_scene(session, scene, sends=True)
    pruning = prune_scene(session, scene, replicating)
    if pruning.approvals:
        # What else holds the same snapshots decides whether a guard objects, so every host has a say.
        everything = scene_of_policy(session)
        facts = everything.facts
        if one.host in facts.hosts and one.dataset.name in facts.hosts[one.host].snapshots:
            whole = prune_scene(session, everything)
            mine = [each for each in whole.decisions if (each.host, each.dataset) == (one.host, one.dataset.name)]
            pruning = Pruning(whole.datasets, tuple(mine), whole.steps, (), whole.approvals)
            scene = Scene(facts, (one,), trees=scene.trees, rules=scene.rules)
    return _Look(scene, one, pruning, replicating)


def _explained(session: Session, look: _Look, decisions: tuple[Decision, ...], days: int) -> Explanation:
    scene, one = look.scene, look.one
    host = scene.facts.hosts[one.host]
    zone = zone_of(session)
    prefix = session.policy.prefix
    snapshots = host.snapshots.get(one.dataset.name, ())
    standing = dataset_status(one, host, prefix=prefix, zone=zone)
    outlooks: dict[int, Outlook | None] = {}
    kept: tuple[KeptOn, ...] = ()
    part = part_in_replications(one, scene, look.replicating)
    if one.policy is not None:
        foretold = forecast(
            snapshots,
            look.pruning.decisions,
            policy=replace(one.policy, schedule=part.schedule) if part.is_receiver else one.policy,
            adopt=one.adopt,
            prefix=prefix,
            zone=zone,
            clock=host.clock,
            days=days,
        )
        outlooks = {each.guid: each.outlook for each in foretold.snapshots}
        kept = foretold.kept
    schedule = one.policy.schedule if one.policy is not None else None
    facts = [
        ("policy", one.policy.name if one.policy is not None else "none"),
        ("rule", part.rule or (one.rule.where if one.rule is not None else "no rule of the policy file is about it")),
    ]
    if not part.is_receiver:
        facts += [
            ("snapshot", schedule.text if schedule is not None else "not by schedule"),
            ("next due", minute(standing.next_due, zone) if standing.next_due is not None else "never"),
        ]
    facts += part.facts
    return Explanation(
        Subject.DATASET,
        str(Place(one.host, one.dataset.name)),
        facts=tuple(facts),
        rules=tuple(rule_text(rule) for rule in one.policy.keep) if one.policy is not None else (),
        snapshots=tuple(ExplainedSnapshot(decision, outlooks.get(decision.guid)) for decision in decisions),
        forecast=kept,
        days=days,
        findings=(*host_findings(scene.facts), *session.findings),
    )
