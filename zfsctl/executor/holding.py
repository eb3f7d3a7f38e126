"""Put a hold on many snapshots, or take it off: those of one name in a whole tree at once, if nothing else lies there.

OpenZFS takes the names that one command gives it one after another, and waits for a transaction group with each; only
with `-r` does it take all of them in one (libzfs, `zfs_hold` and `zfs_release`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import beside_each_other
from zfsctl.model.command import Command, Completed
from zfsctl.model.names import is_at_or_below
from zfsctl.zfs.holds import argv_hold, argv_hold_tree, argv_release, argv_release_tree


@dataclass(frozen=True, slots=True)
class HoldChange:
    """The two commands of one change: for snapshots that are named, and for all of one name in a tree."""

    named: Callable[[str, Sequence[str]], Command]
    tree: Callable[[str, str, Collection[str]], Command]


HOLD = HoldChange(argv_hold, argv_hold_tree)
RELEASE = HoldChange(argv_release, argv_release_tree)


@dataclass(frozen=True, slots=True)
class Changed:
    """Snapshots that one command was about, by full name, and how it ended."""

    snapshots: tuple[str, ...]
    answer: Completed


def change_holds(
    host: Host, change: HoldChange, tag: str, snapshots: Collection[str], *looks: Sequence[Command]
) -> tuple[list[Changed], list[tuple[Completed, ...]]]:
    """Change the hold `tag` of `snapshots` (full names), then ask `looks`; the answers to both.

    One exchange, and another one where a tree could not be taken as a whole: it holds other datasets too, or some of it
    was done before. Its snapshots are then taken by name, and everything is asked again.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known what was changed.
    """
    trees = tuple(whole_trees(snapshots))
    together = [tree for tree in trees if len(tree) > 1]
    done, answers = _exchange(
        host,
        [(tree, change.tree(tag, tree[0], [name.partition("@")[0] for name in tree])) for tree in together],
        _by_name(change, tag, [name for tree in trees if len(tree) == 1 for name in tree]),
        looks,
    )
    apart = [name for one in done[: len(together)] if not one.answer.clean for name in one.snapshots]
    if not apart:
        return done, answers
    again, answers = _exchange(host, [], _by_name(change, tag, apart), looks)
    return [one for one in done[: len(together)] if one.answer.clean] + done[len(together) :] + again, answers


def whole_trees(snapshots: Collection[str]) -> Iterator[tuple[str, ...]]:
    """`snapshots` (full names) in groups of one short name each: that of a dataset, then those of datasets below it."""
    by_name: dict[str, list[str]] = {}
    for snapshot in snapshots:
        dataset, _, name = snapshot.partition("@")
        by_name.setdefault(name, []).append(dataset)
    for name, datasets in by_name.items():
        tree: list[str] = []
        for dataset in sorted(datasets, key=lambda dataset: dataset.split("/")):
            if tree and not is_at_or_below(dataset, tree[0]):
                yield tuple(f"{one}@{name}" for one in tree)
                tree = []
            tree.append(dataset)
        yield tuple(f"{one}@{name}" for one in tree)


def _by_name(change: HoldChange, tag: str, snapshots: Collection[str]) -> list[tuple[tuple[str, ...], Command]]:
    return [(part, change.named(tag, part)) for part in beside_each_other(snapshots)]


def _exchange(
    host: Host,
    trees: Sequence[tuple[tuple[str, ...], Command]],
    named: Sequence[tuple[tuple[str, ...], Command]],
    looks: Sequence[Sequence[Command]],
) -> tuple[list[Changed], list[tuple[Completed, ...]]]:
    changes = [*trees, *named]
    commands = [replace(command, beside=True) for _, command in changes]
    commands += [command for group in looks for command in group]
    answers = iter(host.run_all(commands, timeout=patience(commands)) if commands else ())
    done = [Changed(snapshots, next(answers)) for snapshots, _ in changes]
    return done, [tuple(islice(answers, len(group))) for group in looks]
