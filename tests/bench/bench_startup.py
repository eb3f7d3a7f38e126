"""CPU time of the commands that people and shells call most, against the budget of each.

Run by `make bench`. CPU time of the process and its children (user and system), the smallest and the median of
several runs after a first one that fills the caches; wall time on a busy machine says nothing.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
INSTALLED: Final = Path(sys.executable).with_name("zfsctl")
ONE_FILE: Final = ROOT / "dist" / "zfsctl"

BUDGETS: Final = {"--version": 30, "--help": 100, "status --cached": 130}
"""Command to milliseconds."""


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
        sandbox = str(Path(folder) / "sandbox")
        subprocess.run([INSTALLED, "sandbox", "init", sandbox, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([INSTALLED, "--sandbox", sandbox, "status"], check=True, stdout=subprocess.DEVNULL)
        for label, program in programs.items():
            if not program.exists():
                print(f"start-up, {label}: not there (make dist)")
                continue
            for command, budget in BUDGETS.items():
                place = ["--sandbox", sandbox] if command.startswith("status") else []
                times = cpu_milliseconds([program, *command.split(), *place], runs=15)
                within = min(times) <= budget
                held &= within
                print(
                    f"start-up, {label}: zfsctl {command}: {min(times):.0f} ms CPU at best,"
                    f" {statistics.median(times):.0f} median; {'within' if within else 'OVER'} the budget of {budget}"
                )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
