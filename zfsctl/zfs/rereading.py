"""Looking again at a few known snapshots and datasets: before a destroy, and after a creation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command
from zfsctl.zfs.text import rows, text_if_applicable, unreadable, whole_number

_SNAPSHOTS = "the second look at snapshots"
_DATASETS = "the second look at datasets"


@dataclass(frozen=True, slots=True)
class SeenSnapshot:
    """What decides whether a snapshot may go."""

    name: str
    """Full name."""
    guid: int
    userrefs: int
    clones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenDataset:
    """What decides whether the snapshots of a dataset may go."""

    name: str
    guid: int
    receive_resume_token: str | None


def argv_reread_snapshots(snapshots: Sequence[str]) -> Command:
    """Ask for guid, holds and clones of `snapshots` (full names).

    Those that are gone are named on stderr (DATASET_MISSING), the exit code is 1, and the others are listed.

    Raises:
        ValueError: No snapshot, or something that is none.
    """
    if not snapshots or not all("@" in snapshot for snapshot in snapshots):
        raise ValueError("a second look needs at least one snapshot")
    return Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "name,guid,userrefs,clones", *snapshots))


def parse_reread_snapshots(stdout: str) -> dict[str, SeenSnapshot]:
    """By full name, each that was listed.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, SeenSnapshot] = {}
    for line, (name, guid, userrefs, clones) in rows(_SNAPSHOTS, stdout, 4):
        if "@" not in name or name in found:
            raise unreadable(_SNAPSHOTS, line, "no snapshot, or one that came before")
        found[name] = SeenSnapshot(
            name,
            whole_number(_SNAPSHOTS, line, guid),
            whole_number(_SNAPSHOTS, line, userrefs),
            () if text_if_applicable(clones) is None else tuple(clones.split(",")),
        )
    return found


def argv_reread_datasets(datasets: Sequence[str]) -> Command:
    """Ask for guid and receive_resume_token of `datasets`; those that are gone are named on stderr.

    Raises:
        ValueError: No dataset, or something that is none.
    """
    if not datasets or any("@" in dataset for dataset in datasets):
        raise ValueError("a second look needs at least one dataset")
    columns = "name,guid,receive_resume_token"
    return Command(("zfs", "list", "-Hp", "-t", "filesystem,volume", "-o", columns, *datasets))


def parse_reread_datasets(stdout: str) -> dict[str, SeenDataset]:
    """By name, each that was listed.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, SeenDataset] = {}
    for line, (name, guid, token) in rows(_DATASETS, stdout, 3):
        if "@" in name or name in found:
            raise unreadable(_DATASETS, line, "no dataset, or one that came before")
        found[name] = SeenDataset(name, whole_number(_DATASETS, line, guid), text_if_applicable(token))
    return found


def argv_guids(names: Sequence[str]) -> Command:
    """Read back the guids of snapshots just taken (full names).

    Raises:
        ValueError: No snapshot, or something that is none.
    """
    if not names or not all("@" in name for name in names):
        raise ValueError("reading guids back needs at least one snapshot")
    return Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "name,guid", *names))


def parse_guids(stdout: str) -> dict[str, int]:
    """The guid of each snapshot that was listed, by full name.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, int] = {}
    for line, (name, guid) in rows(_SNAPSHOTS, stdout, 2):
        if "@" not in name or name in found:
            raise unreadable(_SNAPSHOTS, line, "no snapshot, or one that came before")
        found[name] = whole_number(_SNAPSHOTS, line, guid)
    return found
