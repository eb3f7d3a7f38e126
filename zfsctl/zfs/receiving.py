"""`zfs receive`, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from zfsctl.model.command import Command, Completed, Condition
from zfsctl.model.names import check_dataset_name


class ReceiveRefusal(StrEnum):
    """Why a stream was not taken. The texts change from version to version; a plan rests on guids, never on these."""

    MODIFIED = "modified"
    """Written to, or with snapshots of its own that the stream does not tolerate: list and plan again."""
    NO_BASE = "no-base"
    EXISTS = "exists"
    """A dataset or snapshot of that name is there."""
    PARTIAL_STATE = "partial-state"
    """An interrupted or running receive is in the way."""
    BUSY = "busy"
    INTERRUPTED = "interrupted"
    """The stream ended early; with -s what came is kept."""
    NO_STREAM = "no-stream"
    """Nothing came: look at the sender's words."""
    OUT_OF_SPACE = "out-of-space"
    PERMISSION = "permission"
    KEY = "key"
    RAW_MIX = "raw-mix"
    """Raw on plain, plain on raw, or another IV set."""
    FEATURE = "feature"
    """A pool or module too old for the stream, or embedded data for an encrypted dataset; with -s, or of a stream made
    with -e, also printed for other reasons.
    """
    MISSING = "missing"
    UNKNOWN = "unknown"


_REFUSALS: tuple[tuple[str, ReceiveRefusal], ...] = (
    ("has been modified", ReceiveRefusal.MODIFIED),
    ("match incremental source", ReceiveRefusal.NO_BASE),
    ("contains partially-complete state", ReceiveRefusal.PARTIAL_STATE),
    ("must specify -F to overwrite it", ReceiveRefusal.EXISTS),
    ("must destroy", ReceiveRefusal.EXISTS),
    ("destination already exists", ReceiveRefusal.EXISTS),
    ("checksum mismatch", ReceiveRefusal.INTERRUPTED),
    ("incomplete stream", ReceiveRefusal.INTERRUPTED),
    ("failed to read from stream", ReceiveRefusal.NO_STREAM),
    ("out of space", ReceiveRefusal.OUT_OF_SPACE),
    ("quota exceeded", ReceiveRefusal.OUT_OF_SPACE),
    ("ermission denied", ReceiveRefusal.PERMISSION),
    ("key must be loaded", ReceiveRefusal.KEY),
    ("encryption key", ReceiveRefusal.RAW_MIX),
    ("raw receive on top of", ReceiveRefusal.RAW_MIX),
    ("IV set guid", ReceiveRefusal.RAW_MIX),
    ("must be upgraded", ReceiveRefusal.FEATURE),
    ("unsupported feature", ReceiveRefusal.FEATURE),
    ("incompatible embedded data stream feature", ReceiveRefusal.FEATURE),
    ("dataset is busy", ReceiveRefusal.BUSY),
    ("does not exist", ReceiveRefusal.MISSING),
)


def argv_receive(target: str, *, properties: Iterable[tuple[str, str]] = ()) -> Command:
    """Receive into `target`, unmounted, resumable; `properties` are set by a first copy.

    Never with -F: it destroys what the receiver has of its own, and files of a dataset without snapshots.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    options = [part for name, value in properties for part in ("-o", f"{name}={value}")]
    return Command(("zfs", "receive", "-u", "-s", *options, check_dataset_name(target)))


def argv_abort_receive(dataset: str, token: str) -> Command:
    """Give up the interrupted receive into `dataset`, as long as it is the one of `token`. A first copy that never
    ended goes altogether.

    Raises:
        ValueError: A name that OpenZFS refuses.
    """
    look = Condition(("zfs", "list", "-H", "-o", "receive_resume_token", check_dataset_name(dataset)), token)
    return Command(("zfs", "receive", "-A", dataset), only_if=look)


def refusal_of(received: Completed) -> ReceiveRefusal | None:
    """Why `zfs receive` failed; None when it exited 0, whatever it wrote."""
    if received.exit_code == 0:
        return None
    flat = received.stderr.replace("\n", " ")
    return next((kind for text, kind in _REFUSALS if text in flat), ReceiveRefusal.UNKNOWN)
