"""One writer per host and pool: flock on a file each, gone with the process that held it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from zfsctl.errors import StateError

_NAME_MAX = 255
"""Bytes of a file's name on Linux; a host and a pool together may be longer."""


class PoolLocks:
    """The locks that one command holds, taken one by one and released host by host, or together.

    Two controllers on different machines do not see each other's locks; the re-checks by guid keep them apart.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[tuple[str, str], int] = {}
        self._busy: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    @property
    def busy(self) -> tuple[tuple[str, str], ...]:
        """Host and pool of every lock that was asked for while another run held it."""
        with self._guard:
            return tuple(sorted(self._busy))

    def acquire(self, host: str, pool: str) -> bool:
        """Take the lock of `pool` on `host`; False if another run holds it. Asking again is free.

        A lock once found busy stays so for this command: what that run is doing was not part of the facts.

        Raises:
            StateError: The lock file cannot be made, so nothing can be promised.
        """
        key = (host, pool)
        with self._guard:
            if key in self._held:
                return True
            if key in self._busy:
                return False
            descriptor = self._open(host, pool)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                self._busy.add(key)
                return False
            self._held[key] = descriptor
            return True

    def acquire_all(self, host: str, pools: Iterable[str]) -> tuple[str, ...]:
        """Take the locks of several pools of one host; returns the pools whose lock is ours."""
        return tuple(pool for pool in pools if self.acquire(host, pool))

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of all locks that are held."""
        with self._guard:
            return frozenset(host for host, _ in self._held)

    def release_host(self, host: str) -> None:
        """Let go of the locks of one host's pools: nothing more is to be changed there under them."""
        with self._guard:
            for key in [key for key in self._held if key[0] == host]:
                os.close(self._held.pop(key))

    def release(self) -> None:
        """Let go of everything. May be called twice."""
        with self._guard:
            for descriptor in self._held.values():
                os.close(descriptor)
            self._held.clear()
            self._busy.clear()

    def _open(self, host: str, pool: str) -> int:
        path = self._directory / lock_file_name(host, pool)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateError(
                f"{host}:{pool}: nothing was changed, its lock could not be taken",
                why=f"{path}: {error.strerror}",
                hint="run as root, or set ZFSCTL_RUNTIME_DIR to a directory of yours",
                where=str(path),
            ) from error


def lock_file_name(host: str, pool: str) -> str:
    """The name of the lock's file, another for each host and pool: `host:pool.lock`, or its start and a digest.

    No host name holds a colon, and neither name a tilde.
    """
    name = f"{host}:{pool}.lock"
    if len(os.fsencode(name)) <= _NAME_MAX:
        return name
    return f"{name[:100]}~{hashlib.sha256(os.fsencode(name)).hexdigest()}.lock"
