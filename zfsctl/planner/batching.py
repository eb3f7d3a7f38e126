"""Splitting what one command takes into parts that are short enough for one argument of a remote shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

MOST_BYTES = 100_000
"""Linux allows one argument 131,071 bytes, and a whole remote command is one argument."""

Item = TypeVar("Item")


def in_batches(
    items: Sequence[Item], *, size: Callable[[Item], int], most: int | None = None
) -> Iterator[tuple[Item, ...]]:
    """`items` in their order, in parts of at most MOST_BYTES bytes and `most` items; nothing for no items."""
    part: list[Item] = []
    used = 0
    for item in items:
        length = size(item)
        if part and (used + length > MOST_BYTES or len(part) == most):
            yield tuple(part)
            part, used = [], 0
        part.append(item)
        used += length
    if part:
        yield tuple(part)
