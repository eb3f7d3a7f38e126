"""How a replication stands, what that rests on, and what the next run would do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from zfsctl.model.explanation import ExplainedPair, Explanation, Subject
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import Place
from zfsctl.model.policy import Policy, Schedule
from zfsctl.model.replication import Replication
from zfsctl.model.replication_status import PairStatus, ReplicationStatus
from zfsctl.operations.assemble import host_findings
from zfsctl.operations.planning import Scene, replicate_scene, scene_of_replications, zone_of
from zfsctl.operations.session import Session
from zfsctl.planner.keeping import rule_text
from zfsctl.planner.replicating import Replicating
from zfsctl.planner.replication_evidence import explained_pairs
from zfsctl.planner.replication_health import obstacle_of, obstacles, pair_status
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import minute, span, window_text


def explain_replication(session: Session, name: str) -> Explanation:
    """The answer to `explain NAME` for a replication of the policy; with --host for what it sends from or to there.

    Raises:
        UnknownNameError: --host names a host that the policy does not have.
    """
    replication = next(one for one in session.policy.replications if one.name == name)
    scene = scene_of_replications(session, (name,), evidence=True)
    planned = replicate_scene(session, scene, sends=True)
    pairs = {pair.status: pair for pair in explained_pairs(planned)}
    standing = ReplicationStatus(name, replication.warn_after, replication.max_delay, tuple(pairs))
    return Explanation(
        Subject.REPLICATION,
        name,
        facts=tuple(_facts(session, replication, standing)),
        rules=tuple(rule_text(rule) for rule in replication.keep),
        pairs=tuple(pairs[status] for status in standing.worst_first),
        findings=(*host_findings(scene.facts), *session.findings, *_besides(planned.findings, pairs.values())),
    )


def _facts(session: Session, replication: Replication, standing: ReplicationStatus) -> Iterator[tuple[str, str]]:
    yield "rule", replication.where
    yield "sender", replication.sender.text
    yield "receiver", str(Place(replication.receiver_host, replication.receiver_dataset))
    yield "route", replication.route.value
    lag = "" if standing.lag is None else f", lag {span(standing.lag) if standing.lag else 'none'}"
    yield "health", f"{standing.health.value}{lag}{_since(session, standing)}"
    yield "warn_after", window_text(replication.warn_after)
    yield "max_delay", window_text(replication.max_delay)
    yield "pending_limit", window_text(replication.pending_limit)
    if replication.away is not None:
        yield "away", window_text(replication.away)
    yield "snapshots", replication.snapshots.value
    if not replication.keep:
        yield "keeps", "as the policy of each sender"


def _since(session: Session, standing: ReplicationStatus) -> str:
    """When that was seen first, if the journal knows."""
    changes = session.journal.health_changes(limit=1000)
    last = next((change for change in changes if change.replication == standing.name), None)
    if last is None or last.new is not standing.health:
        return ""
    return f", seen since {minute(last.at, zone_of(session))}"


def _besides(findings: Iterable[Finding], pairs: Iterable[ExplainedPair]) -> Iterator[Finding]:
    """Findings that say more than the pairs themselves do."""
    told = {(pair.status.receiver_host, pair.status.receiver) for pair in pairs}
    for finding in findings:
        if finding.severity is Severity.WARNING or (finding.host, finding.dataset) not in told:
            yield finding


@dataclass(frozen=True, slots=True)
class Part:
    """What a dataset has to do with replications."""

    facts: tuple[tuple[str, str], ...] = ()
    """Label and text."""
    rule: str = ""
    """Where it is said what a receiver keeps; empty where an own rule says it, or nothing does."""
    is_receiver: bool = False
    schedule: Schedule | None = None
    """When a receiver's sender takes snapshots."""


def part_in_replications(one: Selected, scene: Scene, replicating: Replicating) -> Part:
    """What `one` has to do with the replications of the scene, and how they stand by a plan that sends."""
    in_the_way = obstacles(replicating.findings)
    part = Part()
    for link in replicating.links:
        tree, pair = link.pair.tree, link.pair
        standing = _standing_text(pair_status(link, obstacle_of(link, in_the_way)))
        sender, receiver = Place(tree.sender_host, pair.sender), Place(tree.receiver_host, pair.receiver)
        here = Place(one.host, one.dataset.name)
        if here == sender:
            text = f"{pair.replication.name} to {receiver}: {standing}"
            part = replace(part, facts=(*part.facts, ("sent by", text)))
        elif here == receiver:
            text = f"{pair.replication.name} from {sender}: {standing}"
            rules = {(each.host, each.dataset.name): each for each in scene.rules}
            source = rules.get((tree.sender_host, pair.sender))
            policy = source.policy if source is not None else None
            part = Part(
                facts=(*part.facts, ("received by", text)),
                rule=_ruled_by(pair.replication, one, sender, policy),
                is_receiver=True,
                schedule=policy.schedule if policy is not None else None,
            )
    return part


def _ruled_by(replication: Replication, one: Selected, sender: Place, policy: Policy | None) -> str:
    if replication.keep:
        return f"{replication.where}: keep"
    if one.rule is not None or policy is None:
        return ""
    return f"the policy of its sender, {sender}"


def _standing_text(status: PairStatus) -> str:
    lag = f", lag {span(status.lag)}" if status.lag else ""
    why = f": {status.why}" if status.why else ""
    return f"{status.health.value}{lag}{why}"
