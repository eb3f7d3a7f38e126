"""Destroy what no rule keeps."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.plan import Plan
from zfsctl.operations.assemble import assemble_plan
from zfsctl.operations.planning import prune_scene, scene_of_policy, scene_of_selection, with_frees
from zfsctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """The datasets; none for all that the policy is about."""

    selections: tuple[str, ...] = ()
    recursive: bool = False


def plan_prune(session: Session, request: PruneRequest) -> Plan:
    """What becomes of every snapshot of the selection, and what the destroys would free by OpenZFS's own estimate.

    Raises:
        ConfigError: No rule selects anything.
        UnknownNameError: A name that nothing carries.
        LockedError: Another run is at work on everything that this one is about.
    """
    if request.selections:
        scene = scene_of_selection(session, request.selections, recursive=request.recursive)
    else:
        scene = scene_of_policy(session)
    session.facts = scene.facts
    pruning = prune_scene(session, scene)
    plan = assemble_plan(
        "prune",
        scene.facts,
        now=session.clock(),
        datasets=pruning.datasets,
        decisions=pruning.decisions,
        steps=pruning.steps,
        findings=(*session.findings, *scene.findings, *pruning.findings),
        approvals=pruning.approvals,
    )
    return with_frees(session, plan)
