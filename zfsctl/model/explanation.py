"""What `explain` answers: the reasons of a decision, and what becomes of a snapshot later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.finding import Finding
from zfsctl.model.plan import Step
from zfsctl.model.replication_status import PairStatus
from zfsctl.model.verdicts import Decision


class Subject(StrEnum):
    """What a name turned out to be."""

    SNAPSHOT = "snapshot"
    DATASET = "dataset"
    POLICY = "policy"
    REPLICATION = "replication"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Outlook:
    """When a snapshot will go if its schedule and rules stay as they are."""

    goes_at: int | None
    """Epoch seconds of the run that would destroy it; None if it outlives the days looked at."""
    detail: str
    """Which rule lets go of it then, or which keeps it."""


@dataclass(frozen=True, slots=True)
class ExplainedSnapshot:
    """One snapshot: what becomes of it now, why, and when it will go."""

    decision: Decision
    outlook: Outlook | None
    """None where nothing can be foretold (not ours, no policy)."""


@dataclass(frozen=True, slots=True)
class KeptOn:
    """What a policy keeps on one future day, by simulating it."""

    at: int
    snapshots: int
    oldest: int
    """Creation of the oldest one kept."""


@dataclass(frozen=True, slots=True)
class ExplainedPair:
    """One dataset and its copy: how they stand, what that rests on, what is kept for it, and what a run would do."""

    status: PairStatus
    base_guid: int | None
    common: int | None
    """Snapshots that both have, by guid; None, like the next two, where one end is not known."""
    only_sender: int | None
    only_receiver: int | None
    to_send: tuple[str, ...]
    """Names of what waits, oldest first."""
    own: tuple[str, ...]
    """Names of the receiver's own snapshots after the base, oldest first."""
    clashes: tuple[str, ...]
    """Names on the receiver that are about to be sent under another guid."""
    resumes: str
    """What an interrupted receive is about; empty without one."""
    kept: tuple[str, ...]
    """What no prune may take because of this pair, each with its reason."""
    steps: tuple[Step, ...]
    """What the next run would do about it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer to `explain NAME`."""

    subject: Subject
    name: str
    """The name in full, host included."""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and text: policy, schedule, next due, rule of the file …"""
    rules: tuple[str, ...] = ()
    """The keep rules in words."""
    snapshots: tuple[ExplainedSnapshot, ...] = ()
    """Newest first."""
    forecast: tuple[KeptOn, ...] = ()
    days: int = 0
    """How far the forecast looks."""
    text: tuple[str, ...] = ()
    """Paragraphs, for a topic."""
    findings: tuple[Finding, ...] = ()
    pairs: tuple[ExplainedPair, ...] = ()
    """Of a replication, the worst first."""
