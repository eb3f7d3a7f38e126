"""One connection that several threads share: dialled by the first, dialled again when it is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from zfsctl.errors import UnreachableError

Connection = TypeVar("Connection")


class Shared(Generic[Connection]):
    """Hands out one connection to all who ask.

    Who waits while the dialling fails gets that failure, and does not dial in turn: a dead host would else cost
    its time-out once for every thread.

    Args:
        dial: Makes a connection.
        is_up: Whether it can still be used.
        hang_up: Ends it.
    """

    def __init__(
        self,
        dial: Callable[[], Connection],
        is_up: Callable[[Connection], bool],
        hang_up: Callable[[Connection], None],
    ) -> None:
        self._dial = dial
        self._is_up = is_up
        self._hang_up = hang_up
        self._lock = threading.Lock()
        self._current: Connection | None = None
        self._failed_at = -1.0
        self._failure: UnreachableError | None = None

    def get(self) -> Connection:
        """The connection, dialled if there is none.

        Raises:
            UnreachableError: It could not be dialled, just now or while this thread waited.
        """
        asked_at = time.monotonic()
        with self._lock:
            if self._current is not None and self._is_up(self._current):
                return self._current
            if self._failure is not None and self._failed_at >= asked_at:
                raise self._failure
            self._end()
            try:
                self._current = self._dial()
            except UnreachableError as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
            return self._current

    def drop(self, connection: Connection) -> None:
        """End this connection, if it is still the current one."""
        with self._lock:
            if self._current is connection:
                self._end()

    def close(self) -> None:
        """End the connection, if there is one; the next who asks dials anew."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._current is not None:
            self._hang_up(self._current)
            self._current = None
