"""`[[replications]]` as values, already checked: what goes where, by which way, and what may be done about a break."""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.names import LOCAL, split_host
from zfsctl.model.policy import KeepRule, Pattern
from zfsctl.model.route import Route as Route


class Repair(StrEnum):
    """What a run may do about a broken chain."""

    NEVER = "never"
    ASK = "ask"
    AUTO = "auto"


class Raw(StrEnum):
    """Whether the first copy of a dataset is sent raw; afterwards its chain stays what it is."""

    AUTO = "auto"
    """Raw when the sender is encrypted."""
    NEVER = "never"
    ALWAYS = "always"


class Initial(StrEnum):
    """What the first copy of a dataset takes."""

    ALL = "all"
    NEWEST = "newest"


class Chosen(StrEnum):
    """Which snapshots are sent."""

    OWNED = "owned"
    """Owned and adopted ones."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Replication:
    """One `[[replications]]`: the dataset that `sender` names, and all below it, on every host that it names."""

    name: str
    """Stable id, [a-z0-9][a-z0-9-]{0,31}: part of bookmark names and hold tags."""
    where: str
    """File and key path, for messages."""
    sender: Pattern
    """The host may be a pattern; the dataset is a name, without wildcards."""
    receiver_host: str
    receiver_dataset: str
    """Where the sender's dataset arrives; `{host}` stands for the sender's host."""
    route: Route = Route.RELAY
    warn_after: int = 24 * 3600
    """Seconds of lag until it is a warning."""
    max_delay: int = 72 * 3600
    """Seconds of lag until it is broken."""
    repair: Repair = Repair.ASK
    keep: tuple[KeepRule, ...] = ()
    """Retention on the receiver; empty: the policy of each sender dataset."""
    raw: Raw = Raw.AUTO
    initial: Initial = Initial.ALL
    snapshots: Chosen = Chosen.OWNED
    bandwidth: int | None = None
    """Bytes a second of one transfer; None for as fast as it goes."""
    parallel: int = 2
    """Datasets in transfer at a time."""
    pending_limit: int = 14 * 86400
    """Seconds for which a snapshot that was not received yet is kept on the sender."""
    away: int | None = None
    """Seconds for which the receiver's pool may be absent without an alarm."""
    properties: tuple[str, ...] = ()
    """Names of properties carried over to the receiver."""
    compress: bool = False
    """Whether plain streams are compressed by zstd on their way."""

    def receiver_for(self, host: str) -> str:
        """The dataset on the receiver's host where the tree of a sender's host arrives."""
        return self.receiver_dataset.replace("{host}", host)

    @property
    def argument(self) -> str:
        """What `zfsctl replicate` is given to mean it, ready to paste: its name, or the two ends of one by hand."""
        if not is_by_hand(self.name):
            return self.name
        ends = (self.sender.text, f"{self.receiver_host}:{self.receiver_dataset}")
        return shlex.join(("--from", ends[0], "--to", ends[1]))


_BY_HAND = re.compile(r"by-hand-[0-9a-f]{8}")


def name_by_hand(sender: str, receiver: str) -> str:
    """The name of a replication of two `[HOST:]DATASET` that no policy has.

    The same for the same ends, however they are written, so that it goes on where it left off.
    """
    ends = [f"{host or LOCAL}:{dataset}" for host, dataset in (split_host(sender), split_host(receiver))]
    digest = hashlib.sha256("\0".join(ends).encode("utf-8", "surrogateescape")).hexdigest()
    return f"by-hand-{digest[:8]}"


def is_by_hand(name: str) -> bool:
    """Whether a name has the form that `name_by_hand` gives."""
    return _BY_HAND.fullmatch(name) is not None
