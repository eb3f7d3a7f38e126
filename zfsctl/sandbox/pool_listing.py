"""zpool list and zpool status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from zfsctl.sandbox.calls import Call
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.scans import Scan
from zfsctl.sandbox.sizes import nice_size

LIST_SYNOPSIS = "list [-gHLpPv] [-o property[,...]] [-T d|u] [pool] ... [interval [count]]"
STATUS_SYNOPSIS = "status [-dDegiLpPstvx] [-c script] [-T d|u] [pool] ... [interval [count]]"

COLUMNS = [
    "name",
    "guid",
    "size",
    "allocated",
    "free",
    "checkpoint",
    "expandsize",
    "fragmentation",
    "capacity",
    "dedupratio",
    "health",
    "altroot",
    "readonly",
    "ashift",
    "freeing",
    "autotrim",
    "listsnapshots",
    "delegation",
    "failmode",
    "comment",
    "cachefile",
    "leaked",
]
ALIASES = {
    "alloc": "allocated",
    "cap": "capacity",
    "frag": "fragmentation",
    "dedup": "dedupratio",
    "rdonly": "readonly",
}
_DEFAULT = "name,size,allocated,free,checkpoint,expandsize,fragmentation,capacity,dedupratio,health,altroot"
_GONE = ("FAULTED", "UNAVAIL", "REMOVED", "OFFLINE")
_DEFAULTS = {
    "ashift": "0",
    "autotrim": "off",
    "listsnapshots": "off",
    "delegation": "on",
    "failmode": "wait",
    "freeing": "0",
    "leaked": "0",
    "fragmentation": "0",
    "dedupratio": "1.00",
}


def zpool_list(call: Call, arguments: Sequence[str]) -> int:
    """Print the properties of pools, one line each."""
    call.synopsis = LIST_SYNOPSIS
    options = parse_options(call, arguments, "gHLo:pPT:v")
    names = []
    for word in (options.last("o") or _DEFAULT).split(","):
        name = ALIASES.get(word, word)
        if name not in COLUMNS:
            call.usage(f"bad property list: invalid property '{word}'")
        names.append(name)
    pools, code = pools_named(call, options.operands)
    lines = [[pool_value(pool, name, literal="p" in options) for name in names] for pool in pools]
    if "H" in options:
        call.out += ["\t".join(line) for line in lines]
    elif lines:
        rows = [[name.upper() for name in names], *lines]
        widths = [max(len(row[place]) for row in rows) for place in range(len(names))]
        call.out += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    elif code == 0:
        call.say("no pools available")
    return 0 if pools else code


def pools_named(call: Call, names: Sequence[str]) -> tuple[list[SimPool], int]:
    """The pools with some names, all for none, and the exit code so far: 1 after a complaint about a missing one."""
    if not names:
        return [call.machine.pools[name] for name in sorted(call.machine.pools)], 0
    found, code = [], 0
    for name in names:
        if name in call.machine.pools:
            found.append(call.machine.pools[name])
        else:
            call.complain(f"cannot open '{name}': no such pool")
            code = 1
    return found, code


def pool_value(pool: SimPool, name: str, *, literal: bool) -> str:
    """One property of a pool; `-` where it cannot be told."""
    match name:
        case "name":
            return pool.name
        case "guid":
            return str(pool.guid)
        case "health":
            return pool.health
    if pool.health in _GONE:
        return "-"
    allocated = min(pool.size, pool.allocated())
    percent = "" if literal else "%"
    match name:
        case "size" | "allocated" | "free":
            size = {"size": pool.size, "allocated": allocated, "free": pool.size - allocated}[name]
            return str(size) if literal else nice_size(size, bytes_unit=False)
        case "capacity":
            return f"{100 * allocated // pool.size}{percent}"
        case "fragmentation":
            return f"0{percent}"
        case "readonly":
            return "on" if pool.readonly else "off"
        case "dedupratio":
            return "1.00" if literal else "1.00x"
    return pool.properties.get(name, _DEFAULTS.get(name, "-"))


def zpool_status(call: Call, arguments: Sequence[str]) -> int:
    """Describe pools, their devices and their last scan."""
    call.synopsis = STATUS_SYNOPSIS
    options = parse_options(call, arguments, "c:dDegiLpPstT:vx")
    pools, code = pools_named(call, options.operands)
    if "x" in options:
        sick = [pool for pool in pools if pool.health != "ONLINE"]
        if not sick and pools:
            one = f"pool '{pools[0].name}' is healthy" if options.operands else "all pools are healthy"
            call.say(one)
            return code
        pools = sick
    if not pools and not code:
        call.complain("no pools available")
    for place, pool in enumerate(pools):
        if place:
            call.say("")
        _status(call, pool, trims="t" in options)
    return code


def _status(call: Call, pool: SimPool, *, trims: bool) -> None:
    call.say(f"  pool: {pool.name}")
    call.say(f" state: {pool.health}")
    if pool.scan:
        call.out += scan_lines(pool.scan, call.now)
    call.out += ["config:", ""]
    leaves = pool.vdevs or ("sda",)
    depth = 4 if len(leaves) > 1 else 2
    width = max(len(pool.name), 4, *(len(leaf) + depth for leaf in leaves), 10 if depth == 4 else 0)
    call.say(f"\t{'NAME'.ljust(width)}  STATE     READ WRITE CKSUM")
    call.say(f"\t{pool.name.ljust(width)}  {pool.health.ljust(8)}     0     0     0")
    if len(leaves) > 1:
        call.say(f"\t{'  mirror-0'.ljust(width)}  {pool.health.ljust(8)}     0     0     0")
    for leaf in leaves:
        tail = f"  ({_trim_text(call, pool)})" if trims else ""
        call.say(f"\t{(' ' * depth + leaf).ljust(width)}  ONLINE       0     0     0{tail}")
    call.out += ["", "errors: No known data errors"]


def _trim_text(call: Call, pool: SimPool) -> str:
    trim = pool.trim
    if trim is None or trim.canceled:
        return "untrimmed"
    percent = trim.percent(call.now)
    started = f"started at {ctime(trim.started)}"
    if percent == 100:
        return f"100% trimmed, completed at {ctime(trim.started + trim.duration)}"
    if trim.suspended_at is not None:
        return f"{percent}% trimmed, suspended, {started}"
    return f"{percent}% trimmed, {started}"


def ctime(epoch: int) -> str:
    """An instant as ctime(3) prints it, in UTC."""
    instant = datetime.fromtimestamp(epoch, UTC)
    return instant.strftime(f"%a %b {instant.day:>2} %H:%M:%S %Y")


def clock(seconds: int) -> str:
    """A duration as zpool prints it: 00:01:02, or 3 days 00:01:02."""
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} days {text}" if days else text


def scan_lines(scan: Scan, now: int) -> list[str]:
    """The `scan:` lines of zpool status, in the words of 2.2 and later."""
    word = "scrub" if scan.function == "scrub" else "resilver"
    past = "scrub repaired" if word == "scrub" else "resilvered"
    if scan.canceled_at is not None:
        return [f"  scan: {word} canceled on {ctime(scan.canceled_at)}"]
    ended = scan.finished_at(now)
    repaired = nice_size(scan.repaired)
    if ended is not None:
        return [f"  scan: {past} {repaired} in {clock(scan.duration)} with {scan.errors} errors on {ctime(ended)}"]
    worked = scan.worked(now)
    total = nice_size(scan.to_examine, bytes_unit=True)
    done = scan.to_examine * worked // scan.duration
    share = f"{100 * done / scan.to_examine:.2f}% done" if scan.to_examine else "0.00% done"
    tail = "repaired" if word == "scrub" else "resilvered"
    if scan.paused_at is not None:
        return [
            f"  scan: {word} paused since {ctime(scan.paused_at)}",
            f"\t{word} started on {ctime(scan.started)}",
            f"\t{nice_size(done)} / {total} scanned, {nice_size(done)} / {total} issued",
            f"\t{repaired} {tail}, {share}",
        ]
    rate = nice_size(done // worked) if worked else ""
    speed = f" at {rate}/s" if rate else ""
    left = f"{clock(scan.duration - worked)} to go" if worked else "no estimated completion time"
    return [
        f"  scan: {word} in progress since {ctime(scan.started)}",
        f"\t{nice_size(done)} / {total} scanned{speed}, {nice_size(done)} / {total} issued{speed}",
        f"\t{repaired} {tail}, {share}, {left}",
    ]
