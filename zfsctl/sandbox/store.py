"""`fleet.json` on disk: read when it changed, written whole or not at all, locked while a command runs."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zfsctl.errors import ConfigError, UsageError, ZfsctlError
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.document_save import document_text, fleet_document
from zfsctl.sandbox.machines import SimFleet

FLEET_FILE = "fleet.json"
LOCK_FILE = "fleet.lock"


class FleetStore:
    """The fleet of one directory. Several processes may use it at once; each sees the others' changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / FLEET_FILE
        self._fleet: SimFleet | None = None
        self._seen: tuple[int, int, int] | None = None
        self._saved_changes = 0

    @contextmanager
    def locked(self) -> Iterator[SimFleet]:
        """The fleet as it is now, nobody else's until the end; saved at the end if it changed, also on an error.

        Raises:
            UsageError: There is no fleet.json, or it cannot be opened.
            ConfigError: It is not a fleet document; names the file and the path.
            ZfsctlError: What changed cannot be written; fleet.json is as it was.
        """
        try:
            lock = os.open(self.directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _not_opened(self.path, self.directory / LOCK_FILE, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fleet = self._load()
            try:
                yield fleet
            finally:
                if fleet.changes != self._saved_changes:
                    self._save(fleet)
        finally:
            os.close(lock)

    def create(self, fleet: SimFleet) -> None:
        """Write a new fleet.json.

        Raises:
            UsageError: There is one already, or the directory cannot be made.
            ZfsctlError: It cannot be written.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            is_there = self.path.exists()
        except OSError as error:
            raise UsageError(
                f"{self.path}: not written",
                why=error.strerror or str(error),
                hint=f"ls -ld {shlex.quote(str(error.filename))}",
                where=str(self.path),
            ) from error
        if is_there:
            raise UsageError(
                f"{self.path}: not written, there is a sandbox already",
                hint="give an empty directory, or remove the file",
                where=str(self.path),
            )
        self._save(fleet)

    def _load(self) -> SimFleet:
        try:
            stat = os.stat(self.path)
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if self._fleet is not None and seen == self._seen:
                return self._fleet
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise _not_opened(self.path, self.path, error) from error
        try:
            self._fleet = load_fleet(json.loads(text))
        except ConfigError as error:
            raise ConfigError(
                f"{self.path}: {error.message}",
                why=error.why,
                hint=error.hint or _anew(self.directory),
                where=f"{self.path}: {error.where}",
            ) from error
        except ValueError as error:
            raise ConfigError(
                f"{self.path} is no JSON document", why=str(error), hint=_anew(self.directory), where=str(self.path)
            ) from error
        self._seen = seen
        self._saved_changes = self._fleet.changes
        return self._fleet

    def _save(self, fleet: SimFleet) -> None:
        # What could not be written has not happened: the next look reads the file again.
        self._fleet = None
        temporary = self.path.with_name(f".{FLEET_FILE}.{os.getpid()}")
        try:
            try:
                self._write(temporary, document_text(fleet_document(fleet)))
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            stat = os.stat(self.path)
        except OSError as error:
            raise ZfsctlError(
                f"{self.path}: not written",
                why=(error.strerror or str(error)).lower(),
                hint=f"df -h {shlex.quote(str(self.directory))}",
                where=str(self.path),
            ) from error
        self._fleet = fleet
        self._seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        self._saved_changes = fleet.changes

    def _write(self, temporary: Path, text: str) -> None:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _anew(directory: Path) -> str:
    """The line that makes another sandbox in place of a damaged one."""
    folder, aside = shlex.quote(str(directory)), shlex.quote(f"{directory}.aside")
    return f"mv {folder} {aside} && zfsctl sandbox init {folder}"


def _not_opened(path: Path, file: Path, error: OSError) -> UsageError:
    """There is no fleet, or `file`, on the way to it, cannot be opened."""
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return UsageError(
            f"{file}: the simulated fleet was not opened",
            why=(error.strerror or str(error)).lower(),
            hint=f"ls -ld {shlex.quote(str(file.parent))} {shlex.quote(str(file))}",
            where=str(file),
        )
    return UsageError(
        f"{path}: no simulated fleet there",
        why=error.strerror or str(error),
        hint=f"zfsctl sandbox init {shlex.quote(str(path.parent))}",
        where=str(path),
    )
