"""Whether the steps of a saved plan may still be applied: what is shown is what runs, or less, never more.

Each step is judged by itself against facts just read. A snapshot is destroyed only if the rules of today let go of
it too and no guard objects; whatever else the plan says of it is kept, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.names import POLICY_PROPERTY, ownership_of, stamped_at
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroySnapshots, Finding, Plan, RunHook, Severity, Step
from zfsctl.model.policy import PolicyFile
from zfsctl.model.verdicts import Decision, Verdict
from zfsctl.planner.ownership import newest_scheduled

_OUR_PROPERTIES = "zfsctl:"


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """What is left of a saved plan, and why the rest is not."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    """One `stale` for each snapshot, dataset or hook that was dropped; `gone` for destroys that are done already."""


def check_saved_steps(plan: Plan, facts: Facts, decisions: Iterable[Decision], *, policy: PolicyFile) -> CheckedSteps:
    """The steps of `plan` without what is stale, in their order.

    Args:
        plan: As it was saved.
        facts: Just read, of every host and dataset that the steps name.
        decisions: What the rules and guards decide today about the snapshots of those datasets.
        policy: The policy file of today; a hook that it does not have is not run.
    """
    allowed = {(decision.host, decision.dataset, decision.guid): decision for decision in decisions}
    kept: list[Step] = []
    dropped: list[Finding] = []
    for step in plan.steps:
        host = facts.hosts.get(step.host)
        match step:
            case _ if host is None or not host.reached:
                dropped.append(_stale(step.host, "", f"{step.id} was left out, the host did not answer"))
            case CreateSnapshots():
                left = _creation(step, host, policy, dropped)
                kept.extend([left] if left else [])
            case DestroySnapshots():
                remaining = _destroy(step, host, allowed, dropped)
                kept.extend([remaining] if remaining else [])
            case RunHook():
                if _is_hook_of(step, policy):
                    kept.append(step)
                else:
                    dropped.append(
                        _stale(step.host, step.dataset, f"hook {step.name} was left out, the policy does not have it")
                    )
            case _:
                assert_never(step)
    return CheckedSteps(tuple(kept), tuple(dict.fromkeys(dropped)))


def _creation(
    step: CreateSnapshots, host: HostFacts, policy: PolicyFile, dropped: list[Finding]
) -> CreateSnapshots | None:
    if ownership_of(step.snapshot, prefix=policy.prefix) is None:
        dropped.append(_stale(host.host, step.pool, f"{step.snapshot} was not taken, it is no name of ours"))
        return None
    if any(not name.startswith(_OUR_PROPERTIES) for name, _ in step.properties):
        dropped.append(_stale(host.host, step.pool, f"{step.snapshot} was not taken, it would set foreign properties"))
        return None
    scheduled = any(name == POLICY_PROPERTY for name, _ in step.properties)
    left: list[DatasetRef] = []
    for ref in step.datasets:
        why = _why_not_created(ref, host, step.snapshot, policy, scheduled=scheduled)
        if why:
            dropped.append(_stale(host.host, ref.name, why))
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
        dropped.append(_stale(host.host, step.dataset, f"nothing was destroyed, it {why}"))
        return None
    left = []
    gone = 0
    names = {snapshot.name for snapshot in host.snapshots.get(step.dataset, ())}
    for ref in step.snapshots:
        decision = decisions.get((host.host, step.dataset, ref.guid))
        if decision is None and host.complete and ref.name not in names:
            gone += 1
        elif decision is None or decision.snapshot != ref.name:
            dropped.append(_stale(host.host, step.dataset, f"@{ref.name} is no longer the planned snapshot"))
        elif decision.verdict is Verdict.KEEP:
            reason = decision.reasons[0]
            dropped.append(_stale(host.host, step.dataset, f"@{ref.name} is kept now, {reason.rule}: {reason.detail}"))
        else:
            left.append(ref)
    if gone:
        message = f"{host.host}:{step.dataset}: {gone} of {len(step.snapshots)} planned destroys are done already"
        dropped.append(Finding(Severity.INFO, "gone", host.host, step.dataset, message))
    if len(left) == len(step.snapshots):
        return step
    return replace(step, snapshots=tuple(left), frees=None) if left else None


def _is_hook_of(step: RunHook, policy: PolicyFile) -> bool:
    return any(hook.name == step.name and step.argv in (hook.before, hook.after) for hook in policy.hooks)


def _stale(host: str, dataset: str, what: str) -> Finding:
    place = f"{host}:{dataset}" if dataset else host
    return Finding(Severity.WARNING, "stale", host, dataset, f"{place}: {what}", "zfsctl run --dry-run")
