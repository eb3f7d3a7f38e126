"""A count that several threads add to."""

from __future__ import annotations

import threading


class Tally:
    """How many questions a host was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @property
    def count(self) -> int:
        """The sum so far."""
        return self._count

    def add(self) -> None:
        """One more."""
        with self._lock:
            self._count += 1
