"""Simulated hosts with a policy, and the real code on top of them."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zfsctl.config.load import load_policy_files
from zfsctl.config.settings import Paths
from zfsctl.model.plan import Plan
from zfsctl.model.policy import PolicyFile
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.operations.session import Session, SessionOptions
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.workload import advance, write

NOW = 1_795_000_000
"""2026-11-18T11:06:40Z"""
HOUR = 3600
DAY = 24 * HOUR

POLICY = """
[hosts]
alpha = "alpha.lan"
beta = "beta.lan"
[policies.p]
snapshot = "hourly"
keep = { last = 2, hourly = 6 }
[[datasets]]
select = ["alpha:tank", "beta:bk/vm"]
policy = "p"
"""


@dataclass
class World:
    """Two hosts: alpha with tank, tank/a, tank/b and a volume; beta with bk/vm, bk/vm/one."""

    folder: Path
    sim: SimFleet
    policy_text: str = POLICY

    def __post_init__(self) -> None:
        self.fleet = SandboxFleet(self.sim)
        self._read: tuple[str, PolicyFile] | None = None

    def __repr__(self) -> str:
        return f"World({self.folder})"

    @contextmanager
    def session(self, *, dry_run: bool = False, hosts: tuple[str, ...] = ()) -> Iterator[Session]:
        session = Session(
            policy=self._policy(),
            fleet=self.fleet,
            clock=self.fleet.now,
            paths=Paths.inside(self.folder),
            options=SessionOptions(dry_run=dry_run, hosts=hosts, environ={}),
        )
        try:
            yield session
        finally:
            session.close()

    def _policy(self) -> PolicyFile:
        """The policy of the text; it is read again only where that has changed."""
        if self._read is None or self._read[0] != self.policy_text:
            path = self.folder / "zfsctl.toml"
            path.write_text(self.policy_text)
            self._read = (self.policy_text, load_policy_files([path]))
        return self._read[1]

    def run(self, *, only: tuple[str, ...] | None = None, between: Callable[[], None] | None = None) -> Applied:
        """One run; `between` happens after the plan was made."""
        with self.session() as session:
            plan = plan_run(session, RunRequest(only))
            if between is not None:
                between()
            return apply_plan(session, plan)

    def plan(self) -> Plan:
        with self.session(dry_run=True) as session:
            return plan_run(session, RunRequest())

    def advance(self, seconds: int, *, writing: bool = True) -> None:
        if writing:
            for host, dataset in (("alpha", "tank/a"), ("alpha", "tank/b"), ("beta", "bk/vm/one")):
                write(self.sim, host, dataset, 1 << 20)
        advance(self.sim, seconds)

    def hours(self, number: int) -> None:
        """So many hourly runs."""
        for _ in range(number):
            self.advance(HOUR)
            self.run()

    def zfs(self, host: str, *argv: str) -> list[str]:
        return do(self.sim, host, "zfs", *argv)

    def snapshots(self, host: str = "alpha", below: str = "tank") -> dict[str, int]:
        """Full name and guid of everything on a host."""
        rows = self.zfs(host, "list", "-Hp", "-r", "-t", "snapshot", "-o", "name,guid", below)
        return {name: int(guid) for name, guid in (row.split("\t") for row in rows)}

    def everything(self) -> dict[str, set[str]]:
        return {host: set(self.snapshots(host, below)) for host, below in (("alpha", "tank"), ("beta", "bk"))}

    def copy(self, folder: Path) -> World:
        """The same world, its journal included."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return World(folder, copy.deepcopy(self.sim), self.policy_text)


def new_world(folder: Path) -> World:
    sim = create_fleet(NOW, ("alpha", "beta"))
    create_pool(sim, "alpha", "tank", 1 << 34)
    create_pool(sim, "beta", "bk", 1 << 34)
    for host, argv in (
        ("alpha", ("create", "tank/a")),
        ("alpha", ("create", "tank/b")),
        ("alpha", ("create", "-s", "-V", "1G", "tank/vol")),
        ("beta", ("create", "bk/vm")),
        ("beta", ("create", "bk/vm/one")),
    ):
        do(sim, host, "zfs", *argv)
    return World(folder, sim)
