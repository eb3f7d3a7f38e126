"""Small plans and the events of applying them."""

from __future__ import annotations

from collections.abc import Iterator

from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.event import (
    Event,
    MemberOutcome,
    Result,
    RunFinished,
    RunStarted,
    StepFinished,
    StepOutcome,
    StepStarted,
)
from zfsctl.model.plan import (
    CreateSnapshots,
    DatasetRef,
    DestroySnapshots,
    Plan,
    PlannedDataset,
    RunHook,
    SnapshotRef,
)
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict

NOW = 1_795_000_000
DAY = 86_400
LARGE_GUID = 2**64 - 1

CREATE = CreateSnapshots(
    id="s1",
    host="alpha",
    why="hourly is due since 14:00",
    pool="tank",
    snapshot="zfsctl-20261120T143000Z",
    datasets=(DatasetRef("tank/a", 11), DatasetRef("tank/b", 12)),
    properties=(("zfsctl:policy", "critical"),),
)
DESTROY = DestroySnapshots(
    id="s2",
    host="alpha",
    why="no rule keeps it",
    dataset="tank/a",
    dataset_guid=11,
    snapshots=(SnapshotRef("zfsctl-20261118T133000Z", LARGE_GUID),),
    after=("s1",),
)
THAW = RunHook(id="s3", host="alpha", why="freeze: afterwards", name="freeze", argv=("thaw",), timeout_seconds=5)

CREATED = StepOutcome(
    "s1",
    Result.DONE,
    members=(
        MemberOutcome("tank/a", "zfsctl-20261120T143000Z", 101, Result.DONE),
        MemberOutcome("tank/b", "zfsctl-20261120T143000Z", 102, Result.DONE),
    ),
)
DESTROYED = StepOutcome(
    "s2", Result.DONE, members=(MemberOutcome("tank/a", "zfsctl-20261118T133000Z", LARGE_GUID, Result.DONE),)
)
FAILED = StepOutcome("s3", Result.FAILED, "exit 1: bytes \udcff", code="host-command")


def decision(verdict: Verdict, guid: int) -> Decision:
    return Decision("alpha", "tank/a", f"snap{guid}", guid, NOW - DAY, 4096, verdict, (Reason(Rule.HOURLY, "x"),))


PLAN = Plan(
    id="plan-1",
    command="run",
    created_at=NOW,
    valid_until=NOW + 3600,
    fingerprint="f",
    datasets=(PlannedDataset("alpha", "tank/a", "critical", 61), PlannedDataset("alpha", "tank/idle", "critical", 9)),
    decisions=(decision(Verdict.DESTROY, LARGE_GUID), decision(Verdict.KEEP, 5), decision(Verdict.KEEP, 6)),
    steps=(CREATE, DESTROY, THAW),
)

REQUEST = ApprovalRequest(
    "4f2ab1", "mass-destroy", "alpha", "tank/a", LARGE_GUID, (("s1", 1), ("s2", LARGE_GUID)), "more than half"
)


def events(run: str = "run-1", at: int = NOW, plan: Plan = PLAN) -> Iterator[Event]:
    """Everything that is told of one run in which the hook fails."""
    outcomes = (CREATED, DESTROYED, FAILED)
    yield RunStarted(run, plan, at)
    for step, outcome in zip(plan.steps, outcomes, strict=False):
        yield StepStarted(run, step, at + 1)
        yield StepFinished(run, step, outcome, at + 2)
    yield RunFinished(run, plan, outcomes[: len(plan.steps)], 3 if plan.steps else 0, at + 3)
