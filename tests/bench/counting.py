"""What a command costs: seconds, the ssh processes that it starts, and what zfsctl asks of its hosts.

The processes are counted by an `ssh` that comes first in PATH, notes that it was called and becomes the real one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIMIT: Final = 3600
"""Seconds until a command must have ended."""


class CommandFailed(Exception):
    """A tool did not do its work; the figure is left out."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of a tool."""

    seconds: float
    ssh: int
    """Processes of ssh."""
    exchanges: int | None = None
    """Questions put to hosts, each a session on an open connection; of zfsctl only."""
    commands: int | None = None
    """Commands that those hosts were given; of zfsctl only."""

    def __str__(self) -> str:
        asked = "" if self.exchanges is None else f", {self.exchanges} exchanges with {self.commands} commands"
        return f"{self.seconds:.1f} s, {self.ssh} ssh processes{asked}"


class Meter:
    """Runs commands and tells what they cost.

    Args:
        folder: For its own files and what the commands print.
        ssh_config: Given to every ssh that is not zfsctl's: where the hosts are and which keys they have.
    """

    def __init__(self, folder: Path, ssh_config: Path) -> None:
        self._folder = folder
        self._called = folder / "ssh-called"
        self._asked = folder / "asked.json"
        self._log = folder / "log"
        self._plain = self._counting_ssh("plain", "")
        self._configured = self._counting_ssh("configured", f"-F {shlex.quote(str(ssh_config))}")

    @property
    def asked(self) -> Path:
        """Where tests.bench.counted leaves what it counted."""
        return self._asked

    def run(self, argv: Sequence[str], *, environ: Mapping[str, str], configured: bool = True) -> Cost:
        """Run a command to its end.

        Args:
            argv: The command.
            environ: Its environment; the counting ssh is put in front of its PATH.
            configured: Whether its ssh must be told where the hosts are.

        Raises:
            CommandFailed: Its exit code is not 0, or it did not end.
        """
        self._called.write_bytes(b"")
        self._asked.unlink(missing_ok=True)
        folder = self._configured if configured else self._plain
        path = f"{folder}:{environ.get('PATH', os.defpath)}"
        with self._log.open("wb") as log:
            began = time.monotonic()
            try:
                # Not a pipe: a shared connection that a tool leaves behind would hold it open.
                code = subprocess.run(
                    argv,
                    env={**environ, "PATH": path},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=LIMIT,
                ).returncode
            except subprocess.TimeoutExpired:
                raise CommandFailed(f"no end after {LIMIT} s: {shlex.join(argv)}") from None
            seconds = time.monotonic() - began
        if code != 0:
            said = self._log.read_text(errors="replace")[-2000:]
            raise CommandFailed(f"exit {code} of: {shlex.join(argv)}\n{said}")
        asked = json.loads(self._asked.read_text()) if self._asked.exists() else {}
        return Cost(seconds, len(self._called.read_bytes()), asked.get("exchanges"), asked.get("commands"))

    def _counting_ssh(self, name: str, options: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        program = folder / "ssh"
        real = shutil.which("ssh") or "/usr/bin/ssh"
        program.write_text(f'#!/bin/sh\nprintf x >>{shlex.quote(str(self._called))}\nexec {real} {options} "$@"\n')
        program.chmod(0o755)
        return folder
