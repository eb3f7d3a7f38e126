"""zfs mount and zfs unmount."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import Call, Kinds
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.mounts import canmount_of, mountpoint_of
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool

MOUNT_SYNOPSIS = "mount\n\tmount [-flvO] [-o opts] <-a|-R filesystem|filesystem>"
UNMOUNT_SYNOPSIS = "unmount [-fu] <-a | filesystem|mountpoint>"


def zfs_mount(call: Call, arguments: Sequence[str]) -> int:
    """Mount one filesystem; without an operand list what is mounted."""
    call.synopsis = MOUNT_SYNOPSIS
    options = parse_options(call, arguments, "flvOo:aR")
    if "a" in options or "R" in options:
        call.stop("zfs mount of more than one filesystem is not simulated", 2)
    if not options.operands:
        for pool in call.machine.pools.values():
            for each in pool.tree(pool.name):
                if each.mounted:
                    call.say(f"{each.name:<30}  {mountpoint_of(pool, each)}")
        return 0
    if len(options.operands) > 1:
        call.usage("too many arguments")
    found = call.open_or_stop(options.operands[0], Kinds.FILESYSTEM)
    why = _refusal(found.pool, found.dataset)
    if why:
        call.err += f"cannot mount '{found.name}': {why}".split("\n")
        return 1
    found.dataset.mounted = True
    call.changed()
    return 0


def _refusal(pool: SimPool, dataset: SimDataset) -> str:
    """Why a filesystem cannot be mounted; empty if it can (share_mount_one in zfs_main.c)."""
    mountpoint = mountpoint_of(pool, dataset)
    if mountpoint == "legacy":
        return "legacy mountpoint\nuse mount(8) to mount this filesystem"
    if mountpoint == "none":
        return "no mountpoint set"
    if canmount_of(dataset) == "off":
        return "'canmount' property is set to 'off'"
    if dataset.inconsistent and dataset.receive_resume_token:
        return 'Contains partially-completed state from "zfs receive -s", which can be resumed with "zfs send -t"'
    if dataset.mounted:
        return "filesystem already mounted"
    if dataset.keystatus == "unavailable":
        return "encryption key not loaded"
    return ""


def zfs_unmount(call: Call, arguments: Sequence[str]) -> int:
    """Unmount one filesystem and what is mounted below it."""
    call.synopsis = UNMOUNT_SYNOPSIS
    options = parse_options(call, arguments, "fua")
    if "a" in options:
        call.stop("zfs unmount of more than one filesystem is not simulated", 2)
    if not options.operands:
        call.usage("missing filesystem argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    found = call.open_or_stop(options.operands[0], Kinds.FILESYSTEM)
    if mountpoint_of(found.pool, found.dataset) == "legacy":
        call.complain(f"cannot unmount '{found.name}': legacy mountpoint")
        call.stop("use umount(8) to unmount this filesystem")
    if not found.dataset.mounted:
        call.stop(f"cannot unmount '{found.name}': not currently mounted")
    for each in found.pool.tree(found.dataset.name):
        each.mounted = False
    call.changed()
    return 0
