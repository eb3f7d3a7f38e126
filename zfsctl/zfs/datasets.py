"""Filesystems and volumes as `zfs list` prints them."""

from __future__ import annotations

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.command import Command
from zfsctl.model.dataset import Dataset, DatasetKind
from zfsctl.zfs.text import (
    columns_of,
    number_if_applicable,
    text_if_applicable,
    text_lines,
    unreadable,
    whole_number,
    yes_or_no,
)

DATASET_COLUMNS = (
    "name",
    "type",
    "guid",
    "createtxg",
    "creation",
    "used",
    "available",
    "referenced",
    "written",
    "usedbysnapshots",
    "origin",
    "mounted",
    "canmount",
    "readonly",
    "encryption",
    "keystatus",
    "encryptionroot",
    "inconsistent",
    "receive_resume_token",
    "prevsnap",
    "mountpoint",
)
"""All of them exist since OpenZFS 2.1; one unknown column would refuse the whole listing.

Two are hidden but can be selected: `inconsistent` is 1 for a first receive that has not finished, and `prevsnap` is the
newest snapshot, or the origin of a clone without any.
"""

_WHAT = "the list of datasets"


def argv_list_datasets() -> Command:
    """List every filesystem and volume of every pool. Without any nothing is printed (`-H`)."""
    return Command(("zfs", "list", "-Hp", "-t", "filesystem,volume", "-o", ",".join(DATASET_COLUMNS)))


def parse_datasets(stdout: str, doubts: list[UnreadableOutputError] | None = None) -> dict[str, Dataset]:
    """Every dataset by name, in listing order.

    Args:
        stdout: What the command printed.
        doubts: Where given, a line that cannot be read is left out and its error put here, not raised: a
            mountpoint with a newline in it must not hide all other datasets.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints, or a name comes twice.
    """
    datasets: dict[str, Dataset] = {}
    for line in text_lines(stdout):
        try:
            dataset = _parse_dataset(line)
            if dataset.name in datasets:
                raise unreadable(_WHAT, line, "a name that came before")
        except UnreadableOutputError as error:
            if doubts is None:
                raise
            doubts.append(error)
        else:
            datasets[dataset.name] = dataset
    return datasets


def _parse_dataset(line: str) -> Dataset:
    columns = columns_of(_WHAT, line, len(DATASET_COLUMNS))
    column = dict(zip(DATASET_COLUMNS, columns, strict=True))

    def number(name: str) -> int:
        return whole_number(_WHAT, line, column[name])

    if not column["name"] or "@" in column["name"] or "#" in column["name"]:
        raise unreadable(_WHAT, line, "no name of a dataset")
    try:
        kind = DatasetKind(column["type"])
    except ValueError:
        raise unreadable(_WHAT, line, f"{column['type']!r} is neither a filesystem nor a volume") from None
    return Dataset(
        name=column["name"],
        kind=kind,
        guid=number("guid"),
        createtxg=number("createtxg"),
        creation=number("creation"),
        used=number("used"),
        available=number("available"),
        referenced=number("referenced"),
        written=number("written"),
        used_by_snapshots=number_if_applicable(_WHAT, line, column["usedbysnapshots"]) or 0,
        origin=text_if_applicable(column["origin"]),
        mounted=yes_or_no(_WHAT, line, column["mounted"], "yes", "no"),
        mountpoint=text_if_applicable(column["mountpoint"]),
        canmount=text_if_applicable(column["canmount"]),
        readonly=yes_or_no(_WHAT, line, column["readonly"], "on", "off"),
        encryption=text_if_applicable(column["encryption"]) or "off",
        keystatus=text_if_applicable(column["keystatus"]),
        encryptionroot=text_if_applicable(column["encryptionroot"]),
        inconsistent=yes_or_no(_WHAT, line, column["inconsistent"], "1", "0"),
        receive_resume_token=text_if_applicable(column["receive_resume_token"]),
        prevsnap=text_if_applicable(column["prevsnap"]),
    )
