"""How the snapshots of one dataset stand: are they as new as the schedule wants them?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.policy import Policy, Schedule
from zfsctl.model.status import DatasetStatus, Health
from zfsctl.planner.calendar import next_due
from zfsctl.planner.ownership import Owners, Standing, is_future, newest_first, newest_scheduled, written_since_ours
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import minute, span

_WARNING_AFTER, _CRITICAL_AFTER = 2, 3
"""Instants of the schedule without a snapshot: the first makes it due, the second is one interval late."""


def dataset_status(
    selected: Selected, host: HostFacts, *, prefix: str, zone: tzinfo, looked_at: int | None = None
) -> DatasetStatus:
    """The state of one dataset's snapshots.

    One schedule interval late is a WARNING, two are CRITICAL. Where the policy skips empty snapshots, late is only what
    was written to since the last one of ours. A dataset without any is late counting from its own creation.

    Args:
        selected: The dataset and its policy.
        host: What its host said.
        prefix: What our names begin with.
        zone: The time zone that schedules are read in.
        looked_at: When a run last found nothing to do here, epoch seconds, None if not known. Where empty snapshots
            are skipped the schedule counts from then on, since nothing tells when an idle dataset was written to.
    """
    dataset, policy = selected.dataset, selected.policy
    snapshots = host.snapshots.get(dataset.name)
    listed: Sequence[Snapshot] = snapshots if snapshots is not None else ()
    newest = newest_scheduled(listed, prefix=prefix, clock=host.clock)
    owners = Owners(prefix)
    standings = [owners.standing(snapshot.name) for snapshot in listed]
    idle = (
        policy is not None
        and policy.skip_empty
        and newest is not None
        and written_since_ours(listed, dataset.written, prefix=prefix) == 0
    )
    health, why = Health.OK, ""
    if not host.complete or (snapshots is None and policy is not None):
        health = Health.UNKNOWN
        why = host.problems[0] if host.problems else "its snapshots were not listed"
    elif policy is not None and policy.schedule is not None:
        if dataset.inconsistent:
            health, why = Health.WARNING, "no snapshot is taken, its first receive has not finished"
        elif not idle:
            health, why = _lateness(policy, policy.schedule, newest, dataset.creation, host.clock, zone, looked_at)
        if health is Health.OK:
            health, why = _wrong_date(listed, prefix, host.clock, zone)
    return DatasetStatus(
        host=host.host,
        dataset=dataset.name,
        policy=policy.name if policy is not None else "",
        health=health,
        why=why,
        newest=newest.name if newest is not None else None,
        newest_at=newest.creation if newest is not None else None,
        next_due=_next_due(policy, newest, host.clock, zone, idle=idle),
        scheduled=standings.count(Standing.SCHEDULED),
        manual=standings.count(Standing.MANUAL),
        foreign=standings.count(Standing.FOREIGN),
        used_by_snapshots=dataset.used_by_snapshots,
    )


def _lateness(
    policy: Policy,
    schedule: Schedule,
    newest: Snapshot | None,
    created: int,
    clock: int,
    zone: tzinfo,
    looked_at: int | None,
) -> tuple[Health, str]:
    reference = newest.creation if newest is not None else created
    if policy.skip_empty and looked_at is not None:
        reference = max(reference, min(looked_at, clock))
    instants = _instants(schedule, reference, clock, zone)
    if len(instants) < _WARNING_AFTER:
        return Health.OK, ""
    health = Health.CRITICAL if len(instants) >= _CRITICAL_AFTER else Health.WARNING
    late = span(clock - instants[0])
    if newest is None:
        return health, f"no snapshot of ours yet, {schedule.text} is {late} late"
    return health, f"{schedule.text} is {late} late, the newest is of {minute(newest.creation, zone)}"


def _instants(schedule: Schedule, after: int, until: int, zone: tzinfo) -> list[int]:
    """The first few instants of the schedule after the one and not after the other."""
    found: list[int] = []
    while len(found) < _CRITICAL_AFTER:
        instant = next_due(schedule, now=after, zone=zone)
        if instant is None or instant > until:
            break
        found.append(instant)
        after = instant
    return found


def _wrong_date(snapshots: Sequence[Snapshot], prefix: str, clock: int, zone: tzinfo) -> tuple[Health, str]:
    """A newest snapshot from the future says that a clock is, or was, wrong."""
    owners = Owners(prefix)
    for snapshot in newest_first(snapshots):
        if owners.standing(snapshot.name) is Standing.SCHEDULED:
            if is_future(snapshot, clock):
                return Health.WARNING, f"{snapshot.name} is dated after its host's now, {minute(clock, zone)}"
            break
    return Health.OK, ""


def _next_due(policy: Policy | None, newest: Snapshot | None, clock: int, zone: tzinfo, *, idle: bool) -> int | None:
    if policy is None or policy.schedule is None:
        return None
    if newest is None:
        return clock
    return next_due(policy.schedule, now=max(newest.creation, clock) if idle else newest.creation, zone=zone)
