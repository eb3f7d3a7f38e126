"""Send what receivers lack."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from zfsctl.errors import ConfigError, LockedError, UnknownNameError
from zfsctl.model.plan import Plan
from zfsctl.operations.assemble import assemble_plan
from zfsctl.operations.planning import replicate_scene, scene_of_replications
from zfsctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class ReplicateRequest:
    """The replications by name; none for all of the policy."""

    names: tuple[str, ...] = ()
    adopt: bool = False
    """Whether receivers that zfsctl never wrote may be set aside."""
    repairs: bool = True


def plan_replicate(session: Session, request: ReplicateRequest) -> Plan:
    """What each pair of the replications needs.

    Raises:
        ConfigError: The policy has no replication.
        UnknownNameError: A name that no replication has.
        LockedError: Another run is at work on all of them.
    """
    known = [replication.name for replication in session.policy.replications]
    if not known:
        raise ConfigError(
            "nothing was replicated, the policy has no [[replications]]",
            hint="man zfsctl.toml",
            where=", ".join(session.policy.files),
        )
    for name in request.names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise UnknownNameError(
                f"{name}: nothing was replicated, no such replication in the policy",
                why=f"it has {', '.join(known)}",
                hint=f"did you mean {near[0]}?" if near else "zfsctl config show",
                where=name,
            )
    wanted = request.names or tuple(known)
    scene = scene_of_replications(session, wanted)
    session.facts, session.trees = scene.facts, scene.trees
    replicating = replicate_scene(session, scene, sends=True, adopt=request.adopt, repairs=request.repairs)
    if len(session.locks.busy) == len(wanted) and not replicating.steps:
        raise LockedError(
            f"{', '.join(wanted)}: nothing was done, another run is at work there",
            why="two runs never work on one replication at the same time",
            hint="zfsctl history",
            where=", ".join(wanted),
        )
    return assemble_plan(
        "replicate",
        scene.facts,
        now=session.clock(),
        datasets=replicating.datasets,
        steps=replicating.steps,
        findings=(*session.findings, *scene.findings, *replicating.findings),
        approvals=replicating.approvals,
    )
