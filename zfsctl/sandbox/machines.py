"""Simulated machines, and the state of a whole fleet: what one `fleet.json` holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from zfsctl.sandbox.pools import SimPool

DEFAULT_VERSION = "2.3.9"

_MASK = (1 << 64) - 1


@dataclass(slots=True)
class SimMachine:
    """One host: an OpenZFS with pools, and a clock that may be wrong."""

    name: str
    version: str = DEFAULT_VERSION
    reachable: bool = True
    clock_offset: int = 0
    """Seconds that its clock is ahead of the fleet's."""
    denied: frozenset[str] = frozenset()
    """Rights that the account lacks: send, receive, or names of properties, in the words of `zfs allow`."""
    pools: dict[str, SimPool] = field(default_factory=dict)

    @property
    def release(self) -> tuple[int, ...]:
        """Its version as numbers, such as (2, 3, 9)."""
        return tuple(int(part) for part in self.version.split("-")[0].split(".") if part.isdigit())


@dataclass(slots=True)
class SimFleet:
    """Every simulated host, and the one clock for all."""

    now: int
    """Epoch seconds. Only `advance` moves it."""
    hosts: dict[str, SimMachine] = field(default_factory=dict)
    seed: int = 1
    guids: int = 0
    """How many guids were given out; with `seed` it decides the next, so that a test can be repeated."""
    changes: int = 0
    """Counts every change of anything, for whoever has to know whether to save. Not stored."""

    def next_guid(self) -> int:
        """A guid that was never given out before: uint64, not 0, spread over the whole range."""
        while True:
            self.guids += 1
            guid = scramble(self.seed, self.guids)
            if guid:
                return guid


def scramble(seed: int, number: int) -> int:
    """A uint64 that differs for every `number` of one `seed` (splitmix64, which is a bijection)."""
    value = (seed * 0xD1342543DE82EF95 + number * 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
