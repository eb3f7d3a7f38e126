"""The commands that let go of a dataset which was set aside, and the look that they rest on.

Without the @ the same command destroys a dataset with its snapshots' history, so the name has to be that of a copy set
aside, or of something below one. Never -r, -R or -f.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command, Condition
from zfsctl.model.names import ASIDE_MARK, check_dataset_name
from zfsctl.model.repair import former_home_of
from zfsctl.zfs.holds import argv_release
from zfsctl.zfs.repairing import still
from zfsctl.zfs.text import rows, text_if_applicable, unreadable, whole_number

_WHAT = "the look at a copy set aside"
_COLUMNS = ("name", "guid", "userrefs", "mounted", "written", "clones", "receive_resume_token", ASIDE_MARK)
_TYPES = ("-d", "1", "-t", "filesystem,volume,snapshot")


@dataclass(frozen=True, slots=True)
class SeenPart:
    """A dataset, or one of its snapshots, or a dataset directly below it."""

    name: str
    guid: int
    userrefs: int
    mounted: str
    """yes, no, or - of what cannot be."""
    written: int
    """Bytes since its newest snapshot."""
    clones: tuple[str, ...]
    token: str | None
    mark: str | None
    """Set on it or on what it lies below."""


def argv_look(dataset: str) -> Command:
    """Look at `dataset`, its snapshots, and what lies directly below it.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "list", "-Hp", *_TYPES, "-o", ",".join(_COLUMNS), check_dataset_name(dataset)))


def parse_look(stdout: str) -> tuple[SeenPart, ...]:
    """In the order of the listing, which is that of age among the snapshots.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: list[SeenPart] = []
    for line, (name, guid, userrefs, mounted, written, clones, token, mark) in rows(_WHAT, stdout, len(_COLUMNS)):
        if not name:
            raise unreadable(_WHAT, line, "no name")
        held = text_if_applicable(userrefs)
        found.append(
            SeenPart(
                name,
                whole_number(_WHAT, line, guid),
                0 if held is None else whole_number(_WHAT, line, held),
                mounted,
                0 if text_if_applicable(written) is None else whole_number(_WHAT, line, written),
                () if text_if_applicable(clones) is None else tuple(clones.split(",")),
                text_if_applicable(token),
                text_if_applicable(mark),
            )
        )
    return tuple(found)


def argv_release_own(dataset: str, guid: int, tag: str, names: Sequence[str]) -> Command:
    """Take the hold `tag` from snapshots of `dataset`, as long as that is the one with `guid`.

    Raises:
        ValueError: No snapshot, or a tag that OpenZFS refuses.
    """
    command = argv_release(tag, [f"{dataset}@{name}" for name in names])
    return Command(command.argv, only_if=still(dataset, guid))


def argv_destroy_bare(dataset: str, guid: int, mark: str, mounted: str) -> Command:
    """Destroy `dataset`, as long as it is the one with `guid`, is marked, and has neither snapshots nor anything below.

    `mounted` is what that was seen to be, no or -: an idle filesystem would be unmounted without a word.

    Raises:
        ValueError: It is no copy set aside, nor below one.
    """
    check_dataset_name(dataset)
    if former_home_of(dataset) == dataset or "/" not in dataset:
        raise ValueError(f"{dataset} was not set aside")
    look = ("zfs", "list", "-Hp", *_TYPES, "-o", f"name,guid,mounted,receive_resume_token,{ASIDE_MARK}", dataset)
    alone = f"{dataset}\t{guid}\t{mounted}\t-\t{mark}"
    return Command(("zfs", "destroy", dataset), only_if=Condition(look, alone))
