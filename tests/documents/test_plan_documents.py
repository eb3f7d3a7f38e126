"""A plan written as JSON and read again is the same plan; anything else is refused with its place in the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents.replication_steps import replication_steps
from zfsctl.documents.envelope import document_text, envelope
from zfsctl.documents.plan import document_of_plan
from zfsctl.documents.reading import read_plan
from zfsctl.errors import UsageError
from zfsctl.model.approval import ApprovalRequest
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.plan import (
    CreateSnapshots,
    DatasetRef,
    DestroyDataset,
    DestroySnapshots,
    Plan,
    PlannedDataset,
    RunHook,
    SnapshotRef,
    Step,
)
from zfsctl.model.repair import RepairKind, RepairMark, aside_name
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict

GOLDEN = Path(__file__).parent / "golden" / "plan.json"

names = st.from_regex(r"[A-Za-z0-9_.:-]{1,12}", fullmatch=True).filter(lambda name: name not in (".", ".."))
datasets = st.builds(lambda tail: "/".join(("tank", *tail)), st.lists(names, max_size=2))
guids = st.integers(min_value=1, max_value=2**64 - 1)
epochs = st.integers(min_value=0, max_value=2**40)
words = st.text(max_size=20)
any_bytes = st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
decisions = st.builds(
    Decision,
    host=names,
    dataset=datasets,
    snapshot=names,
    guid=guids,
    creation=epochs,
    used=epochs,
    verdict=st.sampled_from(Verdict),
    reasons=st.lists(st.builds(Reason, st.sampled_from(Rule), words), min_size=1, max_size=3).map(tuple),
)
findings = st.builds(Finding, st.sampled_from(Severity), words, words, words, words, words)
requests = st.builds(
    ApprovalRequest,
    id=words,
    kind=words,
    host=words,
    dataset=words,
    dataset_guid=guids,
    snapshots=st.lists(st.tuples(names, guids), max_size=3).map(tuple),
    why=words,
)


@st.composite
def releases(draw: st.DrawFn, **shared: Any) -> DestroyDataset:
    aside = aside_name(draw(datasets), "20261120T143000Z")
    snapshots = draw(st.lists(st.builds(SnapshotRef, names, guids), max_size=3, unique_by=lambda ref: ref.name))
    tags = st.sampled_from(("zfsctl:copy:base", "zfsctl:copy:send"))
    held = st.tuples(st.sampled_from([ref.name for ref in snapshots]), tags) if snapshots else st.nothing()
    return DestroyDataset(
        **shared,
        dataset=draw(st.sampled_from((aside, f"{aside}/x"))),
        dataset_guid=draw(guids),
        aside=aside,
        mark=str(RepairMark(RepairKind.CLONE, "copy", draw(guids), "20261120T143000Z")),
        snapshots=tuple(snapshots),
        holds=tuple(draw(st.lists(held, max_size=2))) if snapshots else (),
        written=draw(st.integers(0, 2**50)),
        frees=draw(st.none() | st.integers(0, 2**50)),
    )


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    made: list[Step] = []
    for index in range(draw(st.integers(0, 4))):
        earlier = st.lists(st.sampled_from([step.id for step in made]), unique=True) if made else st.just([])
        shared: dict[str, Any] = {
            "id": f"step-{index}",
            "host": "alpha",
            "why": draw(any_bytes),
            "after": tuple(draw(earlier)),
        }
        refs = st.lists(st.builds(DatasetRef, datasets, guids), min_size=1, max_size=3).map(tuple)
        kind = draw(st.sampled_from(("create", "destroy", "release", "hook", "replication")))
        if kind == "create":
            properties = tuple(draw(st.dictionaries(st.just("zfsctl:reason"), any_bytes)).items())
            made.append(
                CreateSnapshots(**shared, pool="tank", snapshot=draw(names), datasets=draw(refs), properties=properties)
            )
        elif kind == "release":
            made.append(draw(releases(**shared)))
        elif kind == "destroy":
            snapshots = st.lists(st.builds(SnapshotRef, names, guids), min_size=1, max_size=3).map(tuple)
            made.append(
                DestroySnapshots(
                    **shared,
                    dataset=draw(datasets),
                    dataset_guid=draw(guids),
                    snapshots=draw(snapshots),
                    frees=draw(st.none() | epochs),
                )
            )
        elif kind == "replication":
            made.append(draw(replication_steps(**shared)))
        else:
            made.append(
                RunHook(
                    **shared,
                    name=draw(words),
                    argv=tuple(draw(st.lists(any_bytes, min_size=1, max_size=3))),
                    timeout_seconds=draw(st.integers(1, 900)),
                    always=draw(st.booleans()),
                    dataset=draw(st.just("") | datasets),
                )
            )
    return tuple(made)


planned = st.builds(PlannedDataset, names, datasets, names, st.integers(0, 9), st.integers(0, 9), guids, words)
plans = st.builds(
    Plan,
    id=words,
    command=words,
    created_at=st.just(1_790_000_000),
    valid_until=st.integers(1_790_000_000, 1_800_000_000),
    fingerprint=words,
    datasets=st.lists(planned).map(tuple),
    decisions=st.lists(decisions, max_size=4).map(tuple),
    steps=steps(),
    findings=st.lists(findings, max_size=2).map(tuple),
    approvals=st.lists(requests, max_size=2).map(tuple),
)


@given(plans, st.booleans())
def test_a_plan_written_and_read_again_is_the_same_plan(plan: Plan, pretty: bool) -> None:
    text = document_text(envelope("plan", document_of_plan(plan), at=plan.created_at), pretty=pretty)

    assert text.isascii()
    assert plan == read_plan(text, source="plan.json")


def golden() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(GOLDEN.read_text())
    return document


def test_the_golden_plan_of_the_first_version_is_still_read() -> None:
    plan = read_plan(GOLDEN.read_text(), source="plan.json")

    assert (len(plan.decisions), len(plan.steps)) == (2, 3)
    assert plan.decisions[1].guid == 18446744073709551615


Change = Callable[[dict[str, Any]], object]


def step(index: int, **fields: object) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["data"]["steps"][index].update(fields)

    return change


def data(**fields: object) -> Change:
    return lambda document: document["data"].update(fields)


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        pytest.param(lambda d: d.update(schema="zfsctl.plan/2"), "schema", "zfsctl.plan/2", id="a-newer-version"),
        pytest.param(lambda d: d.update(schema="zfsctl.result/1"), "schema", "zfsctl.result/1", id="another-kind"),
        pytest.param(lambda d: d.pop("schema"), "schema", "does not say", id="no-schema"),
        pytest.param(lambda d: d.update(more=1), "more", "does not know it", id="an-unknown-field-of-the-envelope"),
        pytest.param(data(more=1), "data.more", "does not know it", id="an-unknown-field-of-the-plan"),
        pytest.param(
            step(1, unless="held"), "data.steps.1.unless", "does not know it", id="an-unknown-field-of-a-step"
        ),
        pytest.param(data(created_at="now"), "data.created_at", "no whole number", id="a-word-for-a-number"),
        pytest.param(data(created_at=True), "data.created_at", "no whole number", id="a-truth-for-a-number"),
        pytest.param(data(created_at=1.5), "data.created_at", "no whole number", id="a-fraction-of-a-second"),
        pytest.param(data(valid_until=5), "data.valid_until", "ends before", id="valid-until-before-it-was-made"),
        pytest.param(step(1, dataset_guid=7), "data.steps.1.dataset_guid", "no text", id="a-guid-as-a-number"),
        pytest.param(
            step(1, dataset_guid="0x7"), "data.steps.1.dataset_guid", "no guid, a decimal", id="a-guid-in-hex"
        ),
        pytest.param(step(1, dataset_guid="0"), "data.steps.1", "no guid", id="a-guid-of-nothing"),
        pytest.param(step(1, dataset_guid="18446744073709551616"), "data.steps.1", "no guid", id="a-guid-of-65-bits"),
        pytest.param(step(1, snapshots=[]), "data.steps.1.snapshots", "it is empty", id="a-destroy-of-nothing"),
        pytest.param(step(1, risk="safe"), "data", "it is destructive", id="a-destroy-that-calls-itself-safe"),
        pytest.param(
            step(1, kind="format-disk"),
            "data.steps.1",
            "no step of the kind 'format-disk'",
            id="an-unknown-kind-of-step",
        ),
        pytest.param(
            lambda d: d["data"]["steps"][1].pop("kind"), "data.steps.1", "say its kind", id="a-step-of-no-kind"
        ),
        pytest.param(lambda d: d["data"].pop("id"), "data.id", "it is missing", id="a-field-that-is-missing"),
        pytest.param(step(1, snapshots={}), "data.steps.1.snapshots", "no list", id="an-object-for-a-list"),
        pytest.param(step(1, risk="none"), "data.steps.1.risk", "expected is 'safe'", id="an-unknown-word"),
        pytest.param(data(steps=[7]), "data.steps.0", "no object", id="a-number-for-a-step"),
        pytest.param(step(1, id="s1"), "data.steps.1", "used twice", id="two-steps-of-one-id"),
        pytest.param(step(1, after=["s9"]), "data.steps.1", "'s9'", id="waiting-for-no-step"),
        pytest.param(step(1, after=["s3"]), "data.steps.1", "'s3'", id="waiting-for-a-later-step"),
        pytest.param(step(1, dataset="tank/a@b"), "data.steps.1", "does not allow", id="a-name-zfs-does-not-allow"),
        pytest.param(step(1, host="-oProxy"), "data.steps.1", "no host name", id="a-host-that-is-an-option"),
        pytest.param(
            step(1, snapshots=[{"name": "a,b", "guid": "5"}]), "data.steps.1", "allow", id="a-comma-in-a-snapshot-name"
        ),
        pytest.param(step(0, pool="other"), "data.steps.0", "not in the pool", id="a-dataset-of-another-pool"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(change: Change, where: str, why: str) -> None:
    document = golden()
    change(document)

    with pytest.raises(UsageError) as caught:
        read_plan(json.dumps(document), source="night.json")

    assert f"night.json: {where}" == caught.value.where
    assert why in caught.value.why
    assert caught.value.hint == "zfsctl run --dry-run --out PLAN.json"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(GOLDEN.read_text()[:-40], id="cut-off"),
        pytest.param("zfs list", id="no-json"),
        pytest.param("[" * 100_000, id="nested-without-end"),
        pytest.param('["zfsctl.plan/1"]', id="a-list"),
    ],
)
def test_a_file_that_is_no_whole_document_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_plan(text, source="night.json")
