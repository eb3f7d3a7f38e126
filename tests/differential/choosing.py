"""Chance, and what of a pool it falls on."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.differential import words
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool

Argv = tuple[str, ...]
T = TypeVar("T")


class Chooser:
    """Chooses by a seed from what the sandbox's pool holds at that moment."""

    def __init__(self, seed: str, pool: Callable[[], SimPool]) -> None:
        self.random = random.Random(seed)
        self._ask = pool

    @property
    def pool(self) -> SimPool:
        """The pool as it is now."""
        return self._ask()

    @property
    def mounts(self) -> bool:
        """Whether filesystems are mounted; then `rename -u` would leave some mounted where they no longer belong."""
        return self.pool.root.mounted

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        return self.random.sample(list(choices), min(len(choices), self.random.randint(1, most)))

    def flags(self, *flags: str, share: float = 0.25) -> tuple[str, ...]:
        return tuple(flag for flag in flags if self.chance(share))

    def every_dataset(self) -> list[SimDataset]:
        """All but what unfinished receives hide."""
        return self.pool.tree(self.pool.name)

    def a_dataset(self, *, root: bool = True) -> str:
        """Mostly a dataset that exists."""
        names = [each.name for each in self.every_dataset() if root or "/" in each.name]
        return self.pick(names) if names and self.chance(0.95) else self._a_free_name()

    def a_dataset_or_not(self, *, root: bool = True) -> str:
        """The same; now and then a wrong name. Not every command's words for those are simulated."""
        return self._a_wrong_name() if self.chance(0.01) else self.a_dataset(root=root)

    def a_new_dataset(self) -> str:
        """A name that may be free, below a filesystem that exists; now and then a wrong one."""
        return self._a_wrong_name() if self.chance(0.03) else self._a_free_name()

    def _a_wrong_name(self) -> str:
        return self.pick(words.WRONG_DATASETS).replace("POOL", self.pool.name)

    def _a_free_name(self) -> str:
        parents = [each.name for each in self.every_dataset() if each.is_filesystem and each.name.count("/") < 3]
        parent = self.pick(parents) if self.chance(0.95) else f"{self.pool.name}/none"
        return f"{parent}/{self.pick(words.COMPONENTS)}"

    def every_snapshot(self) -> list[str]:
        return [f"{each.name}@{name}" for each in self.every_dataset() for name in each.snapshots]

    def a_snapshot(self) -> str:
        """Mostly a snapshot that exists."""
        names = self.every_snapshot()
        return self.pick(names) if names and self.chance(0.92) else self.a_new_snapshot()

    def a_new_snapshot(self) -> str:
        if self.chance(0.02):
            return f"{self.a_dataset()}@{self.pick(words.WRONG_PARTS)}"
        return f"{self.a_dataset()}@{self.pick(words.SNAPSHOTS)}"

    def a_bookmark(self) -> str:
        names = [f"{each.name}#{name}" for each in self.every_dataset() for name in each.bookmarks]
        if names and self.chance(0.8):
            return self.pick(names)
        return f"{self.a_dataset()}#{self.pick(words.BOOKMARKS)}"

    def user_option(self) -> tuple[str, ...]:
        return ("-o", f"{self.pick(words.USER_PROPERTIES)}={self.pick(words.USER_VALUES)}")

    def native_option(self) -> tuple[str, ...]:
        name, values = self.pick(words.NATIVE_VALUES)
        if name == "readonly" and self.mounts:
            # Nothing can be mounted below a mounted filesystem that takes no new mountpoint; not simulated.
            name = "atime"
        return ("-o", f"{name}={self.pick(values)}")
