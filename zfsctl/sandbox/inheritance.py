"""What a property is on a dataset or a snapshot, and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.mounts import mountpoint_of
from zfsctl.sandbox.natives import NATIVES
from zfsctl.sandbox.pools import SimPool

LOCAL, DEFAULT, RECEIVED, NONE = "local", "default", "received", "-"


@dataclass(frozen=True, slots=True)
class Setting:
    """A property's value and its source as `zfs get` words it."""

    value: str
    source: str

    @property
    def kind(self) -> str:
        """The word that `zfs get -s` knows the source by."""
        if self.source.startswith("inherited from "):
            return "inherited"
        return "none" if self.source == NONE else self.source


UNSET = Setting("-", NONE)


def dataset_setting(pool: SimPool, dataset: SimDataset, name: str) -> Setting:
    """What a user property or a settable native property is on a filesystem or volume."""
    native = NATIVES.get(name)
    if name in dataset.properties:
        return Setting(dataset.properties[name], LOCAL)
    if name in dataset.received:
        return Setting(dataset.received[name], RECEIVED)
    if native is None or native.inheritable:
        parent = dataset.name.rpartition("/")[0]
        while parent:
            each = pool.datasets[parent]
            value = each.properties.get(name, each.received.get(name))
            if value is not None:
                if name == "mountpoint":
                    value = mountpoint_of(pool, dataset)
                return Setting(value, f"inherited from {parent}")
            parent = parent.rpartition("/")[0]
    if native is None or native.default is None:
        return UNSET
    if name == "mountpoint":
        return Setting(mountpoint_of(pool, dataset), DEFAULT)
    return Setting(native.default, DEFAULT)


def own_setting(snapshot: SimSnapshot, name: str) -> Setting | None:
    """What is set on a snapshot itself; None for nothing, then its dataset's shows (dsl_prop_get_all_ds)."""
    if name in snapshot.properties:
        return Setting(snapshot.properties[name], LOCAL)
    if name in snapshot.received:
        return Setting(snapshot.received[name], RECEIVED)
    return None


def snapshot_inherits(pool: SimPool, dataset: SimDataset, name: str) -> Setting:
    """What every snapshot of a dataset has that sets nothing itself."""
    found = dataset_setting(pool, dataset, name)
    if found.source in (LOCAL, RECEIVED):
        return Setting(found.value, f"inherited from {dataset.name}")
    return found


def user_properties(pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot | None = None) -> list[str]:
    """The names of all user properties that a dataset or one of its snapshots shows."""
    names: dict[str, None] = {}
    if snapshot:
        names |= dict.fromkeys((*snapshot.properties, *snapshot.received))
    name = dataset.name
    while name:
        names |= dict.fromkeys((*pool.datasets[name].properties, *pool.datasets[name].received))
        name = name.rpartition("/")[0]
    return sorted(each for each in names if ":" in each)
