"""What every verb needs: the policy, the hosts, the clock, the journal. Only this module builds them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zfsctl.config.settings import Paths, paths_for
from zfsctl.errors import ConfigError, LockedError, StateError, UnknownNameError
from zfsctl.executor.collect import FactsRequest, Unread, collect_facts
from zfsctl.executor.collect_chains import ChainRequest
from zfsctl.executor.locks import PoolLocks
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import pool_of
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.pairing import Tree

if TYPE_CHECKING:
    from zfsctl.state.protocol import JournalLike

Wanted = Callable[[HostFacts], Sequence[str]]
"""Given the datasets of a host, the names of those whose snapshots matter."""


@dataclass(frozen=True, slots=True)
class Chained:
    """What replication wants to know of one host. Its pools are not locked for that: a transfer may take days."""

    wanted: Wanted
    chains: Callable[[HostFacts], ChainRequest]


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the command line says before any verb.

    `dry_run`: nothing will be changed, so no lock is taken and what only looks something up in the state file goes on
    without it.
    """

    config: Path | None = None
    hosts: tuple[str, ...] = ()
    sandbox: Path | None = None
    timeout_seconds: int | None = None
    dry_run: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    added: Mapping[str, object] | None = None
    """Tables that the command line adds to the policy, for this one command."""


class Session:
    """One command's view of the world. Use it through `open_session`."""

    def __init__(
        self,
        *,
        policy: PolicyFile,
        fleet: Fleet,
        clock: Callable[[], int],
        paths: Paths,
        options: SessionOptions,
    ) -> None:
        self.policy = policy
        self.fleet = fleet
        self.clock = clock
        self.paths = paths
        self.options = options
        self.acts = not (options.dry_run or policy.read_only)
        self.locks = PoolLocks(paths.lock_dir)
        self.findings: list[Finding] = []
        self.facts: Facts | None = None
        """What the plan was made from, so that what is known afterwards need not be asked again."""
        self.trees: tuple[Tree, ...] = ()
        """Of which replications those facts know both ends and their chains."""
        self._journal: JournalLike | None = None

    @property
    def journal(self) -> JournalLike:
        """The journal, opened when first needed.

        Raises:
            StateError: It cannot be used, and this command would act. A dry run goes on without it.
        """
        try:
            return self.required_journal
        except StateError as error:
            if self.acts:
                raise
            from zfsctl.state.protocol import NullJournal

            self._journal = NullJournal()
            self.findings.append(
                Finding(Severity.WARNING, "state", "", "", f"planned without the journal: {error}", error.hint)
            )
            return self._journal

    @property
    def required_journal(self) -> JournalLike:
        """The journal, for a command whose whole subject it is.

        Raises:
            StateError: It cannot be used.
        """
        if self._journal is None:
            from zfsctl.state.journal import open_journal

            self._journal = open_journal(self.paths.state_file, read_only=not self.acts)
        return self._journal

    def host_names(self, in_use: Sequence[str]) -> tuple[str, ...]:
        """The hosts to ask: those in use, or of them just those named by --host.

        Raises:
            UnknownNameError: --host names a host that the policy does not have.
        """
        chosen = self.options.hosts
        for name in chosen:
            if name not in self.policy.hosts:
                raise unknown_host(name, self.policy)
        return tuple(name for name in in_use if not chosen or name in chosen)

    def collect(
        self,
        wanted: Mapping[str, Wanted],
        chained: Mapping[str, Chained] | None = None,
        unread: Unread | None = None,
    ) -> Facts:
        """Read the facts of several hosts, taking the locks of the pools that matter first if this command acts.

        What another run holds is left out of the facts and becomes a finding `running`.

        Args:
            wanted: By host, the datasets that this command may change.
            chained: By host, what replication wants to know besides.
            unread: Asked which hosts have to be read whole, where the newest snapshots alone were read of all.

        Raises:
            LockedError: Another run holds everything that was wanted.
        """
        asked: set[tuple[str, str]] = set()
        chained = chained or {}

        def locking(host: str) -> Wanted:
            inner, beside = wanted.get(host), chained.get(host)

            def names(facts: HostFacts) -> Sequence[str]:
                found = inner(facts) if inner is not None else ()
                if self.acts:
                    pools = dict.fromkeys(pool_of(name) for name in found)
                    asked.update((host, pool) for pool in pools)
                    ours = self.locks.acquire_all(host, pools)
                    found = [name for name in found if pool_of(name) in ours]
                return found if beside is None else list(dict.fromkeys((*found, *beside.wanted(facts))))

            return names

        requests = [
            FactsRequest(host, locking(host), chained[host].chains if host in chained else None)
            for host in dict.fromkeys((*wanted, *chained))
        ]
        facts = collect_facts(self.fleet, requests, now=self.clock(), unread=unread)
        busy = tuple(place for place in self.locks.busy if place in asked)
        if busy and asked <= set(busy) and not chained:
            names = ", ".join(f"{host}:{pool}" for host, pool in busy)
            raise LockedError(
                f"{names}: nothing was done, another run is at work there",
                why="two runs never change one pool at the same time",
                hint="zfsctl history",
                where=names,
            )
        self.findings.extend(
            Finding(Severity.INFO, "running", host, pool, f"another run is at work on {host}:{pool}; left to it")
            for host, pool in busy
        )
        return facts

    def close(self) -> None:
        """Let go of locks, connections and the state file."""
        self.locks.release()
        self.fleet.close()
        if self._journal is not None:
            self._journal.close()


@contextmanager
def open_session(options: SessionOptions) -> Iterator[Session]:
    """Read the policy and get ready to dial; nothing is dialled before it is needed.

    Raises:
        ConfigError: The policy file is missing or wrong, or the sandbox is.
    """
    session = _sandbox_session(options) if options.sandbox else _real_session(options)
    try:
        yield session
    finally:
        session.close()


def unknown_host(name: str, policy: PolicyFile) -> UnknownNameError:
    """The error for a host that the policy does not have, with the nearest that it has."""
    from difflib import get_close_matches

    near = get_close_matches(name, policy.hosts, n=1)
    return UnknownNameError(
        f"{name}: nothing was done, no such host in the policy",
        why=f"known hosts: {', '.join(policy.hosts)}",
        hint=f"did you mean {near[0]}?" if near else "add it under [hosts]",
        where=name,
    )


def _real_session(options: SessionOptions) -> Session:
    from zfsctl.config.load import load_policy
    from zfsctl.hosts.fleet import RealFleet

    policy = load_policy(options.config, environ=options.environ, added=options.added)
    return Session(
        policy=policy,
        fleet=RealFleet(policy.hosts, timeout=options.timeout_seconds),
        clock=lambda: int(time.time()),
        paths=paths_for(options.environ),
        options=options,
    )


def _sandbox_session(options: SessionOptions) -> Session:
    from zfsctl.config.load import load_policy
    from zfsctl.sandbox.fleet import open_sandbox

    folder = options.sandbox
    assert folder is not None
    fleet = open_sandbox(folder)
    config = options.config or folder / "zfsctl.toml"
    if options.config is None and not config.exists():
        raise ConfigError(
            f"{config}: no policy was read, there is no such file",
            why="a sandbox without -c takes its policy from its own folder",
            hint="zfsctl config init",
            where=str(config),
        )
    return Session(
        policy=load_policy(config, environ={}, added=options.added),
        fleet=fleet,
        clock=fleet.now,
        paths=Paths.inside(folder),
        options=options,
    )
