"""What no command of ZFS does, on either side: a person writes into a filesystem."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from tests.differential.choosing import Argv
from tests.differential.transfers import WRITE
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.workload import write

_TOKEN = re.compile(r"\$\((zfs get [^)]*)\)")


def on_real_hosts(argv: Argv) -> Argv:
    """The command as a real host takes it. Mounted by hand, for these filesystems have no mountpoint."""
    if argv[0] != WRITE:
        return argv
    name, size = shlex.quote(argv[1]), argv[2]
    mount = f'mount -t zfs -o zfsutil {name} "$d" 2>/dev/null || mount -t zfs {name} "$d"'
    # Random bytes: compressed ones would make shorter streams.
    fill = f'head -c {size} /dev/urandom >"$(mktemp -p "$d")" && umount "$d"'
    return ("sh", "-c", f'd=$(mktemp -d); {{ {mount}; }} && {fill}; r=$?; rmdir "$d"; exit $r')


def on_simulated_hosts(argv: Argv, fleet: SimFleet, ask: Callable[[Argv], str]) -> Argv:
    """The command as a simulated host takes it: a write is done here, and `true` stands for it; a resume token that
    the shell would ask for is put in its place.
    """
    if argv[0] == WRITE:
        write(fleet, "local", argv[1], int(argv[2]))
        return ("true",)
    return tuple(_TOKEN.sub(lambda match: ask(tuple(shlex.split(match[1]))).strip(), word) for word in argv)
