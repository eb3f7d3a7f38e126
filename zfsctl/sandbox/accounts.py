"""Where the space of a pool goes: `used`, `available` and the usedby… of every dataset, worked out once per command."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.names import is_at_or_below
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.extents import Space
from zfsctl.sandbox.pools import SimPool


@dataclass(slots=True)
class Account:
    """The bytes of one dataset."""

    space: Space
    by_refreservation: int
    by_children: int = 0
    available: int = 0
    free: int = 0
    """What it and everything below it may still take, not counting its own refreservation as room."""
    charged: int = 0
    """What its parent counts for it: its `used`, or its reservation where that is more."""

    @property
    def used(self) -> int:
        """Everything that belongs to it and to what is below it."""
        return self.space.head_used + self.space.snapshots_used + self.by_refreservation + self.by_children


def setting(dataset: SimDataset, name: str) -> int:
    """A property that is a number and not inherited, such as quota; 0 when it is not set."""
    value = dataset.properties.get(name, dataset.received.get(name, "0"))
    return int(value) if value.isdigit() else 0


def account_for(pool: SimPool) -> dict[str, Account]:
    """The accounts of every dataset of a pool, by name."""
    accounts: dict[str, Account] = {}
    names = sorted(pool.datasets)
    for name in names:
        dataset = pool.datasets[name]
        space = dataset.space()
        accounts[name] = Account(space, max(0, setting(dataset, "refreservation") - space.head_written))
    for name in reversed(names):
        account = accounts[name]
        account.charged = max(account.used, setting(pool.datasets[name], "reservation"))
        parent = name.rpartition("/")[0]
        if parent:
            accounts[parent].by_children += account.charged
    for name in names:
        account = accounts[name]
        parent = name.rpartition("/")[0]
        if parent:
            inside = account.charged - account.used
            account.available = accounts[parent].available + inside
        else:
            account.available = max(0, pool.usable - account.charged)
        quota = setting(pool.datasets[name], "quota")
        if quota:
            account.available = min(account.available, max(0, quota - account.used))
    for name in names:
        account = accounts[name]
        account.free = account.available
        refquota = setting(pool.datasets[name], "refquota")
        account.available += account.by_refreservation
        if refquota:
            account.available = min(account.available, max(0, refquota - account.space.head_referenced))
    return accounts


def may_move(pool: SimPool, size: int, source: str, target: str) -> bool:
    """Whether `size` bytes may pass from one dataset's account to another's (dsl_dir_transfer_possible): the quotas
    above both do not notice.
    """
    accounts = account_for(pool)
    while not is_at_or_below(source, target):
        quota = setting(pool.datasets[target], "quota")
        if quota and quota - accounts[target].used < size:
            return False
        target = target.rpartition("/")[0]
    return True


LIMITS = ("quota", "refquota", "reservation", "refreservation")


def fits(pool: SimPool, dataset: str, size: int) -> bool:
    """Whether `size` more bytes fit into a dataset; cheap as long as nothing in the pool is limited or reserved."""
    if any(limit in each.properties or limit in each.received for each in pool.datasets.values() for limit in LIMITS):
        return size <= account_for(pool)[dataset].available
    return pool.has_room(size)
