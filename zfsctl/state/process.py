"""Whether the process that wrote a run is still there: a run without an end is either at work or was cut short."""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """This process, told apart from every other one of this machine, also after a reboot."""
    return identity_of(os.getpid())


def is_alive(identity: str) -> bool:
    """Whether the process with this identity is running. Process numbers are given out again, identities are not."""
    pid = identity.partition(" ")[0]
    return pid.isdigit() and identity_of(int(pid)) == identity


def identity_of(pid: int) -> str:
    """Process number, start in clock ticks after boot, and the id of the boot (proc(5)); the last two may lack."""
    return f"{pid} {_started(pid)} {_boot_id()}"


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "gone"
    # The second field is the name in brackets and may hold anything, brackets and spaces included.
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] in ("Z", "X") else fields[19]


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
