"""What the executor tells its listeners. Journal, progress, logs and notifications only listen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zfsctl.model.plan import Plan, Step
from zfsctl.model.transfer import Transfer


class Result(StrEnum):
    """How a step, or one member of it, ended. Values are part of the JSON and only ever added."""

    DONE = "done"
    PARTIAL = "partial"
    """Some members were done."""
    FAILED = "failed"
    STALE = "stale"
    """The world moved since the plan was made; nothing was changed."""
    SKIPPED = "skipped"
    """A step it waits for did not end well, or the run was stopped before it."""
    RUNNING = "running"
    """Another run holds the lock; that run does it."""
    UNREACHABLE = "unreachable"
    """No connection; what was asked may or may not have happened."""


@dataclass(frozen=True, slots=True)
class MemberOutcome:
    """What became of one snapshot of a step."""

    dataset: str
    snapshot: str
    guid: int | None
    """Read back from the host after creation; None if it was not created."""
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one step."""

    step: str
    """The id of the step."""
    result: Result
    detail: str = ""
    members: tuple[MemberOutcome, ...] = ()
    code: str = ""
    """The code of the error that ended it, such as unreachable; empty otherwise."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A plan is about to be applied."""

    run: str
    plan: Plan
    at: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step is about to change a host."""

    run: str
    step: Step
    at: int


@dataclass(frozen=True, slots=True)
class StepMoved:
    """Bytes of a transfer have passed this machine; told a few times a second, and kept by nobody."""

    run: str
    step: Transfer
    bytes_sent: int
    """Of this step, so far."""


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not."""

    run: str
    step: Step
    outcome: StepOutcome
    at: int


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Every step has ended, or the run was stopped."""

    run: str
    plan: Plan
    outcomes: tuple[StepOutcome, ...]
    exit_code: int
    at: int


Event = RunStarted | StepStarted | StepMoved | StepFinished | RunFinished
