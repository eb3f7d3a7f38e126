"""Names: of datasets, snapshots and hosts, and the names that make a snapshot ours.

The rules are those of module/zcommon/zfs_namecheck.c and zfsprops(7).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

LOCAL = "local"
"""The name under which this machine is always known."""

MAX_NAME_BYTES = 255
"""Longest full name, snapshot part included (ZFS_MAX_DATASET_NAME_LEN counts the NUL)."""

POLICY_PROPERTY = "zfsctl:policy"
REASON_PROPERTY = "zfsctl:reason"
EXPIRES_PROPERTY = "zfsctl:expires"

REPAIR_MARK = "zfsctl:repair"
ASIDE_MARK = "zfsctl:aside"
SCRATCH_MARK = "zfsctl:scratch"
PARENT_MARK = "zfsctl:parent"
"""An empty dataset that was only made so that another can lie below it."""

MARKS = (REPAIR_MARK, ASIDE_MARK, SCRATCH_MARK, PARENT_MARK)
"""Local user properties by which zfsctl knows what it made itself."""

_COMPONENT = re.compile(r"[A-Za-z0-9\-_.: ]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*")
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_FORM = r"([0-9]{8})T(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z"
_RESERVED_POOLS = ("mirror", "raidz", "draid", "spare", "log")


def check_dataset_name(name: str) -> str:
    """Return `name` if OpenZFS allows it for a filesystem or volume; ValueError says what is wrong."""
    if not name:
        raise ValueError("the name is empty")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"the name has {len(name.encode())} bytes, OpenZFS allows {MAX_NAME_BYTES}")
    for component in name.split("/"):
        if component in ("", ".", ".."):
            raise ValueError(f"{component!r} is not allowed between two slashes")
        if not _COMPONENT.fullmatch(component):
            raise ValueError(f"{component!r} holds a character that OpenZFS does not allow")
    if not name[0].isalpha():
        raise ValueError("a pool name begins with a letter")
    return name


def check_snapshot_part(name: str, *, dataset: str = "") -> str:
    """Return `name`, the part after the @, if OpenZFS allows it (below `dataset`); else ValueError."""
    if not _COMPONENT.fullmatch(name):
        raise ValueError(f"{name!r} is empty or holds a character that OpenZFS does not allow")
    if len(f"{dataset}@{name}".encode()) > MAX_NAME_BYTES:
        raise ValueError(f"{dataset}@{name} is longer than the {MAX_NAME_BYTES} bytes that OpenZFS allows")
    return name


def check_host_name(name: str) -> str:
    """Return `name` if it can stand before the colon of a selection; else ValueError."""
    if not _HOST.fullmatch(name):
        raise ValueError(f"{name!r} is no host name: letters, digits, '.', '_' and '-' only")
    return name


def check_prefix(prefix: str) -> str:
    """Return `prefix` if snapshot names may begin with it; else ValueError."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is no prefix: a letter or digit, then letters, digits, '_' or '.'")
    return prefix


def pool_of(dataset: str) -> str:
    """The pool that a dataset lies in."""
    return dataset.partition("/")[0]


def is_at_or_below(dataset: str, ancestor: str) -> bool:
    """Whether `dataset` is `ancestor` or lies below it."""
    return dataset == ancestor or dataset.startswith(f"{ancestor}/")


def split_host(text: str) -> tuple[str | None, str]:
    """Split `[HOST:]DATASET` at the first colon before any slash; None where no host is named."""
    head, slash, tail = text.partition("/")
    host, colon, rest = head.partition(":")
    if not colon:
        return None, text
    return host, f"{rest}{slash}{tail}"


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset on a host, written `host:dataset`, or just `dataset` on this machine."""

    host: str
    dataset: str

    def __str__(self) -> str:
        return (
            self.dataset if self.host == LOCAL and ":" not in pool_of(self.dataset) else f"{self.host}:{self.dataset}"
        )

    @property
    def argument(self) -> str:
        """It as an argument to paste where a policy could be meant too: a bare word gets its host."""
        written = str(self)
        return shlex.quote(written if "/" in written or ":" in written else f"{self.host}:{written}")


class Ownership(StrEnum):
    """Why a snapshot is ours."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"


def stamp(epoch: int) -> str:
    """`epoch`, seconds, as the UTC stamp that ends our names, such as 20261120T143000Z."""
    return datetime.fromtimestamp(epoch, UTC).strftime(_STAMP)


def stamped_at(name: str) -> int:
    """The time that the stamp at the end of one of our names says, epoch seconds.

    Raises:
        ValueError: It does not end with a stamp.
    """
    return int(datetime.strptime(name[-16:], _STAMP).replace(tzinfo=UTC).timestamp())


def scheduled_name(prefix: str, epoch: int) -> str:
    """The name of a snapshot that the schedule takes at `epoch`."""
    return f"{prefix}-{stamp(epoch)}"


def manual_name(prefix: str, epoch: int) -> str:
    """The name of a snapshot that a person takes at `epoch`."""
    return f"{prefix}-manual-{stamp(epoch)}"


def ownership_of(name: str, *, prefix: str) -> Ownership | None:
    """Whether a snapshot's name, the part after the @, is exactly one of ours; None if it is not.

    A stamp that is no instant of the calendar makes the name foreign.
    """
    form = _own_form(prefix).fullmatch(name)
    if form is None or not _is_day(form[2]):
        return None
    return Ownership.MANUAL if form[1] else Ownership.SCHEDULED


@lru_cache(maxsize=16)
def _own_form(prefix: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(prefix)}-(manual-)?{_STAMP_FORM}")


@lru_cache(maxsize=4096)
def _is_day(digits: str) -> bool:
    """Whether the calendar has this day; remembered, because a million names are of few days."""
    try:
        datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]), tzinfo=UTC)
    except ValueError:
        return False
    return True


def check_pool_name(name: str) -> str:
    """Return `name` if OpenZFS allows it for a pool; else ValueError."""
    if name.startswith(_RESERVED_POOLS[:3]) or name in _RESERVED_POOLS:
        raise ValueError(f"{name!r} is reserved")
    return check_dataset_name(name)
