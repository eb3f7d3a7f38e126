"""What is asked of a host, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BESIDE = 8
"""Commands that one exchange runs at the same time."""

CONDITION_FAILED = 75
"""The exit code of a command that was not run because its condition did not hold (EX_TEMPFAIL)."""
CONDITION_TEXT = "not run: what it rests on has changed"
"""What is then on its stderr."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Another command, and what it has to print at the very moment at which the command is to run."""

    argv: tuple[str, ...]
    stdout: str
    """Without the newlines at its end."""


@dataclass(frozen=True, slots=True)
class Command:
    """One program with its arguments; never a shell line. Quoting is the host boundary's.

    Standard input is empty unless `stdin` says otherwise. With `only_if` the same remote shell looks first, and the
    program is not started where what it sees is not what was seen before.

    With `beside` it may run at the same time as those next to it that may too: a change waits for a transaction group,
    and several can wait for the same one. The exit code is its own; what it prints may be told with another of them.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    only_if: Condition | None = None
    beside: bool = False

    def __str__(self) -> str:
        return " ".join(self.argv)


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ran to its end. Text is UTF-8 with surrogateescape, so no byte is lost."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def clean(self) -> bool:
        """Exit 0 and not a word on stderr: only then is a listing complete (zfs list can omit rows with exit 0)."""
        return self.exit_code == 0 and not self.stderr.strip()
