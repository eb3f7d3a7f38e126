"""Ask OpenZFS what destroys would free. Only for people: no decision rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.plan import DestroySnapshots
from zfsctl.zfs.destroying import argv_destroy_estimate, parse_destroy_estimate

MOST_HOSTS_AT_ONCE = 40


def collect_frees(fleet: Fleet, steps: Iterable[DestroySnapshots]) -> Mapping[str, int]:
    """By the id of a step, the bytes that it would free; one exchange a host.

    A step that OpenZFS cannot estimate (held by now, gone, no answer) has no entry.
    """
    by_host: dict[str, list[DestroySnapshots]] = {}
    for step in steps:
        by_host.setdefault(step.host, []).append(step)
    if not by_host:
        return {}
    frees: dict[str, int] = {}
    with ThreadPoolExecutor(min(len(by_host), MOST_HOSTS_AT_ONCE), "estimate") as pool:
        for found in pool.map(lambda item: _ask(fleet, *item), by_host.items()):
            frees.update(found)
    return frees


def _ask(fleet: Fleet, name: str, steps: Sequence[DestroySnapshots]) -> Mapping[str, int]:
    commands = [argv_destroy_estimate(step.dataset, [ref.name for ref in step.snapshots]) for step in steps]
    frees: dict[str, int] = {}
    try:
        for step, answer in zip(steps, fleet.host(name).run_all(commands), strict=True):
            if answer.exit_code == 0:
                frees[step.id] = parse_destroy_estimate(answer.stdout).frees
    except (HostCommandError, UnreachableError):
        return frees
    return frees
