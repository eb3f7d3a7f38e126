"""Send what receivers lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from zfsctl.errors import ConfigError, LockedError, UnknownNameError, UsageError
from zfsctl.model.plan import Plan
from zfsctl.model.replication import name_by_hand
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


@dataclass(frozen=True, slots=True)
class ByHand:
    """A replication of the command line."""

    name: str
    tables: Mapping[str, object]
    """What it adds to the policy file."""


def by_hand(sender: str | None, receiver: str | None, names: Sequence[str]) -> ByHand | None:
    """The replication that --from and --to ask for; None when they do not.

    Raises:
        UsageError: One without the other, or names of replications beside them.
    """
    if sender is None and receiver is None:
        return None
    if sender is None or receiver is None or names:
        raise UsageError(
            "--from, --to: nothing was replicated",
            why="they belong together, and stand instead of names",
            hint="zfsctl replicate --from HOST:DATASET --to HOST:DATASET",
            where="--from",
        )
    name = name_by_hand(sender, receiver)
    return ByHand(name, {"replications": [{"name": name, "sender": sender, "receiver": receiver}]})


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
