"""Commands as they might be given to a pool, chosen by a seed and by what the sandbox holds at that moment.

A clone is never promoted while it shares a bookmark's name with its origin's head, nor where the origin lies on a
clone itself: the first hangs a real pool for good, the second did so for others (openzfs #17389). Nor is a hold's tag
ever 256 bytes long, which hangs it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.differential import words
from tests.differential.choosing import Argv, Chooser
from tests.differential.transfers import TRANSFERS
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.pools import SimPool

MOST_DATASETS = 14
"""More than that, and datasets are destroyed more often than made."""


class Generator(Chooser):
    """An endless sequence of commands for one pool; it looks at the sandbox's pool before each.

    Args:
        transfers: Streams go from dataset to dataset too. Not where filesystems are mounted: which received ones are,
            among those, is not simulated.
    """

    def __init__(self, seed: str, pool: Callable[[], SimPool], *, transfers: bool = False) -> None:
        super().__init__(seed, pool)
        self._transfers = transfers

    def __iter__(self) -> Iterator[Argv]:
        makers, weights = zip(*_MAKERS, *(TRANSFERS if self._transfers else ()), strict=True)
        while True:
            (maker,) = self.random.choices(makers, weights)
            yield maker(self)

    # Commands that change something

    def create(self) -> Argv:
        if len(self.pool.datasets) > MOST_DATASETS:
            return self.destroy_dataset()
        options = (*self.flags("-p", share=0.15), *self.flags("-u", share=0.1))
        if self.chance(0.25):
            options += (*self.flags("-s", share=0.7), "-V", self.pick(("8M", "16M", "10000000", "0x", "8")))
        if self.chance(0.3):
            options += self.user_option()
        if self.chance(0.15):
            options += self.native_option()
        return ("zfs", "create", *options, self.a_new_dataset())

    def snapshot(self) -> Argv:
        options = self.user_option() if self.chance(0.4) else ()
        if self.chance(0.03):
            options += self.native_option()
        if self.chance(0.3):
            return ("zfs", "snapshot", "-r", *options, self.a_new_snapshot())
        if self.chance(0.5):
            return ("zfs", "snapshot", *options, self.a_new_snapshot())
        name = self.pick(words.SNAPSHOTS)
        several = [f"{each.name}@{name}" for each in self.some(self.every_dataset(), 5)]
        if self.chance(0.1):
            several.append(self.a_new_snapshot())
        return ("zfs", "snapshot", *options, *several)

    def destroy_snapshots(self) -> Argv:
        dataset = self.pool.datasets.get(self.a_dataset()) or self.pool.root
        names = [*dataset.snapshots] if self.chance(0.85) and dataset.snapshots else list(words.SNAPSHOTS)
        spec = ",".join(self.some(names, 4))
        if self.chance(0.05):
            spec = f"{self.pick(('', *names))}%{self.pick(('', *names))}"
        flags = (*self.flags("-n", share=0.15), *self.flags("-v", "-p", share=0.2))
        flags += (*self.flags("-d", share=0.1), *self.flags("-r", share=0.08))
        return ("zfs", "destroy", *flags, f"{dataset.name}@{spec}")

    def destroy_one(self) -> Argv:
        return ("zfs", "destroy", *self.flags("-d", share=0.1), self.a_snapshot())

    def destroy_dataset(self) -> Argv:
        name = self.a_dataset_or_not(root=self.chance(0.02))
        recursive = self.flags("-r", share=0.45) if self._same_in_any_order(name) else ()
        flags = (*recursive, *self.flags("-n", share=0.1), *self.flags("-v", "-p", share=0.1))
        return ("zfs", "destroy", *flags, name)

    def _same_in_any_order(self, name: str) -> bool:
        """Whether `destroy -r` ends alike in whatever order it meets children and clones, which is that of a hash.

        Snapshots go together with those met before them, so one that is held keeps others only when it comes first.
        A dataset that depends on itself stops everything, unless a part of the circle is gone before it is met.
        """
        tree = self.pool.tree(name)
        held = any(snapshot.holds for each in tree for snapshot in each.snapshots.values())
        if held and any(each.origin for each in tree):
            return False
        return not (tree and self._depends_on_itself(tree[0], []))

    def _depends_on_itself(self, dataset: SimDataset, above: list[SimDataset]) -> bool:
        if any(each is dataset for each in above):
            return True
        clones = [each for snapshot in dataset.snapshots.values() for each in self.pool.clones_of(dataset, snapshot)]
        below = [*self.pool.children(dataset.name), *clones]
        return any(self._depends_on_itself(each, [*above, dataset]) for each in below)

    def destroy_bookmark(self) -> Argv:
        return ("zfs", "destroy", *self.flags("-n", "-r", "-d", share=0.03), self.a_bookmark())

    def hold(self) -> Argv:
        tag = self.pick(words.TAGS) if self.chance(0.95) else self.pick((".dot", "t" * 255, "t" * 257))
        several = [self.a_snapshot() for _ in range(self.pick((1, 1, 1, 2, 3)))]
        return ("zfs", "hold", *self.flags("-r", share=0.15), tag, *several)

    def release(self) -> Argv:
        held = [
            (tag, f"{each.name}@{snapshot.name}")
            for each in self.every_dataset()
            for snapshot in each.snapshots.values()
            for tag in snapshot.holds
        ]
        if held and self.chance(0.85):
            tag, name = self.pick(held)
            return ("zfs", "release", *self.flags("-r", share=0.15), tag, name)
        return ("zfs", "release", *self.flags("-r", share=0.15), self.pick(words.TAGS), self.a_snapshot())

    def bookmark(self) -> Argv:
        source = self.a_snapshot() if self.chance(0.85) else self.a_bookmark()
        head = source.replace("#", "@").partition("@")[0]
        target = f"{head if self.chance(0.75) else self.a_dataset()}#{self.pick(words.BOOKMARKS)}"
        if self.chance(0.2):
            target = f"#{self.pick(words.BOOKMARKS)}"
        if self.chance(0.03):
            target = self.pick(("nowhere", f"{head}#", "nopool#b", f"{head}#b/c"))
        return ("zfs", "bookmark", source, target)

    def clone(self) -> Argv:
        options = (*self.flags("-p", share=0.1), *(self.user_option() if self.chance(0.3) else ()))
        if self.chance(0.3):
            options += self.native_option()
        return ("zfs", "clone", *options, self.a_snapshot(), self.a_new_dataset())

    def promote(self) -> Argv:
        clones = [each for each in self.every_dataset() if each.origin]
        if clones and self.chance(0.85):
            name = self.pick(clones).name
        else:
            name = self.a_dataset()
        if not self._may_promote(name):
            return self.rename_dataset()
        return ("zfs", "promote", name)

    def _may_promote(self, name: str) -> bool:
        dataset = self.pool.datasets.get(name)
        if dataset is None or dataset.origin is None:
            return True
        former = dataset.origin.dataset
        return former.origin is None and not former.bookmarks.keys() & dataset.bookmarks.keys()

    def rename_dataset(self) -> Argv:
        flags = (() if self.mounts else self.flags("-u", share=0.4)) or self.flags("-p", share=0.1)
        return ("zfs", "rename", *flags, self.a_dataset_or_not(root=self.chance(0.05)), self.a_new_dataset())

    def rename_snapshot(self) -> Argv:
        source = self.a_snapshot()
        target = f"{source.partition('@')[0]}@{self.pick(words.SNAPSHOTS)}"
        if self.chance(0.2):
            target = self.pick((f"@{self.pick(words.SNAPSHOTS)}", self.pick(words.SNAPSHOTS), self.a_new_snapshot()))
        return ("zfs", "rename", *self.flags("-r", share=0.2), source, target)

    def rollback(self) -> Argv:
        if self.mounts and len(self.pool.datasets) > 1:
            # It takes away the directories on which others are mounted, and Linux then reports I/O errors there.
            return self.snapshot()
        newest = [f"{each.name}@{list(each.snapshots)[-1]}" for each in self.every_dataset() if each.snapshots]
        name = self.pick(newest) if newest and self.chance(0.4) else self.a_snapshot()
        return ("zfs", "rollback", *self.flags("-r", share=0.4), name)

    def set(self) -> Argv:
        if self.chance(0.6):
            value = f"{self.pick(words.USER_PROPERTIES)}={self.pick(words.USER_VALUES)}"
            operands = [
                self.a_dataset() if self.chance(0.6) else self.a_snapshot() for _ in range(self.pick((1, 1, 2)))
            ]
            return ("zfs", "set", value, *operands)
        operand = self.a_dataset() if self.chance(0.9) else self.a_snapshot()
        return ("zfs", "set", self.native_option()[1], operand)

    def inherit(self) -> Argv:
        name = self.pick(words.USER_PROPERTIES if self.chance(0.7) else words.INHERITABLE)
        operand = self.a_dataset_or_not() if self.chance(0.7) else self.a_snapshot()
        return ("zfs", "inherit", *self.flags("-r", "-S", share=0.15), name, operand)

    # Questions

    def list_datasets(self) -> Argv:
        columns = self.pick(words.DATASET_LISTS)
        scope = self.pick(((), ("-r",), ("-d", "1")))
        operands = [self.a_dataset_or_not() for _ in range(self.pick((1, 1, 2)))]
        if not scope and self.chance(0.3):
            operands = [each.name for each in self.every_dataset()]
        return ("zfs", "list", *scope, "-Hp", "-t", self.pick(words.HEAD_TYPES), "-o", columns, *operands)

    def list_snapshots(self) -> Argv:
        columns = self.pick(words.SNAPSHOT_LISTS)
        scope = self.pick((("-r",), ("-d", "1"), ("-d", "2"), ()))
        order = self.pick(((), (), ("-s", "name"), ("-S", "createtxg"), ("-s", "createtxg"), ("-S", "name")))
        if self.chance(0.4):
            return (
                "zfs",
                "list",
                "-Hp",
                "-t",
                "snapshot",
                "-o",
                columns,
                *self.some(self.every_snapshot(), 4),
                self.a_snapshot(),
            )
        return ("zfs", "list", *scope, *order, "-Hp", "-t", "snapshot", "-o", columns, self.a_dataset_or_not())

    def list_bookmarks(self) -> Argv:
        scope = self.pick((("-r",), ("-d", "1"), ()))
        return ("zfs", "list", *scope, "-Hp", "-t", "bookmark", "-o", self.pick(words.BOOKMARK_LISTS), self.a_dataset())

    def list_wrongly(self) -> Argv:
        return self.pick(
            (
                ("zfs", "list", "-Hp", "-o", self.pick(words.WRONG_LISTS), self.pool.name),
                ("zfs", "list", "-Hp", "-t", "nosuch", self.pool.name),
                ("zfs", "list", "-Hp", "-d", "x", self.pool.name),
                ("zfs", "list", "-HpQ"),
                ("zfs", "list", "-Hp", "-o", "name", f"{self.pool.name}/nothere"),
                ("zfs", "list", "-Hp", "-o", "name", "nopool", "nopool/x@y", self.pool.name),
                ("zfs", "list", "-Hp", "-o", "name", f"{self.pool.name}//x"),
                ("zfs", "nosuch"),
                ("zfs", "get", "-Hp", "-s", "nosuch", "guid", self.pool.name),
                ("zpool", "list", "-Hp", "-o", "name,health,readonly", "nopool"),
                ("zfs", "snapshot", "nopool/x@y"),
                ("zfs", "snapshot", self.pool.name),
            )
        )

    def get(self) -> Argv:
        scope = self.pick((("-r",), ("-d", "1"), (), ()))
        types = ("-t", self.pick(words.GET_TYPES)) if self.chance(0.6) else ()
        sources = ("-s", self.pick(words.SOURCES)) if self.chance(0.5) else ()
        operands = [
            self.a_dataset_or_not() if self.chance(0.6) else self.a_snapshot() for _ in range(self.pick((1, 1, 2)))
        ]
        columns = ("-o", "name,property,value,source")
        return ("zfs", "get", *scope, "-Hp", *types, *sources, *columns, self.pick(words.GETS), *operands)

    def holds(self) -> Argv:
        operands = [self.a_snapshot() for _ in range(self.pick((1, 2, 3)))]
        return ("zfs", "holds", *self.flags("-r", share=0.2), "-Hp", *operands)


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
