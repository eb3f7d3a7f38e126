"""The programs of a simulated host: zfs, zpool and the few others that zfsctl may ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zfsctl.sandbox.bookmarking import zfs_bookmark
from zfsctl.sandbox.calls import HEADS, Call, Exit
from zfsctl.sandbox.creating import zfs_clone, zfs_create
from zfsctl.sandbox.destroying import zfs_destroy
from zfsctl.sandbox.getting import zfs_get
from zfsctl.sandbox.holding import zfs_hold, zfs_holds, zfs_release
from zfsctl.sandbox.listing import zfs_list
from zfsctl.sandbox.machines import SimFleet, SimMachine
from zfsctl.sandbox.mounting import zfs_mount, zfs_unmount
from zfsctl.sandbox.pool_care import zpool_scrub, zpool_trim
from zfsctl.sandbox.pool_getting import zpool_get
from zfsctl.sandbox.pool_listing import zpool_list, zpool_status
from zfsctl.sandbox.promoting import zfs_promote
from zfsctl.sandbox.receiving import zfs_receive
from zfsctl.sandbox.renaming import zfs_rename
from zfsctl.sandbox.rolling_back import zfs_rollback
from zfsctl.sandbox.sending import zfs_send
from zfsctl.sandbox.setting import zfs_inherit, zfs_set
from zfsctl.sandbox.shell_lines import run_lines
from zfsctl.sandbox.snapshotting import zfs_snapshot

Program = Callable[[Call, Sequence[str]], int]

NOT_FOUND = 127
ENDLESS = 100
"""How many lines of something endless are enough for whoever reads them."""


def zfs_version(call: Call, arguments: Sequence[str]) -> int:
    """Print the version of the userland and of the kernel module."""
    call.say(f"zfs-{call.machine.version}")
    call.say(f"zfs-kmod-{call.machine.version}")
    return 0


def zfs_allow(call: Call, arguments: Sequence[str]) -> int:
    """List what was granted on a dataset: nothing, for nothing is granted on a simulated host."""
    call.synopsis = "allow <filesystem|volume>"
    if len(arguments) != 1 or arguments[0].startswith("-"):
        call.usage("only the rights of one dataset can be listed here")
    call.open_or_stop(arguments[0], HEADS)
    return 0


ZFS: dict[str, Program] = {
    "allow": zfs_allow,
    "bookmark": zfs_bookmark,
    "clone": zfs_clone,
    "create": zfs_create,
    "destroy": zfs_destroy,
    "get": zfs_get,
    "hold": zfs_hold,
    "holds": zfs_holds,
    "inherit": zfs_inherit,
    "list": zfs_list,
    "mount": zfs_mount,
    "promote": zfs_promote,
    "receive": zfs_receive,
    "recv": zfs_receive,
    "release": zfs_release,
    "rename": zfs_rename,
    "rollback": zfs_rollback,
    "send": zfs_send,
    "set": zfs_set,
    "snap": zfs_snapshot,
    "snapshot": zfs_snapshot,
    "umount": zfs_unmount,
    "unmount": zfs_unmount,
    "version": zfs_version,
    "--version": zfs_version,
    "-V": zfs_version,
}

ZPOOL: dict[str, Program] = {
    "get": zpool_get,
    "list": zpool_list,
    "scrub": zpool_scrub,
    "status": zpool_status,
    "trim": zpool_trim,
    "version": zfs_version,
}


def run_program(
    fleet: SimFleet, machine: SimMachine, argv: Sequence[str], stdin: str = ""
) -> tuple[int, list[str], list[str]]:
    """Run one command on a machine: its exit code, and its lines of stdout and stderr.

    Raises:
        Hang: It never comes back, for its pool is suspended.
    """
    call = Call(fleet, machine, stdin=stdin)
    code = run_call(call, argv)
    return code, call.out, call.err


def run_call(call: Call, argv: Sequence[str]) -> int:
    """Run one command; its exit code. What it printed is in `call`.

    Raises:
        Hang: It never comes back.
    """
    try:
        return _dispatch(call, list(argv))
    except Exit as end:
        return end.code


def _dispatch(call: Call, argv: list[str]) -> int:
    argv = without_wrappers(argv)
    if not argv:
        return 0
    program, arguments = argv[0].rpartition("/")[2], argv[1:]
    if program in ("zfs", "zpool"):
        table = ZFS if program == "zfs" else ZPOOL
        command = table.get(arguments[0]) if arguments else None
        if command is None:
            call.complain(f"unrecognized command '{arguments[0]}'" if arguments else "missing command")
            call.stop(f"usage: {program} command args ...", 2)
        return command(call, arguments[1:])
    match program:
        case "date" if arguments in (["+%s"], ["-u", "+%s"]):
            call.say(str(call.now))
            return 0
        case "true" | ":" | "sleep":
            return 0
        case "false":
            return 1
        case "echo":
            call.say(" ".join(arguments))
            return 0
        case "id" if arguments == ["-u"]:
            call.say("0")
            return 0
        case "uname":
            call.say("Linux")
            return 0
        case "yes":
            call.out += [" ".join(arguments)] * ENDLESS
            return 0
        case "cat" if not arguments:
            call.out += call.stdin.splitlines()
            call.stream_out = call.stream_in
            return 0
        case "head" if arguments[:1] == ["-c"] and arguments[1:]:
            call.out += call.stdin[: int(arguments[1])].splitlines()
            call.stream_out = call.stream_in.cut(int(arguments[1])) if call.stream_in else None
            return 0
        case "sh" if arguments[:1] == ["-c"] and len(arguments) > 1:
            return run_lines(call, arguments[1], run_call)
        case "sh" if arguments[:1] == ["-s"]:
            text, call.stdin = call.stdin, ""
            return run_lines(call, text, run_call)
    call.complain(f"sh: 1: {argv[0]}: not found")
    return NOT_FOUND


def without_wrappers(argv: list[str]) -> list[str]:
    """The command without `sudo -n`, `env NAME=VALUE …` and `LC_ALL=C …` in front."""
    while argv:
        if argv[0].rpartition("/")[2] in ("sudo", "env"):
            argv = argv[1:]
            while argv and argv[0].startswith("-"):
                argv = argv[1:]
        elif "=" in argv[0] and argv[0].partition("=")[0].replace("_", "").isalnum():
            argv = argv[1:]
        else:
            break
    return argv
