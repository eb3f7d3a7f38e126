"""Splitting what one command is about into parts that fit into one command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from zfsctl.model.command import MOST_BESIDE

MOST_ARGUMENT_BYTES = 100_000
"""A whole remote command is one argument of a remote shell, and Linux allows that 131,071 bytes."""

MOST_NAMES_PER_DESTROY = 1000
"""A destroy runs inside the sync of one transaction group, so it must stay short."""

_QUOTES_AND_SPACE = 3

Item = TypeVar("Item")


def argument_bytes(names: Iterable[str]) -> int:
    """How long `names` are as arguments of a shell line, quotes and spaces included."""
    return sum(len(name.encode("utf-8", "surrogateescape")) + _QUOTES_AND_SPACE for name in names)


def batches(
    items: Iterable[Item],
    *,
    name: Callable[[Item], str] = str,
    most_bytes: int = MOST_ARGUMENT_BYTES,
    most_names: int | None = None,
) -> Iterator[tuple[Item, ...]]:
    """`items` in their order, in parts whose names each stay within `most_bytes` of arguments and `most_names`.

    Nothing for no items. A single item whose name is longer than `most_bytes` is a part of its own.
    """
    part: list[Item] = []
    used = 0
    for item in items:
        size = argument_bytes((name(item),))
        if part and (used + size > most_bytes or len(part) == most_names):
            yield tuple(part)
            part, used = [], 0
        part.append(item)
        used += size
    if part:
        yield tuple(part)


def beside_each_other(names: Collection[str]) -> Iterator[tuple[str, ...]]:
    """`names` in as many parts of about the same size as one exchange runs commands at the same time.

    For commands that take one name after another and wait for a transaction group with each.
    """
    return batches(names, most_names=max(1, -(-len(names) // MOST_BESIDE)))
