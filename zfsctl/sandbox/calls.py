"""One command on a simulated host while it runs: what it may touch, what it printed, how it ends."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import NoReturn

from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.machines import SimFleet, SimMachine
from zfsctl.sandbox.naming import NameKind, name_fault
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.streams import Stream

TEXTS = {
    errno.EPERM: "permission denied",
    errno.EIO: "I/O error",
    errno.ENOENT: "dataset does not exist",
    errno.ENOSPC: "out of space",
    errno.EDQUOT: "out of space",
    errno.EEXIST: "dataset already exists",
    errno.EBUSY: "dataset is busy",
    errno.EROFS: "pool is read-only",
    errno.ENAMETOOLONG: "dataset name is too long",
    errno.ENOTSUP: "unsupported version or feature",
    errno.EAGAIN: "pool I/O is currently suspended",
}
"""What libzfs says of an errno when a command has no better word (zfs_standard_error_fmt)."""


ABORTED = 134
"""What a shell makes of SIGABRT."""


class Exit(Exception):
    """The command ends here with this exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Hang(Exception):
    """The command does not come back."""


class Kinds(Flag):
    """What an operand may name."""

    FILESYSTEM = auto()
    VOLUME = auto()
    SNAPSHOT = auto()
    BOOKMARK = auto()


HEADS = Kinds.FILESYSTEM | Kinds.VOLUME
DATASETS = HEADS | Kinds.SNAPSHOT
ANYTHING = DATASETS | Kinds.BOOKMARK


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for; `snapshot` and `bookmark` are None unless it names one."""

    pool: SimPool
    dataset: SimDataset
    snapshot: SimSnapshot | None = None
    bookmark: SimBookmark | None = None

    @property
    def kind(self) -> Kinds:
        """Which of the four it is."""
        if self.snapshot:
            return Kinds.SNAPSHOT
        if self.bookmark:
            return Kinds.BOOKMARK
        return Kinds.FILESYSTEM if self.dataset.is_filesystem else Kinds.VOLUME

    @property
    def name(self) -> str:
        """Its full name."""
        if self.snapshot:
            return f"{self.dataset.name}@{self.snapshot.name}"
        if self.bookmark:
            return f"{self.dataset.name}#{self.bookmark.name}"
        return self.dataset.name


@dataclass(slots=True)
class Call:
    """One running command."""

    fleet: SimFleet
    machine: SimMachine
    synopsis: str = ""
    out: list[str] = field(default_factory=list)
    """Lines of stdout, without the newline."""
    err: list[str] = field(default_factory=list)
    """Lines of stderr, without the newline."""
    stdin: str = ""
    stream_in: Stream | None = None
    """A stream of `zfs send` on standard input."""
    stream_out: Stream | None = None
    """A stream of `zfs send` on standard output."""

    @property
    def now(self) -> int:
        """The host's own clock, epoch seconds."""
        return self.fleet.now + self.machine.clock_offset

    def say(self, line: str) -> None:
        """Print a line on stdout."""
        self.out.append(line)

    def complain(self, line: str) -> None:
        """Print a line on stderr."""
        self.err.append(line)

    def stop(self, line: str, code: int = 1) -> NoReturn:
        """Print a line on stderr and end."""
        self.err.append(line)
        raise Exit(code)

    def stop_quietly(self, code: int = 1) -> NoReturn:
        """End; what is wrong was printed already."""
        raise Exit(code)

    def usage(self, line: str = "") -> NoReturn:
        """End with exit code 2 and, as zfs does, the synopsis after the error."""
        if line:
            self.err.append(line)
        self.err += ["usage:", f"\t{self.synopsis}"]
        raise Exit(2)

    def pool_of(self, name: str) -> SimPool | None:
        """The imported pool that a name lies in."""
        return self.machine.pools.get(name.partition("/")[0].partition("@")[0].partition("#")[0])

    def look_up(self, name: str) -> Found | None:
        """What a name stands for, None if there is no such thing."""
        pool = self.pool_of(name)
        if pool is None or not pool.readable:
            return None
        head, at, snapshot = name.partition("@")
        head, sharp, bookmark = head.partition("#")
        dataset = pool.datasets.get(head)
        if dataset is None:
            return None
        if at:
            found = dataset.snapshots.get(snapshot)
            return Found(pool, dataset, snapshot=found) if found else None
        if sharp:
            mark = dataset.bookmarks.get(bookmark)
            return Found(pool, dataset, bookmark=mark) if mark else None
        return Found(pool, dataset)

    def open(self, name: str, kinds: Kinds) -> Found | None:
        """What a name stands for; None after a complaint, as zfs_open() makes it."""
        fault = name_fault(name, _name_kind(kinds), modifying=False)
        if fault:
            self.complain(f"cannot open '{name}': {fault}")
            return None
        head, sharp, _ = name.partition("#")
        if sharp and name_fault(head, NameKind.DATASET, modifying=False):
            # Only what stands before a slash is checked for dots, and libzfs has no word for EINVAL here: abort(3).
            self.stop(f"internal error: cannot open '{name}': Invalid argument", ABORTED)
        found = self.look_up(name)
        if found is None:
            pool = self.pool_of(name)
            why = TEXTS[unreadable(pool) if pool else errno.ENOENT]
            if "#" in name and self.look_up(name.partition("#")[0]):
                why = "no such pool or dataset"
            self.complain(f"cannot open '{name}': {why}")
            return None
        if not found.kind & kinds:
            self.complain(f"cannot open '{name}': operation not applicable to datasets of this type")
            return None
        return found

    def open_or_stop(self, name: str, kinds: Kinds) -> Found:
        """What a name stands for; the command ends with exit code 1 if there is none."""
        found = self.open(name, kinds)
        if found is None:
            raise Exit(1)
        return found

    def refusal(self, pool: SimPool, *, needs_space: bool = True) -> int:
        """The errno with which a pool refuses any change, 0 if it takes changes.

        Raises:
            Hang: The command never comes back.
        """
        if pool.hung:
            raise Hang
        if not pool.readable:
            return unreadable(pool)
        if pool.readonly:
            return errno.EROFS
        if needs_space and not pool.has_room(1):
            return errno.ENOSPC
        return 0

    def changed(self) -> None:
        """Note that something was changed."""
        self.fleet.changes += 1


def unreadable(pool: SimPool) -> int:
    """The errno for something in a pool: ENOENT, unless the pool itself cannot be read."""
    if pool.readable:
        return errno.ENOENT
    return errno.EAGAIN if pool.health == "SUSPENDED" else errno.EIO


def _name_kind(kinds: Kinds) -> NameKind:
    if kinds == Kinds.BOOKMARK:
        return NameKind.BOOKMARK
    if kinds & Kinds.BOOKMARK:
        return NameKind.ANY if kinds & Kinds.SNAPSHOT else NameKind.DATASET_OR_BOOKMARK
    if kinds & Kinds.SNAPSHOT:
        return NameKind.SNAPSHOT if kinds == Kinds.SNAPSHOT else NameKind.DATASET_OR_SNAPSHOT
    return NameKind.DATASET
