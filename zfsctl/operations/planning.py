"""What the planning verbs share: reading the facts that a selection needs, and joining the parts of a plan."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from zfsctl.errors import ConfigError
from zfsctl.executor.estimate import collect_frees
from zfsctl.model.facts import Facts
from zfsctl.model.finding import Finding
from zfsctl.model.plan import DestroySnapshots, Plan, PlannedDataset, RunHook
from zfsctl.operations.session import Session
from zfsctl.planner.naming import hosts_of_selection, resolve_selection, wanted_by_selection
from zfsctl.planner.pruning import Pruning, plan_pruning
from zfsctl.planner.selection import (
    Selected,
    Selection,
    hosts_in_use,
    restrict,
    select_datasets,
    wanted_snapshots,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb plans from: the facts just read and the datasets that it is about."""

    facts: Facts
    selected: tuple[Selected, ...]
    findings: tuple[Finding, ...] = ()


def zone_of(session: Session) -> ZoneInfo:
    """The time zone of the policy."""
    return ZoneInfo(session.policy.timezone)


def scene_of_policy(session: Session) -> Scene:
    """Everything that the policy is about.

    Raises:
        ConfigError: No rule selects anything, on hosts that all answered.
        UnknownNameError: --host names a host that the policy does not have.
    """
    policy = session.policy
    hosts = session.host_names(hosts_in_use(policy))
    with no_garbage_collection():
        facts = session.collect({host: wanted_snapshots(policy, host) for host in hosts})
        selection = select_datasets(policy, facts)
    if facts.complete and not selection.datasets:
        raise _selects_nothing(session, selection)
    return Scene(facts, selection.datasets, selection.findings(session.options.hosts))


def scene_of_selection(session: Session, selections: Sequence[str], *, recursive: bool) -> Scene:
    """The datasets named on the command line, with the rule that each follows.

    Raises:
        UnknownNameError: A name that nothing carries.
        UnreachableError: Its host did not answer.
    """
    policy = session.policy
    hosts = session.host_names(hosts_of_selection(selections, policy))
    facts = session.collect(
        {host: wanted_by_selection(selections, policy, host, recursive=recursive) for host in hosts}
    )
    places = resolve_selection(selections, recursive=recursive, policy=policy, facts=facts)
    return Scene(facts, restrict(select_datasets(policy, facts), places))


def prune_scene(session: Session, scene: Scene) -> Pruning:
    """What becomes of every snapshot of the scene."""
    journal = session.journal
    now = session.clock()
    with no_garbage_collection():
        return plan_pruning(
            scene.selected,
            scene.facts,
            policy=session.policy,
            zone=zone_of(session),
            now=now,
            known_rules=journal.known_rules(),
            approvals=journal.approvals(now),
        )


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Facts and decisions are trees of a million values without a cycle; looking for one costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def owed_hooks(session: Session, scene: Scene) -> tuple[RunHook, ...]:
    """What a run that was killed froze and did not thaw, on the hosts that answer; not what the policy dropped."""
    policy = session.policy
    reached = {name for name, host in scene.facts.hosts.items() if host.reached}
    return tuple(
        step
        for step in session.journal.unthawed()
        if step.host in reached and any(hook.name == step.name and hook.after == step.argv for hook in policy.hooks)
    )


def with_frees(session: Session, plan: Plan) -> Plan:
    """The same plan, each destroy with what OpenZFS says that it would free."""
    frees = collect_frees(session.fleet, [step for step in plan.steps if isinstance(step, DestroySnapshots)])
    steps = tuple(
        replace(step, frees=frees[step.id]) if isinstance(step, DestroySnapshots) and step.id in frees else step
        for step in plan.steps
    )
    return replace(plan, steps=steps)


def joined(*parts: Iterable[PlannedDataset]) -> tuple[PlannedDataset, ...]:
    """The datasets of several parts of a plan, each once, by host and name; the last part that names one counts."""
    places: dict[tuple[str, str], PlannedDataset] = {}
    for part in parts:
        places.update({(planned.host, planned.dataset): planned for planned in part})
    return tuple(places[place] for place in sorted(places, key=lambda place: (place[0], place[1].split("/"))))


def _selects_nothing(session: Session, selection: Selection) -> ConfigError:
    patterns = ", ".join(f'"{one.pattern.text}"' for one in selection.unmatched)
    return ConfigError(
        "nothing was done, no rule of the policy selects anything",
        why=f"no dataset fits {patterns}" if patterns else "it has no [[datasets]]",
        hint="zfsctl config check",
        where=", ".join(session.policy.files),
    )
