"""How long it takes to read, plan and explain a million snapshots, and how much memory it needs.

Run by `make bench`. 10,000 datasets with 100 snapshots each, under a policy of seven rules; CPU time and peak memory of
one process per size, so that a tenth of the snapshots can be seen to cost a tenth. Datasets whose snapshots were taken
together share what was worked out about their times, so datasets that all have times of their own are measured too.
The garbage collector is off where a run has it off.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from zfsctl.model.dataset import Dataset, DatasetKind
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.names import scheduled_name
from zfsctl.model.policy import DatasetRule, HostEntry, KeepRule, Pattern, Policy, PolicyFile, Schedule
from zfsctl.model.pool import Pool
from zfsctl.model.verdicts import Rule
from zfsctl.operations.planning import no_garbage_collection
from zfsctl.planner.keeping import fingerprint_of_rules
from zfsctl.planner.pruning import plan_pruning
from zfsctl.planner.selection import select_datasets
from zfsctl.planner.snapshotting import plan_scheduled_snapshots
from zfsctl.zfs.snapshots import parse_snapshots

PER_DATASET: Final = 100
COUNTS: Final = (100_000, 1_000_000)
BUDGET_SECONDS: Final = 15
BUDGET_MIB: Final = 1024
NOW: Final = 1_795_185_000  # 2026-11-20 14:30 UTC
HOUR: Final = 3600
MEBIBYTE: Final = 1024  # ru_maxrss is in KiB

CRITICAL: Final = Policy(
    "critical",
    (
        KeepRule(Rule.LAST, count=2),
        KeepRule(Rule.WITHIN, window=2 * 86_400, text="2d"),
        KeepRule(Rule.HOURLY, count=48),
        KeepRule(Rule.DAILY, count=14),
        KeepRule(Rule.WEEKLY, count=8),
        KeepRule(Rule.MONTHLY, count=12),
        KeepRule(Rule.YEARLY, count=2),
    ),
    Schedule("hourly", "0 * * * *"),
)
POLICY: Final = PolicyFile(
    timezone="Europe/Berlin",
    hosts={"local": HostEntry("local", "")},
    policies={"critical": CRITICAL},
    rules=(DatasetRule("bench", (Pattern("tank", "local", "tank"),), "critical"),),
)


def creations() -> list[int]:
    """A history as rules leave it, with a few hours too many: hours, then days, then weeks, oldest first."""
    steps = [HOUR] * 60 + [24 * HOUR] * 25 + [7 * 24 * HOUR] * (PER_DATASET - 85)
    found = [NOW - 90 * 60]
    for step in steps[1:]:
        found.append(found[-1] - step)
    return found[::-1]


def listing(count: int, *, together: bool) -> Iterator[str]:
    """The lines of `zfs list -t snapshot`."""
    times = creations()
    shorts = [scheduled_name("zfsctl", creation) for creation in times]
    guid = 1 << 63
    for number in range(count // PER_DATASET):
        if not together:
            times = [creation + (number * 7 + place) % 1700 for place, creation in enumerate(creations())]
            shorts = [scheduled_name("zfsctl", creation) for creation in times]
        for place, (short, creation) in enumerate(zip(shorts, times, strict=True)):
            guid += 97
            yield f"tank/vm/disk-{number:05}@{short}\t{guid}\t{1000 + place}\t{creation}\t{guid % 50}\t8192\t0\t-"


def facts_of(lines: Iterator[str]) -> Facts:
    """What a host with these snapshots says."""
    snapshots = parse_snapshots(lines)
    datasets = {name: Dataset(name, DatasetKind.VOLUME, number) for number, name in enumerate(snapshots, 1)}
    return Facts({"local": HostFacts("local", NOW, "2.3.9", (Pool("tank", 1),), datasets, snapshots)})


def measure(count: int, *, together: bool) -> None:
    """Read, plan and explain `count` snapshots, and print what each took."""
    made = time.process_time()
    deque(listing(count, together=together), maxlen=0)
    made = time.process_time() - made
    zone = ZoneInfo(POLICY.timezone)
    fingerprint = fingerprint_of_rules(CRITICAL, prefix=POLICY.prefix, timezone=POLICY.timezone)
    began = time.process_time()
    facts = facts_of(listing(count, together=together))
    # The lines were made in between, which is none of the reading.
    began += made
    read = time.process_time()
    selected = select_datasets(POLICY, facts).datasets
    due = plan_scheduled_snapshots(selected, facts, policy=POLICY, zone=zone)
    known = {("local", one.dataset.guid): {fingerprint} for one in selected}
    with no_garbage_collection():
        pruning = plan_pruning(selected, facts, policy=POLICY, zone=zone, now=NOW, known_rules=known)
    planned = time.process_time()
    letters = 0
    for decision in pruning.decisions:
        why = "; ".join([f"{reason.rule}: {reason.detail}" for reason in decision.reasons])
        letters += len(f"{decision.verdict}\t{decision.host}:{decision.dataset}@{decision.snapshot}\t{why}")
    explained = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    total = explained - began
    destroyed = sum(len(step.snapshots) for step in pruning.steps)
    within = total <= BUDGET_SECONDS and peak <= BUDGET_MIB
    print(
        f"plan: {count:,} snapshots {'taken together' if together else 'of their own times'}:"
        f" read {read - began:.1f} s, planned {planned - read:.1f} s"
        f" ({destroyed:,} destroys, {len(due.steps)} creations), explained {explained - planned:.1f} s"
        f" ({letters:,} letters); {total:.1f} s CPU in all, {1e6 * total / count:.1f} µs each, peak {peak:.0f} MiB;"
        f" {'within' if within else 'OVER'} {BUDGET_SECONDS} s and {BUDGET_MIB} MiB"
    )
    if not within:
        sys.exit(1)


def main() -> int:
    """Print one line per size; 1 when the budget is not held."""
    if sys.argv[1:]:
        measure(int(sys.argv[1]), together=sys.argv[2] == "together")
        return 0
    return max(
        subprocess.run([sys.executable, __file__, str(count), times], check=False).returncode
        for times in ("together", "apart")
        for count in COUNTS
    )


if __name__ == "__main__":
    sys.exit(main())
