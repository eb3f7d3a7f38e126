"""Letting go of a copy that was set aside: the steps, and whether those of a saved plan may still be applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zfsctl.model.dataset import Snapshot
from zfsctl.model.diagnosis import SetAside
from zfsctl.model.facts import HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import ASIDE_MARK
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.release import DestroyDataset
from zfsctl.model.transfer import is_own_tag
from zfsctl.planner.asides import asides_on
from zfsctl.planner.links import Link
from zfsctl.planner.stale import stale
from zfsctl.planner.wording import ago, counted


def plan_release(host: HostFacts, aside: SetAside) -> tuple[DestroyDataset, ...]:
    """A step for each dataset of a copy, deepest first. Only for one that nothing speaks against."""
    mark = host.chains.marks[aside.dataset][ASIDE_MARK]
    steps: list[DestroyDataset] = []
    for name in aside.datasets:
        snapshots = host.snapshots[name]
        steps.append(
            DestroyDataset(
                id=f"release-{len(steps) + 1}",
                host=host.host,
                why=_why(host, aside, name),
                dataset=name,
                dataset_guid=host.datasets[name].guid,
                aside=aside.dataset,
                mark=mark,
                snapshots=tuple(SnapshotRef(one.name, one.guid) for one in snapshots),
                holds=tuple((one.name, tag) for one in snapshots for tag in _own_tags(host, one)),
                written=host.datasets[name].written,
                frees=_alone(host, name),
                after=(steps[-1].id,) if steps else (),
            )
        )
    return tuple(steps)


def check_saved_releases(
    steps: Sequence[DestroyDataset], host: HostFacts, links: Sequence[Link]
) -> tuple[tuple[DestroyDataset, ...], tuple[Finding, ...]]:
    """What is left of the saved steps about copies on `host`, and why the rest is not: a copy goes whole or stays.

    A step may have become about less, never about more.
    """
    known = {aside.dataset: aside for aside in asides_on(host, links)}
    kept: list[DestroyDataset] = []
    findings: list[Finding] = []
    by_copy: dict[str, list[DestroyDataset]] = {}
    for step in steps:
        by_copy.setdefault(step.aside, []).append(step)
    for name, planned in by_copy.items():
        aside = known.get(name)
        if aside is None:
            if host.complete:
                message = f"{host.host}:{name}: it is gone already"
                findings.append(Finding(Severity.INFO, "gone", host.host, name, message))
            else:
                findings.append(stale(host.host, name, f"not released, it was not listed: {host.problems[0]}"))
            continue
        left, why = _what_is_left(planned, host, aside)
        if why:
            findings.append(stale(host.host, name, f"not released, {why}"))
        kept += left
    return tuple(kept), tuple(findings)


def _what_is_left(
    planned: Sequence[DestroyDataset], host: HostFacts, aside: SetAside
) -> tuple[list[DestroyDataset], str]:
    if aside.obstacles:
        return [], aside.obstacles[0]
    if aside.after:
        return [], f"{aside.after[0]} has to go before it"
    now = {step.dataset: step for step in plan_release(host, aside)}
    then = {step.dataset: step for step in planned}
    if more := next((name for name in now if name not in then), ""):
        return [], f"{more} was not part of the plan"
    left: list[DestroyDataset] = []
    for step in planned:
        fresh = now.get(step.dataset)
        if fresh is None:
            continue
        if (fresh.dataset_guid, fresh.mark) != (step.dataset_guid, step.mark):
            return [], f"{step.dataset} is no longer the planned dataset"
        if new := set(fresh.snapshots) - set(step.snapshots):
            return [], f"{step.dataset}@{min(ref.name for ref in new)} was not part of the plan"
        if set(fresh.holds) - set(step.holds):
            return [], f"{step.dataset} has a hold that was not part of the plan"
        # Where its newest snapshot went meanwhile, that has become more by itself.
        if fresh.written > step.written and fresh.snapshots[-1:] == step.snapshots[-1:]:
            return [], f"{step.dataset} was written to since"
        left.append(
            replace(step, snapshots=fresh.snapshots, holds=fresh.holds, written=fresh.written, frees=fresh.frees)
        )
    return left, ""


def _own_tags(host: HostFacts, snapshot: Snapshot) -> list[str]:
    return [tag for tag in host.chains.holds.get(str(snapshot), ()) if is_own_tag(tag)]


def _why(host: HostFacts, aside: SetAside, name: str) -> str:
    if name != aside.dataset:
        return f"it lies below {aside.dataset}"
    by = f" by a repair of {aside.replication}" if aside.replication else ""
    why = f"set aside {ago(aside.since, host.clock)}{by}"
    written = host.datasets[name].written
    return f"{why}; {counted(written, 'byte')} in no snapshot" if written else why


def _alone(host: HostFacts, name: str) -> int:
    """What a dataset uses without those below it."""
    level = name.count("/") + 1
    below = [
        one.used for one in host.datasets.values() if one.name.startswith(f"{name}/") and one.name.count("/") == level
    ]
    return max(host.datasets[name].used - sum(below), 0)
