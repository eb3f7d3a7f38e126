"""Decisions and the reasons they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of a snapshot."""

    KEEP = "keep"
    DESTROY = "destroy"


class Rule(StrEnum):
    """Why a snapshot is kept or may go. Values are part of the JSON and only ever added."""

    LAST = "last"
    WITHIN = "within"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    NOT_OURS = "not-ours"
    MANUAL = "manual"
    NEWEST = "newest"
    HELD = "held"
    CLONES = "clones"
    BASE = "base"
    TOKEN = "token"
    PENDING = "pending"
    IN_FLIGHT = "in-flight"
    """A transfer of the same plan sends it, or sends from it."""
    UNKNOWN = "unknown"
    """Its host's listing is not known in full."""
    FUTURE = "future"
    """Created later than its host's own now."""
    NO_POLICY = "no-policy"
    """No rule of the policy file is about its dataset."""
    READ_ONLY = "read-only"
    """Its pool takes no changes."""
    WITHHELD = "withheld"
    """A guard keeps it until a person has approved."""
    NO_RULE = "no-rule"
    """Nothing keeps it."""
    EXPIRED = "expired"
    """A manual snapshot past the time it was given."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of one decision: the rule, and what it says of this snapshot."""

    rule: Rule
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one snapshot, with at least one reason."""

    host: str
    dataset: str
    snapshot: str
    """The part after the @."""
    guid: int
    creation: int
    used: int
    verdict: Verdict
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        return f"{self.host}:{self.dataset}@{self.snapshot}"
