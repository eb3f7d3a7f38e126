"""What waits to be sent, looked at by name: what was set on it, and whether its name is free on the receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.executor.at_once import at_once
from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Fleet, Host
from zfsctl.model.batches import batches
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.own_properties import argv_own_properties_of, parse_own_properties
from zfsctl.zfs.rereading import argv_guids
from zfsctl.zfs.snapshots import argv_named_snapshots, parse_snapshots
from zfsctl.zfs.text import text_lines


@dataclass(slots=True)
class Waiting:
    """What one host is asked about."""

    sent: dict[str, Snapshot] = field(default_factory=dict)
    """Snapshots to be sent, by full name."""
    free: dict[str, None] = field(default_factory=dict)
    """Full names under which they are to arrive."""


def collect_waiting(fleet: Fleet, facts: Facts, waiting: Mapping[str, Waiting]) -> Facts | None:
    """`facts` with what was set on the snapshots that wait, in one exchange a host.

    None where a name is taken, a snapshot has gone or changed, or an answer leaves something open.
    """
    asked = [(fleet.host(name), facts.hosts[name], one) for name, one in waiting.items()]
    answers = at_once(lambda one: _ask(*one), asked)
    hosts = {host.host: host for host in answers if host is not None}
    return Facts({**facts.hosts, **hosts}) if len(hosts) == len(asked) else None


def _ask(host: Host, facts: HostFacts, waiting: Waiting) -> HostFacts | None:
    sent, free = tuple(batches(waiting.sent)), tuple(batches(waiting.free))
    commands = [
        *(argv_named_snapshots(part) for part in sent),
        *(argv_own_properties_of(part) for part in sent),
        *(argv_guids(part) for part in free),
    ]
    try:
        answers = host.run_all(commands, timeout=patience(commands))
        looks, rest = answers[: 2 * len(sent)], answers[2 * len(sent) :]
        if not all(look.clean for look in looks):
            return None
        for part, answer in zip(free, rest, strict=True):
            failure = parse_failure(answer, part)
            if failure is None or failure.others or answer.stdout:
                return None
            if {one.name for one in failure.members if one.kind is FailureKind.DATASET_MISSING} != set(part):
                return None
        found: dict[str, Snapshot] = {}
        for listing, properties in zip(looks[: len(sent)], looks[len(sent) :], strict=True):
            own = parse_own_properties(text_lines(properties.stdout))
            for snapshots in parse_snapshots(text_lines(listing.stdout), own).values():
                found.update({str(one): one for one in snapshots})
    except (UnreachableError, HostCommandError):
        return None
    if {name: one.guid for name, one in found.items()} != {name: one.guid for name, one in waiting.sent.items()}:
        return None
    return replace(facts, snapshots={name: _with(found, known) for name, known in facts.snapshots.items()})


def _with(found: Mapping[str, Snapshot], known: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    return tuple(found.get(str(one), one) for one in known)
