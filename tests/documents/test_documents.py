"""Every document is what its schema says, and documents of earlier versions stay valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.documents.replicating import PLAN as REPLICATING
from tests.documents.schemas import validator_of
from zfsctl.documents.approvals import document_of_approvals
from zfsctl.documents.config import document_of_config_check, document_of_config_text
from zfsctl.documents.doctor import document_of_diagnosis
from zfsctl.documents.envelope import KINDS, document_text, envelope
from zfsctl.documents.errors import document_of_error, document_of_failure
from zfsctl.documents.explanation import document_of_explanation
from zfsctl.documents.history import document_of_history
from zfsctl.documents.plan import document_of_plan
from zfsctl.documents.result import document_of_result
from zfsctl.documents.schemas import json_schema
from zfsctl.documents.status import document_of_status, status_from_document
from zfsctl.errors import RefusedError, UnknownNameError
from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus
from zfsctl.model.checking import ConfigCheck, LoginCheck, ReplicationCheck, RuleCheck, TreeCheck
from zfsctl.model.diagnosis import Diagnosis, SetAside
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
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict

GOLDEN = Path(__file__).parent / "golden"
AT = 1_795_185_000
KEPT = Decision(
    "alpha", "tank/db", "zfsctl-20261120T133000Z", 17, AT, 4096, Verdict.KEEP, (Reason(Rule.HOURLY, "1 of 48"),)
)
GONE = Decision(
    "alpha",
    "tank/db",
    "zfsctl-20261118T133000Z",
    2**64 - 1,
    AT - 176_400,
    2_202_009,
    Verdict.DESTROY,
    (Reason(Rule.NO_RULE, "no rule keeps it; hourly ended 1 h ago"),),
)
REQUEST = ApprovalRequest("1f2e", "mass-destroy", "alpha", "tank/db", 9, (("old", 5),), "11 of 12 would go")
FINDING = Finding(Severity.WARNING, "late", "alpha", "tank/db", "no snapshot for 3 h", "zfsctl run")
PLAN = Plan(
    id="p1",
    command="run",
    created_at=AT,
    valid_until=AT + 3600,
    fingerprint="abc",
    datasets=(PlannedDataset("alpha", "tank/db", "critical", 61, 2, 9, "a1b2"),),
    decisions=(KEPT, GONE),
    steps=(
        CreateSnapshots(
            id="s1",
            host="alpha",
            why="hourly is due since 14:00",
            pool="tank",
            snapshot="zfsctl-20261120T143000Z",
            datasets=(DatasetRef("tank/db", 9),),
            properties=(("zfsctl:policy", "critical"),),
        ),
        DestroySnapshots(
            id="s2",
            host="alpha",
            why="no rule keeps them",
            dataset="tank/db",
            dataset_guid=9,
            snapshots=(SnapshotRef("zfsctl-20261118T133000Z", 2**64 - 1),),
            frees=2_202_009,
            after=("s1",),
        ),
        RunHook(id="s3", host="alpha", why="thaw", name="db", argv=("thaw", "db"), timeout_seconds=60, always=True),
    ),
    findings=(FINDING,),
    approvals=(REQUEST,),
)
RUN = RunRecord("r1", "run", RunState.PARTIAL, AT, AT + 3, 3, 1, 0, 1)
OUTCOMES = (
    StepOutcome("s1", Result.DONE, members=(MemberOutcome("tank/db", "zfsctl-20261120T143000Z", 77, Result.DONE),)),
    StepOutcome(
        "s2",
        Result.FAILED,
        "dataset is busy",
        (MemberOutcome("tank/db", "zfsctl-20261118T133000Z", None, Result.STALE, "guid is 4"),),
        code="host-command",
    ),
    StepOutcome("s3", Result.SKIPPED),
)
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
            base_at=AT - 93_600,
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
    generated_at=AT,
    hosts=(
        HostStatus("alpha", Health.OK, "", "2.3.9", (Pool("tank", 3, 100, 40, 60, 40),)),
        HostStatus("beta", Health.UNKNOWN, "no route to host", "", (Pool("bk", 4, health="UNAVAIL"),)),
    ),
    datasets=(
        DatasetStatus("alpha", "tank/db", "critical", Health.WARNING, "1 h late", "s", AT, AT + 9, 60, 1, 0, 5),
        DatasetStatus("alpha", "tank/new", "critical", Health.OK, "", None, None, None, 0, 0, 0, 0),
    ),
    last_run=RUN,
    approvals_waiting=1,
    findings=(FINDING,),
    replications=(REPLICATION,),
)
EXPLANATION = Explanation(
    subject=Subject.DATASET,
    name="alpha:tank/db",
    facts=(("policy", "critical"),),
    rules=("last 2",),
    snapshots=(ExplainedSnapshot(KEPT, Outlook(None, "yearly")), ExplainedSnapshot(GONE, None)),
    forecast=(KeptOn(AT + 86_400, 60, AT),),
    days=90,
    text=("A paragraph.",),
    findings=(FINDING,),
    pairs=(
        ExplainedPair(
            status=REPLICATION.pairs[0],
            base_guid=2**64 - 1,
            common=3,
            only_sender=2,
            only_receiver=9,
            to_send=("a", "b"),
            own=("x",),
            clashes=("b",),
            resumes="tank/db@a, an increment",
            kept=("alpha:tank/db@a: held while it is being sent",),
            steps=REPLICATING.steps,
        ),
        ExplainedPair(REPLICATION.pairs[1], None, None, None, None, (), (), (), "", (), ()),
    ),
)
CHECK = ConfigCheck(
    files=("/etc/zfsctl/zfsctl.toml",),
    logins=(LoginCheck("alpha", "run", "", "2.3.9"), LoginCheck("alpha", "lines", "no route")),
    rules=(RuleCheck("zfsctl.toml: datasets[0]", ("tank",), "critical", (("alpha", "tank/db"),)),),
    findings=(FINDING,),
    replications=(
        ReplicationCheck(
            "one",
            "zfsctl.toml: replications[1]",
            Route.RELAY,
            (
                TreeCheck(Place("alpha", "tank"), Place("beta", "bk/alpha"), ("tank", "tank/db")),
                TreeCheck(Place("gamma", "tank"), Place("beta", "bk/gamma"), why="gamma did not answer"),
            ),
        ),
    ),
)
DIAGNOSIS = Diagnosis(
    AT,
    ("alpha", "beta"),
    (FINDING,),
    (
        SetAside(
            host="beta",
            dataset="bk/db.zfsctl-aside-20261118T133000Z",
            home="bk/db",
            replication="nodes",
            since=AT - 176_400,
            datasets=("bk/db.zfsctl-aside-20261118T133000Z/x", "bk/db.zfsctl-aside-20261118T133000Z"),
            snapshots=3,
            used=2**40,
            written=4096,
            obstacles=("nothing is at bk/db/x",),
            after=("bk/db.zfsctl-aside-20261117T133000Z",),
        ),
    ),
)
ERROR = document_of_failure([document_of_error(RefusedError("no", why="so", hint="zfsctl", where="alpha"))])
WHOLE = HealthChange(AT, "nodes", None, None, None, LinkHealth.HEALTHY, None, 0, "")
CHANGE = HealthChange(
    AT,
    "nodes",
    Place("alpha", "tank/db"),
    Place("beta", "bk/db"),
    LinkHealth.HEALTHY,
    LinkHealth.WARNING,
    LinkState.BEHIND,
    90_000,
    "BEHIND by 2 snapshots",
)
DOCUMENTS: dict[str, Any] = {
    "plan": document_of_plan(PLAN),
    "result": document_of_result(PLAN, OUTCOMES, exit_code=3, run=RUN.id),
    "status": document_of_status(STATUS),
    "explanation": document_of_explanation(EXPLANATION),
    "history": document_of_history(
        (RUN,), (StepRecord("r1", "s1", "hook", "alpha", "", "thaw", AT, None, ""),), (WHOLE, CHANGE)
    ),
    "approvals": document_of_approvals((Approval(REQUEST, ApprovalStatus.WAITING, AT, AT + 9),)),
    "config": document_of_config_check(CHECK),
    "doctor": document_of_diagnosis(DIAGNOSIS),
    "error": ERROR,
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_is_what_its_schema_says(kind: str) -> None:
    validator = validator_of(kind)
    document = json.loads(document_text(envelope(kind, DOCUMENTS[kind], at=AT)))

    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_still_holds_all_that_its_first_version_held(kind: str) -> None:
    first = json.loads((GOLDEN / f"{kind}.json").read_text())
    now = json.loads(document_text(envelope(kind, DOCUMENTS[kind], at=AT)))

    assert [error.message for error in validator_of(kind).iter_errors(first)] == []
    assert pruned_to(first, {**now, "zfsctl_version": first["zfsctl_version"]}) == first


def pruned_to(first: object, now: Any) -> object:
    """`now` without the fields that `first` did not have yet."""
    if isinstance(first, dict):
        return {key: pruned_to(value, now.get(key)) for key, value in first.items()}
    if isinstance(first, list):
        assert len(first) == len(now)
        return [pruned_to(one, other) for one, other in zip(first, now, strict=True)]
    return now


def test_a_plan_of_transfers_is_what_its_schema_says_and_holds_all_that_its_first_version_held() -> None:
    first = json.loads((GOLDEN / "transfers.json").read_text())
    now = json.loads(document_text(envelope("plan", document_of_plan(REPLICATING), at=AT)))
    validator = validator_of("plan")

    assert [error.message for document in (first, now) for error in validator.iter_errors(document)] == []
    assert pruned_to(first, {**now, "zfsctl_version": first["zfsctl_version"]}) == first


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_schema_that_is_one(kind: str) -> None:
    schema = json_schema(kind)

    Draft202012Validator.check_schema(schema)
    assert f"zfsctl.{kind}/1" == schema["title"]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_schema_refuses_a_document_without_one_of_its_fields(kind: str) -> None:
    validator = validator_of(kind)
    document = json.loads(document_text(envelope(kind, DOCUMENTS[kind], at=AT)))

    for field in list(document["data"]):
        assert not validator.is_valid(document | {"data": {k: v for k, v in document["data"].items() if k != field}})


def test_the_sandbox_schema_takes_a_fleet_written_by_hand_and_the_reply_that_carries_one() -> None:
    validator = validator_of("sandbox")
    fleet = {"now": "2026-11-20T12:00:00Z", "hosts": {"local": {"pools": {"tank": {"datasets": {"tank": {}}}}}}}

    assert validator.is_valid({"schema": "zfsctl.sandbox/1", **fleet})
    assert validator.is_valid(envelope("sandbox", fleet, at=AT))
    assert not validator.is_valid({"schema": "zfsctl.sandbox/1"})


def test_a_shown_policy_is_a_config_document() -> None:
    document = envelope("config", document_of_config_text(("a.toml",), 'timezone = "UTC"\n'), at=AT)

    assert validator_of("config").is_valid(document)


def test_a_result_says_as_errors_what_did_not_go_well() -> None:
    errors = DOCUMENTS["result"]["errors"]

    assert [error["code"] for error in errors] == ["host-command", "skipped"]
    assert errors[0]["where"] == "alpha:tank/db"
    assert errors[0]["why"] == "dataset is busy; tank/db@zfsctl-20261118T133000Z: guid is 4"


def test_a_status_written_and_read_again_is_the_same_status() -> None:
    assert status_from_document(json.loads(json.dumps(DOCUMENTS["status"]))) == STATUS


def test_a_status_of_before_there_were_replications_can_be_read() -> None:
    document = {key: value for key, value in DOCUMENTS["status"].items() if key != "replications"}

    assert status_from_document(document).replications == ()


@pytest.mark.parametrize("text", ["[]", "{}", '"ok"', '{"last_run": null, "at": 1, "hosts": [1]}'])
def test_what_is_no_status_is_said(text: str) -> None:
    with pytest.raises(ValueError):
        status_from_document(json.loads(text))


def test_an_unknown_kind_gets_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError) as caught:
        json_schema("plam")

    assert caught.value.hint == "zfsctl schema plan"
