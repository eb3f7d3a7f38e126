"""Receives that have not ended: which run on, and what is left when one is killed."""

from __future__ import annotations

from zfsctl.sandbox.datasets import Origin, SimDataset
from zfsctl.sandbox.extents import Extent
from zfsctl.sandbox.keys import key_guid
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.pools import RECV, SimPool


def hide_written_token(pool: SimPool, dataset: SimDataset, guid: int) -> None:
    """Take a token that a person wrote for a dataset to where a receive would have left it.

    Args:
        guid: For the hidden clone.
    """
    if dataset.inconsistent or not dataset.receive_resume_token:
        return
    newest = dataset.newest()
    if newest is None:
        dataset.inconsistent = True
        return
    token, dataset.receive_resume_token = dataset.receive_resume_token, ""
    hidden = SimDataset(
        f"{dataset.name}/{RECV}", dataset.kind, guid, newest.createtxg + 1, dataset.creation, inconsistent=True
    )
    hidden.origin = Origin(dataset, newest)
    hidden.receive_resume_token = token
    at = newest.createtxg
    hidden.extents = [
        Extent(extent.birth, None, extent.size, extent.key)
        for extent in dataset.extents
        if extent.birth <= at and (extent.death is None or extent.death > at)
    ]
    hidden.encryption, hidden.keyguid = dataset.encryption, key_guid(dataset)
    hidden.encryptionroot, hidden.keystatus = dataset.encryptionroot, dataset.keystatus
    pool.datasets[hidden.name] = hidden


def end_receives(fleet: SimFleet) -> None:
    """Let every receive that waits for a lost sender come to its end."""
    for machine in fleet.hosts.values():
        for pool in machine.pools.values():
            for dataset in [each for each in pool.datasets.values() if each.receiving]:
                end_receive(pool, dataset)
                fleet.changes += 1


def end_receive(pool: SimPool, dataset: SimDataset) -> None:
    """End the receive that works in `dataset`; without -s nothing of it stays."""
    dataset.receiving = False
    if not dataset.receive_resume_token:
        del pool.datasets[dataset.name]
    pool.next_txg()
