"""The command line on small simulated hosts."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zfsctl.cli.process import run

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC, the clock of every sandbox here."""
HOUR = 3600
POLICY = """\
[hosts]
beta = "beta.lan"

[policies.critical]
snapshot = "hourly"
keep = { last = 2, hourly = 4 }

[[datasets]]
select = ["tank", "beta:bk"]
policy = "critical"
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of stdout."""
        return [line.split("\t") for line in self.stdout.splitlines()]

    @property
    def document(self) -> dict[str, Any]:
        """The one document of stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


Zfsctl = Callable[..., Ended]


@pytest.fixture
def zfsctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Zfsctl:
    """Calls the command line in this process, without a terminal and away from the files of this machine."""
    for name in ("ZFSCTL_CONFIG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("STATE", "RUNTIME", "CACHE"):
        monkeypatch.setenv(f"ZFSCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*arguments: str | Path) -> Ended:
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = run([str(argument) for argument in arguments])
        return Ended(code, stdout.getvalue(), stderr.getvalue())

    return call


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A folder with two simulated hosts: on each a dataset with eight hourly snapshots, the newest an hour old."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "zfsctl.toml").write_text(POLICY)
    (folder / "fleet.json").write_text(json.dumps(fleet()))
    return folder


def fleet() -> dict[str, Any]:
    """The document of that sandbox."""
    hosts = {"local": "tank", "beta": "bk"}
    return {
        "schema": "zfsctl.sandbox/1",
        "now": "2026-11-20T12:00:00Z",
        "hosts": {
            host: {
                "version": "2.3.9",
                "pools": {pool: {"size": 2**40, "datasets": {pool: {}, f"{pool}/db": {"snapshots": snapshots()}}}},
            }
            for host, pool in hosts.items()
        },
    }


def snapshots() -> list[dict[str, Any]]:
    """Eight hourly snapshots, the newest at 11:00."""
    return [
        {
            "name": f"zfsctl-20261120T{hour:02}0000Z",
            "guid": str(10_000 + hour),
            "createtxg": 100 + hour,
            "creation": NOON - (12 - hour) * HOUR,
            "used": 4096,
            "properties": {"zfsctl:policy": "critical"},
        }
        for hour in range(4, 12)
    ]


def edit_fleet(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the simulated hosts behind the back of zfsctl."""
    path = folder / "fleet.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
