"""Operators' own commands as steps around the snapshots of what they select."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from zfsctl.model.plan import CreateSnapshots, RunHook
from zfsctl.model.policy import Hook
from zfsctl.planner.matching import selects, selects_host


def hooks_of(hooks: Iterable[Hook], host: str, dataset: str) -> tuple[Hook, ...]:
    """The hooks that select a dataset, in the order of the policy file."""
    return tuple(
        hook
        for hook in hooks
        if any(selects_host(pattern, host) and selects(pattern.dataset, dataset) for pattern in hook.select)
    )


def with_hooks(
    creations: Sequence[tuple[CreateSnapshots, tuple[Hook, ...]]], *, first: int = 1
) -> tuple[CreateSnapshots | RunHook, ...]:
    """The snapshots of one host with the hooks around them.

    Each hook runs once: its `before` ahead of the first snapshot that it is about, its `after` when all of them are
    over. So with the hooks A and B, in this order in the policy file, and snapshots that both are about:

        before of A, before of B, snapshots, after of B, after of A

    A snapshot waits for the `before` of its own hooks only. A hook's `before` waits for those of earlier hooks that are
    about all of its snapshots too. So a hook that fails costs the snapshots that it selects, and no others. `after`
    always runs, also when `before` failed: what may have been frozen must be thawed. Each `after` waits for the one
    ahead of it, whatever they are about, so that they never run at the same time.

    Args:
        creations: The steps, each with the hooks of its datasets.
        first: The number of the first hook step, since ids are unique within a plan.
    """
    hooks = tuple(dict.fromkeys(hook for _, around in creations for hook in around))
    if not hooks:
        return tuple(step for step, _ in creations)
    numbers = iter(range(first, first + 2 * len(hooks)))
    host = creations[0][0].host
    before: dict[Hook, RunHook] = {}
    for hook in hooks:
        if hook.before:
            around_mine = [around for _, around in creations if hook in around]
            waits = tuple(step.id for outer, step in before.items() if all(outer in around for around in around_mine))
            why = f"before the snapshots that hook {hook.name} is about"
            before[hook] = _step(hook, host, next(numbers), hook.before, why, _only(creations, hook), waits)
    steps = [
        replace(step, after=(*step.after, *[before[hook].id for hook in around if hook in before]))
        for step, around in creations
    ]
    after: list[RunHook] = []
    for hook in reversed(hooks):
        if hook.after:
            waits = (
                *[before[hook].id for _ in (0,) if hook in before],
                *[step.id for step, around in creations if hook in around],
                *[inner.id for inner in after[-1:]],
            )
            why = f"after the snapshots that hook {hook.name} is about"
            step = _step(hook, host, next(numbers), hook.after, why, _only(creations, hook), waits)
            after.append(replace(step, always=True))
    return (*before.values(), *steps, *after)


def _step(
    hook: Hook, host: str, number: int, argv: tuple[str, ...], why: str, dataset: str, waits: tuple[str, ...]
) -> RunHook:
    return RunHook(
        id=f"hook-{number}",
        host=host,
        why=why,
        name=hook.name,
        argv=argv,
        timeout_seconds=hook.timeout_seconds,
        dataset=dataset,
        after=waits,
    )


def _only(creations: Iterable[tuple[CreateSnapshots, tuple[Hook, ...]]], hook: Hook) -> str:
    """The dataset that a hook is about where it is just one, else nothing."""
    names = {ref.name for step, around in creations if hook in around for ref in step.datasets}
    return names.pop() if len(names) == 1 else ""
