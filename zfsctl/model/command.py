"""What is asked of a host, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One program with its arguments; never a shell line. Quoting is the host boundary's.

    Standard input is empty unless `stdin` says otherwise.
    """

    argv: tuple[str, ...]
    stdin: str = ""

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
