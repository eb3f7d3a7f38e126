"""How a command ends when it is told to stop, or when nobody foresaw why it cannot go on."""

from __future__ import annotations

from zfsctl.errors import ExitCode, ZfsctlError

_ENDED = "what was under way has ended, nothing new was begun"


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived. Raised in the main thread, so that every `finally` on the way runs."""


class InternalError(ZfsctlError):
    """Something that nobody foresaw."""

    code = "internal"


class InterruptError(ZfsctlError):
    """Stopped cleanly by Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED
    code = "interrupted"


class TerminatedError(ZfsctlError):
    """Stopped cleanly by SIGTERM or SIGHUP."""

    exit_code = ExitCode.TERMINATED
    code = "terminated"


def error_of(reason: BaseException) -> ZfsctlError:
    """What a person is told about anything that ended a command."""
    if isinstance(reason, ZfsctlError):
        return reason
    if isinstance(reason, KeyboardInterrupt):
        return InterruptError("stopped by Ctrl-C", why=_ENDED, hint="zfsctl history")
    if isinstance(reason, Terminated):
        return TerminatedError("stopped by a signal", why=_ENDED, hint="zfsctl history")
    return InternalError(
        "zfsctl failed in a way that was not foreseen",
        why=f"{type(reason).__name__}: {reason}",
        hint="the same command with -v shows where",
    )
