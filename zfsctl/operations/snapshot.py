"""Take snapshots: what is due by policy, or what a person names."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.plan import Plan
from zfsctl.operations.assemble import assemble_plan
from zfsctl.operations.planning import scene_of_policy, scene_of_selection, zone_of
from zfsctl.operations.run import plan_due
from zfsctl.operations.session import Session
from zfsctl.planner.snapshotting import plan_manual_snapshots


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """The datasets to take by hand; none for what is due by policy."""

    selections: tuple[str, ...] = ()
    recursive: bool = False
    reason: str | None = None
    expires_seconds: int | None = None
    """None: kept for ever."""


def plan_snapshot(session: Session, request: SnapshotRequest) -> Plan:
    """One atomic command for all datasets of a pool.

    Raises:
        ConfigError: No rule selects anything.
        UnknownNameError: A name that nothing carries.
        UsageError: The reason cannot be kept in a property.
        LockedError: Another run is at work on everything that this one is about.
    """
    now = session.clock()
    if request.selections:
        scene = scene_of_selection(session, request.selections, recursive=request.recursive)
        snapshotting = plan_manual_snapshots(
            [(one.host, one.dataset) for one in scene.selected],
            scene.facts,
            policy=session.policy,
            zone=zone_of(session),
            reason=request.reason or "",
            expires=None if request.expires_seconds is None else now + request.expires_seconds,
        )
    else:
        scene = scene_of_policy(session, with_chains=False)
        snapshotting = plan_due(session, scene)
    session.facts = scene.facts
    return assemble_plan(
        "snapshot",
        scene.facts,
        now=now,
        datasets=snapshotting.datasets,
        steps=snapshotting.steps,
        findings=(*session.findings, *scene.findings, *snapshotting.findings),
    )
