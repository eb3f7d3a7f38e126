# ruff: noqa: E501 - what is shown is shown as it is
"""What people see of a replication: one line for a transfer, under the heading of the dataset that is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from tests.documents.replicating import (
    ABORT,
    ANCHORS,
    AT,
    BASE,
    FIRST,
    HOLD,
    MIDDLE,
    NEWEST,
    PARENTS,
    PLAN,
    RENAME,
    STEPS,
    TOKEN,
    TRANSFER,
)
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroySnapshots, Plan, PlannedDataset, SnapshotRef, Step
from zfsctl.model.transfer import Send
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.render.entries import entries_of_plan
from zfsctl.render.plan import render_plan, render_result, rows_of_plan, rows_of_result
from zfsctl.render.text import Line, Row, painted, tabbed


def shown(lines: list[Line]) -> str:
    return "\n" + "".join(painted(lines, colour=False))


def piped(rows: list[Row]) -> str:
    return "\n" + "".join(tabbed(rows)).replace("\t", " | ")


def plan(*steps: Step) -> Plan:
    return replace(PLAN, steps=steps)


def gone(stamp: str, guid: int, used: int, why: str) -> Decision:
    name = f"zfsctl-{stamp}"
    return Decision("alpha", "tank/db", name, guid, AT, used, Verdict.DESTROY, (Reason(Rule.NO_RULE, why),))


OLD = gone("20261118T133000Z", 48, 2_202_009, "no rule keeps it; hourly ended 1 h ago")
OLDER = gone("20261118T123000Z", 49, 419_430, "no rule keeps it; hourly ended 2 h ago")
DESIGN = Plan(
    "p",
    "run",
    AT,
    AT,
    "",
    datasets=(PlannedDataset("alpha", "tank/db", "critical", 61, 2),),
    decisions=(OLD, OLDER),
    steps=(
        CreateSnapshots(
            id="s1",
            host="alpha",
            why="hourly is due since 14:00",
            pool="tank",
            snapshot=NEWEST.name,
            datasets=(DatasetRef("tank/db", 9),),
        ),
        DestroySnapshots(
            id="s2",
            host="alpha",
            why="",
            dataset="tank/db",
            dataset_guid=9,
            snapshots=(SnapshotRef(OLD.snapshot, 48), SnapshotRef(OLDER.snapshot, 49)),
            frees=2_621_440,
        ),
        HOLD,
        replace(TRANSFER, why="BEHIND by 1 snapshot"),
        ANCHORS,
    ),
)


def test_a_transfer_stands_among_the_other_lines_of_its_sender() -> None:
    assert shown(render_plan(DESIGN)) == snapshot("""\

alpha:tank/db  (critical)                    61 snapshots, 2 receivers
  + zfsctl-20261120T143000Z                  hourly is due since 14:00
  - zfsctl-20261118T133000Z  2.10M           no rule keeps it; hourly ended 1 h ago
  - zfsctl-20261118T123000Z   410K           no rule keeps it; hourly ended 2 h ago
  > alpha-to-beta  -I …T133000Z → …T143000Z  BEHIND by 1 snapshot, about 14.2M
Plan: 1 snapshot, 1 transfer (about 14.2M), 2 destroys (frees about 2.50M).
""")


def test_every_step_of_a_replication_on_a_terminal() -> None:
    assert shown(render_plan(PLAN)) == snapshot("""\

alpha:tank/db  (critical)                                               61 snapshots, 1 receiver
  > alpha-to-beta  -I …T133000Z → …T143000Z                             BEHIND by 2 snapshots, about 14.2M
beta:bk/alpha/tank/db
  ~ abort  alpha-to-beta                                                STUCK: its source is gone
  ~ rename  zfsctl-20261120T143000Z → zfsctl-20261120T143000Z-0000004d  CONFLICT: the name belongs to another snapshot
alpha:tank/new
  > alpha-to-beta  full first                                           MISSING: the first copy
Plan: 2 transfers, 1 abort, 1 rename.
""")


def test_every_step_of_a_replication_with_verbose() -> None:
    assert shown(render_plan(PLAN, kept=True)) == snapshot("""\

alpha:tank/db  (critical)                                               61 snapshots, 1 receiver
  ~ hold  alpha-to-beta                                                 in flight
  > alpha-to-beta  -I …T133000Z → …T143000Z                             BEHIND by 2 snapshots, about 14.2M
  ~ anchors  alpha-to-beta                                              after the transfer
alpha:tank/new
  ~ hold  alpha-to-beta                                                 in flight
  > alpha-to-beta  full first                                           MISSING: the first copy
beta:bk/alpha
  + parent  alpha-to-beta                                               the first copy of tank/new
beta:bk/alpha/tank
  + parent  alpha-to-beta                                               the first copy of tank/new
beta:bk/alpha/tank/db
  ~ abort  alpha-to-beta                                                STUCK: its source is gone
  ~ rename  zfsctl-20261120T143000Z → zfsctl-20261120T143000Z-0000004d  CONFLICT: the name belongs to another snapshot
Plan: 2 transfers, 1 abort, 1 rename.
""")


def test_every_step_of_a_replication_in_a_pipe_with_names_in_full() -> None:
    assert piped(rows_of_plan(PLAN)) == snapshot("""\

~ | beta:bk/alpha/tank/db | abort  alpha-to-beta | - | STUCK: its source is gone
~ | beta:bk/alpha/tank/db | rename  zfsctl-20261120T143000Z → zfsctl-20261120T143000Z-0000004d | - | CONFLICT: the name belongs to another snapshot
> | alpha:tank/db | alpha-to-beta  -I zfsctl-20261120T133000Z → zfsctl-20261120T143000Z | 14.2M | BEHIND by 2 snapshots
> | alpha:tank/new | alpha-to-beta  full first | - | MISSING: the first copy
""")


@pytest.mark.parametrize(
    ("sends", "token", "text"),
    [
        pytest.param((Send(f"@{BASE.name}", 1, (MIDDLE, NEWEST)),), "", "-I …T133000Z → …T143000Z", id="a run"),
        pytest.param((Send(f"@{BASE.name}", 1, (NEWEST,)),), "", "-i …T133000Z → …T143000Z", id="one snapshot"),
        pytest.param((Send("", None, (NEWEST,)),), "", "full …T143000Z", id="a first copy of the newest"),
        pytest.param(
            (Send("", None, (BASE,)), Send(f"@{BASE.name}", 1, (MIDDLE, NEWEST))),
            "",
            "full …T133000Z, -I → …T143000Z",
            id="a first copy of all",
        ),
        pytest.param((Send(f"@{BASE.name}", 1, (NEWEST,)),), TOKEN, "resume …T143000Z", id="a resume"),
        pytest.param(
            (Send("", None, (BASE,)), Send(f"@{BASE.name}", 1, (NEWEST,))),
            TOKEN,
            "resume …T133000Z, -i → …T143000Z",
            id="a resume and what came since",
        ),
        pytest.param(
            (Send("", None, (BASE,)), *(Send(f"@{BASE.name}", 1, (BASE,)) for _ in range(9)), Send("@a", 2, (NEWEST,))),
            "",
            "full …T133000Z, 9 more, -i a → …T143000Z",
            id="many sends across the snapshots of others",
        ),
        pytest.param(
            (Send("#zfsctl-alpha-to-beta-00000000000000b1", 0xB1, (NEWEST,)),),
            "",
            "-i #…00000000000000b1 → …T143000Z",
            id="from a cursor",
        ),
        pytest.param((Send("#mine", 5, (NEWEST,)),), "", "-i #mine → …T143000Z", id="from another bookmark"),
        pytest.param(
            (Send(f"tank/origin@{BASE.name}", 1, (NEWEST,)),), "", "-i tank/origin@…T133000Z → …T143000Z", id="a clone"
        ),
        pytest.param(
            (Send("@zfsctl-20261119T230000Z", 1, (NEWEST,)),),
            "",
            "-i …20261119T230000Z → …T143000Z",
            id="another day than the plan's is told",
        ),
        pytest.param(
            (Send("@zfsctl-manual-20261120T120000Z", 1, (SnapshotRef("before upgrade", 2),)),),
            "",
            "-i zfsctl-manual-20261120T120000Z → before upgrade",
            id="names that no schedule made are whole",
        ),
    ],
)
def test_what_is_sent_is_told_in_half_a_line(sends: tuple[Send, ...], token: str, text: str) -> None:
    (entry,) = entries_of_plan(plan(replace(TRANSFER, sends=sends, token=token)))

    assert entry.short == f"alpha-to-beta  {text}"


@pytest.mark.parametrize(
    ("estimates", "totals"),
    [
        pytest.param((14_889_779,), "Plan: 1 transfer (about 14.2M).", id="known"),
        pytest.param((None,), "Plan: 1 transfer.", id="not known"),
        pytest.param((1 << 20, 1 << 20), "Plan: 2 transfers (about 2M).", id="added up"),
        pytest.param((1 << 20, None), "Plan: 2 transfers.", id="known of one of two"),
    ],
)
def test_the_totals_say_how_much_is_sent_where_it_is_known(estimates: tuple[int | None, ...], totals: str) -> None:
    steps = [replace(TRANSFER, id=f"t{n}", estimate=estimate) for n, estimate in enumerate(estimates)]

    lines = shown(render_plan(plan(*steps))).splitlines()

    assert lines[-1] == totals
    assert [", about" in line for line in lines[2:-1]] == [estimate is not None for estimate in estimates]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        pytest.param(ANCHORS, "  ~ anchors  alpha-to-beta  after the transfer", id="anchors"),
        pytest.param(replace(HOLD, snapshots=HOLD.snapshots[:1]), "  ~ hold  alpha-to-beta  in flight", id="a hold"),
        pytest.param(ABORT, "  ~ abort  alpha-to-beta  STUCK: its source is gone", id="an abort"),
    ],
)
def test_a_step_without_a_transfer_has_a_line(step: Step, text: str) -> None:
    assert shown(render_plan(plan(step))).splitlines()[2] == text


def outcomes(**ends: StepOutcome) -> list[StepOutcome]:
    return [ends.get(step.id, StepOutcome(step.id, Result.DONE)) for step in STEPS]


def test_a_result_in_which_all_went_well_shows_what_was_shown_as_the_plan() -> None:
    assert shown(render_result(PLAN, outcomes())).splitlines()[:-1] == shown(render_plan(PLAN)).splitlines()[:-1]
    assert shown(render_result(PLAN, outcomes(), only_wrong=True)) == snapshot("""\

Done: 2 transfers, 1 abort, 1 rename.
""")


def test_a_result_shows_what_served_a_transfer_only_where_it_failed() -> None:
    ends = outcomes(
        h1=StepOutcome(
            "h1",
            Result.PARTIAL,
            "tank/new@first: it is gone",
            (
                MemberOutcome("tank/db", BASE.name, BASE.guid, Result.DONE),
                MemberOutcome("tank/new", "first", None, Result.STALE, "it is gone"),
            ),
        ),
        t2=StepOutcome("t2", Result.SKIPPED, "it waits for h1, which ended failed"),
        m1=StepOutcome("m1", Result.FAILED, "permission denied"),
    )

    assert shown(render_result(PLAN, ends, only_wrong=True)) == snapshot("""\

alpha:tank/db  (critical)      61 snapshots, 1 receiver
  ~ anchors  alpha-to-beta     failed: permission denied
alpha:tank/new
  ~ hold  alpha-to-beta        stale: @first: it is gone
  > alpha-to-beta  full first  skipped: it waits for h1, which ended failed
Done: 1 transfer (about 14.2M), 1 abort, 1 rename. Not done: 1 stale, 1 skipped, 1 failed.
""")
    assert piped(rows_of_result(PLAN, ends)) == snapshot("""\

stale | ~ | alpha:tank/new | hold  alpha-to-beta | - | @first: it is gone
done | ~ | beta:bk/alpha/tank/db | abort  alpha-to-beta | - | STUCK: its source is gone
done | ~ | beta:bk/alpha/tank/db | rename  zfsctl-20261120T143000Z → zfsctl-20261120T143000Z-0000004d | - | CONFLICT: the name belongs to another snapshot
done | > | alpha:tank/db | alpha-to-beta  -I zfsctl-20261120T133000Z → zfsctl-20261120T143000Z | 14.2M | BEHIND by 2 snapshots
skipped | > | alpha:tank/new | alpha-to-beta  full first | - | it waits for h1, which ended failed
failed | ~ | alpha:tank/db | anchors  alpha-to-beta | - | permission denied
""")


def test_a_run_that_was_stopped_says_so_once_for_each_transfer() -> None:
    ends = [StepOutcome(step.id, Result.SKIPPED, "the run was stopped before it") for step in (HOLD, TRANSFER, ANCHORS)]

    assert shown(render_result(plan(HOLD, TRANSFER, ANCHORS), ends)) == snapshot("""\

alpha:tank/db  (critical)                    61 snapshots, 1 receiver
  > alpha-to-beta  -I …T133000Z → …T143000Z  skipped: the run was stopped before it
Done: nothing. Not done: 1 skipped.
""")


def test_parents_are_told_where_no_transfer_needs_them() -> None:
    assert [entry.place for entry in entries_of_plan(plan(PARENTS))] == ["beta:bk/alpha", "beta:bk/alpha/tank"]
    assert [entry.step for entry in entries_of_plan(plan(PARENTS, FIRST))] == ["t2"]


def test_a_rename_says_both_names() -> None:
    (entry,) = entries_of_plan(plan(RENAME))

    assert entry.name == f"rename  {NEWEST.name} → {NEWEST.name}-0000004d"
