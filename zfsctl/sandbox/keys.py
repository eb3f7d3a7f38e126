"""What tells encryption keys and the initialisation vectors of snapshots apart."""

from __future__ import annotations

from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.machines import scramble
from zfsctl.sandbox.pools import SimPool


def key_guid(dataset: SimDataset) -> int:
    """The guid of a dataset's own key, 0 when it is not encrypted; a clone and a raw copy have the same."""
    if dataset.encryption == "off":
        return 0
    return dataset.keyguid or scramble(dataset.guid, 2)


def key_format(pool: SimPool, dataset: SimDataset) -> str:
    """In which form the key of an encrypted dataset is given, which its encryption root knows."""
    root = pool.datasets.get(dataset.encryptionroot, dataset)
    return root.properties.get("keyformat", "passphrase")


def ivset_guid(dataset: SimDataset, of: SimSnapshot | SimBookmark) -> int:
    """The guid of the IV set of a snapshot, 0 without encryption; equal on both ends of a raw chain only."""
    if dataset.encryption == "off":
        return 0
    return of.ivsetguid or scramble(of.guid, 1)


def key_is_missing(dataset: SimDataset) -> bool:
    """Whether it can be read or written only raw."""
    return dataset.keystatus == "unavailable"
