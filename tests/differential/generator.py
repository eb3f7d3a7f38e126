"""Commands as they might be given to a pool, chosen by a seed and by what the sandbox holds at that moment.

A clone is never promoted while it shares a bookmark's name with its origin's head, nor where the origin lies on a
clone itself: the first hangs a real pool for good, the second did so for others (openzfs #17389). Nor is a hold's tag
ever 256 bytes long, which hangs it too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tests.differential import words
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool

Argv = tuple[str, ...]
T = TypeVar("T")

MOST_DATASETS = 14
"""More than that, and datasets are destroyed more often than made."""


class Generator:
    """An endless sequence of commands for one pool; it looks at the sandbox's pool before each."""

    def __init__(self, seed: str, pool: Callable[[], SimPool]) -> None:
        self._random = random.Random(seed)
        self._pool = pool

    @property
    def _mounts(self) -> bool:
        """Whether filesystems are mounted; then `rename -u` would leave some mounted where they no longer belong."""
        return self._pool().root.mounted

    def __iter__(self) -> Iterator[Argv]:
        makers, weights = zip(*_MAKERS, strict=True)
        while True:
            (maker,) = self._random.choices(makers, weights)
            yield maker(self)

    # Choices

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _some(self, choices: Sequence[T], most: int) -> list[T]:
        return self._random.sample(list(choices), min(len(choices), self._random.randint(1, most)))

    def _flags(self, *flags: str, share: float = 0.25) -> tuple[str, ...]:
        return tuple(flag for flag in flags if self._chance(share))

    def _datasets(self) -> list[SimDataset]:
        pool = self._pool()
        return [pool.datasets[name] for name in sorted(pool.datasets)]

    def _dataset(self, *, root: bool = True) -> str:
        """Mostly a dataset that exists."""
        names = [each.name for each in self._datasets() if root or "/" in each.name]
        return self._pick(names) if names and self._chance(0.95) else self._new_dataset()

    def _new_dataset(self) -> str:
        """A name that may be free, below a filesystem that exists; now and then a wrong one."""
        if self._chance(0.03):
            return self._pick(words.WRONG_DATASETS).replace("POOL", self._pool().name)
        parents = [each.name for each in self._datasets() if each.is_filesystem and each.name.count("/") < 3]
        parent = self._pick(parents) if self._chance(0.95) else f"{self._pool().name}/none"
        return f"{parent}/{self._pick(words.COMPONENTS)}"

    def _snapshots(self) -> list[str]:
        return [f"{each.name}@{name}" for each in self._datasets() for name in each.snapshots]

    def _snapshot(self) -> str:
        """Mostly a snapshot that exists."""
        names = self._snapshots()
        return self._pick(names) if names and self._chance(0.92) else self._new_snapshot()

    def _new_snapshot(self) -> str:
        if self._chance(0.02):
            return f"{self._dataset()}@{self._pick(words.WRONG_PARTS)}"
        return f"{self._dataset()}@{self._pick(words.SNAPSHOTS)}"

    def _bookmark(self) -> str:
        names = [f"{each.name}#{name}" for each in self._datasets() for name in each.bookmarks]
        if names and self._chance(0.8):
            return self._pick(names)
        return f"{self._dataset()}#{self._pick(words.BOOKMARKS)}"

    def _user_option(self) -> tuple[str, ...]:
        return ("-o", f"{self._pick(words.USER_PROPERTIES)}={self._pick(words.USER_VALUES)}")

    def _native_option(self) -> tuple[str, ...]:
        name, values = self._pick(words.NATIVE_VALUES)
        if name == "readonly" and self._mounts:
            # Nothing can be mounted below a mounted filesystem that takes no new mountpoint; not simulated.
            name = "atime"
        return ("-o", f"{name}={self._pick(values)}")

    # Commands that change something

    def create(self) -> Argv:
        if len(self._pool().datasets) > MOST_DATASETS:
            return self.destroy_dataset()
        options = (*self._flags("-p", share=0.15), *self._flags("-u", share=0.1))
        if self._chance(0.25):
            options += (*self._flags("-s", share=0.7), "-V", self._pick(("8M", "16M", "10000000", "0x", "8")))
        if self._chance(0.3):
            options += self._user_option()
        if self._chance(0.15):
            options += self._native_option()
        return ("zfs", "create", *options, self._new_dataset())

    def snapshot(self) -> Argv:
        options = self._user_option() if self._chance(0.4) else ()
        if self._chance(0.03):
            options += self._native_option()
        if self._chance(0.3):
            return ("zfs", "snapshot", "-r", *options, self._new_snapshot())
        if self._chance(0.5):
            return ("zfs", "snapshot", *options, self._new_snapshot())
        name = self._pick(words.SNAPSHOTS)
        several = [f"{each.name}@{name}" for each in self._some(self._datasets(), 5)]
        if self._chance(0.1):
            several.append(self._new_snapshot())
        return ("zfs", "snapshot", *options, *several)

    def destroy_snapshots(self) -> Argv:
        dataset = self._pool().datasets.get(self._dataset()) or self._pool().root
        names = [*dataset.snapshots] if self._chance(0.85) and dataset.snapshots else list(words.SNAPSHOTS)
        spec = ",".join(self._some(names, 4))
        if self._chance(0.05):
            spec = f"{self._pick(('', *names))}%{self._pick(('', *names))}"
        flags = (*self._flags("-n", share=0.15), *self._flags("-v", "-p", share=0.2))
        flags += (*self._flags("-d", share=0.1), *self._flags("-r", share=0.08))
        return ("zfs", "destroy", *flags, f"{dataset.name}@{spec}")

    def destroy_one(self) -> Argv:
        return ("zfs", "destroy", *self._flags("-d", share=0.1), self._snapshot())

    def destroy_dataset(self) -> Argv:
        name = self._dataset(root=self._chance(0.02))
        recursive = self._flags("-r", share=0.45) if self._same_in_any_order(name) else ()
        flags = (*recursive, *self._flags("-n", share=0.1), *self._flags("-v", "-p", share=0.1))
        return ("zfs", "destroy", *flags, name)

    def _same_in_any_order(self, name: str) -> bool:
        """Whether `destroy -r` ends alike in whatever order it meets children and clones, which is that of a hash.

        Snapshots go together with those met before them, so one that is held keeps others only when it comes first.
        """
        tree = self._pool().tree(name)
        held = any(snapshot.holds for each in tree for snapshot in each.snapshots.values())
        return not (held and any(each.origin for each in tree))

    def destroy_bookmark(self) -> Argv:
        return ("zfs", "destroy", *self._flags("-n", "-r", "-d", share=0.03), self._bookmark())

    def hold(self) -> Argv:
        tag = self._pick(words.TAGS) if self._chance(0.95) else self._pick((".dot", "t" * 255, "t" * 257))
        several = [self._snapshot() for _ in range(self._pick((1, 1, 1, 2, 3)))]
        return ("zfs", "hold", *self._flags("-r", share=0.15), tag, *several)

    def release(self) -> Argv:
        held = [
            (tag, f"{each.name}@{snapshot.name}")
            for each in self._datasets()
            for snapshot in each.snapshots.values()
            for tag in snapshot.holds
        ]
        if held and self._chance(0.85):
            tag, name = self._pick(held)
            return ("zfs", "release", *self._flags("-r", share=0.15), tag, name)
        return ("zfs", "release", *self._flags("-r", share=0.15), self._pick(words.TAGS), self._snapshot())

    def bookmark(self) -> Argv:
        source = self._snapshot() if self._chance(0.85) else self._bookmark()
        head = source.replace("#", "@").partition("@")[0]
        target = f"{head if self._chance(0.75) else self._dataset()}#{self._pick(words.BOOKMARKS)}"
        if self._chance(0.2):
            target = f"#{self._pick(words.BOOKMARKS)}"
        if self._chance(0.03):
            target = self._pick(("nowhere", f"{head}#", "nopool#b", f"{head}#b/c"))
        return ("zfs", "bookmark", source, target)

    def clone(self) -> Argv:
        options = (*self._flags("-p", share=0.1), *(self._user_option() if self._chance(0.3) else ()))
        if self._chance(0.3):
            options += self._native_option()
        return ("zfs", "clone", *options, self._snapshot(), self._new_dataset())

    def promote(self) -> Argv:
        clones = [each for each in self._datasets() if each.origin]
        if clones and self._chance(0.85):
            name = self._pick(clones).name
        else:
            name = self._dataset()
        if not self._may_promote(name):
            return self.rename_dataset()
        return ("zfs", "promote", name)

    def _may_promote(self, name: str) -> bool:
        dataset = self._pool().datasets.get(name)
        if dataset is None or dataset.origin is None:
            return True
        former = dataset.origin.dataset
        return former.origin is None and not former.bookmarks.keys() & dataset.bookmarks.keys()

    def rename_dataset(self) -> Argv:
        flags = (() if self._mounts else self._flags("-u", share=0.4)) or self._flags("-p", share=0.1)
        return ("zfs", "rename", *flags, self._dataset(root=self._chance(0.05)), self._new_dataset())

    def rename_snapshot(self) -> Argv:
        source = self._snapshot()
        target = f"{source.partition('@')[0]}@{self._pick(words.SNAPSHOTS)}"
        if self._chance(0.2):
            target = self._pick((f"@{self._pick(words.SNAPSHOTS)}", self._pick(words.SNAPSHOTS), self._new_snapshot()))
        return ("zfs", "rename", *self._flags("-r", share=0.2), source, target)

    def rollback(self) -> Argv:
        if self._mounts and len(self._pool().datasets) > 1:
            # It takes away the directories on which others are mounted, and Linux then reports I/O errors there.
            return self.snapshot()
        newest = [f"{each.name}@{list(each.snapshots)[-1]}" for each in self._datasets() if each.snapshots]
        name = self._pick(newest) if newest and self._chance(0.4) else self._snapshot()
        return ("zfs", "rollback", *self._flags("-r", share=0.4), name)

    def set(self) -> Argv:
        if self._chance(0.6):
            value = f"{self._pick(words.USER_PROPERTIES)}={self._pick(words.USER_VALUES)}"
            operands = [
                self._dataset() if self._chance(0.6) else self._snapshot() for _ in range(self._pick((1, 1, 2)))
            ]
            return ("zfs", "set", value, *operands)
        operand = self._dataset() if self._chance(0.9) else self._snapshot()
        return ("zfs", "set", self._native_option()[1], operand)

    def inherit(self) -> Argv:
        name = self._pick(words.USER_PROPERTIES if self._chance(0.7) else words.INHERITABLE)
        operand = self._dataset() if self._chance(0.7) else self._snapshot()
        return ("zfs", "inherit", *self._flags("-r", "-S", share=0.15), name, operand)

    # Questions

    def list_datasets(self) -> Argv:
        columns = self._pick(words.DATASET_LISTS)
        scope = self._pick(((), ("-r",), ("-d", "1")))
        operands = [self._dataset() for _ in range(self._pick((1, 1, 2)))]
        if not scope and self._chance(0.3):
            operands = [each.name for each in self._datasets()]
        return ("zfs", "list", *scope, "-Hp", "-t", self._pick(words.HEAD_TYPES), "-o", columns, *operands)

    def list_snapshots(self) -> Argv:
        columns = self._pick(words.SNAPSHOT_LISTS)
        scope = self._pick((("-r",), ("-d", "1"), ("-d", "2"), ()))
        order = self._pick(((), (), ("-s", "name"), ("-S", "createtxg"), ("-s", "createtxg"), ("-S", "name")))
        if self._chance(0.4):
            return (
                "zfs",
                "list",
                "-Hp",
                "-t",
                "snapshot",
                "-o",
                columns,
                *self._some(self._snapshots(), 4),
                self._snapshot(),
            )
        return ("zfs", "list", *scope, *order, "-Hp", "-t", "snapshot", "-o", columns, self._dataset())

    def list_bookmarks(self) -> Argv:
        scope = self._pick((("-r",), ("-d", "1"), ()))
        return ("zfs", "list", *scope, "-Hp", "-t", "bookmark", "-o", self._pick(words.BOOKMARK_LISTS), self._dataset())

    def list_wrongly(self) -> Argv:
        return self._pick(
            (
                ("zfs", "list", "-Hp", "-o", self._pick(words.WRONG_LISTS), self._pool().name),
                ("zfs", "list", "-Hp", "-t", "nosuch", self._pool().name),
                ("zfs", "list", "-Hp", "-d", "x", self._pool().name),
                ("zfs", "list", "-HpQ"),
                ("zfs", "list", "-Hp", "-o", "name", f"{self._pool().name}/nothere"),
                ("zfs", "list", "-Hp", "-o", "name", "nopool", "nopool/x@y", self._pool().name),
                ("zfs", "list", "-Hp", "-o", "name", f"{self._pool().name}//x"),
                ("zfs", "nosuch"),
                ("zfs", "get", "-Hp", "-s", "nosuch", "guid", self._pool().name),
                ("zpool", "list", "-Hp", "-o", "name,health,readonly", "nopool"),
                ("zfs", "snapshot", "nopool/x@y"),
                ("zfs", "snapshot", self._pool().name),
            )
        )

    def get(self) -> Argv:
        scope = self._pick((("-r",), ("-d", "1"), (), ()))
        types = ("-t", self._pick(words.GET_TYPES)) if self._chance(0.6) else ()
        sources = ("-s", self._pick(words.SOURCES)) if self._chance(0.5) else ()
        operands = [self._dataset() if self._chance(0.6) else self._snapshot() for _ in range(self._pick((1, 1, 2)))]
        columns = ("-o", "name,property,value,source")
        return ("zfs", "get", *scope, "-Hp", *types, *sources, *columns, self._pick(words.GETS), *operands)

    def holds(self) -> Argv:
        operands = [self._snapshot() for _ in range(self._pick((1, 2, 3)))]
        return ("zfs", "holds", *self._flags("-r", share=0.2), "-Hp", *operands)


_MAKERS: tuple[tuple[Callable[[Generator], Argv], int], ...] = (
    (Generator.create, 8),
    (Generator.snapshot, 16),
    (Generator.destroy_snapshots, 8),
    (Generator.destroy_one, 3),
    (Generator.destroy_dataset, 3),
    (Generator.destroy_bookmark, 2),
    (Generator.hold, 5),
    (Generator.release, 4),
    (Generator.bookmark, 5),
    (Generator.clone, 5),
    (Generator.promote, 4),
    (Generator.rename_dataset, 4),
    (Generator.rename_snapshot, 4),
    (Generator.rollback, 4),
    (Generator.set, 5),
    (Generator.inherit, 4),
    (Generator.list_datasets, 4),
    (Generator.list_snapshots, 6),
    (Generator.list_bookmarks, 2),
    (Generator.list_wrongly, 1),
    (Generator.get, 5),
    (Generator.holds, 3),
)
