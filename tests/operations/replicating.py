"""Three simulated hosts: alpha is copied to beta and to gamma, and beta's copy goes on to gamma."""

from __future__ import annotations

import contextlib
import copy
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.operations.world import HOUR, NOW, World
from zfsctl.errors import ZfsctlError
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import is_at_or_below, ownership_of
from zfsctl.model.verdicts import Verdict
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.planning import replicate_scene, scene_of_policy
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.workload import advance, write

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where the state file of a test costs no disk."""
HOSTS = ("alpha", "beta", "gamma")
PENDING_LIMIT = 12 * HOUR
POLICY = """
[hosts]
alpha = "alpha.lan"
beta = "beta.lan"
gamma = "gamma.lan"
[policies.p]
snapshot = "hourly"
keep = { last = 2, hourly = 3 }
[[datasets]]
select = ["alpha:tank/a"]
policy = "p"
adopt = ["adopted-*"]
[[replications]]
name = "near"
sender = "alpha:tank/a"
receiver = "beta:bk/a"
keep = { last = 3 }
pending_limit = "12h"
warn_after = "6h"
max_delay = "11h"
repair = "never"
[[replications]]
name = "far"
sender = "alpha:tank/a"
receiver = "gamma:vault/far/a"
pending_limit = "12h"
warn_after = "6h"
max_delay = "11h"
repair = "never"
away = "6h"
[[replications]]
name = "chain"
sender = "beta:bk/a"
receiver = "gamma:vault/chain"
keep = { last = 4 }
pending_limit = "12h"
warn_after = "6h"
max_delay = "11h"
repair = "never"
"""
_BESIDE = re.compile(r"\.zfsctl-(aside|new)-[0-9TZ]+")
DESTROY = Verdict.DESTROY
_TREES = (
    ("near", "alpha", "tank/a", "beta", "bk/a"),
    ("far", "alpha", "tank/a", "gamma", "vault/far/a"),
    ("chain", "beta", "bk/a", "gamma", "vault/chain"),
)


@dataclass(repr=False)
class Copies(World):
    """These hosts; gamma's pool can be unplugged."""

    drawer: SimPool | None = None

    def plug(self) -> None:
        """Unplug gamma's pool, or bring it back."""
        pools = self.sim.hosts["gamma"].pools
        if self.drawer is None:
            self.drawer = pools.pop("vault")
        else:
            pools["vault"], self.drawer = self.drawer, None

    def pools(self, host: str) -> dict[str, SimPool]:
        """All that there are, plugged in or not."""
        pools = dict(self.sim.hosts[host].pools)
        if host == "gamma" and self.drawer is not None:
            pools["vault"] = self.drawer
        return pools

    def copy(self, folder: Path) -> Copies:
        made = super().copy(folder)
        return Copies(folder, made.sim, made.policy_text, copy.deepcopy(self.drawer))


def new_copies(folder: Path) -> Copies:
    """Nothing is copied yet."""
    sim = create_fleet(NOW, HOSTS)
    for host, pool in (("alpha", "tank"), ("beta", "bk"), ("gamma", "vault")):
        create_pool(sim, host, pool, 1 << 34)
    do(sim, "alpha", "zfs", "create", "tank/a")
    do(sim, "alpha", "zfs", "create", "tank/a/kid")
    return Copies(folder, sim, POLICY)


def an_hour(world: Copies) -> None:
    """Something is written, and an hour goes by."""
    with contextlib.suppress(ZfsctlError):
        write(world.sim, "alpha", "tank/a", 1 << 20)
    advance(world.sim, HOUR)


@dataclass(frozen=True, slots=True)
class Seen:
    """One host, without asking zfs: the datasets that no unfinished receive made, by name."""

    datasets: dict[str, int]
    """Their guids."""
    snapshots: dict[str, dict[int, SimSnapshot]]
    """Oldest first, by guid."""
    bookmarks: dict[str, frozenset[int]]


def look(world: Copies, host: str) -> Seen:
    found = {
        name: dataset
        for pool in world.pools(host).values()
        for name, dataset in pool.datasets.items()
        if "%" not in name and not dataset.inconsistent
    }
    return Seen(
        {name: one.guid for name, one in found.items()},
        {name: {snapshot.guid: snapshot for snapshot in one.snapshots.values()} for name, one in found.items()},
        {name: frozenset(mark.guid for mark in one.bookmarks.values()) for name, one in found.items()},
    )


def dataset_on(world: Copies, host: str, name: str) -> SimDataset | None:
    """One dataset, None where it does not exist or its pool is unplugged."""
    pool = world.sim.hosts[host].pools.get(name.partition("/")[0])
    return pool.datasets.get(name) if pool is not None else None


@dataclass(frozen=True, slots=True)
class Ends:
    """One dataset of a replication and where its copy lies."""

    replication: str
    sender_host: str
    sender: str
    receiver_host: str
    receiver: str

    def received(self, seen: Seen) -> list[dict[int, SimSnapshot]]:
        """The histories of the copy, and of what a repair has built or set aside for it."""
        return [history for name, history in seen.snapshots.items() if _BESIDE.sub("", name) == self.receiver]

    def base(self, sent: Seen, history: Iterable[int]) -> int | None:
        """The guid of the newest snapshot of a copy that the sender knows, None if there is none."""
        built = [name for name in sent.datasets if _BESIDE.sub("", name) == self.sender]
        known = {guid for name in built for guid in (*sent.snapshots[name], *sent.bookmarks[name])}
        return next((guid for guid in reversed(list(history)) if guid in known), None)


def all_ends(world: Copies) -> tuple[Ends, ...]:
    """Every sender with its copy, whether that is there or not."""
    return tuple(
        Ends(name, sender_host, dataset, receiver_host, receiver + dataset[len(sender) :])
        for name, sender_host, sender, receiver_host, receiver in _TREES
        for dataset in look(world, sender_host).datasets
        if is_at_or_below(dataset, sender) and not _BESIDE.search(dataset)
    )


def states(world: Copies) -> dict[str, LinkState]:
    """How every pair stands."""
    with world.session(dry_run=True) as session:
        found = replicate_scene(session, scene_of_policy(session), sends=False)
        return {str(link.pair): link.lineage.state for link in found.links}


def is_current(world: Copies, *, but: str = "") -> bool:
    """Whether every copy has everything, except those of replication `but`."""
    seen = {host: look(world, host) for host in HOSTS}
    return all(
        set(list(seen[ends.sender_host].snapshots[ends.sender])[-1:])
        <= set(seen[ends.receiver_host].snapshots.get(ends.receiver, ()))
        for ends in all_ends(world)
        if ends.replication != but
    )


def lawful_run(world: Copies, only: tuple[str, ...] | None = None) -> None:
    """A run, whatever comes of it, and what no run may ever lose."""
    before = {host: look(world, host) for host in HOSTS}
    ends = all_ends(world)
    verdicts: dict[tuple[str, str, int], Verdict] = {}
    with contextlib.suppress(ZfsctlError, KilledAt), world.session() as session:
        plan = plan_run(session, RunRequest(only))
        verdicts = {(one.host, one.dataset, one.guid): one.verdict for one in plan.decisions}
        apply_plan(session, plan)
    after = {host: look(world, host) for host in HOSTS}

    for host in HOSTS:
        assert set(before[host].datasets.values()) <= set(after[host].datasets.values()), "no dataset goes"
        planned = [guid for (where, _, guid), verdict in verdicts.items() if (where, verdict) == (host, DESTROY)]
        assert _guids(before[host]) - Counter(planned) <= _guids(after[host]), "nothing goes without a plan"
        for guid in _guids(before[host]) - _guids(after[host]):
            name = next(history[guid].name for history in before[host].snapshots.values() if guid in history)
            assert ownership_of(name, prefix="zfsctl") is not None or name.startswith("adopted-"), "nothing of others"
    for pair in ends:
        _keeps_its_base(pair, before, after)
        _keeps_what_waits(pair, before, after, now=world.sim.now)


def _replaced(name: str, before: Seen, after: Seen) -> bool:
    """Whether a repair has put another dataset in its place, with the history that its own sender has."""
    return before.datasets.get(name) != after.datasets.get(name)


def _guids(seen: Seen) -> Counter[int]:
    """How many snapshots have each guid."""
    return Counter(guid for history in seen.snapshots.values() for guid in history)


def _keeps_its_base(pair: Ends, before: dict[str, Seen], after: dict[str, Seen]) -> None:
    history = list(before[pair.receiver_host].snapshots.get(pair.receiver, ()))
    base = pair.base(before[pair.sender_host], history)
    replaced = _replaced(pair.sender, before[pair.sender_host], after[pair.sender_host])
    if base is None or replaced:
        return
    now = {pair.base(after[pair.sender_host], one) for one in pair.received(after[pair.receiver_host])} - {None}
    assert now, f"{pair} has lost its base"
    assert not now <= set(history[: history.index(base)]), f"the base of {pair} went back"


def _keeps_what_waits(pair: Ends, before: dict[str, Seen], after: dict[str, Seen], *, now: int) -> None:
    sent = before[pair.sender_host].snapshots[pair.sender]
    base = pair.base(before[pair.sender_host], before[pair.receiver_host].snapshots.get(pair.receiver, ()))
    if _replaced(pair.sender, before[pair.sender_host], after[pair.sender_host]):
        return
    if base is not None and base not in sent:
        return  # which of them are older than its bookmark is not told by guids
    order = list(sent)
    waiting = order[order.index(base) + 1 :] if base is not None else order
    # Anywhere there: where a sender was renamed its old copy has what was received under the old name.
    received = _guids(after[pair.receiver_host])
    for guid in waiting:
        if guid not in after[pair.sender_host].snapshots[pair.sender] and guid not in received:
            assert now - sent[guid].creation >= PENDING_LIMIT, f"{pair}: {sent[guid].name} went before it was received"
