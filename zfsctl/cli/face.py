"""What stands between a command and the person or program that gave it: output, talk, questions, errors.

stdout is data, stderr is talk. With --json stdout holds exactly one document, whatever happens.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from zfsctl.errors import NotConfirmedError, ZfsctlError

if TYPE_CHECKING:
    from zfsctl.cli.pasting import Pasting
    from zfsctl.operations.session import Session, SessionOptions
    from zfsctl.render.text import Line, Row


_FIRST_OF_SCENE, _LAST_OF_SCENE = 22, 1


@dataclass(slots=True)
class SharedOptions:
    """What every verb accepts, before or after its name."""

    config: str | None = None
    host: list[str] = field(default_factory=list)
    json: bool = False
    no_color: bool = False
    quiet: bool = False
    verbose: bool = False
    yes: bool = False
    no_input: bool = False
    timeout: str | None = None
    sandbox: str | None = None


class OutputError(Exception):
    """The answer could not be written, such as on a full disk; what the command did stays done."""


class Face:
    """One command's way of talking. Made before the command line is parsed, so that it can report how that failed."""

    def __init__(self, arguments: Sequence[str], *, environ: Mapping[str, str] | None = None) -> None:
        self.options = SharedOptions()
        self.environ = os.environ if environ is None else environ
        end = arguments.index("--") if "--" in arguments else len(arguments)
        own, rest = arguments[:end], arguments[end:]
        self._again = (own, rest)
        self._seems_json = "--json" in own
        self._seems_verbose = "-v" in own or "--verbose" in own
        self._parsed = False
        self.monitoring = "--check" in own and "status" in own
        self.answered = False
        """Whether the one document of --json has been printed."""
        self.staged = False
        """Whether this is a scene of the demo: laid out for people even in a pipe."""

    def parsed(self) -> None:
        """The command line was understood: what it only seemed to say no longer counts."""
        self._parsed = True
        self.monitoring = False

    @property
    def json(self) -> bool:
        """Whether stdout is to hold one document."""
        return self.options.json if self._parsed else self._seems_json

    @property
    def verbose(self) -> bool:
        """Whether more is to be said."""
        return self.options.verbose if self._parsed else self._seems_verbose

    @property
    def on_terminal(self) -> bool:
        """Whether a person looks at stdout."""
        return self.staged or _is_terminal(sys.stdout)

    @property
    def talks_to_terminal(self) -> bool:
        """Whether a person looks at stderr and wants to be talked to."""
        return _is_terminal(sys.stderr) and not (self.options.quiet or self.json)

    @property
    def can_ask(self) -> bool:
        """Whether a question would reach a person who has seen what it is about."""
        options = self.options
        return not (options.no_input or options.json) and _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    def again(self, option: str) -> str:
        """This command line once more, with `option`, as a line to paste."""
        own, rest = self._again
        return shlex.join(("zfsctl", *own, option, *rest))

    def for_scene(self) -> Face:
        """The face of one command of the demo, which nobody is asked about."""
        scene = Face((), environ=self.environ)
        scene.staged = True
        scene.options.no_color = self.options.no_color
        scene.options.no_input = True
        scene.options.quiet = True
        return scene

    def open_session(
        self, *, dry_run: bool = False, added: Mapping[str, object] | None = None
    ) -> AbstractContextManager[Session]:
        """The session of this command line; `added` is what it adds to the policy."""
        from zfsctl.operations.session import open_session

        return open_session(self.session_options(dry_run=dry_run, added=added))

    def session_options(self, *, dry_run: bool = False, added: Mapping[str, object] | None = None) -> SessionOptions:
        """What this command line says before any verb."""
        from zfsctl.operations.session import SessionOptions

        options = self.options
        return SessionOptions(
            config=Path(options.config) if options.config else None,
            hosts=tuple(options.host),
            sandbox=Path(options.sandbox) if options.sandbox else None,
            timeout_seconds=seconds_of_timeout(options.timeout),
            dry_run=dry_run,
            environ=dict(self.environ),
            added=added,
        )

    def answer(
        self,
        kind: str,
        data: Callable[[], Mapping[str, Any]],
        *,
        lines: Callable[[], Iterable[Line]],
        rows: Callable[[], Iterable[Row]],
        at: int | None = None,
        totals: Callable[[], str] | None = None,
    ) -> None:
        """Give the one answer of a command: as a document, for a terminal, or for a pipe; only that one is made.

        `totals` ends the lines of a terminal already; beside the rows of a pipe it is talk.
        """
        if self.json:
            self.print_document(kind, data(), at=at)
        elif self.on_terminal:
            self.print_lines(lines())
        else:
            self.print_rows(rows())
            if totals is not None:
                self.talk(totals())

    def print_document(self, kind: str, data: Mapping[str, Any], *, at: int | None = None) -> None:
        """Print the one document of --json."""
        from zfsctl.documents.envelope import document_chunks, envelope

        document = envelope(kind, self._pasting.document(data), at=int(time.time()) if at is None else at)
        self.answered = True
        self.write(document_chunks(document, pretty=self.on_terminal))

    def print_lines(self, lines: Iterable[Line]) -> None:
        """Print lines for a terminal."""
        from zfsctl.render.text import painted

        if self.staged:
            lines = _excerpt(list(lines))
        self.write(painted(map(self._pasting.line, lines), colour=self._may_colour(sys.stdout)))

    def print_rows(self, rows: Iterable[Row]) -> None:
        """Print rows for a pipe."""
        from zfsctl.render.text import tabbed

        self.write(tabbed(map(self._pasting.row, rows)))

    def print_text(self, text: str) -> None:
        """Print one line of data."""
        from zfsctl.render.text import visible

        self.write((visible(text) + "\n",))

    def write(self, texts: Iterable[str]) -> None:
        """Write data as it is.

        Raises:
            OutputError: It could not be written.
            BrokenPipeError: Nobody reads it any more.
        """
        for text in texts:
            try:
                sys.stdout.write(text)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise OutputError(error.strerror or str(error)) from error

    def talk(self, *texts: str) -> None:
        """Say something beside the data, unless --quiet."""
        if not self.options.quiet:
            from zfsctl.render.text import visible

            self._flush(sys.stdout)
            pasting = self._pasting
            sys.stderr.writelines(visible(pasting.text(text)) + "\n" for text in texts)

    def fail(self, error: ZfsctlError) -> int:
        """Report an error the way this command reports; the exit code to leave with."""
        if self.json and not self.answered:
            from zfsctl.documents.errors import document_of_error, document_of_failure

            self.print_document("error", document_of_failure([document_of_error(part) for part in error.parts]))
        if not self.monitoring:
            self._print_error(error)
            return int(error.exit_code)
        from zfsctl.model.status import Health
        from zfsctl.render.status import check_exit_code, check_line

        if not self.json:
            self.write((check_line(Health.UNKNOWN, str(error)) + "\n",))
        return check_exit_code(Health.UNKNOWN)

    def confirm(self, question: str, *, refusal: str, hint: str) -> None:
        """Let a person agree by --yes, or by y on a terminal.

        Raises:
            NotConfirmedError: Nobody did; `refusal` says what was not done, `hint` names the flag.
        """
        if self.options.yes:
            return
        if not self.can_ask:
            raise NotConfirmedError(refusal, why="it needs a yes, and there is nobody to ask", hint=hint)
        if self._ask(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise NotConfirmedError(refusal, why="the answer was not yes", hint=hint)

    def confirm_by_typing(self, expected: str, *, given: str | None, what: str, refusal: str, hint: str) -> None:
        """Let a person agree to a possible loss of data by typing `expected`, or by --confirm.

        Args:
            expected: The dataset's name, or for many datasets the number of destroys shown.
            given: The value of --confirm; --yes alone is never enough.
            what: What `expected` is, for the question.
            refusal: What is not done without it.
            hint: The flag that would allow it.

        Raises:
            NotConfirmedError: It was not typed, or something else was.
        """
        if given is None and not self.can_ask:
            raise NotConfirmedError(refusal, why=f"it can lose data, so {what} must be typed", hint=hint)
        typed = self._ask(f"This can lose data. Type {what} to go on: ").strip() if given is None else given
        if typed != expected:
            raise NotConfirmedError(refusal, why=f"{what} is {expected}, not {typed!r}", hint=hint)

    def _ask(self, question: str) -> str:
        self._flush(sys.stdout)
        sys.stderr.write(question)
        self._flush(sys.stderr)
        return sys.stdin.readline()

    def _print_error(self, error: ZfsctlError) -> None:
        from zfsctl.render.findings import render_error
        from zfsctl.render.text import painted

        lines = [line for part in error.parts for line in render_error(part.message, why=part.why, hint=part.hint)]
        self._flush(sys.stdout)
        sys.stderr.writelines(painted(map(self._pasting.line, lines), colour=self._may_colour(sys.stderr)))

    @property
    def _pasting(self) -> Pasting:
        from zfsctl.cli.pasting import Pasting

        return Pasting(self.options.sandbox, self.options.config)

    def _may_colour(self, stream: TextIO) -> bool:
        from zfsctl.config.settings import colour_refused

        return _is_terminal(stream) and not self.options.no_color and not colour_refused(self.environ)

    @staticmethod
    def _flush(stream: TextIO) -> None:
        # Talk must not overtake the data that it is about.
        stream.flush()


def seconds_of_timeout(text: str | None) -> int | None:
    """The value of --timeout: whole seconds, or a duration such as 2m; None when it was not given.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    from zfsctl.cli.parsing import seconds_of

    return seconds_of("--timeout", f"{text}s" if text.isdecimal() else text, example="60s")


def _excerpt(lines: list[Line]) -> list[Line]:
    """The beginning and the end of what one scene of the demo shows."""
    from zfsctl.render.text import line

    more = len(lines) - _FIRST_OF_SCENE - _LAST_OF_SCENE
    if more <= 1:
        return lines
    return [*lines[:_FIRST_OF_SCENE], line(f"  … {more} more lines"), *lines[-_LAST_OF_SCENE:]]


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False
