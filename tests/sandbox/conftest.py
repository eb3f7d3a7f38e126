"""A simulated machine with a pool `tank`, and a way to speak to it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pytest

from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.building import create_fleet, create_pool
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.machines import SimFleet

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""
GIBIBYTE = 1 << 30


@dataclass
class Desk:
    """A fleet in memory with one host, and what a person types there."""

    state: SimFleet
    fleet: SandboxFleet

    def ask(self, line: str) -> Completed:
        """Run a command line, whatever comes of it."""
        return self.fleet.host("local").run(Command(tuple(shlex.split(line))))

    def do(self, *lines: str) -> None:
        """Run command lines that must succeed and stay silent on stderr."""
        for line in lines:
            done = self.ask(line)
            assert (done.exit_code, done.stderr) == (0, ""), f"{line}: {done}"

    def rows(self, line: str) -> list[list[str]]:
        """The cells of a listing that must be clean."""
        done = self.ask(line)
        assert done.clean, done
        return [row.split("\t") for row in done.stdout.splitlines()]

    def column(self, line: str) -> list[str]:
        """The first cells of a listing."""
        return [row[0] for row in self.rows(line)]

    def refusal(self, line: str) -> tuple[int, list[str]]:
        """Exit code and stderr, up to the usage text, of a command that must fail."""
        done = self.ask(line)
        lines = done.stderr.splitlines()
        end = next((place for place, text in enumerate(lines) if text.startswith("usage:")), len(lines))
        return done.exit_code, lines[:end]

    def dataset(self, name: str) -> SimDataset:
        """The state of a dataset."""
        return self.state.hosts["local"].pools[name.partition("/")[0]].datasets[name]


@pytest.fixture
def desk() -> Desk:
    """One host `local` with an empty pool `tank` of 1 GiB and a second one, `pond`."""
    state = create_fleet(NOON)
    create_pool(state, "local", "tank", GIBIBYTE)
    create_pool(state, "local", "pond", GIBIBYTE)
    return Desk(state, SandboxFleet(state))
