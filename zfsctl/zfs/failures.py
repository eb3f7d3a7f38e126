"""What went wrong, from the exit code and stderr of zfs and zpool: a kind to act on, and the text as it was.

Texts are those of libzfs (libzfs_util.c, libzfs_dataset.c), which change from version to version. They are matched
by short stable parts; what is not known stays UNKNOWN with its text, and nothing is repaired because of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.command import Completed
from zfsctl.zfs.text import text_lines


class FailureKind(StrEnum):
    """What a failure means to us."""

    DATASET_MISSING = "dataset-missing"
    """Dataset, snapshot or bookmark."""
    POOL_MISSING = "pool-missing"
    EXISTS = "exists"
    HELD = "held"
    CLONED = "cloned"
    HAS_CHILDREN = "has-children"
    BUSY = "busy"
    """In use: mounted, being sent or received; up to 2.3.2 also held."""
    OUT_OF_SPACE = "out-of-space"
    """The pool is full, or a quota or snapshot limit is reached."""
    QUOTA = "quota"
    PERMISSION = "permission"
    READ_ONLY = "read-only"
    """The pool or the dataset takes no changes."""
    SUSPENDED = "suspended"
    NAME_TOO_LONG = "name-too-long"
    SEVERAL_OF_ONE_DATASET = "several-of-one-dataset"
    """Two snapshots of one dataset, or two pools, in one command."""
    NONE_FOUND = "none-found"
    """None of the snapshots to destroy exists."""
    TAG_EXISTS = "tag-exists"
    NO_SUCH_TAG = "no-such-tag"
    INPUT_OUTPUT = "input-output"
    NOT_LOADED = "not-loaded"
    """The kernel module is not there."""
    NO_PROGRAM = "no-program"
    """The shell did not find zfs or zpool."""
    UNKNOWN = "unknown"


_KINDS: tuple[tuple[str, FailureKind], ...] = (
    ("could not find any snapshots to destroy", FailureKind.NONE_FOUND),
    ("it's being held", FailureKind.HELD),
    ("snapshot has dependent clones", FailureKind.CLONED),
    ("snapshot is cloned", FailureKind.CLONED),
    ("has children", FailureKind.HAS_CHILDREN),
    ("multiple snapshots of same fs not allowed", FailureKind.SEVERAL_OF_ONE_DATASET),
    ("tag already exists on this dataset", FailureKind.TAG_EXISTS),
    ("no such tag on this dataset", FailureKind.NO_SUCH_TAG),
    ("no such pool", FailureKind.POOL_MISSING),
    ("dataset already exists", FailureKind.EXISTS),
    ("destination already exists", FailureKind.EXISTS),
    ("bookmark exists", FailureKind.EXISTS),
    ("does not exist", FailureKind.DATASET_MISSING),
    ("is busy", FailureKind.BUSY),
    ("quota exceeded", FailureKind.QUOTA),
    ("out of space", FailureKind.OUT_OF_SPACE),
    ("ermission denied", FailureKind.PERMISSION),
    ("nsufficient privileges", FailureKind.PERMISSION),
    ("delegated administration is disabled", FailureKind.PERMISSION),
    ("command not found", FailureKind.NO_PROGRAM),
    ("sudo: ", FailureKind.PERMISSION),
    ("pool is read-only", FailureKind.READ_ONLY),
    ("dataset is read-only", FailureKind.READ_ONLY),
    ("pool I/O is currently suspended", FailureKind.SUSPENDED),
    ("name is too long", FailureKind.NAME_TOO_LONG),
    ("I/O error", FailureKind.INPUT_OUTPUT),
    ("modules are not loaded", FailureKind.NOT_LOADED),
    ("/dev/zfs and /proc/self/mounts are required", FailureKind.NOT_LOADED),
)
"""Looked through in this order; the first part that a text holds decides."""

_NO_SUCH_PROGRAM = 127
_QUOTED = re.compile(r"cannot [^']*'(?P<name>[^']+)'[^:]*: (?P<text>.*)", re.DOTALL)
_UNQUOTED = "cannot destroy snapshot "
_NOTHING_DONE = "no snapshots were created"
_BEGINS = ("cannot ", "could not ", "internal error: ", "bookmark '", "warning: ", _NOTHING_DONE)


@dataclass(frozen=True, slots=True)
class MemberFailure:
    """What went wrong with one of several things that a command was about."""

    name: str
    """Full name, as it was given to the command; a dataset where the command only said so much."""
    kind: FailureKind
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with a command."""

    kind: FailureKind
    """That of the first member named, else of the command as a whole."""
    text: str
    """stderr without the usage text that zfs may append."""
    exit_code: int
    members: tuple[MemberFailure, ...] = ()
    """What stderr names, in its order, each once."""
    others: tuple[str, ...] = ()
    """The messages that name none of them."""

    @property
    def first_line(self) -> str:
        """The line that says most, for one line of output."""
        return self.text.partition("\n")[0] or f"exit {self.exit_code} without a word"


def parse_failure(completed: Completed, names: Sequence[str] = ()) -> Failure | None:
    """Why a command failed; None when it exited 0, whatever it wrote to stderr.

    Args:
        completed: How the command ended.
        names: Full names of the snapshots or datasets it was about; only these can become members. A dataset
            that stderr names stands for its snapshots among them.
    """
    if completed.exit_code == 0:
        return None
    messages = tuple(messages_of(completed.stderr))
    members, others = _members(messages, names)
    kind = members[0].kind if members else _kind(completed, messages)
    return Failure(kind, "\n".join(messages), completed.exit_code, members, others)


def messages_of(stderr: str) -> Iterator[str]:
    """The messages of stderr, each with the lines that belong to it, without a usage text.

    libzfs breaks lines inside a message (`… has been modified`, newline, `since most recent snapshot`) and
    lists names below one (`use '-R' to destroy the following datasets:`).
    """
    message: list[str] = []
    for line in text_lines(stderr):
        if line.startswith("usage:"):
            break
        if message and line.startswith(_BEGINS):
            yield "\n".join(message)
            message = []
        if line.strip():
            message.append(line.rstrip())
    if message:
        yield "\n".join(message)


def kind_of(text: str) -> FailureKind:
    """The kind of one message; UNKNOWN when nothing in it is known."""
    flat = text.replace("\n", " ")
    return next((kind for part, kind in _KINDS if part in flat), FailureKind.UNKNOWN)


def _kind(completed: Completed, messages: Sequence[str]) -> FailureKind:
    if completed.exit_code == _NO_SUCH_PROGRAM:
        return FailureKind.NO_PROGRAM
    return next((kind for kind in map(kind_of, messages) if kind is not FailureKind.UNKNOWN), FailureKind.UNKNOWN)


def _members(messages: Sequence[str], names: Sequence[str]) -> tuple[tuple[MemberFailure, ...], tuple[str, ...]]:
    """What the messages say of `names`, and the messages that name none of them."""
    known = frozenset(names)
    below: dict[str, list[str]] = {}
    for name in names:
        below.setdefault(name.partition("@")[0], []).append(name)
    found: dict[str, MemberFailure] = {}
    others: list[str] = []
    for message in messages:
        named, text = _name_and_text(message, known | below.keys())
        if not named and message != _NOTHING_DONE:
            others.append(message)
        for name in (named,) if named in known else below.get(named, ()):
            found.setdefault(name, MemberFailure(name, kind_of(text), text))
    return tuple(found.values()), tuple(others)


def _name_and_text(message: str, known: Collection[str]) -> tuple[str, str]:
    """The name that a message is about and what it says of it; two empty texts when it names none of `known`."""
    quoted = _QUOTED.match(message)
    if quoted is not None and quoted["name"] in known:
        return quoted["name"], quoted["text"]
    if message.startswith(_UNQUOTED):
        # Names may hold blanks and colons, so only a name that was asked for can tell where it ends.
        # Of two that would fit the longer one is meant: what follows a shorter one would be no text of libzfs.
        rest = message.removeprefix(_UNQUOTED)
        at = rest.rfind(": ")
        while at >= 0:
            if rest[:at] in known:
                return rest[:at], rest[at + 2 :]
            at = rest.rfind(": ", 0, at)
    return "", ""
