"""zfs destroy, of snapshots, bookmarks and datasets."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import DATASETS, HEADS, TEXTS, Call, Exit, Found, Kinds
from zfsctl.sandbox.changing import remove_dataset, remove_snapshot
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.dependents import CycleError, visit_dependents
from zfsctl.sandbox.extents import range_space
from zfsctl.sandbox.mounts import mountpoint_of
from zfsctl.sandbox.options import Options, parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.sizes import nice_size

SYNOPSIS = (
    "destroy [-fnpRrv] <filesystem|volume>\n"
    "\tdestroy [-dnpRrv] <filesystem|volume>@<snap>[%<snap>][,...]\n"
    "\tdestroy <filesystem|volume>#<bookmark>"
)

Pair = tuple[SimDataset, SimSnapshot]


def zfs_destroy(call: Call, arguments: Sequence[str]) -> int:
    """Destroy what the one operand names."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "vpndfrR")
    if not options.operands:
        call.usage("missing dataset argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    operand = options.operands[0]
    if "@" in operand:
        return _Snapshots(call, options).destroy(operand)
    if "#" in operand:
        return _destroy_bookmark(call, options, operand)
    return _destroy_dataset(call, options, operand)


class _Snapshots:
    """zfs destroy of a comma list of snapshots."""

    def __init__(self, call: Call, options: Options) -> None:
        self.call = call
        self.options = options
        self.recursive = "r" in options or "R" in options
        self.dry = "n" in options
        self.failed = False
        self.reclaim = 0
        self.chosen: list[Pair] = []

    def destroy(self, operand: str) -> int:
        call, options = self.call, self.options
        head, _, spec = operand.partition("@")
        found = call.open_or_stop(head, HEADS)
        for dataset in found.pool.tree(head) if self.recursive else [found.dataset]:
            chosen = self._choose(found.pool, dataset, spec)
            self.chosen += [(dataset, snapshot) for snapshot in chosen]
            if "v" in options or "p" in options:
                self._print(dataset, chosen)
        if self.failed:
            return 1
        if not self.chosen:
            call.stop("could not find any snapshots to destroy; check snapshot names.")
        if "p" in options:
            call.say(f"reclaim\t{self.reclaim}")
        elif "v" in options:
            call.say(f"{'would' if self.dry else 'will'} reclaim {nice_size(self.reclaim)}")
        if self.dry:
            return 0
        if "R" in options:
            for dataset, snapshot in self.chosen:
                _destroy_clones(call, found.pool, dataset, snapshot)
        return int(not destroy_snapshots(call, found.pool, self.chosen, defer="d" in options))

    def _choose(self, pool: SimPool, dataset: SimDataset, spec: str) -> list[SimSnapshot]:
        chosen: dict[str, SimSnapshot] = {}
        for part in spec.split(","):
            for snapshot in _matching(dataset, part):
                if "R" not in self.options and "d" not in self.options:
                    self._check_clones(pool, dataset, snapshot)
                chosen[snapshot.name] = snapshot
        return list(chosen.values())

    def _check_clones(self, pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot) -> None:
        names: list[str] = []
        found = Found(pool, dataset, snapshot=snapshot)
        visit_dependents(self.call, found, lambda each: names.append(each.name), allow_cycles=True)
        if names:
            self.call.complain(f"cannot destroy '{dataset.name}@{snapshot.name}': snapshot has dependent clones")
            self.call.complain("use '-R' to destroy the following datasets:")
            self.call.err += names
            self.failed = self.dry = True

    def _print(self, dataset: SimDataset, chosen: list[SimSnapshot]) -> None:
        first: int | None = None
        names = {snapshot.name for snapshot in chosen}
        word = "destroy\t" if "p" in self.options else ("would destroy " if self.dry else "will destroy ")
        every = list(dataset.snapshots)
        for index, name in enumerate([*every, ""]):
            if name in names:
                self.call.say(f"{word}{dataset.name}@{name}")
                first = index if first is None else first
            elif first is not None:
                self.reclaim += range_space(dataset.extents, dataset.txgs, first, index - 1, dataset.floor)
                first = None


def _matching(dataset: SimDataset, part: str) -> list[SimSnapshot]:
    """The snapshots that one part of a comma list means; a range `a%b` counts by createtxg, both ends included."""
    first, percent, last = part.partition("%")
    if not percent:
        found = dataset.snapshots.get(part)
        return [found] if found else []
    names = list(dataset.snapshots)
    if (first and first not in names) or (last and last not in names):
        return []
    begin = names.index(first) if first else 0
    end = names.index(last) if last else len(names) - 1
    return [dataset.snapshots[name] for name in names[begin : end + 1]]


def destroy_snapshots(call: Call, pool: SimPool, chosen: Sequence[Pair], *, defer: bool = False) -> bool:
    """Destroy snapshots, all or none, in one txg (so up to 2.4); False after a complaint about each that cannot go."""
    refused = call.refusal(pool, needs_space=False)
    if refused:
        call.complain(f"cannot destroy snapshots: {TEXTS[refused]}")
        return False
    wrong = False
    if not defer:
        for dataset, snapshot in chosen:
            name = f"{dataset.name}@{snapshot.name}"
            if snapshot.holds:
                why = "dataset is busy"
                if call.machine.release >= (2, 3, 3):
                    why = f"it's being held. Run 'zfs holds -r {name}' to see holders."
                call.complain(f"cannot destroy snapshot {name}: {why}")
                wrong = True
            elif pool.clones_of(dataset, snapshot):
                call.complain(f"cannot destroy snapshot {name}: snapshot is cloned")
                wrong = True
    if wrong:
        return False
    for dataset, snapshot in chosen:
        if defer and (snapshot.holds or pool.clones_of(dataset, snapshot)):
            snapshot.defer_destroy = True
            call.changed()
        else:
            remove_snapshot(call, dataset, snapshot)
    pool.next_txg()
    return True


def _destroy_bookmark(call: Call, options: Options, operand: str) -> int:
    for letter, what in (("n", "dryrun"), ("d", "defer destroy"), ("r", "recursive"), ("R", "recursive")):
        if letter in options:
            call.stop(f"{what} is not supported with bookmark", 255)
    found = call.look_up(operand)
    if found is None or found.bookmark is None:
        call.stop(f"bookmark '{operand}' does not exist.")
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.stop(f"cannot destroy bookmark: {TEXTS[refused]}", refused)
    del found.dataset.bookmarks[found.bookmark.name]
    found.pool.next_txg()
    call.changed()
    return 0


def _destroy_clones(call: Call, pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot) -> None:
    work = DatasetDestroyer(call, pool)
    if not work.visit_below(Found(pool, dataset, snapshot=snapshot)):
        raise Exit(1)
    work.flush()
    if work.failed:
        raise Exit(1)


def _destroy_dataset(call: Call, options: Options, operand: str) -> int:
    found = call.open_or_stop(operand, Kinds.SNAPSHOT if "d" in options else DATASETS)
    recursive = "r" in options or "R" in options
    pool, target = found.pool, found.dataset
    if not recursive and target is pool.root:
        call.complain(f"cannot destroy '{target.name}': operation does not apply to pools")
        call.complain(f"use 'zfs destroy -r {target.name}' to destroy all datasets in the pool")
        call.complain(f"use 'zpool destroy {target.name}' to destroy the pool itself")
        return 1
    if "R" not in options:
        _check_dependents(call, pool, target, recursive=recursive)
    verbose = "v" in options or "p" in options
    word = "destroy\t" if "p" in options else ("would destroy " if "n" in options else "will destroy ")
    work = DatasetDestroyer(call, pool, word if verbose else "", dry="n" in options, go_on=recursive)
    if not work.visit_below(found):
        return 1
    if not work.stopped:
        work.visit(found)
        work.flush()
    return int(work.failed)


def _check_dependents(call: Call, pool: SimPool, target: SimDataset, *, recursive: bool) -> None:
    below: list[str] = []
    clones: list[str] = []

    def note(found: Found) -> None:
        inside = found.name.startswith((f"{target.name}/", f"{target.name}@"))
        (below if inside else clones).append(found.name)

    visit_dependents(call, Found(pool, target), note, allow_cycles=True)
    if not recursive and below:
        call.complain(f"cannot destroy '{target.name}': {target.kind} has children")
        call.complain("use '-r' to destroy the following datasets:")
        call.err += below
        raise Exit(1)
    if recursive and clones:
        call.complain(f"cannot destroy '{target.name}': {target.kind} has dependent clones")
        call.complain("use '-R' to destroy the following datasets:")
        call.err += clones
        raise Exit(1)


class DatasetDestroyer:
    """Destroys things in the order in which they are visited; snapshots are gathered and go together."""

    def __init__(self, call: Call, pool: SimPool, word: str = "", *, dry: bool = False, go_on: bool = False) -> None:
        self.call = call
        self.pool = pool
        self.word = word
        self.dry = dry
        self.go_on = go_on
        self.failed = False
        self.stopped = False
        self.batch: list[Pair] = []

    def visit_below(self, top: Found) -> bool:
        """Destroy everything that hangs on `top`; False after a complaint that something depends on itself."""
        try:
            visit_dependents(self.call, top, self.visit, allow_cycles=False)
        except CycleError as error:
            error.report(self.call)
            return False
        return True

    def visit(self, found: Found) -> None:
        if self.stopped:
            return
        if self.word:
            self.call.say(f"{self.word}{found.name}")
        if self.dry or (found.dataset is self.pool.root and not found.snapshot):
            return
        if found.snapshot:
            self.batch.append((found.dataset, found.snapshot))
            return
        if not (self.flush() and self._destroy(found.dataset)):
            self.failed = True
            self.stopped = not self.go_on

    def flush(self) -> bool:
        """Destroy the gathered snapshots."""
        batch, self.batch = self.batch, []
        done = not batch or destroy_snapshots(self.call, self.pool, batch)
        self.failed |= not done
        return done

    def _destroy(self, dataset: SimDataset) -> bool:
        action = f"cannot destroy '{dataset.name}'"
        refused = self.call.refusal(self.pool, needs_space=False)
        if refused:
            self.call.complain(f"{action}: {TEXTS[refused]}")
        elif dataset.mounted and any(each.mounted for each in self.pool.children(dataset.name)):
            self.call.complain(f"cannot unmount '{mountpoint_of(self.pool, dataset)}': pool or dataset is busy")
        elif dataset.snapshots:
            self.call.complain(f"{action}: dataset is busy")
        elif self.pool.children(dataset.name):
            self.call.complain(f"{action}: dataset already exists")
        else:
            remove_dataset(self.call, self.pool, dataset)
            return True
        return False
