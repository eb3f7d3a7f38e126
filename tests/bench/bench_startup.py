"""CPU time of the commands that people and shells call most, against the budget of each.

Run by `make bench`. CPU time of the process and its children (user and system), the smallest and the median of
several runs after a first one that fills the caches; wall time on a busy machine says nothing. The cached status is
that of 50 hosts with 20 datasets each.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zfsctl.documents.status import document_of_status
from zfsctl.model.history import RunRecord, RunState
from zfsctl.model.lineage import LinkState
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.model.status import DatasetStatus, Health, HostStatus, Status
from zfsctl.state.journal import open_journal

ROOT: Final = Path(__file__).resolve().parents[2]
INSTALLED: Final = Path(sys.executable).with_name("zfsctl")
ONE_FILE: Final = ROOT / "dist" / "zfsctl"

NOW: Final = 1_795_185_000  # 2026-11-20 14:30 UTC
BUDGETS: Final = {"--version": 30, "--help": 100, "status --cached": 130}
"""Command to milliseconds."""


def fleet_status() -> Status:
    """Fifty hosts with twenty datasets each, all well."""
    hosts = [f"node{number:02}" for number in range(50)]
    return Status(
        generated_at=NOW,
        hosts=tuple(HostStatus(host, Health.OK, "", "2.3.9", (Pool("rpool", 1),)) for host in hosts),
        datasets=tuple(
            DatasetStatus(
                *(host, f"rpool/vm/disk-{number:02}", "critical", Health.OK, ""),
                *("zfsctl-20261120T140000Z", NOW - 1800, NOW + 1800, 74, 1, 2, 1 << 30),
            )
            for host in hosts
            for number in range(20)
        ),
        last_run=RunRecord("r1", "run", RunState.DONE, NOW - 1800, NOW - 1700, 0, 1000, 900, 0),
        approvals_waiting=0,
        findings=(),
        replications=(
            ReplicationStatus(
                "nodes-to-vault",
                86_400,
                259_200,
                tuple(
                    PairStatus(
                        *(host, f"rpool/vm/disk-{number:02}", "vault", f"bk/{host}/vm/disk-{number:02}"),
                        *(LinkHealth.HEALTHY, LinkState.BEHIND, "BEHIND by 1 snapshot", 1800, 1),
                        *("@zfsctl-20261120T130000Z", NOW - 5400, "the next run sends 1 snapshot"),
                    )
                    for host in hosts
                    for number in range(20)
                ),
            ),
        ),
    )


def cpu_milliseconds(command: Sequence[str | Path], *, runs: int) -> list[float]:
    """What each of `runs` runs of a command cost, after one that is not counted.

    Raises:
        CalledProcessError: The command failed.
    """
    spent = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=120)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return spent[1:]


def main() -> int:
    """Print one line per program and command; 1 when a budget is not held."""
    held = True
    programs = {"installed": INSTALLED, "one file": ONE_FILE}
    with tempfile.TemporaryDirectory(prefix="zfsctl-bench-") as folder:
        with open_journal(Path(folder) / "state.db") as journal:
            journal.save_status(json.dumps(document_of_status(fleet_status())), NOW)
        os.environ["ZFSCTL_STATE_DIR"] = folder
        for label, program in programs.items():
            if not program.exists():
                print(f"start-up, {label}: not there (make dist)")
                continue
            for command, budget in BUDGETS.items():
                times = cpu_milliseconds([program, *command.split()], runs=15)
                within = min(times) <= budget
                held &= within
                print(
                    f"start-up, {label}: zfsctl {command}: {min(times):.0f} ms CPU at best,"
                    f" {statistics.median(times):.0f} median; {'within' if within else 'OVER'} the budget of {budget}"
                )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
