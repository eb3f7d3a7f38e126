"""One pair as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from zfsctl.model.lineage import Lineage
from zfsctl.planner.pairing import Pair


@dataclass(frozen=True, slots=True)
class Link:
    """One pair as it stands, for status, explain and prune."""

    pair: Pair
    lineage: Lineage
    lag_since: int | None
    """When the oldest snapshot that the receiver lacks was taken, epoch seconds; None when it lacks nothing."""
