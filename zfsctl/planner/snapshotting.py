"""Which snapshots are taken: those that are due by a policy, and those that a person asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from zfsctl.errors import UsageError
from zfsctl.model.batches import batches
from zfsctl.model.dataset import Dataset
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import (
    EXPIRES_PROPERTY,
    MAX_NAME_BYTES,
    POLICY_PROPERTY,
    REASON_PROPERTY,
    Ownership,
    manual_name,
    ownership_of,
    pool_of,
    scheduled_name,
)
from zfsctl.model.plan import CreateSnapshots, DatasetRef, PlannedDataset, RunHook
from zfsctl.model.policy import Hook, Policy, PolicyFile, Schedule
from zfsctl.planner.calendar import due_since, is_due
from zfsctl.planner.hooking import hooks_of, with_hooks
from zfsctl.planner.ownership import newest_scheduled, written_since_ours
from zfsctl.planner.pool_findings import no_writes
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import time_of_day

MOST_REASON_BYTES = 1024
"""A reason is a line for people; OpenZFS would take 8,191 bytes."""


@dataclass(frozen=True, slots=True)
class Snapshotting:
    """A part of a plan: the snapshots to take."""

    steps: tuple[CreateSnapshots | RunHook, ...] = ()
    datasets: tuple[PlannedDataset, ...] = ()
    """Those that were looked at, whether or not a snapshot is due."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One snapshot to take."""

    dataset: Dataset
    policy: Policy | None
    since: int | None
    """The instant of the schedule that it answers; None for the first snapshot, or one taken by hand."""
    ahead: bool = False
    """Whether there are scheduled ones of ours, all of them from the future."""


def plan_scheduled_snapshots(
    selected: Iterable[Selected], facts: Facts, *, policy: PolicyFile, zone: tzinfo
) -> Snapshotting:
    """The snapshots that are due, one step for each host, pool, policy and set of hooks; longer ones in parts.

    What is due is judged by the clock of the host, which also names and dates its snapshots. A dataset whose snapshots
    were not listed is not looked at. On a host whose listing is not complete a snapshot is still due where one of ours
    was seen and is old enough: taking one too many loses nothing. Where none was seen nothing is taken, or every run
    would take one.

    Args:
        selected: The datasets and their policies.
        facts: What the hosts said.
        policy: The policy file, for prefix and hooks.
        zone: The time zone that schedules are read in.
    """
    parts = _Parts(policy)
    by_host: dict[str, list[Selected]] = {}
    for one in selected:
        by_host.setdefault(one.host, []).append(one)
    for name, datasets in by_host.items():
        host = facts.hosts.get(name)
        if host is None or not host.reached:
            continue
        wanted: list[_Wanted] = []
        for one in datasets:
            if one.policy is None or one.dataset.name not in host.snapshots:
                continue
            parts.look_at(host, one.dataset, one.policy.name)
            due = _due(one, host, policy.prefix, zone, parts)
            if due is not None:
                wanted.append(due)
        parts.take(host, wanted, zone)
    return parts.whole()


def plan_manual_snapshots(
    places: Iterable[tuple[str, Dataset]],
    facts: Facts,
    *,
    policy: PolicyFile,
    zone: tzinfo,
    reason: str = "",
    expires: int | None = None,
) -> Snapshotting:
    """Snapshots of these datasets now, one step for each host, pool and set of hooks.

    Args:
        places: Host and dataset, as `resolve_selection` found them.
        facts: What the hosts said.
        policy: The policy file, for prefix and hooks.
        zone: The time zone of texts.
        reason: Why they are taken, one line; kept with them. Empty for none.
        expires: Epoch seconds from which they may go; None keeps them for ever.

    Raises:
        UsageError: The reason cannot be kept in a property, or the time is not to come.
    """
    _check_reason(reason)
    parts = _Parts(policy)
    by_host: dict[str, list[Dataset]] = {}
    for name, dataset in places:
        by_host.setdefault(name, []).append(dataset)
    for name, datasets in by_host.items():
        host = facts.hosts[name]
        if expires is not None and expires <= host.clock:
            raise UsageError(
                f"{name}: no snapshot was taken, it would have expired already", hint="--expires 30d", where=name
            )
        for dataset in datasets:
            parts.look_at(host, dataset, "")
        parts.take(host, [_Wanted(dataset, None, None) for dataset in datasets], zone, reason=reason, expires=expires)
    return parts.whole()


def _due(one: Selected, host: HostFacts, prefix: str, zone: tzinfo, parts: _Parts) -> _Wanted | None:
    """The snapshot that is due for one dataset, None if none is."""
    policy, dataset = one.policy, one.dataset
    if policy is None or policy.schedule is None:
        return None
    snapshots = host.snapshots[dataset.name]
    if dataset.inconsistent:
        parts.find(
            Severity.INFO, "partial-receive", host, dataset, "no snapshot is taken, its first receive has not finished"
        )
        return None
    newest = newest_scheduled(snapshots, prefix=prefix, clock=host.clock)
    if newest is None:
        if not host.complete:
            parts.find(
                Severity.WARNING,
                "unknown-newest",
                host,
                dataset,
                "no snapshot is taken, the listing is not complete and shows none of ours",
                f"zfsctl snapshot {host.host}:{dataset.name}",
            )
            return None
        ahead = any(ownership_of(one.name, prefix=prefix) is Ownership.SCHEDULED for one in snapshots)
        return _Wanted(dataset, policy, None, ahead)
    if not is_due(policy.schedule, newest.creation, now=host.clock, zone=zone):
        return None
    if policy.skip_empty and written_since_ours(snapshots, dataset.written, prefix=prefix) == 0:
        return None
    return _Wanted(dataset, policy, due_since(policy.schedule, newest.creation, zone=zone))


class _Parts:
    """Collects the plan's parts, host by host."""

    def __init__(self, policy: PolicyFile) -> None:
        self._policy = policy
        self._steps: list[CreateSnapshots | RunHook] = []
        self._datasets: list[PlannedDataset] = []
        self._findings: dict[Finding, None] = {}
        self._created = 0

    def whole(self) -> Snapshotting:
        """Everything so far."""
        return Snapshotting(tuple(self._steps), tuple(self._datasets), tuple(self._findings))

    def look_at(self, host: HostFacts, dataset: Dataset, policy: str) -> None:
        """Note a dataset that the plan is about."""
        count = len(host.snapshots.get(dataset.name, ()))
        self._datasets.append(PlannedDataset(host.host, dataset.name, policy, count, guid=dataset.guid))

    def find(self, severity: Severity, code: str, host: HostFacts, dataset: Dataset, what: str, hint: str = "") -> None:
        """Note a finding about a dataset."""
        message = f"{host.host}:{dataset.name}: {what}"
        self._findings[Finding(severity, code, host.host, dataset.name, message, hint)] = None

    def take(
        self,
        host: HostFacts,
        wanted: Iterable[_Wanted],
        zone: tzinfo,
        *,
        reason: str = "",
        expires: int | None = None,
    ) -> None:
        """Add the steps for the snapshots of one host."""
        groups: dict[tuple[str, str, tuple[Hook, ...]], list[_Wanted]] = {}
        for one in wanted:
            name = pool_of(one.dataset.name)
            pool = host.pool(name)
            if pool is not None and not pool.takes_writes:
                self._findings[no_writes(host.host, pool)] = None
                continue
            by = one.policy.name if one.policy is not None else ""
            groups.setdefault((name, by, hooks_of(self._policy.hooks, host.host, one.dataset.name)), []).append(one)
        creations: list[tuple[CreateSnapshots, tuple[Hook, ...]]] = []
        for (name, _, hooks), group in groups.items():
            creations.extend((step, hooks) for step in self._create(host, name, group, zone, reason, expires))
        hooked = sum(isinstance(step, RunHook) for step in self._steps)
        self._steps.extend(with_hooks(creations, first=hooked + 1))

    def _create(
        self,
        host: HostFacts,
        pool: str,
        group: Sequence[_Wanted],
        zone: tzinfo,
        reason: str,
        expires: int | None,
    ) -> Iterable[CreateSnapshots]:
        """The steps for one pool and policy."""
        policy = group[0].policy
        name = _free_name(host, self._policy.prefix, group)
        properties = _properties(policy, reason, expires)
        fitting = [one for one in group if self._fits(host, one.dataset, name)]
        for batch in batches(fitting, name=lambda one: f"{one.dataset.name}@{name}"):
            self._created += 1
            yield CreateSnapshots(
                id=f"snapshot-{self._created}",
                host=host.host,
                why=_why(batch, host.clock, zone, reason),
                pool=pool,
                snapshot=name,
                datasets=tuple(DatasetRef(one.dataset.name, one.dataset.guid) for one in batch),
                properties=properties,
            )

    def _fits(self, host: HostFacts, dataset: Dataset, name: str) -> bool:
        length = len(f"{dataset.name}@{name}".encode())
        if length <= MAX_NAME_BYTES:
            return True
        self.find(
            Severity.CRITICAL,
            "name-too-long",
            host,
            dataset,
            f"no snapshot is taken, {name} would make a name of {length} bytes and OpenZFS allows {MAX_NAME_BYTES}",
            "a shorter prefix in the policy file, or a shorter name of the dataset",
        )
        return False


def _free_name(host: HostFacts, prefix: str, group: Sequence[_Wanted]) -> str:
    """The name for the host's now, or for the next second at which none of the group has a snapshot."""
    taken = {snapshot.name for one in group for snapshot in host.snapshots.get(one.dataset.name, ())}
    make = scheduled_name if group[0].policy is not None else manual_name
    second = host.clock
    while make(prefix, second) in taken:
        second += 1
    return make(prefix, second)


def _properties(policy: Policy | None, reason: str, expires: int | None) -> tuple[tuple[str, str], ...]:
    if policy is not None:
        return ((POLICY_PROPERTY, policy.name),)
    properties = [(REASON_PROPERTY, reason)] if reason else []
    if expires is not None:
        properties.append((EXPIRES_PROPERTY, str(expires)))
    return tuple(properties)


def _why(batch: Sequence[_Wanted], clock: int, zone: tzinfo, reason: str) -> str:
    schedule: Schedule | None = batch[0].policy.schedule if batch[0].policy is not None else None
    if schedule is None:
        return f"taken by hand: {reason}" if reason else "taken by hand"
    word = schedule.text if " " not in schedule.text else f'"{schedule.text}"'
    since = [one.since for one in batch if one.since is not None]
    if not since:
        but = "but from the future" if any(one.ahead for one in batch) else "yet"
        return f"{word} is due, there is no snapshot of ours {but}"
    return f"{word} is due since {time_of_day(min(since), zone, now=clock)}"


def _check_reason(reason: str) -> None:
    length = len(reason.encode("utf-8", "surrogateescape"))
    if length > MOST_REASON_BYTES or not reason.isprintable():
        why = "it holds a line break or another control character"
        if length > MOST_REASON_BYTES:
            why = f"it has {length} bytes, {MOST_REASON_BYTES} are allowed"
        raise UsageError("no snapshot was taken, the reason cannot be kept", why=why, hint='--reason "one short line"')
