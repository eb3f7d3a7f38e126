"""The commands of a repair: clone, promote, rename, and the looks that they rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zfsctl.model.command import Command, Condition
from zfsctl.model.dataset import DatasetKind
from zfsctl.model.names import REPAIR_MARK, check_dataset_name, check_snapshot_part
from zfsctl.zfs.text import columns_of, rows, text_if_applicable, text_lines, unreadable, whole_number

_WHAT = "the look at a repair"
_NATIVE = re.compile(r"[a-z][a-z0-9_]*")
_COLUMNS = ("name", "guid", "type", "origin", "encryptionroot", "readonly", "mounted", REPAIR_MARK)


@dataclass(frozen=True, slots=True)
class SeenPlace:
    """A dataset that takes part in a repair, as it is now."""

    name: str
    guid: int
    kind: DatasetKind
    origin: str | None
    encryptionroot: str | None
    readonly: bool
    mounted: bool
    mark: str | None
    """Set on it, or inherited: only a value that is no other dataset's says something."""


def argv_list_places(parent: str) -> Command:
    """Look at `parent` and what lies directly below it.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    types = ("-t", "filesystem,volume")
    return Command(("zfs", "list", "-Hp", "-d", "1", *types, "-o", ",".join(_COLUMNS), check_dataset_name(parent)))


def parse_places(stdout: str) -> dict[str, SeenPlace]:
    """By name, each that was listed.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    found: dict[str, SeenPlace] = {}
    for line, (name, guid, kind, origin, root, readonly, mounted, mark) in rows(_WHAT, stdout, len(_COLUMNS)):
        if not name or name in found:
            raise unreadable(_WHAT, line, "no dataset, or one that came before")
        try:
            what = DatasetKind(kind)
        except ValueError:
            raise unreadable(_WHAT, line, f"type {kind!r}") from None
        found[name] = SeenPlace(
            name,
            whole_number(_WHAT, line, guid),
            what,
            text_if_applicable(origin),
            text_if_applicable(root),
            _on(line, readonly, "on", "off"),
            _on(line, mounted, "yes", "no"),
            text_if_applicable(mark),
        )
    return found


def _on(line: str, value: str, yes: str, no: str) -> bool:
    """A volume is mounted nowhere: `-`."""
    if value not in (yes, no, "-"):
        raise unreadable(_WHAT, line, f"the value {value!r}")
    return value == yes


def argv_names_of_set_properties(dataset: str) -> Command:
    """Ask for the names of all properties that were set on `dataset` itself. Their values could hold newlines.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    sources = ("-s", "local,received")
    return Command(("zfs", "get", "-Hp", *sources, "-o", "property", "all", check_dataset_name(dataset)))


def parse_names_of_set_properties(stdout: str) -> tuple[str, ...]:
    """The names, in the order of the output.

    Raises:
        UnreadableOutputError: A line that is no name.
    """
    found: list[str] = []
    for line in text_lines(stdout):
        (name,) = columns_of(_WHAT, line, 1)
        if not (_NATIVE.fullmatch(name) or ":" in name or "@" in name):
            raise unreadable(_WHAT, line, "no name of a property")
        found.append(name)
    return tuple(found)


def argv_value(dataset: str, name: str) -> Command:
    """Ask for the raw value of one property, all of it: nothing else is printed.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "get", "-Hp", "-o", "value", name, check_dataset_name(dataset)))


def argv_clone(
    dataset: str, snapshot: str, to: str, properties: Iterable[tuple[str, str]], *, only_if: Condition
) -> Command:
    """Clone a snapshot; `properties` must hold what keeps a filesystem from being mounted.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    check_snapshot_part(snapshot, dataset=check_dataset_name(dataset))
    options = [part for name, value in properties for part in ("-o", f"{name}={value}")]
    return Command(("zfs", "clone", *options, f"{dataset}@{snapshot}", check_dataset_name(to)), only_if=only_if)


def argv_list_bookmark_names(datasets: Sequence[str]) -> Command:
    """List `datasets`, what lies directly below them, and their bookmarks, with guids: what a promotion rests on.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    names = [check_dataset_name(name) for name in datasets]
    return Command(("zfs", "list", "-Hp", "-d", "1", "-t", "filesystem,volume,bookmark", "-o", "name,guid", *names))


def parse_bookmark_names(stdout: str) -> dict[str, frozenset[str]]:
    """By dataset, the names of its bookmarks, the part after the #.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: dict[str, frozenset[str]] = {}
    for line, (name, guid) in rows(_WHAT, stdout, 2):
        whole_number(_WHAT, line, guid)
        dataset, mark, short = name.partition("#")
        found.setdefault(dataset, frozenset())
        if mark:
            found[dataset] |= {short}
    return found


def argv_promote(clone: str, *, only_if: Condition) -> Command:
    """Promote a clone, as long as the bookmarks around it are those that were looked at.

    A name that the clone and the head of its origin share hangs the pool for good (VERIFY in
    dsl_bookmark_node_add, seen on 2.1.11 and 2.3.9).

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "promote", check_dataset_name(clone)), only_if=only_if)


def argv_rename_dataset(old: str, new: str, kind: DatasetKind, *, only_if: Condition) -> Command:
    """Rename a dataset with all below it, without unmounting or mounting anything.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    # -u is for filesystems only; a volume is mounted nowhere.
    unmounted = ("-u",) if kind is DatasetKind.FILESYSTEM else ()
    return Command(("zfs", "rename", *unmounted, check_dataset_name(old), check_dataset_name(new)), only_if=only_if)


def argv_set_mark(dataset: str, name: str, value: str, *, only_if: Condition) -> Command:
    """Set one of our marks.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "set", f"{name}={value}", check_dataset_name(dataset)), only_if=only_if)


def argv_clear_mark(dataset: str, name: str, *, only_if: Condition) -> Command:
    """Take one of our marks away again.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    return Command(("zfs", "inherit", name, check_dataset_name(dataset)), only_if=only_if)


def still(dataset: str, guid: int) -> Condition:
    """That `dataset` is still the one with `guid`."""
    return Condition(("zfs", "list", "-Hp", "-o", "guid", dataset), str(guid))
