"""Receives that have not ended: which run on, and what is left when one is killed."""

from __future__ import annotations

from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.pools import SimPool


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
