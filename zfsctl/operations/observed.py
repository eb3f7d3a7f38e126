"""The facts after a run: what was read at its start, with what it then created and destroyed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.names import POLICY_PROPERTY, REASON_PROPERTY
from zfsctl.model.plan import CreateSnapshots, DestroySnapshots, Plan
from zfsctl.model.transfer import AbortReceive, RenameSnapshot, Transfer
from zfsctl.planner.lineage import RECEIVING
from zfsctl.planner.planned import next_createtxg


def facts_after(facts: Facts, plan: Plan, outcomes: Iterable[StepOutcome]) -> Facts:
    """`facts` as the hosts must look now, without asking them again.

    Snapshots created or received by the run carry createtxg above all others, since none of them was listed. Of a first
    copy is known what kind it is and that nobody can write to it.
    """
    steps = {step.id: step for step in plan.steps}
    hosts = dict(facts.hosts)
    for outcome in outcomes:
        step = steps[outcome.step]
        done = [member for member in outcome.members if member.result is Result.DONE]
        if step.host not in hosts:
            continue
        if isinstance(step, AbortReceive) and outcome.result is Result.DONE:
            hosts[step.host] = _not_receiving(hosts[step.host], step.dataset)
        if isinstance(step, RenameSnapshot) and outcome.result is Result.DONE:
            hosts[step.host] = _renamed(hosts[step.host], step)
        if not done:
            continue
        if isinstance(step, CreateSnapshots):
            hosts[step.host] = _with_created(hosts[step.host], step, done)
        elif isinstance(step, Transfer):
            sender = hosts.get(step.sender_host)
            known = () if sender is None else sender.snapshots.get(step.sender, ())
            hosts[step.host] = _with_received(hosts[step.host], step, done, known)
            original = None if sender is None else sender.datasets.get(step.sender)
            if original is not None:
                hosts[step.host] = _with_receiver(
                    hosts[step.host], step.receiver, original, whole=outcome.result is Result.DONE
                )
        elif isinstance(step, DestroySnapshots):
            hosts[step.host] = _without(hosts[step.host], step.dataset, {member.snapshot for member in done})
    return Facts(hosts)


def _with_created(host: HostFacts, step: CreateSnapshots, done: list[MemberOutcome]) -> HostFacts:
    properties = dict(step.properties)
    snapshots = dict(host.snapshots)
    datasets = dict(host.datasets)
    for member in done:
        before = snapshots.get(member.dataset, ())
        snapshots[member.dataset] = (
            *before,
            Snapshot(
                dataset=member.dataset,
                name=member.snapshot,
                guid=member.guid or 0,
                createtxg=next_createtxg(host, member.dataset),
                creation=host.clock,
                policy=properties.get(POLICY_PROPERTY),
                reason=properties.get(REASON_PROPERTY),
            ),
        )
        if member.dataset in datasets:
            datasets[member.dataset] = replace(datasets[member.dataset], written=0)
    return replace(host, snapshots=snapshots, datasets=datasets)


def _with_received(
    host: HostFacts, step: Transfer, done: Iterable[MemberOutcome], sent: Iterable[Snapshot]
) -> HostFacts:
    """A snapshot of which the sender's host says nothing is dated by that host's own now."""
    before = host.snapshots.get(step.receiver, ())
    there = {snapshot.guid for snapshot in before}
    originals = {snapshot.guid: snapshot for snapshot in sent}
    after = list(before)
    for member in done:
        if member.dataset != step.receiver or member.guid is None or member.guid in there:
            continue
        there.add(member.guid)
        original = originals.get(member.guid)
        createtxg = after[-1].createtxg + 1 if after else 1
        if original is None:
            after.append(Snapshot(step.receiver, member.snapshot, member.guid, createtxg, host.clock))
        else:
            after.append(
                replace(
                    original,
                    dataset=step.receiver,
                    name=member.snapshot,
                    createtxg=createtxg,
                    used=0,
                    userrefs=0,
                    clones=(),
                )
            )
    return replace(host, snapshots={**host.snapshots, step.receiver: tuple(after)})


def _with_receiver(host: HostFacts, name: str, sender: Dataset, *, whole: bool) -> HostFacts:
    """The copy after a transfer. Once that was `whole`, nothing of an interrupted one is left."""
    there = host.datasets.get(name) or Dataset(name, sender.kind, guid=0, readonly=True, creation=host.clock)
    if whole:
        there = replace(there, written=0, inconsistent=False)
    there_now = replace(host, datasets={**host.datasets, name: there})
    return _not_receiving(there_now, name) if whole else there_now


def _not_receiving(host: HostFacts, name: str) -> HostFacts:
    """Without the traces of an interrupted receive: its token, and the clone that it fills."""
    dataset = host.datasets.get(name)
    if dataset is None:
        return host
    snapshots = tuple(
        replace(one, clones=tuple(clone for clone in one.clones if not clone.endswith(RECEIVING)))
        for one in host.snapshots.get(name, ())
    )
    tokens = {receiver: token for receiver, token in host.chains.tokens.items() if receiver != name}
    return replace(
        host,
        datasets={**host.datasets, name: replace(dataset, receive_resume_token=None)},
        snapshots={**host.snapshots, name: snapshots},
        chains=replace(host.chains, tokens=tokens),
    )


def _renamed(host: HostFacts, step: RenameSnapshot) -> HostFacts:
    if step.dataset not in host.snapshots:
        return host
    snapshots = tuple(
        replace(one, name=step.to) if one.guid == step.snapshot.guid else one for one in host.snapshots[step.dataset]
    )
    return replace(host, snapshots={**host.snapshots, step.dataset: snapshots})


def _without(host: HostFacts, dataset: str, gone: set[str]) -> HostFacts:
    left = tuple(snapshot for snapshot in host.snapshots.get(dataset, ()) if snapshot.name not in gone)
    return replace(host, snapshots={**host.snapshots, dataset: left})
