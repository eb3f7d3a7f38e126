"""What is wrong in a policy file, one problem at a time, and all of them as one error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zfsctl.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    file: str
    key: str
    """Key path in that file, or a position; entries of an array of tables are counted from 1."""
    message: str
    """What is wrong."""
    expected: str = ""
    """What would be right."""
    hint: str = ""
    """A near match, or a line to paste."""

    @property
    def where(self) -> str:
        """File and key path."""
        return f"{self.file}: {self.key}" if self.key else self.file

    def error(self) -> ConfigError:
        """It as an error of its own."""
        return ConfigError(f"{self.where}: {self.message}", why=self.expected, hint=self.hint, where=self.where)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise one ConfigError that names every problem; nothing for none."""
    if problems:
        raise combined(problem.error() for problem in problems)


def combined(errors: Iterable[ConfigError]) -> ConfigError:
    """Several errors of the policy as one; of one error, that error itself. What is said twice is dropped.

    The message has a line for each, the first on top, with what was expected. `where` is that of the first, and
    `problems` holds them one by one.
    """
    single = tuple({(error.where, error.message): error for error in errors}.values())
    if len(single) == 1:
        return single[0]
    return ConfigError(
        "\n  ".join(_line(error) for error in single),
        why=f"{len(single)} things are wrong in the policy; nothing runs before all of them are right",
        hint="zfsctl config check",
        where=single[0].where,
        problems=single,
    )


def near(name: str, known: Iterable[str]) -> str:
    """`did you mean ...?` with the nearest of `known`, whatever its case; empty when nothing is near."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name.strip().casefold(), by_folded, n=1)
    return f"did you mean `{by_folded[found[0]]}`?" if found else ""


def one_of(known: Iterable[str]) -> str:
    """`one of a, b, c`, in the order given."""
    return f"one of {', '.join(known)}"


def _line(error: ConfigError) -> str:
    details = "; ".join(part for part in (error.why, error.hint) if part)
    return f"{error.message} ({details})" if details else error.message
