"""One process, one command: streams, signals, and an exit code whatever happens."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from zfsctl.cli.face import Face, OutputError
from zfsctl.cli.stopping import InternalError, Terminated, error_of
from zfsctl.errors import ExitCode, UsageError


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says.

    Returns:
        The exit code: that of the command, of its error, 130 or 143 after a signal, 141 for a broken pipe.
    """
    _make_usable_streams()
    face = Face(arguments)
    try:
        code = _run(arguments, face)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _let_go_of_streams()
        return int(ExitCode.BROKEN_PIPE)
    except (OutputError, OSError) as error:
        return _not_written(error)
    return code


def _run(arguments: Sequence[str], face: Face) -> int:
    from typer._click.exceptions import ClickException, NoArgsIsHelpError
    from typer.exceptions import Exit

    try:
        with _signals_raise():
            return dispatch(arguments, face)
    except Exit as error:
        return error.exit_code
    except ClickException as error:
        if isinstance(error, NoArgsIsHelpError) and not (face.json or face.monitoring):
            sys.stderr.write(error.format_message() + "\n")
            return int(ExitCode.USAGE)
        return face.fail(_usage_error(error, arguments))
    except (BrokenPipeError, OutputError):
        raise
    except (Exception, KeyboardInterrupt, Terminated) as reason:
        told = error_of(reason)
        if face.verbose and isinstance(told, InternalError):
            import traceback

            traceback.print_exc()
        return face.fail(told)


def dispatch(arguments: Sequence[str], face: Face) -> int:
    """Call the verb that the command line names.

    Raises:
        ZfsctlError: As the verb does.
    """
    from zfsctl.cli.tree import command_tree

    for argument in arguments:
        if not argument.isascii() and any("\udc80" <= char <= "\udcff" for char in argument):
            raise UsageError(f"{argument}: nothing was done", why="it is not UTF-8", where="command line")
    command = command_tree()
    with command.make_context("zfsctl", list(arguments), obj=face) as context:
        code = command.invoke(context)
    return int(code or 0)


def _usage_error(error: Exception, arguments: Sequence[str]) -> UsageError:
    """What Typer found wrong, said the way of all our errors."""
    from typer._click import exceptions

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "zfsctl"
    if isinstance(error, exceptions.NoArgsIsHelpError):
        return UsageError(f"{path}: nothing was done, no command was given", hint=f"{path} --help")
    if isinstance(error, exceptions.NoSuchOption):
        from difflib import get_close_matches

        # The dashes would make any two options alike, and what is pasted must be what was meant.
        wrong, words = error.option_name, [option.lstrip("-") for option in error.possibilities or ()]
        near = get_close_matches(wrong.lstrip("-"), words, n=1)
        mended = [re.sub(f"^{re.escape(wrong)}(?==|$)", f"--{near[0]}", one) for one in arguments] if near else ()
        hint = shlex.join(("zfsctl", *mended)) if near else f"{path} --help"
        return UsageError(f"{path}: there is no option {wrong}", hint=hint, where=wrong)
    said = error.format_message() if isinstance(error, exceptions.ClickException) else str(error)
    return UsageError(f"{path}: nothing was done", why=said.rstrip("."), hint=f"{path} --help")


@contextmanager
def _signals_raise() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Terminated; Python's own default would end the process without any `finally`.

    A SIGHUP that is ignored already (nohup) stays ignored.
    """

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _make_usable_streams() -> None:
    """Streams that were closed become ones that go nowhere; what an encoding does not have is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - lives as long as the process


def _not_written(error: OutputError | OSError) -> int:
    """Say that the answer is not whole, such as on a full disk; what the command did stays done."""
    with suppress(OSError):
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        sys.stderr.write(f"error: the answer could not be written: {why}\n")
        sys.stderr.flush()
    _let_go_of_streams()
    return int(ExitCode.FAILED)


def _let_go_of_streams() -> None:
    """Keep Python from complaining at exit that it could not flush into a pipe that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue
