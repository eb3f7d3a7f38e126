"""zpool scrub and zpool trim."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import Call, Hang
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.scans import Scan, Trim

SCRUB_SYNOPSIS = "scrub [-e | -s | -p | -C] [-w] <pool> ..."
TRIM_SYNOPSIS = "trim [-dw] [-r <rate>] [-c | -s] <pool> [<device> ...]"


def zpool_scrub(call: Call, arguments: Sequence[str]) -> int:
    """Start, resume (plain), pause (-p) or cancel (-s) a scrub."""
    call.synopsis = SCRUB_SYNOPSIS
    options = parse_options(call, arguments, "espCw")
    if not options.operands:
        call.usage("missing pool name argument")
    if "s" in options and "p" in options:
        call.usage("invalid option combination: -s and -p are mutually exclusive")
    code = 0
    for name in options.operands:
        pool = call.machine.pools.get(name)
        why = _refusal(call, pool)
        if pool is None or why:
            call.complain(f"cannot open '{name}': no such pool" if pool is None else f"cannot scan '{name}': {why}")
            code = 1
        elif "s" in options:
            code |= _cancel(call, pool)
        elif "p" in options:
            code |= _pause(call, pool)
        else:
            code |= _start(call, pool)
    return code


def _refusal(call: Call, pool: SimPool | None) -> str:
    """Why a pool cannot be scrubbed or trimmed. On a read-only or suspended one it hangs (2.3.9)."""
    if pool is None:
        return ""
    if pool.health == "SUSPENDED" or pool.readonly or pool.hung:
        raise Hang
    return "" if pool.readable else "pool is currently unavailable"


def _running(call: Call, pool: SimPool) -> Scan | None:
    return pool.scan if pool.scan and pool.scan.running(call.now) else None


def _start(call: Call, pool: SimPool) -> int:
    scan = _running(call, pool)
    if scan and scan.function == "resilver":
        call.complain(f"cannot scrub {pool.name}: currently resilvering")
        return 1
    if scan and scan.paused_at is None:
        call.complain(f"cannot scrub {pool.name}: currently scrubbing; use 'zpool scrub -s' to cancel {_scrub(call)}")
        return 1
    if scan:
        scan.resume(call.now)
    else:
        pool.scan = Scan("scrub", call.now, pool.allocated())
    call.changed()
    return 0


def _cancel(call: Call, pool: SimPool) -> int:
    scan = _running(call, pool)
    if scan is None or scan.function != "scrub":
        call.complain(f"cannot cancel scrubbing {pool.name}: there is no active scrub")
        return 1
    scan.canceled_at = call.now
    call.changed()
    return 0


def _pause(call: Call, pool: SimPool) -> int:
    scan = _running(call, pool)
    if scan is None or scan.function != "scrub":
        if call.machine.release < (2, 2):
            call.complain(f"cannot pause scrubbing {pool.name}: there is no active scrub")
            return 1
        return 0
    if scan.paused_at is not None:
        call.complain(
            f"cannot pause scrubbing {pool.name}: scrub is paused; use 'zpool scrub' to resume {_scrub(call)}"
        )
        return 1
    scan.pause(call.now)
    call.changed()
    return 0


def _scrub(call: Call) -> str:
    return "current scrub" if call.machine.release < (2, 2) else "scrub"


def zpool_trim(call: Call, arguments: Sequence[str]) -> int:
    """Start, resume (plain), suspend (-s) or cancel (-c) a trim; exit code 255 when it cannot."""
    call.synopsis = TRIM_SYNOPSIS
    options = parse_options(call, arguments, "cdr:sw")
    if not options.operands:
        call.usage("missing pool name argument")
    name = options.operands[0]
    pool = call.machine.pools.get(name)
    if pool is None:
        call.stop(f"cannot open '{name}': no such pool", 255)
    if _refusal(call, pool):
        call.stop(f"cannot trim '{name}': {_refusal(call, pool)}", 255)
    trim = pool.trim
    active = trim is not None and not trim.canceled and trim.percent(call.now) < 100
    leaves = pool.vdevs or ("sda",)
    if "c" in options or "s" in options:
        if trim is None or not active:
            call.err += [f"cannot trim '{leaf}': there is no active trim" for leaf in leaves]
            return 255
        if "c" in options:
            trim.canceled = True
        elif trim.suspended_at is None:
            trim.suspended_at = call.now
    elif trim is not None and active:
        if trim.suspended_at is None:
            call.err += [f"cannot trim '{leaf}': currently trimming" for leaf in leaves]
            return 255
        trim.started += call.now - trim.suspended_at
        trim.suspended_at = None
    else:
        pool.trim = Trim(call.now, pool.size - pool.allocated())
    call.changed()
    return 0
