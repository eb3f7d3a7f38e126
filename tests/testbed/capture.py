"""Writes what OpenZFS answers into files, for the tests of the parsers.

`python -m tests.testbed --openzfs 2.3 capture` boots hosts of its own, plays the scenes, and writes one file per
answer to tests/zfs/captured/<series>/. A file holds a header, the exit code, stdout and stderr:

    # command: zfs list -Hp tank
    # openzfs: zfs-2.3.9-0+deb13u1 zfs-kmod-2.3.9-0+deb13u1
    # kernel: 6.12.107+deb13-cloud-amd64
    # date: 2026-11-20T23:59:00Z
    rc: 0
    --- stdout
    tank	...
    --- stderr

Text is UTF-8 with surrogateescape. A command that hangs (on a suspended pool) leaves no file.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.testbed.host import Host, HostError
from tests.testbed.machine import Say

STDOUT: Final = "--- stdout\n"
STDERR: Final = "--- stderr\n"


@dataclass(frozen=True, slots=True)
class Captured:
    """One answer of a real OpenZFS, as its file tells it."""

    command: str
    openzfs: str
    kernel: str
    date: str
    rc: int
    stdout: str
    stderr: str


def read_captured(path: Path) -> Captured:
    """Read one file that `Camera.take` wrote."""
    text = path.read_bytes().decode(errors="surrogateescape")
    head, _, rest = text.partition(STDOUT)
    stdout, _, stderr = rest.rpartition(STDERR)
    fields = dict(line.removeprefix("# ").split(": ", 1) for line in head.splitlines())
    return Captured(
        fields["command"], fields["openzfs"], fields["kernel"], fields["date"], int(fields["rc"]), stdout, stderr
    )


def write_captured(path: Path, captured: Captured) -> None:
    """Write one answer so that `read_captured` gives it back."""
    text = (
        f"# command: {captured.command}\n"
        f"# openzfs: {captured.openzfs}\n"
        f"# kernel: {captured.kernel}\n"
        f"# date: {captured.date}\n"
        f"rc: {captured.rc}\n"
        f"{STDOUT}{captured.stdout}{STDERR}{captured.stderr}"
    )
    path.write_bytes(text.encode(errors="surrogateescape"))


class Camera:
    """Plays setup commands on a host and writes answers to a folder."""

    def __init__(self, host: Host, folder: Path, say: Say) -> None:
        self.host = host
        self.folder = folder
        self.say = say
        self.openzfs = " ".join(host.ssh("zfs version").stdout.split())
        self.kernel = host.ssh("uname -r").stdout.strip()
        self.taken: set[str] = set()

    @property
    def release(self) -> tuple[int, int]:
        """Such as (2, 3)."""
        major, minor = self.host.zfs_version.split(".")[:2]
        return int(major), int(minor)

    def do(self, script: str, *, timeout: float = 120) -> str:
        """Run a shell script that must succeed, and give its stdout."""
        return self.host.ssh(f"set -e\n{script}", timeout=timeout).stdout

    def take(self, name: str, command: str | Sequence[str], *, user: str | None = None, timeout: float = 60) -> None:
        """Run one command and write its answer to <name>.txt; a command that gives none in time leaves no file.

        Raises:
            ValueError: The name was used before.
        """
        if name in self.taken:
            raise ValueError(f"{name} was captured already")
        text = command if isinstance(command, str) else shlex.join(command)
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            done = self.host.ssh(text, user=user, check=False, timeout=timeout)
        except HostError as error:
            self.say(f"{name} is left out: {error}")
            return
        answer = Captured(text, self.openzfs, self.kernel, date, done.rc, done.stdout, done.stderr)
        write_captured(self.folder / f"{name}.txt", answer)
        self.taken.add(name)


def capture_all(host: Host, folder: Path, say: Say) -> None:
    """Play all scenes on `host`, which is of no use to anyone else afterwards, and replace the files of `folder`."""
    from tests.testbed import scenes_datasets, scenes_failures, scenes_pools, scenes_questions

    folder.mkdir(parents=True, exist_ok=True)
    camera = Camera(host, folder, say)
    for scenes in (scenes_datasets, scenes_questions, scenes_failures, scenes_pools):
        for scene in scenes.SCENES:
            say(f"{scene.__name__} on OpenZFS {host.zfs_version}")
            scene(camera)
    for path in folder.glob("*.txt"):
        if path.stem not in camera.taken:
            path.unlink()
    say(f"{len(camera.taken)} answers in {folder}")
