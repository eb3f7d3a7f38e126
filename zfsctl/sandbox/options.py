"""Command lines as getopt(3) of glibc reads them: options may follow operands, `--` ends them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zfsctl.sandbox.calls import Call


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one command line and what follows them."""

    given: tuple[tuple[str, str], ...]
    """Letter and argument (empty for none), in order."""
    operands: tuple[str, ...]
    letters: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, letter: object) -> bool:
        return letter in self.letters

    def last(self, letter: str) -> str | None:
        """The argument of the last such option, None if it was not given."""
        return next((argument for each, argument in reversed(self.given) if each == letter), None)

    def all(self, letter: str) -> tuple[str, ...]:
        """The arguments of all such options."""
        return tuple(argument for each, argument in self.given if each == letter)


def parse_options(call: Call, arguments: Sequence[str], letters: str, *, complain_missing: bool = False) -> Options:
    """Read `arguments` by a getopt string such as "Hpro:t:". A wrong option ends the command with exit code 2.

    Args:
        complain_missing: The command tells a missing argument from an unknown option, as `zfs get` does.
    """
    given: list[tuple[str, str]] = []
    operands: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            continue
        cluster = word[1:]
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            place = letters.find(letter)
            if place < 0 or letter == ":":
                call.usage(f"invalid option '{letter}'")
            if letters[place + 1 : place + 2] != ":":
                given.append((letter, ""))
                continue
            if not cluster and not rest:
                call.usage(
                    f"missing argument for '{letter}' option" if complain_missing else f"invalid option '{letter}'"
                )
            given.append((letter, cluster or rest.pop(0)))
            cluster = ""
    return Options(tuple(given), tuple(operands), frozenset(letter for letter, _ in given))
