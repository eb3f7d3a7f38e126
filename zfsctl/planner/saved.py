"""Whether the steps of a saved plan may still be applied: what is shown is what runs, or less, never more.

Each step is judged by itself against facts just read. A snapshot is destroyed only if the rules of today let go of
it too and no guard objects; whatever else the plan says of it is kept, with the reason. Only hooks are judged
together with what they are about: one that froze and could not thaw would be worse than no snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import POLICY_PROPERTY, ownership_of, stamped_at
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroyDataset, DestroySnapshots, Plan, RunHook, Step
from zfsctl.model.policy import PolicyFile
from zfsctl.model.transfer import ReplicationStep
from zfsctl.model.verdicts import Decision, Verdict
from zfsctl.planner.links import Link
from zfsctl.planner.matching import selects_host
from zfsctl.planner.ownership import newest_scheduled
from zfsctl.planner.planned import with_planned
from zfsctl.planner.releasing import check_saved_releases
from zfsctl.planner.saved_transfers import check_saved_transfers
from zfsctl.planner.stale import stale

_OUR_PROPERTIES = "zfsctl:"


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """What is left of a saved plan, and why the rest is not."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    """One `stale` for each snapshot, dataset or hook that was dropped; `gone` for destroys that are done already."""


def check_saved_steps(
    plan: Plan, facts: Facts, decisions: Iterable[Decision], *, policy: PolicyFile, links: Sequence[Link] = ()
) -> CheckedSteps:
    """The steps of `plan` without what is stale, in their order.

    Args:
        plan: As it was saved.
        facts: Just read, of every host and dataset that the steps name.
        decisions: What the rules and guards decide today about the snapshots of those datasets.
        policy: The policy file of today. A hook that it does not have in this very form is not run, nor is a snapshot
            taken that it is about.
        links: How the replications of these hosts stand, for what a copy that was set aside may still be needed for.
    """
    foreign = _foreign_hooks(plan, policy)
    allowed = {(decision.host, decision.dataset, decision.guid): decision for decision in decisions}
    transfers, not_sent = check_saved_transfers(plan, with_planned(facts, plan.steps), policy)
    releases, not_released = _releases(plan, facts, links)
    kept: list[Step] = []
    dropped: list[Finding] = [*not_sent, *not_released]
    for step in plan.steps:
        if isinstance(step, ReplicationStep):
            kept.extend([transfers[step.id]] if step.id in transfers else [])
            continue
        host = facts.hosts.get(step.host)
        match step:
            case _ if host is None or not host.reached:
                dropped.append(stale(step.host, "", f"{step.id} was left out, the host did not answer"))
            case DestroyDataset():
                kept.extend([releases[step.id]] if step.id in releases else [])
            case CreateSnapshots():
                around = next((hook for hook in foreign if _is_around(hook, step)), None)
                if around is not None:
                    what = f"{step.snapshot} was not taken, hook {around.name} was left out"
                    dropped.extend(stale(host.host, ref.name, what) for ref in step.datasets)
                    continue
                left = _creation(step, host, policy, dropped)
                kept.extend([left] if left else [])
            case DestroySnapshots():
                remaining = _destroy(step, host, allowed, dropped)
                kept.extend([remaining] if remaining else [])
            case RunHook():
                if step in foreign:
                    what = f"hook {step.name} was left out, the policy does not have it like this"
                    dropped.append(stale(step.host, step.dataset, what))
                else:
                    kept.append(step)
            case _:
                assert_never(step)
    return CheckedSteps(_without_idle_hooks(kept), tuple(dict.fromkeys(dropped)))


def _releases(plan: Plan, facts: Facts, links: Sequence[Link]) -> tuple[dict[str, DestroyDataset], list[Finding]]:
    by_host: dict[str, list[DestroyDataset]] = {}
    for step in plan.steps:
        if isinstance(step, DestroyDataset):
            by_host.setdefault(step.host, []).append(step)
    left: dict[str, DestroyDataset] = {}
    findings: list[Finding] = []
    for name, steps in by_host.items():
        host = facts.hosts.get(name)
        if host is not None and host.reached:
            kept, dropped = check_saved_releases(steps, host, links)
            left.update((step.id, step) for step in kept)
            findings += dropped
    return left, findings


def _creation(
    step: CreateSnapshots, host: HostFacts, policy: PolicyFile, dropped: list[Finding]
) -> CreateSnapshots | None:
    if ownership_of(step.snapshot, prefix=policy.prefix) is None:
        dropped.append(stale(host.host, step.pool, f"{step.snapshot} was not taken, it is no name of ours"))
        return None
    if any(not name.startswith(_OUR_PROPERTIES) for name, _ in step.properties):
        dropped.append(stale(host.host, step.pool, f"{step.snapshot} was not taken, it would set foreign properties"))
        return None
    scheduled = any(name == POLICY_PROPERTY for name, _ in step.properties)
    left: list[DatasetRef] = []
    for ref in step.datasets:
        why = _why_not_created(ref, host, step.snapshot, policy, scheduled=scheduled)
        if why:
            dropped.append(stale(host.host, ref.name, why))
        else:
            left.append(ref)
    return replace(step, datasets=tuple(left)) if left else None


def _why_not_created(ref: DatasetRef, host: HostFacts, name: str, policy: PolicyFile, *, scheduled: bool) -> str:
    """Empty where nothing speaks against it. `name` holds the host's own now when the plan was made."""
    dataset = host.datasets.get(ref.name)
    if dataset is None:
        return "no snapshot was taken, the dataset was not listed"
    if dataset.guid != ref.guid:
        return f"no snapshot was taken, it is another dataset now, guid {dataset.guid} instead of {ref.guid}"
    if not scheduled:
        return ""
    newest = newest_scheduled(host.snapshots.get(ref.name, ()), prefix=policy.prefix, clock=host.clock)
    if newest is not None and newest.creation >= stamped_at(name):
        return f"no snapshot was taken, {newest.name} was taken since the plan was made"
    return ""


def _destroy(
    step: DestroySnapshots,
    host: HostFacts,
    decisions: Mapping[tuple[str, str, int], Decision],
    dropped: list[Finding],
) -> DestroySnapshots | None:
    dataset = host.datasets.get(step.dataset)
    if dataset is None or dataset.guid != step.dataset_guid:
        why = "was not listed" if dataset is None else f"is another dataset now, guid {dataset.guid}"
        dropped.append(stale(host.host, step.dataset, f"nothing was destroyed, it {why}"))
        return None
    if step.dataset not in host.snapshots:
        dropped.append(stale(host.host, step.dataset, "nothing was destroyed, its snapshots were not listed"))
        return None
    left = []
    gone = 0
    names = {snapshot.name for snapshot in host.snapshots[step.dataset]}
    for ref in step.snapshots:
        decision = decisions.get((host.host, step.dataset, ref.guid))
        if decision is None and host.complete and ref.name not in names:
            gone += 1
        elif decision is None or decision.snapshot != ref.name:
            dropped.append(stale(host.host, step.dataset, f"@{ref.name} is no longer the planned snapshot"))
        elif decision.verdict is Verdict.KEEP:
            reason = decision.reasons[0]
            dropped.append(stale(host.host, step.dataset, f"@{ref.name} is kept now, {reason.rule}: {reason.detail}"))
        else:
            left.append(ref)
    if gone:
        message = f"{host.host}:{step.dataset}: {gone} of {len(step.snapshots)} planned destroys are done already"
        dropped.append(Finding(Severity.INFO, "gone", host.host, step.dataset, message))
    if len(left) == len(step.snapshots):
        return step
    return replace(step, snapshots=tuple(left), frees=None) if left else None


def _foreign_hooks(plan: Plan, policy: PolicyFile) -> list[RunHook]:
    """The steps of every hook that the policy does not have for that host with just these commands on both sides."""
    by_hook: dict[tuple[str, str], list[RunHook]] = {}
    for step in plan.steps:
        if isinstance(step, RunHook):
            by_hook.setdefault((step.host, step.name), []).append(step)
    ours = {
        (hook.name, sides): hook
        for hook in policy.hooks
        if (sides := frozenset((argv, always) for argv, always in ((hook.before, False), (hook.after, True)) if argv))
    }
    foreign: list[RunHook] = []
    for (host, name), steps in by_hook.items():
        hook = ours.get((name, frozenset((step.argv, step.always) for step in steps)))
        if hook is None or not any(selects_host(pattern, host) for pattern in hook.select):
            foreign += steps
    return foreign


def _is_around(hook: RunHook, step: CreateSnapshots) -> bool:
    return hook.id in step.after or step.id in hook.after


def _without_idle_hooks(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps without the hooks of which no snapshot is left."""
    creations = [step for step in steps if isinstance(step, CreateSnapshots)]
    return tuple(
        step for step in steps if not isinstance(step, RunHook) or any(_is_around(step, each) for each in creations)
    )
