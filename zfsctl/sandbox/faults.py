"""Faults that a test puts into a simulated fleet: crashes, cut connections, noise, hosts that lie or hang."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase

from zfsctl.model.command import Command
from zfsctl.sandbox.shell import without_wrappers
from zfsctl.sandbox.stream_faults import BrokenLink, StreamEnd, StreamFault

_CHANGING = {
    "zfs": frozenset(
        (
            "bookmark",
            "clone",
            "create",
            "destroy",
            "hold",
            "inherit",
            "mount",
            "promote",
            "receive",
            "recv",
            "release",
            "rename",
            "rollback",
            "set",
            "snap",
            "snapshot",
            "umount",
            "unmount",
        )
    ),
    "zpool": frozenset(("scrub", "trim")),
}


class KilledAt(BaseException):
    """The program itself dies here, as by kill -9; no `except Exception` stops it."""


class FaultKind(Enum):
    """What goes wrong."""

    KILL_BEFORE = auto()
    """The program dies before the command reaches the host."""
    KILL_AFTER = auto()
    """The program dies when the host has carried the command out, before it hears of it."""
    CUT = auto()
    """The connection is cut after some lines of the answer; the command was carried out."""
    CUT_BEFORE = auto()
    """The connection is cut before the command reaches the host."""
    NOISE = auto()
    """Something more stands on stderr."""
    EDIT = auto()
    """stdout is not what the command printed."""
    LIE = auto()
    """Exit code 0 without having done anything."""
    FAIL = auto()
    """Exit code and stderr as given, without having done anything."""
    FAIL_AFTER = auto()
    """Exit code and stderr as given, although the command was carried out."""
    HANG = auto()
    """No answer; nothing was done."""
    HANG_AFTER = auto()
    """No answer, but the command was carried out."""


@dataclass(slots=True)
class Fault:
    """One fault, for the commands it matches."""

    kind: FaultKind
    host: str = "*"
    """Pattern of host names."""
    match: str = ""
    """A part of the command line."""
    changes_only: bool = False
    """Only commands that change something."""
    skip: int = 0
    """How many matching commands pass first."""
    times: int | None = 1
    """How many are hit then; None for all."""
    lines: int = 0
    """CUT: how many lines arrive."""
    text: str = ""
    """NOISE, FAIL: what stands on stderr."""
    exit_code: int = 1
    """FAIL: how the command ends."""
    edit: Callable[[str], str] | None = None
    """EDIT: makes the stdout that arrives from the real one."""

    def hits(self, host: str, command: Command) -> bool:
        """Whether it strikes at this command; counts what it lets pass."""
        if self.times == 0 or not fnmatchcase(host, self.host) or self.match not in str(command):
            return False
        if self.changes_only and not is_change(command.argv):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def is_change(argv: Sequence[str]) -> bool:
    """Whether a command is one that changes something on a host."""
    words = without_wrappers(list(argv))
    if len(words) < 2:
        return False
    if words[1] == "destroy" and any(word.startswith("-") and "n" in word for word in words[2:]):
        return False
    return words[1] in _CHANGING.get(words[0].rpartition("/")[2], ())


@dataclass(slots=True)
class Faults:
    """The faults of a fleet. What is added last strikes first."""

    planned: list[Fault] = field(default_factory=list)
    streams: list[StreamFault] = field(default_factory=list)
    links: list[BrokenLink] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    """Every command that reached a host: the host's name and the command line."""

    def add(self, fault: Fault) -> Fault:
        """Plan a fault; returns it, so that it can be taken out again."""
        self.planned.insert(0, fault)
        return fault

    def kill(self, number: int, *, after: bool = False, changes_only: bool = True) -> Fault:
        """Die before (or right after) the `number`-th command from now, counted from 1."""
        kind = FaultKind.KILL_AFTER if after else FaultKind.KILL_BEFORE
        return self.add(Fault(kind, changes_only=changes_only, skip=number - 1))

    def cut(self, match: str, lines: int, *, host: str = "*", times: int | None = 1) -> Fault:
        """Cut the connection after `lines` lines of the answer."""
        return self.add(Fault(FaultKind.CUT, host, match, lines=lines, times=times))

    def noise(self, match: str, text: str, *, host: str = "*", times: int | None = None) -> Fault:
        """Let something stand on stderr besides, with the exit code unchanged."""
        return self.add(Fault(FaultKind.NOISE, host, match, text=text, times=times))

    def edit(self, match: str, edit: Callable[[str], str], *, host: str = "*", times: int | None = None) -> Fault:
        """Change stdout on its way, such as to another value in a column."""
        return self.add(Fault(FaultKind.EDIT, host, match, edit=edit, times=times))

    def lie(self, match: str, *, host: str = "*", times: int | None = 1) -> Fault:
        """Answer with exit code 0 and do nothing."""
        return self.add(Fault(FaultKind.LIE, host, match, times=times))

    def fail(
        self, match: str, text: str, *, exit_code: int = 1, done: bool = False, host: str = "*", times: int | None = 1
    ) -> Fault:
        """Answer with an error, although the command was carried out if `done`."""
        kind = FaultKind.FAIL_AFTER if done else FaultKind.FAIL
        return self.add(Fault(kind, host, match, text=text, exit_code=exit_code, times=times))

    def hang(self, match: str, *, done: bool = False, host: str = "*", times: int | None = 1) -> Fault:
        """Do not answer in time; the command was carried out if `done`."""
        return self.add(Fault(FaultKind.HANG_AFTER if done else FaultKind.HANG, host, match, times=times))

    def end_stream(
        self, end: StreamEnd, after: int | float, match: str = "", *, text: str = "", times: int | None = 1
    ) -> StreamFault:
        """Bring a stream to an early end, after some bytes (a whole number) or some part of it (a decimal)."""
        self.streams.insert(0, StreamFault(end, after, match=match, text=text, times=times))
        return self.streams[0]

    def break_link(self, host: str, *, dialled_from: str = "", times: int | None = None) -> BrokenLink:
        """Let a host not be reached from some others; this machine's name is empty."""
        self.links.insert(0, BrokenLink(host, dialled_from, times))
        return self.links[0]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.planned.clear()
        self.streams.clear()
        self.links.clear()

    def strike(self, host: str, command: Command) -> Fault | None:
        """The fault that hits this command, None if all goes well."""
        return next((fault for fault in list(self.planned) if fault.hits(host, command)), None)

    def strike_stream(self, sender: str, send: Command, receiver: str, receive: Command) -> StreamFault | None:
        """The fault that hits this stream, None if all of it passes."""
        return next((fault for fault in list(self.streams) if fault.hits(sender, send, receiver, receive)), None)

    def is_broken(self, host: str, dialled_from: str = "") -> bool:
        """Whether a host cannot be dialled just now."""
        return any(link.hits(host, dialled_from) for link in list(self.links))
