"""Whether somebody else takes snapshots of the same datasets: another zfsctl, a second timer, another tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from fnmatch import fnmatchcase
from itertools import pairwise

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import Ownership, ownership_of
from zfsctl.model.policy import PolicyFile, Schedule
from zfsctl.planner.calendar import next_due
from zfsctl.planner.pasting import line_for
from zfsctl.planner.selection import Selected
from zfsctl.planner.wording import ago, counted

RECENT_SECONDS = 2 * 86_400
"""What is older may come from rules that were changed since."""
RACE_SECONDS = 120
"""Two runs for one instant both find it due only when they look at the same time."""

_OTHER_TOOLS = (
    ("sanoid", "autosnap_*"),
    ("zfs-auto-snapshot", "zfs-auto-snap_*"),
    ("zrepl", "zrepl_*"),
    ("syncoid", "syncoid_*"),
    ("pyznap", "pyznap_*"),
)


def controllers_on(
    host: HostFacts, policy: PolicyFile, selected: Iterable[Selected], *, zone: tzinfo
) -> Iterator[Finding]:
    """One finding for each policy, dataset or tool that tells of somebody else's schedule on `host`.

    Args:
        host: What it said, snapshots with their properties included.
        policy: The policy file.
        selected: The datasets that its rules are about.
        zone: The time zone of its schedules.
    """
    ours = {one.dataset.name: one for one in selected if one.host == host.host}
    yield from _of_other_policies(host, policy, ours)
    for name, one in ours.items():
        schedule = one.policy.schedule if one.policy is not None else None
        if schedule is not None:
            yield from _twice(host, policy, name, schedule, zone)
    yield from _of_other_tools(host, policy, ours)


def _of_other_policies(host: HostFacts, policy: PolicyFile, ours: dict[str, Selected]) -> Iterator[Finding]:
    """Snapshots of a policy that the file does not have, on datasets that it has a policy for.

    After a policy was renamed they are all older than those of its successor; where they come in between, somebody else
    is taking them.
    """
    found: dict[str, list[Snapshot]] = {}
    for name, selected in ours.items():
        if selected.policy is None:
            continue
        known_before = False
        for one in host.snapshots.get(name, ()):
            if one.policy is None or ownership_of(one.name, prefix=policy.prefix) is not Ownership.SCHEDULED:
                continue
            if one.policy in policy.policies:
                known_before = True
            elif host.clock - one.creation <= RECENT_SECONDS and (known_before or not _is_scheduled(selected)):
                found.setdefault(one.policy, []).append(one)
    for name, recent in found.items():
        newest = max(recent, key=lambda one: one.creation)
        datasets = len({one.dataset for one in recent})
        message = (
            f"{newest} was taken {ago(newest.creation, host.clock)} by the policy {name!r}, which this policy file "
            f"does not have ({counted(len(recent), 'such snapshot')} on {counted(datasets, 'dataset')}): another "
            "zfsctl may be at work with another file"
        )
        yield Finding(Severity.WARNING, "second-controller", host.host, newest.dataset, message, "zfsctl config show")


def _is_scheduled(one: Selected) -> bool:
    return one.policy is not None and one.policy.schedule is not None


def _twice(host: HostFacts, policy: PolicyFile, name: str, schedule: Schedule, zone: tzinfo) -> Iterator[Finding]:
    """Two scheduled snapshots for one instant."""
    scheduled = [
        one
        for one in host.snapshots.get(name, ())
        if host.clock - one.creation <= RECENT_SECONDS
        and ownership_of(one.name, prefix=policy.prefix) is Ownership.SCHEDULED
    ]
    pairs = [pair for pair in pairwise(scheduled) if _is_one_instant(*pair, schedule, zone)]
    if pairs:
        first, second = pairs[-1]
        times = "once" if len(pairs) == 1 else f"{len(pairs)} times"
        message = (
            f"@{first.name} and @{second.name} were both taken for one instant of {schedule.text!r}, {times} in the "
            "last 2 days: two timers or two machines run this policy"
        )
        yield Finding(
            Severity.WARNING, "duplicate-schedule", host.host, name, message, "systemctl list-timers 'zfsctl*'"
        )


def _is_one_instant(first: Snapshot, second: Snapshot, schedule: Schedule, zone: tzinfo) -> bool:
    if not 0 <= second.creation - first.creation <= RACE_SECONDS:
        return False
    instant = next_due(schedule, now=first.creation, zone=zone)
    return instant is None or instant > second.creation


def _of_other_tools(host: HostFacts, policy: PolicyFile, ours: dict[str, Selected]) -> Iterator[Finding]:
    for tool, glob in _OTHER_TOOLS:
        recent = [
            one
            for name in ours
            if _is_scheduled(ours[name])
            for one in host.snapshots.get(name, ())
            if host.clock - one.creation <= RECENT_SECONDS and fnmatchcase(one.name, glob)
        ]
        if recent:
            yield _of_tool(host, policy, tool, recent)


def _of_tool(host: HostFacts, policy: PolicyFile, tool: str, recent: Sequence[Snapshot]) -> Finding:
    newest = max(recent, key=lambda one: one.creation)
    datasets = counted(len({one.dataset for one in recent}), "dataset")
    message = (
        f"{newest} was taken {ago(newest.creation, host.clock)} and is named as {tool} does; {datasets} that this "
        "policy takes snapshots of are taken by both"
    )
    hint = line_for(policy, host.host, "systemctl", "list-timers", "--all")
    return Finding(Severity.INFO, "duplicate-schedule", host.host, newest.dataset, message, hint)
