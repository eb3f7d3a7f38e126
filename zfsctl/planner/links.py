"""One pair as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.dataset import Snapshot
from zfsctl.model.lineage import Lineage
from zfsctl.planner.lineage import End
from zfsctl.planner.pairing import Pair
from zfsctl.planner.repairing import Begun


@dataclass(frozen=True, slots=True)
class Link:
    """One pair as it stands, for status, explain and prune."""

    pair: Pair
    lineage: Lineage
    sender: End
    receiver: End
    candidates: tuple[Snapshot, ...]
    """What of the sender is to be sent at all, oldest first; also where nothing is known of the receiver."""
    begun: Begun | None = None
    """The repair of the receiver that is half done."""
