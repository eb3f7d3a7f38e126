"""Splitting long lists of names so that each part fits into one command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MOST_ARGUMENT_BYTES = 100_000
"""A whole remote command is one argument of a remote shell, and Linux allows that 131,071 bytes."""

MOST_NAMES_PER_DESTROY = 1000
"""A destroy runs inside the sync of one transaction group, so it must stay short."""

_QUOTES_AND_SPACE = 3


def argument_bytes(names: Iterable[str]) -> int:
    """How long `names` are as arguments of a shell line, quotes and spaces included."""
    return sum(len(name.encode("utf-8", "surrogateescape")) + _QUOTES_AND_SPACE for name in names)


def batches(
    names: Iterable[str], *, most_bytes: int = MOST_ARGUMENT_BYTES, most_names: int | None = None
) -> Iterator[tuple[str, ...]]:
    """`names` in their order, in parts that each stay within `most_bytes` of arguments and `most_names` names.

    Nothing for no names. A single name longer than `most_bytes` is a part of its own.
    """
    part: list[str] = []
    used = 0
    for name in names:
        size = argument_bytes((name,))
        if part and (used + size > most_bytes or len(part) == most_names):
            yield tuple(part)
            part, used = [], 0
        part.append(name)
        used += size
    if part:
        yield tuple(part)
