"""What a step is about, by name and guid: its preconditions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A dataset by name and guid: a precondition."""

    name: str
    guid: int


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """A snapshot of a known dataset by its short name and guid: a precondition."""

    name: str
    guid: int
