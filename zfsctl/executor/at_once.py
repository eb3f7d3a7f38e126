"""Several hosts at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

MOST_HOSTS_AT_ONCE = 40

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def at_once(ask: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """What `ask` says to each of `items`, in their order; in threads where there are several.

    The first error is raised; nobody waits for the others then.
    """
    if len(items) < 2:
        return [ask(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(min(len(items), MOST_HOSTS_AT_ONCE), "collect")
    try:
        return list(pool.map(ask, items))
    finally:
        # On an interruption nobody waits for the answers of hosts that may never come.
        pool.shutdown(wait=False, cancel_futures=True)
