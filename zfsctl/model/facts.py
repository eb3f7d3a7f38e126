"""What was read from hosts just now. Only complete facts allow a destructive step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zfsctl.model.dataset import Bookmark, Dataset, Snapshot
from zfsctl.model.lineage import ResumeToken
from zfsctl.model.names import pool_of
from zfsctl.model.pool import Pool


@dataclass(frozen=True, slots=True)
class Chains:
    """What replication needs to know of a host besides its snapshots, for the datasets that take part in it."""

    bookmarks: Mapping[str, tuple[Bookmark, ...]] = field(default_factory=dict)
    """By dataset, oldest first (createtxg)."""
    holds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The tags on a snapshot, by its full name; one without holds has no entry."""
    tokens: Mapping[str, ResumeToken] = field(default_factory=dict)
    """By dataset; one without an interrupted or running receive has no entry."""
    ivsets: Mapping[str, int] = field(default_factory=dict)
    """The ivsetguid of snapshots and bookmarks of encrypted datasets, by full name."""
    marks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By dataset, the local user properties by which zfsctl knows what it made itself."""
    features: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By pool, the features that are enabled or active."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One host as it was at `clock`.

    `problems` says why its listing is not complete: anything on stderr, a failed command, a line that
    could not be read, no connection. With a problem nothing destructive may be planned for the host,
    and a name that is missing is UNKNOWN, not absent.
    """

    host: str
    clock: int
    """The host's own now, epoch seconds; the controller's when the host could not be asked."""
    version: str = ""
    """OpenZFS userland, such as 2.3.9; empty when not known."""
    pools: tuple[Pool, ...] = ()
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    """Every filesystem and volume, by name, in listing order."""
    snapshots: Mapping[str, tuple[Snapshot, ...]] = field(default_factory=dict)
    """By dataset, oldest first (createtxg). A dataset that was not asked about has no entry."""
    newest_only: bool = False
    """Whether of each dataset nothing but its newest snapshot was asked for. Never enough to destroy anything by."""
    chains: Chains = field(default_factory=Chains)
    problems: tuple[str, ...] = ()
    reached: bool = True
    """Whether the host answered at all."""
    unreachable_code: str = ""
    """The code of the error when it did not: unreachable, authentication, host-key, timeout."""

    @property
    def complete(self) -> bool:
        """Whether every question was answered in full."""
        return not self.problems

    def pool(self, name: str) -> Pool | None:
        """The pool called `name`, None if it was not listed."""
        return next((pool for pool in self.pools if pool.name == name), None)

    @property
    def unseen_pools(self) -> tuple[Pool, ...]:
        """Pools whose datasets were not listed, because of the state they are in.

        `zfs list` passes over a suspended, faulted or unavailable pool without a word and exits 0, so what is missing
        there is not known to be absent.
        """
        return tuple(pool for pool in self.pools if not pool.is_healthy and pool.name not in self.datasets)

    def why_unseen(self, dataset: str) -> str:
        """Why a dataset may be there though it was not listed; empty where nothing speaks for that."""
        name = pool_of(dataset)
        pool = next((pool for pool in self.unseen_pools if pool.name == name), None)
        return "" if pool is None else f"pool {name} is {pool.health}, what is on it cannot be looked at"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read from every host that a command is about."""

    hosts: Mapping[str, HostFacts]

    @property
    def complete(self) -> bool:
        """Whether every host answered in full."""
        return all(facts.complete for facts in self.hosts.values())
