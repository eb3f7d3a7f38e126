"""All that is due, for timers."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.facts import Facts
from zfsctl.model.plan import Plan
from zfsctl.operations.assemble import assemble_plan
from zfsctl.operations.planning import (
    Scene,
    joined,
    owed_hooks,
    prune_scene,
    replicate_scene,
    scene_of_policy,
    with_frees,
    zone_of,
)
from zfsctl.operations.session import Session
from zfsctl.planner.pairing import trees_of
from zfsctl.planner.pruning import Pruning
from zfsctl.planner.receiving import is_receiver
from zfsctl.planner.snapshotting import Snapshotting, plan_scheduled_snapshots

JOBS = ("snapshot", "prune", "replicate", "verify", "pools", "archives")
"""What `--only` may name. This version has work for the first three; the policy file cannot ask for the others yet."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Which jobs; None for all."""

    only: tuple[str, ...] | None = None


def plan_run(session: Session, request: RunRequest) -> Plan:
    """Create, then destroy. What is destroyed was decided on the facts read at the start.

    Raises:
        ConfigError: No rule selects anything.
        LockedError: Another run is at work on everything that this one is about.
    """
    jobs = JOBS if request.only is None else request.only
    command = "run" if request.only is None else f"run --only {','.join(request.only)}"
    if not {"snapshot", "prune", "replicate"} & set(jobs):
        return assemble_plan(command, Facts({}), now=session.clock())
    scene = scene_of_policy(session, with_chains=bool({"prune", "replicate"} & set(jobs)))
    session.facts, session.trees = scene.facts, scene.trees
    snapshotting = plan_due(session, scene) if "snapshot" in jobs else Snapshotting()
    replicating = replicate_scene(session, scene, sends="replicate" in jobs, taking=snapshotting.steps)
    pruning = prune_scene(session, scene, replicating) if "prune" in jobs else Pruning()
    plan = assemble_plan(
        command,
        scene.facts,
        now=session.clock(),
        datasets=joined(replicating.datasets, snapshotting.datasets, pruning.datasets),
        decisions=pruning.decisions,
        steps=(*owed_hooks(session, scene), *snapshotting.steps, *pruning.steps, *replicating.steps),
        findings=(
            *session.findings,
            *scene.findings,
            *snapshotting.findings,
            *pruning.findings,
            *replicating.findings,
        ),
        approvals=(*pruning.approvals, *replicating.approvals),
    )
    return plan if session.acts else with_frees(session, plan)


def plan_due(session: Session, scene: Scene) -> Snapshotting:
    """The snapshots of the scene that are due by policy."""
    receives = is_receiver(trees_of(session.policy))
    selected = [one for one in scene.selected if not receives(one.host, one.dataset.name)]
    return plan_scheduled_snapshots(selected, scene.facts, policy=session.policy, zone=zone_of(session))
