"""Simulated machines, and a way to speak to them."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pytest

from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.building import create_fleet, create_pool
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.document_save import fleet_document
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.workload import write

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


@dataclass
class Pair:
    """A fleet in memory with a sender `alpha`, pool tank, and a receiver `vault`, pool bk; and what a person types."""

    state: SimFleet
    fleet: SandboxFleet

    def ask(self, host: str, line: str) -> Completed:
        """Run a command line, whatever comes of it."""
        return self.fleet.host(host).run(Command(tuple(shlex.split(line))))

    def do(self, host: str, *lines: str) -> None:
        """Run command lines that must succeed and stay silent on stderr."""
        for line in lines:
            done = self.ask(host, line)
            assert (done.exit_code, done.stderr) == (0, ""), f"{line}: {done}"

    def value(self, host: str, name: str, dataset: str) -> str:
        """One property."""
        done = self.ask(host, f"zfs get -Hp -o value {name} {dataset}")
        assert done.clean, done
        return done.stdout.rstrip("\n")

    def guids(self, host: str, dataset: str) -> list[str]:
        """The guids of a dataset's snapshots, oldest first."""
        done = self.ask(host, f"zfs list -Hp -t snapshot -o guid {dataset}")
        assert done.clean, done
        return done.stdout.split()

    def join(self, send: str, receive: str, **way: object) -> PipeResult:
        """Join the two, whatever comes of it."""
        first, second = Command(tuple(shlex.split(send))), Command(tuple(shlex.split(receive)))
        return self.fleet.pipe("alpha", first, "vault", second, **way)

    def copy(self, send: str, receive: str) -> None:
        """Join the two; both must succeed and stay silent."""
        done = self.join(send, receive)
        assert (done.sender.exit_code, done.sender.stderr) == (0, ""), done.sender
        assert (done.receiver.exit_code, done.receiver.stderr) == (0, ""), done.receiver

    def write(self, host: str, dataset: str, size: int, **file: str) -> None:
        """Write into a dataset."""
        write(self.state, host, dataset, size, **file)

    def dataset(self, host: str, name: str) -> SimDataset:
        """The state of a dataset."""
        return self.state.hosts[host].pools[name.partition("/")[0]].datasets[name]

    def document(self, host: str) -> object:
        """All that a host holds, as its part of the fleet's document; reading that gives the same again."""
        document = fleet_document(self.state)
        again = fleet_document(load_fleet(document))
        assert again == document
        return again["hosts"][host]


@pytest.fixture
def pair() -> Pair:
    """`alpha` with tank/a, which has a snapshot s1 of 4 MiB, and `vault` with an empty pool."""
    return new_pair()


def new_pair() -> Pair:
    """The same, for tests that need it several times."""
    state = create_fleet(NOON, ("alpha", "vault"))
    create_pool(state, "alpha", "tank", GIBIBYTE)
    create_pool(state, "vault", "bk", GIBIBYTE)
    found = Pair(state, SandboxFleet(state))
    found.do("alpha", "zfs create tank/a")
    found.write("alpha", "tank/a", 4 << 20, path="notes", text="one")
    found.do("alpha", "zfs snapshot tank/a@s1")
    return found
