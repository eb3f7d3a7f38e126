"""How long a million snapshots take to be read, and how much memory they need.

Run by `make bench`. CPU time of this process alone, the best of several rounds with a tenth of the snapshots, then
one round with all of them in a process of its own: a tenth must cost a tenth.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from zfsctl.model.names import scheduled_name
from zfsctl.zfs.own_properties import parse_own_properties
from zfsctl.zfs.snapshots import parse_snapshots

MANY: Final = 1_000_000
PER_DATASET: Final = 100
ROUNDS: Final = 5
BEGIN: Final = 1_767_225_600
HOUR: Final = 3600
MEBIBYTE: Final = 1024  # ru_maxrss is in KiB


def full_names(count: int) -> Iterator[tuple[str, int, int]]:
    """`count` snapshots: full name, guid and number within its dataset."""
    guid = 1 << 63
    shorts = [scheduled_name("zfsctl", BEGIN + number * HOUR) for number in range(PER_DATASET)]
    for dataset in range(count // PER_DATASET):
        for number, short in enumerate(shorts):
            guid += 97
            yield f"tank/vm/disk-{dataset:05}@{short}", guid, number


def listing(count: int) -> Iterator[str]:
    """The lines of `zfs list -t snapshot`."""
    for name, guid, number in full_names(count):
        used, written = 4096 * (guid % 50), 8192 * (guid % 20)
        yield f"{name}\t{guid}\t{1000 + number * 300}\t{BEGIN + number * HOUR}\t{used}\t{written}\t0\t-"


def properties(count: int) -> Iterator[str]:
    """The lines of `zfs get`, four for each snapshot."""
    for name, guid, _ in full_names(count):
        yield f"{name}\tguid\t{guid}\t-"
        yield f"{name}\tzfsctl:policy\tcritical\tlocal"
        yield f"{name}\tzfsctl:reason\t-\t-"
        yield f"{name}\tzfsctl:expires\t-\t-"


def cpu_seconds(work: Callable[[], object]) -> float:
    """What one call costs."""
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before


def best(work: Callable[[], object]) -> float:
    """The least that one call costs."""
    return min(cpu_seconds(work) for _ in range(ROUNDS))


def read_all(count: int) -> None:
    """Read `count` snapshots as a run does, line by line, and print seconds and peak memory."""
    made = cpu_seconds(lambda: deque(chain(properties(count), listing(count)), maxlen=0))
    seconds = cpu_seconds(lambda: parse_snapshots(listing(count), parse_own_properties(properties(count)))) - made
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    print(f"parse: {count:,} snapshots with their properties: {seconds:.1f} s CPU, peak {peak:.0f} MiB")


def main() -> None:
    """Print one line per measure."""
    if sys.argv[1:]:
        read_all(int(sys.argv[1]))
        return
    tenth = MANY // 10
    snapshots, props = list(listing(tenth)), list(properties(tenth))
    print(f"parse: {tenth:,} lines of snapshots: {best(lambda: parse_snapshots(snapshots)):.2f} s CPU at best")
    print(f"parse: {len(props):,} lines of properties: {best(lambda: parse_own_properties(props)):.2f} s CPU at best")
    for count in (tenth, MANY):
        subprocess.run([sys.executable, __file__, str(count)], check=True)


if __name__ == "__main__":
    main()
