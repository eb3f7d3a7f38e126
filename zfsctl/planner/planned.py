"""Facts with the snapshots that a plan takes, so that the same plan can send them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.plan import CreateSnapshots, Step
from zfsctl.model.transfer import NOT_TAKEN_YET


def with_planned(facts: Facts, steps: Iterable[Step]) -> Facts:
    """`facts` as they will be when the snapshots of `steps` are taken; their guids are not known yet.

    A dataset that already has a snapshot of the planned name is left as it is: another second will be taken, and
    the next run sends that.
    """
    hosts = dict(facts.hosts)
    for step in steps:
        if not isinstance(step, CreateSnapshots) or step.host not in hosts:
            continue
        host = hosts[step.host]
        snapshots = dict(host.snapshots)
        for ref in step.datasets:
            before = snapshots.get(ref.name)
            if before is None or any(one.name == step.snapshot for one in before):
                continue
            txg = next_createtxg(host, ref.name)
            written = host.datasets[ref.name].written
            taken = Snapshot(ref.name, step.snapshot, NOT_TAKEN_YET, txg, host.clock, written=written)
            snapshots[ref.name] = (*before, taken)
        hosts[step.host] = replace(host, snapshots=snapshots)
    return Facts(hosts)


def next_createtxg(host: HostFacts, dataset: str) -> int:
    """For what comes next in a dataset: beyond all its snapshots, and beyond bookmarks of those that are gone."""
    taken = [one.createtxg for one in host.snapshots.get(dataset, ())]
    marked = [one.createtxg for one in host.chains.bookmarks.get(dataset, ())]
    return max((*taken, *marked), default=0) + 1


def takers(steps: Iterable[Step]) -> dict[tuple[str, str], str]:
    """By host and dataset, the id of the step that takes a snapshot of it."""
    return {
        (step.host, ref.name): step.id for step in steps if isinstance(step, CreateSnapshots) for ref in step.datasets
    }
