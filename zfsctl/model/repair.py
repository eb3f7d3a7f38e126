"""A repair builds beside the receiver and then swaps: its names, its mark, its steps.

While it lasts, what is built is called `X.zfsctl-new-STAMP` and carries a mark that says what it is to replace. The
mark goes last, so that a repair that was cut off anywhere is known for what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.names import check_dataset_name
from zfsctl.model.refs import SnapshotRef

_NEW = ".zfsctl-new-"
_ASIDE = ".zfsctl-aside-"
_STAMP = r"\d{8}T\d{6}Z"
_FORM = re.compile(rf"(?P<home>.+)(?P<part>{re.escape(_NEW)}|{re.escape(_ASIDE)})(?P<stamp>{_STAMP})", re.DOTALL)
_PART = re.compile(rf"{re.escape(_NEW)}{_STAMP}(?=/|$)")
_ASIDE_PART = re.compile(rf"{re.escape(_ASIDE)}{_STAMP}(?=/|$)")
_MARK = re.compile(
    rf"(?P<kind>clone|full):(?P<replication>[a-z0-9][a-z0-9-]*):(?P<guid>\d{{1,20}}):(?P<stamp>{_STAMP})"
)

ASIDE_BYTES = len(_ASIDE) + len("20261121T163000Z")
"""How much longer a name becomes that is set aside."""


class RepairKind(StrEnum):
    """How the new receiver is built."""

    CLONE = "clone"
    """A clone of the base, promoted: nothing is sent again."""
    FULL = "full"
    """A first copy."""


@dataclass(frozen=True, slots=True)
class RepairMark:
    """The value of `zfsctl:repair` on what is built."""

    kind: RepairKind
    replication: str
    guid: int
    """Of the dataset that it is to replace."""
    stamp: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.replication}:{self.guid}:{self.stamp}"


def parse_repair_mark(text: str) -> RepairMark | None:
    """The mark that `text` says; None if it says none."""
    found = _MARK.fullmatch(text)
    if found is None:
        return None
    return RepairMark(RepairKind(found["kind"]), found["replication"], int(found["guid"]), found["stamp"])


def new_name(dataset: str, stamp: str) -> str:
    """Where the successor of `dataset` is built."""
    return f"{dataset}{_NEW}{stamp}"


def aside_name(dataset: str, stamp: str) -> str:
    """Where `dataset` stays when its successor takes its place."""
    return f"{dataset}{_ASIDE}{stamp}"


def is_new_of(name: str, dataset: str) -> bool:
    """Whether `name` is that of a successor of `dataset` while it is built."""
    found = _FORM.fullmatch(name)
    return found is not None and found["home"] == dataset and found["part"] == _NEW


def is_aside_of(name: str, dataset: str) -> bool:
    """Whether `name` is that of a copy of `dataset` that was set aside."""
    found = _FORM.fullmatch(name)
    return found is not None and found["home"] == dataset and found["part"] == _ASIDE


def is_aside(name: str) -> bool:
    """Whether `name` itself is that of a copy set aside, not of something below one."""
    found = _FORM.fullmatch(name)
    return found is not None and found["part"] == _ASIDE and "/" not in found["stamp"]


def is_new(name: str) -> bool:
    """Whether `name` itself is that of a successor while it is built, not of something below one."""
    found = _FORM.fullmatch(name)
    return found is not None and found["part"] == _NEW


def home_of(name: str) -> str:
    """The name that something has when all that is being built around it is in its place."""
    return _PART.sub("", name)


def former_home_of(name: str) -> str:
    """The name that something had before it, or what it lies below, was set aside."""
    return _ASIDE_PART.sub("", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneDataset:
    """Clone the base of a receiver beside it, unmounted, with every property that was set on it."""

    id: str
    host: str
    why: str
    replication: str
    dataset: str
    dataset_guid: int
    base: SnapshotRef
    to: str
    mark: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteClone:
    """Give a clone the history up to its origin. Refused where that could hang the pool."""

    id: str
    host: str
    why: str
    replication: str
    dataset: str
    """The clone."""
    origin: str
    """The dataset that it was cloned from."""
    base: SnapshotRef
    mark: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapDatasets:
    """Set a receiver aside, put in its place what was built beside it, and bring home all that lies below it.

    Every part that is done already is passed over.
    """

    id: str
    host: str
    why: str
    replication: str
    dataset: str
    dataset_guid: int
    """Of the one that is set aside."""
    built: str
    """What takes its place; the same name where it did so already."""
    aside: str
    mark: str
    after: tuple[str, ...] = ()


RepairStep = CloneDataset | PromoteClone | SwapDatasets


def check_repair_name(name: str) -> str:
    """Return `name` if a repair may use it: not the root of a pool, and allowed by OpenZFS; else ValueError."""
    check_dataset_name(name)
    if "/" not in name:
        raise ValueError(f"{name} is the root of a pool, which cannot be set aside")
    return name
