"""What is destroyed on every host: the rules for each dataset, then the guards over all of them, then the steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from zfsctl.model.approval import Approval, ApprovalRequest
from zfsctl.model.batches import MOST_NAMES_PER_DESTROY, batches
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import pool_of
from zfsctl.model.plan import DestroySnapshots, PlannedDataset, SnapshotRef
from zfsctl.model.policy import PolicyFile
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.planner.guards import MASS_DESTROY, NO_HOLDERS, guard, holders_after, may_be_mass
from zfsctl.planner.keeping import fingerprint_of_rules
from zfsctl.planner.ownership import witness_of
from zfsctl.planner.pool_findings import no_writes, why_no_writes
from zfsctl.planner.retention import NO_ANCHORS, Judgement, Retention, keep_all, plan_retention
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import counted

Place = tuple[str, str]
"""Host and dataset."""


@dataclass(frozen=True, slots=True)
class Pruning:
    """A part of a plan: what becomes of every snapshot that was looked at."""

    datasets: tuple[PlannedDataset, ...] = ()
    """`rules` is the fingerprint that the journal is to remember once this was applied; empty where a guard objected,
    or where nothing could have been destroyed."""
    decisions: tuple[Decision, ...] = ()
    """Dataset by dataset, newest first."""
    steps: tuple[DestroySnapshots, ...] = ()
    findings: tuple[Finding, ...] = ()
    approvals: tuple[ApprovalRequest, ...] = ()


def plan_pruning(
    selected: Iterable[Selected],
    facts: Facts,
    *,
    policy: PolicyFile,
    zone: tzinfo,
    now: int,
    known_rules: Mapping[tuple[str, int], Collection[str]],
    approvals: Sequence[Approval] = (),
    anchors: Mapping[Place, Mapping[int, Reason]] | None = None,
) -> Pruning:
    """Decide about every snapshot of the selected datasets whose snapshots were listed.

    Args:
        selected: The datasets and their rules. A dataset whose rule says "none" loses nothing. One without a rule
            loses only what was taken by hand and has expired.
        facts: What the hosts said. Where it is not complete everything is kept.
        policy: The policy file, for the prefix and the name of the time zone.
        zone: The time zone of that name.
        now: The controller's clock.
        known_rules: By host and dataset guid, the fingerprints of the rules that pruned there before.
        approvals: Everything that a person was ever asked.
        anchors: By host and dataset, and then by guid, why a snapshot must stay whatever the rules say.

    Raises:
        ConfigError: A policy keeps nothing.
        ValueError: Of some host only the newest snapshots were read.
    """
    if any(host.newest_only for host in facts.hosts.values()):
        raise ValueError("what goes is decided by all snapshots, not by the newest alone")
    judged = _judge_all(selected, facts, policy=policy, zone=zone, now=now, anchors=anchors or {})
    for one in judged:
        one.known = one.fingerprint in known_rules.get((one.host.host, one.selected.dataset.guid), ())
    holders = _holders(judged, facts)
    by_place: dict[tuple[str, int], list[Approval]] = {}
    for approval in approvals:
        by_place.setdefault((approval.request.host, approval.request.dataset_guid), []).append(approval)

    pruning = _Parts()
    for one in judged:
        dataset = one.selected.dataset
        guarded = guard(
            one.judgement,
            one.retention,
            host=one.host.host,
            dataset=dataset,
            clock=one.host.clock,
            known=one.known,
            holders=holders,
            approvals=by_place.get((one.host.host, dataset.guid), ()),
            now=now,
        )
        pruning.add(one, guarded.decisions, guarded.requests)
    return pruning.whole()


@dataclass(slots=True)
class _Judged:
    """One dataset between the rules and the guards."""

    selected: Selected
    host: HostFacts
    retention: Retention
    judgement: Judgement
    fingerprint: str
    """Empty where nothing can be destroyed."""
    read_only: bool = False
    known: bool = False


def _judge_all(
    selected: Iterable[Selected],
    facts: Facts,
    *,
    policy: PolicyFile,
    zone: tzinfo,
    now: int,
    anchors: Mapping[Place, Mapping[int, Reason]],
) -> list[_Judged]:
    rules: dict[tuple[str, tuple[str, ...]], tuple[Retention, str]] = {}
    opted_out = Retention(None, prefix=policy.prefix, zone=zone)
    judged: list[_Judged] = []
    witnesses: dict[str, int | None] = {}
    for one in selected:
        host, name = facts.hosts.get(one.host), one.dataset.name
        snapshots = host.snapshots.get(name) if host is not None else None
        if host is None or snapshots is None:
            continue
        if one.rule is not None and one.policy is None:
            kept = keep_all(one.host, snapshots, Reason(Rule.NO_POLICY, f'{one.rule.where} says policy = "none"'))
            judged.append(_Judged(one, host, opted_out, Judgement(kept, (), ()), ""))
            continue
        key = (one.policy.name if one.policy is not None else "", one.adopt)
        if key not in rules:
            rules[key] = (
                Retention(one.policy, adopt=one.adopt, prefix=policy.prefix, zone=zone),
                fingerprint_of_rules(one.policy, adopt=one.adopt, prefix=policy.prefix, timezone=policy.timezone),
            )
        retention, fingerprint = rules[key]
        pool = host.pool(pool_of(name))
        unknown = host.problems[0] if host.problems else ""
        if pool is None and not unknown:
            unknown = f"pool {pool_of(name)} was not listed"
        read_only = why_no_writes(pool) if pool is not None else ""
        if one.host not in witnesses and any(_is_over(snapshot, host.clock) for snapshot in snapshots):
            witnesses[one.host] = witness_of(host, prefix=policy.prefix)
        judgement = plan_retention(
            one.host,
            snapshots,
            retention,
            clock=host.clock,
            now=now,
            witness=witnesses.get(one.host),
            unknown=unknown,
            read_only=read_only,
            anchors=anchors.get((one.host, name), NO_ANCHORS),
        )
        if unknown or read_only or one.policy is None:
            fingerprint = ""
        judged.append(_Judged(one, host, retention, judgement, fingerprint, bool(read_only)))
    return judged


def _is_over(snapshot: Snapshot, clock: int) -> bool:
    return snapshot.expires is not None and snapshot.expires <= clock


def _holders(judged: Iterable[_Judged], facts: Facts) -> Mapping[int, Collection[int]]:
    """Who else will hold what the suspicious datasets would lose. Costs nothing where none is suspicious."""
    judged = list(judged)
    suspicious = [one for one in judged if may_be_mass(one.judgement, known=one.known)]
    if not suspicious:
        return NO_HOLDERS
    doomed = {
        (one.host.host, one.selected.dataset.name): {decision.guid for decision in one.judgement.destroys}
        for one in judged
    }
    guids = {decision.guid for one in suspicious for decision in one.judgement.destroys}
    return holders_after(facts, doomed, guids)


class _Parts:
    """Collects the plan's parts, dataset by dataset."""

    def __init__(self) -> None:
        self._datasets: list[PlannedDataset] = []
        self._decisions: list[Decision] = []
        self._steps: list[DestroySnapshots] = []
        self._findings: dict[Finding, None] = {}
        self._approvals: list[ApprovalRequest] = []

    def add(self, one: _Judged, decisions: Sequence[Decision], requests: Sequence[ApprovalRequest]) -> None:
        """Take over what was decided about one dataset."""
        dataset = one.selected.dataset
        self._datasets.append(
            PlannedDataset(
                one.host.host,
                dataset.name,
                one.selected.policy.name if one.selected.policy is not None else "",
                len(decisions),
                guid=dataset.guid,
                rules="" if requests else one.fingerprint,
            )
        )
        self._decisions.extend(decisions)
        self._approvals.extend(requests)
        for request in requests:
            self._findings[_withheld_finding(request, decisions)] = None
        pool = one.host.pool(pool_of(dataset.name))
        if one.read_only and pool is not None:
            if any(reason.rule is Rule.READ_ONLY for decision in decisions for reason in decision.reasons):
                self._findings[no_writes(one.host.host, pool)] = None
            return
        self._steps.extend(
            self._destroys(one, [decision for decision in decisions if decision.verdict is Verdict.DESTROY])
        )

    def whole(self) -> Pruning:
        """Everything that was added."""
        return Pruning(
            tuple(self._datasets),
            tuple(self._decisions),
            tuple(self._steps),
            tuple(self._findings),
            tuple(self._approvals),
        )

    def _destroys(self, one: _Judged, destroys: Sequence[Decision]) -> Iterable[DestroySnapshots]:
        """One comma list per dataset, oldest first, in parts that stay short enough."""
        dataset = one.selected.dataset
        for number, batch in enumerate(
            batches(destroys[::-1], name=lambda decision: decision.snapshot, most_names=MOST_NAMES_PER_DESTROY),
            len(self._steps) + 1,
        ):
            yield DestroySnapshots(
                id=f"destroy-{number}",
                host=one.host.host,
                why=_why(batch),
                dataset=dataset.name,
                dataset_guid=dataset.guid,
                snapshots=tuple(SnapshotRef(decision.snapshot, decision.guid) for decision in batch),
            )


def _why(destroys: Sequence[Decision]) -> str:
    expired = sum(decision.reasons[0].rule is Rule.EXPIRED for decision in destroys)
    unkept = len(destroys) - expired
    parts = [f"no rule keeps {counted(unkept, 'snapshot')}"] if unkept else []
    if expired:
        parts.append(f"{counted(expired, 'snapshot')} taken by hand expired")
    return ", ".join(parts)


def _withheld_finding(request: ApprovalRequest, decisions: Iterable[Decision]) -> Finding:
    withheld = sum(decision.reasons[0].rule is Rule.WITHHELD for decision in decisions)
    mass = request.kind == MASS_DESTROY
    return Finding(
        Severity.WARNING if mass else Severity.INFO,
        "withheld" if mass else "withheld-expiry",
        request.host,
        request.dataset,
        f"{request.host}:{request.dataset}: {counted(withheld, 'destroy')} withheld: {request.why}",
        f"zfsctl approvals approve {request.id}" if mass else "",
    )
