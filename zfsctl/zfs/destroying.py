"""Destroying snapshots: always an explicit comma list of one dataset.

Never a range (`%` would reach snapshots in between that nobody looked at), never -r, -R, -d or -f. Without the @
the same command would destroy the dataset, so the operand is checked once more when it is complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zfsctl.model.batches import MOST_ARGUMENT_BYTES, MOST_NAMES_PER_DESTROY, batches
from zfsctl.model.command import Command, Condition
from zfsctl.model.names import check_dataset_name, check_snapshot_part
from zfsctl.model.refs import SnapshotRef
from zfsctl.zfs.text import columns_of, text_lines, unreadable, whole_number

_WHAT = "the estimate of a destroy"


def argv_destroy(dataset: str, names: Sequence[str]) -> Command:
    """Destroy the snapshots of `dataset` called `names` (the parts after the @).

    A name that is gone is not an error as long as one exists. OpenZFS up to 2.4 destroys all or none;
    later versions stop at the first that cannot go, so after a failure look again.

    Raises:
        ValueError: No name, more than one command may destroy, one name twice, or a name that is not allowed.
    """
    return Command(("zfs", "destroy", _operand(dataset, names)))


def argv_destroy_seen(dataset: str, guid: int, seen: Sequence[SnapshotRef]) -> Command:
    """Destroy snapshots of the dataset with `guid`, as long as it and each of them is still the one that was looked at.

    Args:
        dataset: Its name.
        guid: Its guid.
        seen: The snapshots, oldest first, as OpenZFS lists them.

    Raises:
        ValueError: As `argv_destroy`.
    """
    command = argv_destroy(dataset, [ref.name for ref in seen])
    rows = [(dataset, guid), *((f"{dataset}@{ref.name}", ref.guid) for ref in seen)]
    look = ("zfs", "list", "-Hp", "-t", "filesystem,volume,snapshot", "-o", "name,guid", *(name for name, _ in rows))
    rests_on = "\n".join(f"{name}\t{its}" for name, its in rows)
    return Command(command.argv, only_if=Condition(look, rests_on))


def argv_destroy_estimate(dataset: str, names: Sequence[str]) -> Command:
    """Ask what `argv_destroy` would destroy and free; nothing is changed. Holds are not looked at.

    Raises:
        ValueError: As `argv_destroy`.
    """
    return Command(("zfs", "destroy", "-nvp", _operand(dataset, names)))


def destroy_batches(
    dataset: str, snapshots: Sequence[SnapshotRef], *, most_bytes: int = MOST_ARGUMENT_BYTES
) -> Iterator[tuple[SnapshotRef, ...]]:
    """`snapshots` in parts that one comma list may hold."""
    most_bytes -= len(dataset)
    return batches(snapshots, name=lambda ref: ref.name, most_bytes=most_bytes, most_names=MOST_NAMES_PER_DESTROY)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a destroy would do."""

    snapshots: tuple[str, ...]
    """Full names; one that is gone is missing."""
    frees: int
    """Bytes that would become free, counted for all of them together."""


def parse_destroy_estimate(stdout: str) -> Estimate:
    """What `argv_destroy_estimate` printed.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or it names no sum.
    """
    snapshots: list[str] = []
    frees: int | None = None
    for line in text_lines(stdout):
        word, value = columns_of(_WHAT, line, 2)
        if word == "destroy" and "@" in value:
            snapshots.append(value)
        elif word == "reclaim" and frees is None:
            frees = whole_number(_WHAT, line, value)
        else:
            raise unreadable(_WHAT, line, "neither a snapshot nor a sum")
    if frees is None:
        raise unreadable(_WHAT, stdout, "no sum")
    return Estimate(tuple(snapshots), frees)


def _operand(dataset: str, names: Sequence[str]) -> str:
    check_dataset_name(dataset)
    if not names:
        raise ValueError(f"no snapshot of {dataset} to destroy")
    if len(names) > MOST_NAMES_PER_DESTROY:
        raise ValueError(f"{len(names)} snapshots of {dataset} in one destroy, at most {MOST_NAMES_PER_DESTROY} may be")
    if len(set(names)) != len(names):
        raise ValueError(f"a snapshot of {dataset} comes twice in one destroy")
    for name in names:
        check_snapshot_part(name, dataset=dataset)
    operand = f"{dataset}@{','.join(names)}"
    if operand.count("@") != 1 or "%" in operand or "#" in operand or operand.startswith("-"):
        raise ValueError(f"{operand!r} does not name snapshots of one dataset and nothing else")
    return operand
