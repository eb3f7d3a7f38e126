# ruff: noqa: E501 - what is shown is shown as it is
"""What people see, whole: on a terminal and in a pipe."""

from __future__ import annotations

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.checking import ConfigCheck, LoginCheck, ReplicationCheck, RuleCheck, TreeCheck
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.explanation import ExplainedPair, ExplainedSnapshot, Explanation, KeptOn, Outlook, Subject
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.health_change import HealthChange
from zfsctl.model.history import RunRecord, RunState, StepRecord
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import Place
from zfsctl.model.plan import CreateSnapshots, DatasetRef, DestroySnapshots, Plan, PlannedDataset, RunHook, SnapshotRef
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.model.route import Route
from zfsctl.model.status import DatasetStatus, Health, HostStatus, Status
from zfsctl.model.transfer import MoveAnchors, Send, Transfer
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.render.approvals import render_approvals, rows_of_approvals
from zfsctl.render.config import render_config_check, rows_of_config_check
from zfsctl.render.explanation import render_explanation, rows_of_explanation
from zfsctl.render.findings import render_error
from zfsctl.render.health_history import render_health, rows_of_health
from zfsctl.render.history import render_history, rows_of_history
from zfsctl.render.plan import count_of_destroys, render_plan, render_result, rows_of_plan, rows_of_result
from zfsctl.render.status import check_exit_code, render_check, render_status, rows_of_status
from zfsctl.render.text import Line, Row, painted, tabbed

NOW = 1_795_185_000
NEW = "zfsctl-20261120T143000Z"


def shown(lines: list[Line]) -> str:
    return "\n" + "".join(painted(lines, colour=False))


def piped(rows: list[Row]) -> str:
    return "\n" + "".join(tabbed(rows)).replace("\t", " | ")


def decision(name: str, guid: int, verdict: Verdict, detail: str, used: int = 0) -> Decision:
    rule = Rule.NO_RULE if verdict is Verdict.DESTROY else Rule.HOURLY
    return Decision("alpha", "tank/db", name, guid, NOW - guid * 3600, used, verdict, (Reason(rule, detail),))


OLD = decision("zfsctl-20261118T133000Z", 48, Verdict.DESTROY, "no rule keeps it; hourly ended 1 h ago", 2_202_009)
OLDER = decision("zfsctl-20261118T123000Z", 49, Verdict.DESTROY, "no rule keeps it; hourly ended 2 h ago", 419_430)
KEPT = decision("zfsctl-20261120T133000Z", 1, Verdict.KEEP, "2026-11-20 13:00, 1 of 48", 4096)
WARNING = Finding(Severity.WARNING, "late", "alpha", "tank/db", "no snapshot for 3 h", "zfsctl run")
CRITICAL = Finding(Severity.CRITICAL, "unreachable", "beta", "", "beta: no route to host", "ssh beta true")
CREATE = CreateSnapshots(
    id="s1",
    host="alpha",
    why="hourly is due since 14:00",
    pool="tank",
    snapshot=NEW,
    datasets=(DatasetRef("tank/db", 9), DatasetRef("tank/www", 8)),
)
DESTROY = DestroySnapshots(
    id="s2",
    host="alpha",
    why="no rule keeps them",
    dataset="tank/db",
    dataset_guid=9,
    snapshots=(SnapshotRef(OLD.snapshot, 48), SnapshotRef(OLDER.snapshot, 49)),
    frees=2_621_440,
)
HOOK = RunHook(id="s3", host="alpha", why="thaw", name="db", argv=("thaw",), timeout_seconds=60, always=True)
PLAN = Plan(
    id="p1",
    command="run",
    created_at=NOW,
    valid_until=NOW + 3600,
    fingerprint="",
    datasets=(
        PlannedDataset("alpha", "tank/db", "critical", 61, 2),
        PlannedDataset("alpha", "tank/quiet", "critical", 3),
        PlannedDataset("alpha", "tank/www", "web", 1),
    ),
    decisions=(OLD, OLDER, KEPT),
    steps=(CREATE, DESTROY, HOOK),
    findings=(WARNING, CRITICAL),
    approvals=(ApprovalRequest("1f2e", "mass-destroy", "alpha", "tank/big", 7, (("old", 5),), "11 of 12 would go"),),
)
NOTHING = Plan("p2", "run", NOW, NOW, "", decisions=(KEPT,))
OUTCOMES = (
    StepOutcome(
        "s1",
        Result.PARTIAL,
        members=(
            MemberOutcome("tank/db", "zfsctl-20261120T143001Z", 77, Result.DONE),
            MemberOutcome("tank/www", NEW, None, Result.FAILED, "out of space"),
        ),
    ),
    StepOutcome(
        "s2",
        Result.PARTIAL,
        members=(
            MemberOutcome("tank/db", OLD.snapshot, 48, Result.DONE),
            MemberOutcome("tank/db", OLDER.snapshot, 49, Result.STALE, "it is held now"),
        ),
    ),
    StepOutcome("s3", Result.DONE),
)
RUN = RunRecord("20261120T143000Z-1a2b", "run", RunState.PARTIAL, NOW - 300, NOW - 297, 3, 2, 0, 1)
REPLICATION = ReplicationStatus(
    "nodes",
    86_400,
    259_200,
    (
        PairStatus(
            sender_host="alpha",
            sender="tank/db",
            receiver_host="beta",
            receiver="bk/db",
            health=LinkHealth.WARNING,
            state=LinkState.BEHIND,
            why="BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d",
            lag=90_000,
            waiting=2,
            base="@zfsctl-20261120T133000Z",
            base_at=NOW - 93_600,
            next="the next run sends 2 snapshots from @zfsctl-20261120T133000Z",
        ),
        PairStatus(
            "alpha",
            "tank/new",
            "beta",
            "bk/new",
            LinkHealth.UNKNOWN,
            LinkState.UNKNOWN,
            "no route to host",
            None,
            0,
            None,
            None,
            "nothing is sent",
        ),
    ),
)
STATUS = Status(
    generated_at=NOW - 7200,
    hosts=(
        HostStatus("alpha", Health.OK, "", "2.3.9", (Pool("tank", 3, 2**40, 2**39, 2**39, 50),)),
        HostStatus("beta", Health.UNKNOWN, "no route to host", "", ()),
    ),
    datasets=(
        DatasetStatus("alpha", "tank/db", "critical", Health.OK, "", NEW, NOW - 1920, NOW + 1680, 60, 1, 2, 2_202_009),
        DatasetStatus(
            "alpha", "tank/w", "web", Health.CRITICAL, "2 days late", "z", NOW - 180_000, NOW - 9, 9, 0, 0, 0
        ),
        DatasetStatus("alpha", "tank/new", "", Health.OK, "", None, None, None, 0, 0, 0, 0),
    ),
    last_run=RUN,
    approvals_waiting=1,
    findings=(WARNING,),
    replications=(REPLICATION,),
)
EXPLANATION = Explanation(
    subject=Subject.DATASET,
    name="alpha:tank/db",
    facts=(("policy", "critical"), ("next due", "2026-11-20 15:00 UTC")),
    rules=("last 2", "hourly 48"),
    snapshots=(
        ExplainedSnapshot(KEPT, Outlook(NOW + 172_800, "hourly ends")),
        ExplainedSnapshot(OLD, Outlook(NOW, "")),
        ExplainedSnapshot(OLDER, None),
    ),
    forecast=(KeptOn(NOW + 86_400, 50, NOW - 86_400), KeptOn(NOW + 172_800, 0, 0)),
    days=2,
    findings=(WARNING,),
)
APPROVALS = (Approval(PLAN.approvals[0], ApprovalStatus.WAITING, NOW - 60, NOW + 864_000),)
CHECK = ConfigCheck(
    files=("/etc/zfsctl/zfsctl.toml",),
    logins=(LoginCheck("alpha", "run", "", "2.3.9"), LoginCheck("alpha", "lines", "no route to host")),
    rules=(
        RuleCheck("zfsctl.toml: datasets.0", ("alpha:tank",), "critical", (("alpha", "tank"), ("local", "tank/db"))),
        RuleCheck("zfsctl.toml: datasets.1", ("alpha:gone",), "", ()),
    ),
    replications=(
        ReplicationCheck(
            "one",
            "zfsctl.toml: replications[1]",
            Route.RELAY,
            (
                TreeCheck(Place("alpha", "tank"), Place("local", "bk/alpha/tank"), ("tank", "tank/db")),
                TreeCheck(Place("beta", "tank"), Place("local", "bk/beta/tank"), why="beta did not answer"),
                TreeCheck(Place("gamma", "tank"), Place("local", "bk/gamma/tank")),
            ),
        ),
    ),
)


def test_a_plan_on_a_terminal() -> None:
    assert shown(render_plan(PLAN)) == snapshot("""\

alpha:tank/db  (critical)           61 snapshots, 2 receivers
  + zfsctl-20261120T143000Z         hourly is due since 14:00
  - zfsctl-20261118T133000Z  2.10M  no rule keeps it; hourly ended 1 h ago
  - zfsctl-20261118T123000Z   410K  no rule keeps it; hourly ended 2 h ago
alpha:tank/www  (web)               1 snapshot
  + zfsctl-20261120T143000Z         hourly is due since 14:00
alpha
  ~ hook db                         thaw
withheld: 1 destroy of alpha:tank/big: 11 of 12 would go
  try: zfsctl approvals approve 1f2e
critical: beta: no route to host
  try: ssh beta true
warning: alpha:tank/db: no snapshot for 3 h
  try: zfsctl run
Plan: 2 snapshots, 2 destroys (frees about 2.50M), 1 hook. 1 kept: zfsctl explain alpha:tank/db
""")


def test_a_plan_with_all_that_it_keeps() -> None:
    assert shown(render_plan(NOTHING, kept=True)) == snapshot("""\

alpha:tank/db
  = zfsctl-20261120T133000Z  4K  2026-11-20 13:00, 1 of 48
Plan: nothing to do. 1 kept: zfsctl explain alpha:tank/db
""")


def test_a_plan_that_changes_nothing() -> None:
    assert shown(render_plan(NOTHING)) == snapshot("""\

Plan: nothing to do. 1 kept: zfsctl explain alpha:tank/db
""")


def test_a_plan_in_a_pipe() -> None:
    assert piped(rows_of_plan(PLAN)) == snapshot("""\

+ | alpha:tank/db | zfsctl-20261120T143000Z | - | hourly is due since 14:00
+ | alpha:tank/www | zfsctl-20261120T143000Z | - | hourly is due since 14:00
- | alpha:tank/db | zfsctl-20261118T133000Z | 2.10M | no rule keeps it; hourly ended 1 h ago
- | alpha:tank/db | zfsctl-20261118T123000Z | 410K | no rule keeps it; hourly ended 2 h ago
~ | alpha | hook db | - | thaw
! | alpha:tank/big | withheld | mass-destroy | 1 destroy: 11 of 12 would go | zfsctl approvals approve 1f2e
! | beta | critical | unreachable | beta: no route to host | ssh beta true
! | alpha:tank/db | warning | late | no snapshot for 3 h | zfsctl run
""")


def test_a_result_on_a_terminal() -> None:
    assert shown(render_result(PLAN, OUTCOMES)) == snapshot("""\

alpha:tank/db  (critical)           61 snapshots, 2 receivers
  + zfsctl-20261120T143001Z         hourly is due since 14:00
  - zfsctl-20261118T133000Z  2.10M  no rule keeps it; hourly ended 1 h ago
  - zfsctl-20261118T123000Z   410K  stale: it is held now
alpha:tank/www  (web)               1 snapshot
  + zfsctl-20261120T143000Z         failed: out of space
alpha
  ~ hook db                         thaw
withheld: 1 destroy of alpha:tank/big: 11 of 12 would go
  try: zfsctl approvals approve 1f2e
critical: beta: no route to host
  try: ssh beta true
warning: alpha:tank/db: no snapshot for 3 h
  try: zfsctl run
Done: 1 snapshot, 1 destroy, 1 hook. Not done: 1 failed, 1 stale. 1 kept: zfsctl explain alpha:tank/db
""")


def test_a_result_after_its_plan_was_shown_says_only_what_went_wrong() -> None:
    assert shown(render_result(PLAN, OUTCOMES, only_wrong=True)) == snapshot("""\

alpha:tank/db  (critical)          61 snapshots, 2 receivers
  - zfsctl-20261118T123000Z  410K  stale: it is held now
alpha:tank/www  (web)              1 snapshot
  + zfsctl-20261120T143000Z        failed: out of space
Done: 1 snapshot, 1 destroy, 1 hook. Not done: 1 failed, 1 stale. 1 kept: zfsctl explain alpha:tank/db
""")


def test_a_result_in_a_pipe() -> None:
    assert piped(rows_of_result(PLAN, OUTCOMES)) == snapshot("""\

done | + | alpha:tank/db | zfsctl-20261120T143001Z | - | hourly is due since 14:00
failed | + | alpha:tank/www | zfsctl-20261120T143000Z | - | out of space
done | - | alpha:tank/db | zfsctl-20261118T133000Z | 2.10M | no rule keeps it; hourly ended 1 h ago
stale | - | alpha:tank/db | zfsctl-20261118T123000Z | 410K | it is held now
done | ~ | alpha | hook db | - | thaw
! | alpha:tank/big | withheld | mass-destroy | 1 destroy: 11 of 12 would go | zfsctl approvals approve 1f2e
! | beta | critical | unreachable | beta: no route to host | ssh beta true
! | alpha:tank/db | warning | late | no snapshot for 3 h | zfsctl run
""")


def test_a_status_on_a_terminal() -> None:
    assert shown(render_status(STATUS, now=NOW)) == snapshot("""\

alpha  OpenZFS 2.3.9  ok
  tank  ONLINE    512G of 1T used (50%)
beta  unknown  no route to host
DATASET         POLICY    NEWEST      NEXT                      SNAPSHOTS   USED  STATE
alpha:tank/db   critical  32 min ago  in 28 min  60 + 1 manual, 2 foreign  2.10M  ok
alpha:tank/w    web       2 d ago     due                               9     0B  critical: 2 days late
alpha:tank/new  -         none        -                                 0     0B  ok
REPLICATION                      LAG  BASE      HEALTH
nodes  (2 pairs)                25 h            unknown: 1 of 2 pairs
  alpha:tank/new → beta:bk/new     ?  none      unknown: no route to host
                                                  next: nothing is sent
  alpha:tank/db → beta:bk/db    25 h  26 h ago  warning: BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d
                                                  next: the next run sends 2 snapshots from @zfsctl-20261120T133000Z
warning: alpha:tank/db: no snapshot for 3 h
  try: zfsctl run
Last run: run, partial, 5 min ago, took 3 s, 2 created, 1 step failed
As of 2026-11-20 12:30 UTC, 2 h ago.
""")


def test_a_status_in_a_pipe() -> None:
    assert piped(rows_of_status(STATUS)) == snapshot("""\

host | alpha | ok | 2.3.9 | -
pool | alpha:tank | ONLINE | 1T | 512G | 512G
host | beta | unknown | - | no route to host
dataset | alpha:tank/db | ok | critical | zfsctl-20261120T143000Z | 2026-11-20T13:58:00Z | 2026-11-20T14:58:00Z | 60 | 1 | 2 | 2.10M | -
dataset | alpha:tank/w | critical | web | z | 2026-11-18T12:30:00Z | 2026-11-20T14:29:51Z | 9 | 0 | 0 | 0B | 2 days late
dataset | alpha:tank/new | ok | - | - | - | - | 0 | 0 | 0 | 0B | -
replication | nodes | unknown | 90000 | 86400 | 259200
pair | nodes | alpha:tank/db | beta:bk/db | warning | behind | 90000 | 2 | @zfsctl-20261120T133000Z | 2026-11-19T12:30:00Z | BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d | the next run sends 2 snapshots from @zfsctl-20261120T133000Z
pair | nodes | alpha:tank/new | beta:bk/new | unknown | unknown | - | 0 | - | - | no route to host | nothing is sent
run | 20261120T143000Z-1a2b | run | partial | 2026-11-20T14:25:00Z | 2026-11-20T14:25:03Z | 3 | 2 | 0 | 1
! | alpha:tank/db | warning | late | no snapshot for 3 h | zfsctl run
""")


def test_a_status_for_monitoring_is_one_line_with_the_worst_first() -> None:
    assert render_check(STATUS, now=NOW) == snapshot(
        "ZFSCTL CRITICAL - alpha:tank/w: 2 days late and 3 more; 2 hosts, 3 datasets, 1 replication | ok=3 warning=0 critical=1 unknown=2 newest_age_max=180000s lag_nodes=90000s;86400;259200 approvals=1"
    )


@pytest.mark.parametrize(
    ("health", "code"), [(Health.OK, 0), (Health.WARNING, 1), (Health.CRITICAL, 2), (Health.UNKNOWN, 3)]
)
def test_monitoring_has_its_own_exit_codes(health: Health, code: int) -> None:
    assert check_exit_code(health) == code


def test_a_bar_or_a_newline_in_a_name_does_not_begin_the_perfdata() -> None:
    odd = Status(NOW, (HostStatus("a", Health.WARNING, "say | or\nsay", "", ()),), (), None, 0, ())

    assert render_check(odd, now=NOW).count("|") == 1
    assert "\n" not in render_check(odd, now=NOW)


def test_an_explanation_of_a_dataset() -> None:
    assert shown(render_explanation(EXPLANATION, now=NOW)) == snapshot("""\

alpha:tank/db  (dataset)
  policy    critical
  next due  2026-11-20 15:00 UTC
  keeps     last 2
            hourly 48

  =  @zfsctl-20261120T133000Z     4K  goes in 2 d  2026-11-20 13:00, 1 of 48
  -  @zfsctl-20261118T133000Z  2.10M               no rule keeps it; hourly ended 1 h ago
  -  @zfsctl-20261118T123000Z   410K               no rule keeps it; hourly ended 2 h ago

What these rules keep over the next 2 days, with one snapshot at each due time:
  ON                    SNAPSHOTS  OLDEST
  2026-11-21 14:30 UTC         50  2026-11-19 14:30 UTC
  2026-11-22 14:30 UTC          0  -
warning: alpha:tank/db: no snapshot for 3 h
  try: zfsctl run
""")


def test_an_explanation_of_one_snapshot() -> None:
    one = Explanation(Subject.SNAPSHOT, f"alpha:tank/db@{KEPT.snapshot}", snapshots=EXPLANATION.snapshots[:1])

    assert shown(render_explanation(one, now=NOW)) == snapshot("""\

alpha:tank/db@zfsctl-20261120T133000Z  (snapshot)

  age      1 h ago
  holds    4K of its own
  verdict  kept
  because  hourly: 2026-11-20 13:00, 1 of 48
  goes     in 2 d (2026-11-22 14:30 UTC): hourly ends
""")


def test_an_explanation_in_a_pipe() -> None:
    assert piped(rows_of_explanation(EXPLANATION)) == snapshot("""\

subject | dataset | alpha:tank/db
fact | policy | critical
fact | next due | 2026-11-20 15:00 UTC
rule | last 2
rule | hourly 48
= | alpha:tank/db | zfsctl-20261120T133000Z | 4K | 2026-11-20T13:30:00Z | 2026-11-22T14:30:00Z | 2026-11-20 13:00, 1 of 48 | hourly ends
- | alpha:tank/db | zfsctl-20261118T133000Z | 2.10M | 2026-11-18T14:30:00Z | 2026-11-20T14:30:00Z | no rule keeps it; hourly ended 1 h ago | -
- | alpha:tank/db | zfsctl-20261118T123000Z | 410K | 2026-11-18T13:30:00Z | - | no rule keeps it; hourly ended 2 h ago | -
day | 2026-11-21T14:30:00Z | 50 | 2026-11-19T14:30:00Z
day | 2026-11-22T14:30:00Z | 0 | 1970-01-01T00:00:00Z
! | alpha:tank/db | warning | late | no snapshot for 3 h | zfsctl run
""")


def test_a_history_with_the_steps_of_a_run() -> None:
    steps = (StepRecord(RUN.id, "s2", "destroy-snapshots", "alpha", "tank/db", "no rule", NOW, NOW, "failed", "busy"),)

    assert shown(render_history((RUN,), steps)) == snapshot("""\

RUN                    STARTED               COMMAND  STATE             CREATED  DESTROYED  FAILED  TOOK
20261120T143000Z-1a2b  2026-11-20 14:25 UTC  run      partial (exit 3)        2          0       1  3 s

alpha:tank/db  destroy-snapshots  failed  no rule
  busy
""")
    assert piped(rows_of_history((RUN,), steps)) == snapshot("""\

run | 20261120T143000Z-1a2b | run | partial | 2026-11-20T14:25:00Z | 2026-11-20T14:25:03Z | 3 | 2 | 0 | 1
step | 20261120T143000Z-1a2b | s2 | destroy-snapshots | alpha:tank/db | failed | no rule | busy
""")


def test_no_history_is_said() -> None:
    assert shown(render_history(())) == "\nNo run has been journaled yet.\n"


def test_approvals() -> None:
    assert shown(render_approvals(APPROVALS, now=NOW, names=True)) == snapshot("""\

1f2e  waiting  alpha:tank/big  mass-destroy: 1 snapshot would be destroyed
  filed 1 min ago, expires in 10 d
  why: 11 of 12 would go
  - old
  try: zfsctl approvals approve 1f2e
""")
    assert piped(rows_of_approvals(APPROVALS)) == snapshot("""\

1f2e | waiting | mass-destroy | alpha:tank/big | 1 | 2026-11-20T14:29:00Z | 2026-11-30T14:30:00Z | 11 of 12 would go
""")
    assert shown(render_approvals((), now=NOW)) == "\nNothing waits for approval.\n"


def test_an_approval_of_a_repair_speaks_of_no_destroy() -> None:
    request = ApprovalRequest("77aa", "repair", "beta", "bk/a", 7, (("base", 5), ("own", 6)), "it has 1 of its own")
    waiting = Approval(request, ApprovalStatus.WAITING, NOW - 60, NOW + 864_000)
    plan = Plan("p3", "run", NOW, NOW, "", approvals=(request,))

    assert shown(render_approvals([waiting], now=NOW, names=True)) == snapshot("""\

77aa  waiting  beta:bk/a  repair: it would be set aside, with all its snapshots
  filed 1 min ago, expires in 10 d
  why: it has 1 of its own
  ~ base
  ~ own
  try: zfsctl approvals approve 77aa
""")
    assert shown(render_plan(plan)) == snapshot("""\

withheld: the repair of beta:bk/a: it has 1 of its own
  try: zfsctl approvals approve 77aa
Plan: nothing, 1 waits for approval.
""")
    assert piped(rows_of_plan(plan)) == snapshot("""\

! | beta:bk/a | withheld | repair | it has 1 of its own | zfsctl approvals approve 77aa
""")


def test_a_check_of_the_policy() -> None:
    assert shown(render_config_check(CHECK)) == snapshot("""\

read  /etc/zfsctl/zfsctl.toml
login  alpha (run)  ok  OpenZFS 2.3.9
login  alpha (lines)  no route to host
zfsctl.toml: datasets.0  alpha:tank  (critical)  2 datasets
  = alpha:tank
  = tank/db
zfsctl.toml: datasets.1  alpha:gone  (none)  0 datasets
zfsctl.toml: replications[1]  one  (relay)
  > alpha:tank → bk/alpha/tank  2 datasets
  > beta:tank → bk/beta/tank  not known: beta did not answer
  > gamma:tank → bk/gamma/tank  nothing is there
Something is wrong.
""")
    assert piped(rows_of_config_check(CHECK)) == snapshot("""\

file | /etc/zfsctl/zfsctl.toml
login | alpha | run | ok | 2.3.9 | -
login | alpha | lines | failed | - | no route to host
rule | zfsctl.toml: datasets.0 | critical | alpha:tank
rule | zfsctl.toml: datasets.0 | critical | tank/db
rule | zfsctl.toml: datasets.1 | none | -
replication | zfsctl.toml: replications[1] | one | alpha:tank | bk/alpha/tank | -
replication | zfsctl.toml: replications[1] | one | alpha:tank/db | bk/alpha/tank/db | -
replication | zfsctl.toml: replications[1] | one | beta:tank | bk/beta/tank | not known: beta did not answer
replication | zfsctl.toml: replications[1] | one | gamma:tank | bk/gamma/tank | nothing is there
""")


def test_an_error_says_what_why_and_what_to_try() -> None:
    lines = render_error("tank/db: not pruned", why="it is held", hint="zfs holds tank/db@a")

    assert shown(lines) == "\nerror: tank/db: not pruned\n  why: it is held\n  try: zfs holds tank/db@a\n"


def test_what_a_person_types_is_the_number_of_destroys() -> None:
    assert count_of_destroys(PLAN) == 2


CHANGES = (
    HealthChange(
        NOW,
        "nodes",
        Place("alpha", "tank/db"),
        Place("beta", "bk/db"),
        LinkHealth.HEALTHY,
        LinkHealth.BROKEN,
        LinkState.DIVERGED,
        90_000,
        "the receiver has 1 snapshot of its own after @x",
    ),
    HealthChange(NOW - 60, "nodes", None, None, None, LinkHealth.HEALTHY, None, 0, ""),
    HealthChange(NOW - 99, "usb", None, None, LinkHealth.AWAY, LinkHealth.UNKNOWN, None, None, "no route to host"),
)


def test_changes_of_health_on_a_terminal() -> None:
    assert shown(render_health(CHANGES)) == snapshot("""\

SEEN                  REPLICATION                   FROM     TO        LAG  WHY
2026-11-20 14:30 UTC    alpha:tank/db → beta:bk/db  healthy  broken   25 h  the receiver has 1 snapshot of its own after @x
2026-11-20 14:29 UTC  nodes                         -        healthy  none
2026-11-20 14:28 UTC  usb                           away     unknown     ?  no route to host
""")
    assert shown(render_health(())) == snapshot("""\

No change of health has been noted yet.
""")


def test_changes_of_health_in_a_pipe() -> None:
    assert piped(rows_of_health(CHANGES)) == snapshot("""\

health | 2026-11-20T14:30:00Z | nodes | alpha:tank/db | beta:bk/db | healthy | broken | diverged | 90000 | the receiver has 1 snapshot of its own after @x
health | 2026-11-20T14:29:00Z | nodes | - | - | - | healthy | - | 0 | -
health | 2026-11-20T14:28:21Z | usb | - | - | away | unknown | - | - | no route to host
""")


SEND = Transfer(
    id="t1",
    host="beta",
    why="BEHIND by 2 snapshots",
    replication="nodes",
    state=LinkState.BEHIND,
    sender_host="alpha",
    sender="tank/db",
    sender_guid=9,
    receiver="bk/db",
    receiver_guid=90,
    sends=(Send("@zfsctl-20261120T133000Z", 1, (SnapshotRef("x", 2), SnapshotRef(NEW, 3))),),
    estimate=2_202_009,
)
ANCHORS = MoveAnchors(
    id="m1",
    host="beta",
    why="to what has arrived",
    replication="nodes",
    sender_host="alpha",
    sender="tank/db",
    sender_guid=9,
    receiver="bk/db",
    chain=(),
)
OF_A_REPLICATION = Explanation(
    subject=Subject.REPLICATION,
    name="nodes",
    facts=(("sender", "alpha:tank"), ("receiver", "beta:bk")),
    rules=("daily = 30",),
    pairs=(
        ExplainedPair(
            status=REPLICATION.pairs[0],
            base_guid=17,
            common=3,
            only_sender=2,
            only_receiver=9,
            to_send=("x", NEW),
            own=("a", "b", "c", "d"),
            clashes=("x",),
            resumes="tank/db@x, an increment",
            kept=("alpha:tank/db@x: held while it is being sent", "beta:bk/db@y: held"),
            steps=(SEND, ANCHORS),
        ),
        ExplainedPair(REPLICATION.pairs[1], None, None, None, None, (), (), (), "", (), (ANCHORS,)),
    ),
)


def test_a_replication_explained_on_a_terminal() -> None:
    assert shown(render_explanation(OF_A_REPLICATION, now=NOW)) == snapshot("""\

nodes  (replication)
  sender    alpha:tank
  receiver  beta:bk
  keeps     daily = 30

alpha:tank/db → beta:bk/db
  health    warning: BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d
  state     behind
  lag       25 h, 2 snapshots wait
  base      @zfsctl-20261120T133000Z, 26 h ago
  guid      17
  both      3 snapshots
  sender    2 snapshots of its own, to be sent: @x, @zfsctl-20261120T143000Z
  receiver  9 snapshots of its own, newer than the base: @a to @d
  clashes   @x: another snapshot on the receiver
  resumes   tank/db@x, an increment
  keeps     alpha:tank/db@x: held while it is being sent
            beta:bk/db@y: held
  next      the next run sends 2 snapshots from @zfsctl-20261120T133000Z
            >  nodes  -I …T133000Z → …T143000Z  BEHIND by 2 snapshots, about 2.10M

alpha:tank/new → beta:bk/new
  health  unknown: no route to host
  state   unknown
  lag     ?
  base    none
  next    nothing is sent
""")


def test_a_replication_explained_in_a_pipe() -> None:
    assert piped(rows_of_explanation(OF_A_REPLICATION)) == snapshot("""\

subject | replication | nodes
fact | sender | alpha:tank
fact | receiver | beta:bk
rule | daily = 30
pair | nodes | alpha:tank/db | beta:bk/db | warning | behind | 90000 | 2 | @zfsctl-20261120T133000Z | 2026-11-19T12:30:00Z | BEHIND by 2 snapshots; the oldest waits for 25 h, warn_after is 1d | the next run sends 2 snapshots from @zfsctl-20261120T133000Z
evidence | alpha:tank/db | guid | 17
evidence | alpha:tank/db | both | 3 snapshots
evidence | alpha:tank/db | sender | 2 snapshots of its own, to be sent: @x, @zfsctl-20261120T143000Z
evidence | alpha:tank/db | receiver | 9 snapshots of its own, newer than the base: @a to @d
evidence | alpha:tank/db | clashes | @x: another snapshot on the receiver
evidence | alpha:tank/db | resumes | tank/db@x, an increment
evidence | alpha:tank/db | keeps | alpha:tank/db@x: held while it is being sent
evidence | alpha:tank/db | - | beta:bk/db@y: held
step | alpha:tank/db | > | nodes  -I zfsctl-20261120T133000Z → zfsctl-20261120T143000Z | 2.10M | BEHIND by 2 snapshots
pair | nodes | alpha:tank/new | beta:bk/new | unknown | unknown | - | 0 | - | - | no route to host | nothing is sent
""")


def test_a_status_shows_the_first_few_pairs_that_are_not_healthy_or_all_when_asked() -> None:
    late, _ = REPLICATION.pairs
    well = replace(late, health=LinkHealth.HEALTHY, why="", next="")
    many = replace(STATUS, hosts=(), datasets=(), replications=(replace(REPLICATION, pairs=(well, *[late] * 12)),))

    assert shown(render_status(many, now=NOW)).count("alpha:tank/db →") == 10
    assert "… and 2 more: zfsctl explain nodes" in shown(render_status(many, now=NOW))
    assert shown(render_status(many, now=NOW, every=True)).count("alpha:tank/db →") == 13


def test_a_replication_of_one_pair_is_one_line_while_it_is_healthy() -> None:
    well = replace(REPLICATION.pairs[0], health=LinkHealth.HEALTHY, why="", lag=0)
    one = replace(STATUS, hosts=(), datasets=(), findings=(), last_run=None, generated_at=NOW)
    one = replace(one, replications=(replace(REPLICATION, pairs=(well,)),))

    assert shown(render_status(one, now=NOW)) == snapshot("""\

REPLICATION   LAG  BASE      HEALTH
nodes        none  26 h ago  healthy
""")
