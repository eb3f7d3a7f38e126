"""What the process returns: one target its own code, several the common code or 3."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zfsctl.errors import ExitCode
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.lineage import LinkState
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroySnapshots, Plan, PlannedDataset, SnapshotRef
from zfsctl.model.transfer import CreateParents, HeldSnapshot, HoldSnapshots, MoveAnchors, Send, Transfer
from zfsctl.operations.exit_codes import exit_code_of

A = PlannedDataset("alpha", "tank/a", "p", 3)
B = PlannedDataset("alpha", "tank/b", "p", 3)
C = PlannedDataset("beta", "bk/c", "p", 3)


def destroy(planned: PlannedDataset) -> DestroySnapshots:
    return DestroySnapshots(
        id=f"destroy {planned.dataset}",
        host=planned.host,
        why="",
        dataset=planned.dataset,
        dataset_guid=1,
        snapshots=(SnapshotRef("s", 2),),
    )


def finding(code: str, host: str, dataset: str = "") -> Finding:
    return Finding(Severity.CRITICAL, code, host, dataset, "")


@pytest.mark.parametrize(
    ("datasets", "findings", "results", "expected"),
    [
        pytest.param((), (), {}, ExitCode.DONE, id="nothing to do is done"),
        pytest.param((A,), (), {A: Result.DONE}, ExitCode.DONE, id="one target done"),
        pytest.param((A,), (), {A: Result.FAILED}, ExitCode.FAILED, id="one target failed gives its own code"),
        pytest.param((A,), (), {A: Result.STALE}, ExitCode.REFUSED, id="one stale target is refused"),
        pytest.param((A, B), (), {A: Result.DONE, B: Result.FAILED}, ExitCode.PARTIAL, id="one of two failed"),
        pytest.param((A, B), (), {A: Result.FAILED, B: Result.FAILED}, ExitCode.FAILED, id="all failed alike"),
        pytest.param((A, B), (), {A: Result.FAILED, B: Result.STALE}, ExitCode.PARTIAL, id="all failed, not alike"),
        pytest.param(
            (A, B), (), {A: Result.RUNNING, B: Result.DONE}, ExitCode.DONE, id="what another run does is no error"
        ),
        pytest.param((A, B), (), {A: Result.RUNNING}, ExitCode.LOCKED, id="unless there was nothing else to do"),
        pytest.param((), (finding("unreachable", "beta"),), {}, ExitCode.UNREACHABLE, id="the only host is away"),
        pytest.param((A,), (finding("unreachable", "beta"),), {}, ExitCode.PARTIAL, id="one of two hosts is away"),
        pytest.param(
            (A, B),
            (finding("incomplete", "alpha"),),
            {},
            ExitCode.FAILED,
            id="an incomplete host counts for each dataset",
        ),
        pytest.param((A, C), (finding("withheld", "beta", "bk/c"),), {}, ExitCode.PARTIAL, id="one of two is withheld"),
        pytest.param((C,), (finding("withheld", "beta", "bk/c"),), {}, ExitCode.REFUSED, id="all is withheld"),
        pytest.param(
            (A, B),
            (finding("pool-takes-no-writes", "alpha", "tank"),),
            {},
            ExitCode.FAILED,
            id="a pool is its datasets",
        ),
        pytest.param(
            (A, C), (finding("pool-takes-no-writes", "alpha", "tank"),), {}, ExitCode.PARTIAL, id="one of two pools"
        ),
        pytest.param((A,), (finding("clock", "alpha"),), {}, ExitCode.DONE, id="a remark is no failure"),
    ],
)
def test_exit_code(
    datasets: tuple[PlannedDataset, ...],
    findings: tuple[Finding, ...],
    results: dict[PlannedDataset, Result],
    expected: ExitCode,
) -> None:
    steps = tuple(destroy(planned) for planned in results)
    plan = Plan("id", "run", 0, 0, "", datasets=datasets, findings=findings, steps=steps)
    outcomes = [StepOutcome(step.id, result) for step, result in zip(steps, results.values(), strict=True)]

    assert exit_code_of(plan, outcomes) == expected


def test_a_dataset_left_out_of_an_atomic_snapshot_fails_alone() -> None:
    step = CreateSnapshots(
        id="create",
        host="alpha",
        why="",
        pool="tank",
        snapshot="s",
        datasets=(DatasetRef("tank/a", 1), DatasetRef("tank/b", 2)),
    )
    members = (
        MemberOutcome("tank/a", "s", 7, Result.DONE),
        MemberOutcome("tank/b", "s", None, Result.FAILED, "out of space"),
    )
    plan = Plan("id", "run", 0, 0, "", datasets=(A, B), steps=(step,))

    assert exit_code_of(plan, [StepOutcome("create", Result.PARTIAL, members=members)]) == ExitCode.PARTIAL


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param((("zfsctl:policy", "p"),), ExitCode.DONE, id="what is due is taken by the other run"),
        pytest.param((("zfsctl:reason", "upgrade"),), ExitCode.PARTIAL, id="what a person asked for is not"),
    ],
)
def test_a_snapshot_that_was_left_to_another_run(properties: tuple[tuple[str, str], ...], expected: ExitCode) -> None:
    step = CreateSnapshots(
        id="create",
        host="alpha",
        why="",
        pool="tank",
        snapshot="s",
        datasets=(DatasetRef("tank/a", 1),),
        properties=properties,
    )
    other = replace(step, id="other", pool="bk", host="beta", datasets=(DatasetRef("bk/b", 2),))
    plan = Plan("id", "snapshot", 0, 0, "", datasets=(A,), steps=(step, other))
    ended = [StepOutcome("create", Result.RUNNING), StepOutcome("other", Result.DONE)]

    assert exit_code_of(plan, ended) == expected


def replicating(*names: str) -> Plan:
    """tank/NAME on alpha goes to bk/NAME on beta; one hold and one parent serve all of them."""
    last = SnapshotRef("s", 2)
    transfers = [
        Transfer(
            id=f"send {name}",
            host="beta",
            why="",
            replication="r",
            state=LinkState.BEHIND,
            sender_host="alpha",
            sender=f"tank/{name}",
            sender_guid=1,
            receiver=f"bk/all/{name}",
            receiver_guid=None,
            sends=(Send("", None, (last,)),),
        )
        for name in names
    ]
    anchors = [
        MoveAnchors(
            id=f"anchor {one.sender[5:]}",
            host=one.host,
            why="",
            replication="r",
            sender_host=one.sender_host,
            sender=one.sender,
            sender_guid=1,
            receiver=one.receiver,
            chain=(last,),
        )
        for one in transfers
    ]
    held = tuple(HeldSnapshot(one.sender, last) for one in transfers)
    return Plan(
        "id",
        "replicate",
        0,
        0,
        "",
        datasets=tuple(PlannedDataset("alpha", one.sender, "p", 3) for one in transfers),
        steps=(
            HoldSnapshots(id="hold", host="alpha", why="", replication="r", tag="zfsctl:r:send", snapshots=held),
            CreateParents(id="parents", host="beta", why="", replication="r", datasets=("bk/all",)),
            *transfers,
            *anchors,
        ),
    )


def stale_hold(*names: str) -> tuple[MemberOutcome, ...]:
    return tuple(MemberOutcome(f"tank/{name}", "s", None, Result.STALE) for name in names)


@pytest.mark.parametrize(
    ("names", "ends", "members", "expected"),
    [
        pytest.param("a", {}, (), ExitCode.DONE, id="all is sent"),
        pytest.param("a", {"send a": Result.FAILED}, (), ExitCode.FAILED, id="the only one failed"),
        pytest.param("a", {"anchor a": Result.FAILED}, (), ExitCode.FAILED, id="the only one's anchors failed"),
        pytest.param("a", {"send a": Result.UNREACHABLE}, (), ExitCode.UNREACHABLE, id="its host is away"),
        pytest.param("a", {"send a": Result.RUNNING}, (), ExitCode.DONE, id="another run sends it"),
        pytest.param("a b", {"send a": Result.FAILED}, (), ExitCode.PARTIAL, id="one of two failed"),
        pytest.param(
            "a b", {"send a": Result.FAILED, "send b": Result.FAILED}, (), ExitCode.FAILED, id="both failed alike"
        ),
        pytest.param(
            "a", {"hold": Result.FAILED, "send a": Result.SKIPPED}, (), ExitCode.FAILED, id="it could not be held"
        ),
        pytest.param(
            "a",
            {"hold": Result.STALE, "send a": Result.SKIPPED},
            stale_hold("a"),
            ExitCode.REFUSED,
            id="it was no longer there to be held",
        ),
        pytest.param(
            "a b",
            {"hold": Result.PARTIAL, "send a": Result.SKIPPED},
            stale_hold("a"),
            ExitCode.PARTIAL,
            id="one of two was no longer there",
        ),
        pytest.param(
            "a b",
            {"parents": Result.FAILED, "send a": Result.SKIPPED, "send b": Result.SKIPPED},
            (),
            ExitCode.FAILED,
            id="what both lie below could not be made",
        ),
    ],
)
def test_a_transfer_is_one_target(
    names: str, ends: dict[str, Result], members: tuple[MemberOutcome, ...], expected: ExitCode
) -> None:
    plan = replicating(*names.split())
    outcomes = [
        StepOutcome(step.id, ends.get(step.id, Result.DONE), members=members if step.id == "hold" else ())
        for step in plan.steps
    ]

    assert exit_code_of(plan, outcomes) == expected


def test_a_dataset_that_is_pruned_and_sent_is_two_targets() -> None:
    plan = replicating("a")
    plan = replace(plan, steps=(*plan.steps, destroy(PlannedDataset("alpha", "tank/a", "p", 3))))
    outcomes = [
        StepOutcome(step.id, Result.FAILED if step.id == "send a" else Result.DONE, members=()) for step in plan.steps
    ]

    assert exit_code_of(plan, outcomes) == ExitCode.PARTIAL
