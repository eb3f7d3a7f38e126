"""Every error that zfsctl raises on purpose: one tree, one exit code per family.

    ZfsctlError                     1  failed
    ├── UsageError                  2  the command line asks for something that cannot be
    │   ├── UnknownNameError        2  no such host, dataset, policy …; carries near matches
    │   └── ConfigError             2  the policy file is wrong; names file and key path
    ├── RefusedError                5  a guard says no
    │   ├── NotConfirmedError       5  a person had to agree and did not
    │   └── StaleError              5  the world moved since the plan was made
    ├── FoundWrongError             6  looked, and found something wrong (verify, doctor)
    ├── LockedError                11  another run holds what this one needs
    ├── UnreachableError           12  no connection to a host
    │   ├── AuthenticationError    12  the host does not let us in
    │   └── HostKeyError           12  the host is not the one we know
    ├── HostCommandError            1  a command on a host failed
    │   ├── HostTimeoutError        1  it did not answer in time
    │   ├── InterruptedOutputError  1  the connection ended before the output did
    │   └── UnreadableOutputError   1  what it printed is not what OpenZFS prints
    └── StateError                  1  the state file is damaged, locked, newer or not writable

An error says what did not happen and where (`message`), why, and what to try: a line to paste.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process tells its caller. Codes are only ever added."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    CHANGES = 4
    REFUSED = 5
    FOUND_WRONG = 6
    LOCKED = 11
    UNREACHABLE = 12
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


class ZfsctlError(Exception):
    """What did not happen and where, why, and a line to try.

    Args:
        message: What did not happen and where, one line, no full stop.
        why: The reason, empty when the message says it all.
        hint: What to try next, a line to paste; empty for nothing. Shown as `try:`.
        where: Host, dataset or file that it is about, for programs that read JSON.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, why: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return f"{self.message}: {self.why}" if self.why else self.message

    @property
    def parts(self) -> tuple[ZfsctlError, ...]:
        """What it consists of, each to be shown by itself: just this error, unless a subclass says otherwise."""
        return (self,)


class UsageError(ZfsctlError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE
    code = "usage"


class UnknownNameError(UsageError):
    """A name that nothing carries; `hint` holds the nearest names that exist."""

    code = "unknown-name"


class ConfigError(UsageError):
    """The policy file is wrong; `where` is the file and key path.

    `problems` has one error for each thing that is wrong when there are several; then `message` has a line for each.
    """

    code = "config"

    def __init__(
        self, message: str, *, why: str = "", hint: str = "", where: str = "", problems: tuple[ConfigError, ...] = ()
    ) -> None:
        super().__init__(message, why=why, hint=hint, where=where)
        self.problems = problems

    @property
    def parts(self) -> tuple[ZfsctlError, ...]:
        """Each thing that is wrong, the first on top."""
        return self.problems or (self,)


class RefusedError(ZfsctlError):
    """A guard says no."""

    exit_code = ExitCode.REFUSED
    code = "refused"


class NotConfirmedError(RefusedError):
    """A person had to agree and did not."""

    code = "not-confirmed"


class StaleError(RefusedError):
    """The world moved since the plan was made, or the plan is too old."""

    code = "stale"


class FoundWrongError(ZfsctlError):
    """Looked, and found something wrong."""

    exit_code = ExitCode.FOUND_WRONG
    code = "found-wrong"


class LockedError(ZfsctlError):
    """Another run holds what this one needs."""

    exit_code = ExitCode.LOCKED
    code = "locked"


class UnreachableError(ZfsctlError):
    """No connection to a host."""

    exit_code = ExitCode.UNREACHABLE
    code = "unreachable"


class AuthenticationError(UnreachableError):
    """The host does not let us in."""

    code = "authentication"


class HostKeyError(UnreachableError):
    """The host is unknown, or not the one we know."""

    code = "host-key"


class HostCommandError(ZfsctlError):
    """A command on a host failed."""

    code = "host-command"


class HostTimeoutError(HostCommandError):
    """A command did not answer in time; whether it was carried out is unknown."""

    code = "timeout"


class InterruptedOutputError(HostCommandError):
    """The connection ended before the output did; whether the command was carried out is unknown."""

    code = "interrupted-output"


class UnreadableOutputError(HostCommandError):
    """What a command printed is not what OpenZFS prints."""

    code = "unreadable-output"


class StateError(ZfsctlError):
    """The state file is damaged, locked, newer than this program, or cannot be written."""

    code = "state"
