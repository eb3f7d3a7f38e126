"""Making a simulated fleet by hand: hosts, pools, and commands on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zfsctl.errors import UnknownNameError, UsageError
from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.calls import Call
from zfsctl.sandbox.changing import add_dataset
from zfsctl.sandbox.machines import DEFAULT_VERSION, SimFleet, SimMachine
from zfsctl.sandbox.naming import pool_name_fault
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.shell import run_program


def create_fleet(now: int, hosts: Sequence[str] = ("local",), *, seed: int = 1) -> SimFleet:
    """A fleet of hosts without pools.

    Args:
        now: The simulated clock, epoch seconds.
        seed: Decides the guids that will be given out.
    """
    fleet = SimFleet(now, seed=seed)
    for name in hosts:
        add_host(fleet, name)
    return fleet


def add_host(fleet: SimFleet, name: str, *, version: str = DEFAULT_VERSION, clock_offset: int = 0) -> SimMachine:
    """Put a host into a fleet."""
    machine = fleet.hosts[name] = SimMachine(name, version=version, clock_offset=clock_offset)
    fleet.changes += 1
    return machine


def machine_of(fleet: SimFleet, host: str) -> SimMachine:
    """The host called `host`.

    Raises:
        UnknownNameError: The fleet has no such host.
    """
    machine = fleet.hosts.get(host)
    if machine is None:
        raise UnknownNameError(
            f"the simulated fleet has no host {host}", why=f"it has {', '.join(fleet.hosts) or 'none'}", where=host
        )
    return machine


def create_pool(
    fleet: SimFleet,
    host: str,
    name: str,
    size: int,
    *,
    vdevs: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> SimPool:
    """Put a pool onto a host (zpool create).

    Args:
        size: Bytes.
        vdevs: Leaf devices; two or more are one mirror.
        properties: Set on the root dataset.

    Raises:
        UnknownNameError: The fleet has no such host.
        UsageError: The name is none for a pool, or is taken.
    """
    machine = machine_of(fleet, host)
    fault = pool_name_fault(name) or ("pool already exists" if name in machine.pools else "")
    if fault:
        raise UsageError(f"cannot create '{name}'", why=fault, where=f"{host}:{name}")
    pool = SimPool(name, fleet.next_guid(), size, vdevs=tuple(vdevs))
    machine.pools[name] = pool
    add_dataset(Call(fleet, machine), pool, name, DatasetKind.FILESYSTEM, properties or {})
    return pool


def destroy_pool(fleet: SimFleet, host: str, name: str) -> None:
    """Take a pool and all that is on it away (zpool destroy).

    Raises:
        UnknownNameError: The fleet has no such host, or the host no such pool.
    """
    machine = machine_of(fleet, host)
    if machine.pools.pop(name, None) is None:
        raise UnknownNameError(f"{host} has no pool {name}", where=f"{host}:{name}")
    fleet.changes += 1


def do(fleet: SimFleet, host: str, *argv: str) -> list[str]:
    """Run a command on a host, such as `do(fleet, "local", "zfs", "create", "tank/a")`; returns its lines of stdout.

    Raises:
        UnknownNameError: The fleet has no such host.
        UsageError: The command failed.
    """
    code, out, err = run_program(fleet, machine_of(fleet, host), argv)
    if code:
        raise UsageError(f"{' '.join(argv)} on {host}: exit {code}", why="; ".join(err), where=host)
    return out
