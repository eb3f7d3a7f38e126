"""zfsctl as a command, leaving in a file how many questions and commands it put to its hosts.

`python -m tests.bench.counted FILE WORDS…`
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zfsctl.cli.main import main as run_zfsctl
from zfsctl.hosts import ssh
from zfsctl.hosts.lines import ProcessLines
from zfsctl.hosts.station import Station
from zfsctl.model.command import Command, Completed


class _Asked:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.exchanges = 0
        self.commands = 0

    def note(self, commands: Sequence[Command]) -> None:
        with self._lock:
            self.exchanges += 1
            self.commands += sum(1 + (command.only_if is not None) for command in commands)


_ASKED = _Asked()


class _Counted(ssh.SshHost):
    """A host that notes what it is asked."""

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        if commands:
            _ASKED.note(commands)
        return super().run_all(commands, timeout=timeout)

    @contextmanager
    def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[ProcessLines]:
        _ASKED.note([command])
        with super().lines(command, timeout=timeout) as stream:
            yield stream

    def station(self) -> Station:
        _ASKED.note([Command(("true",))])
        return super().station()


def main() -> int:
    """Run zfsctl with the words of this command line; its exit code."""
    path = Path(sys.argv.pop(1))
    ssh.SshHost = _Counted  # type: ignore[misc] - the class is replaced, so that every dialled host counts
    try:
        return run_zfsctl()
    finally:
        path.write_text(json.dumps({"exchanges": _ASKED.exchanges, "commands": _ASKED.commands}))


if __name__ == "__main__":
    sys.exit(main())
