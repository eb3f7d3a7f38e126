"""What is destroyed on every host: rules, guards and steps together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import at, dataset, host, policy, rules_of, snapshots
from tests.planner.test_guards import hours
from tests.planner.test_retention_laws import histories
from tests.planner.test_selection import pattern
from zfsctl.model.approval import Approval, ApprovalStatus
from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Severity
from zfsctl.model.plan import DestroySnapshots, SnapshotRef
from zfsctl.model.policy import DatasetRule, HostEntry, Policy, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.model.verdicts import Reason, Rule, Verdict
from zfsctl.planner.keeping import fingerprint_of_rules
from zfsctl.planner.pruning import Pruning, plan_pruning
from zfsctl.planner.selection import restrict, select_datasets


def file_of(rules: Mapping[str, Policy | None], *, adopt: tuple[str, ...] = ()) -> PolicyFile:
    """A policy file with one rule for each pattern."""
    return PolicyFile(
        hosts={name: HostEntry(name, "") for name in ("local", "alpha", "vault")},
        policies={one.name: one for one in rules.values() if one is not None},
        rules=tuple(
            DatasetRule(text, (pattern(text, without_host="local"),), one.name if one else None, adopt=adopt)
            for text, one in rules.items()
        ),
    )


LAST_1 = policy("last=1")
EVERYWHERE = file_of({"*:tank": LAST_1})


def fingerprint(of: Policy, *, adopt: tuple[str, ...] = ()) -> str:
    return fingerprint_of_rules(of, adopt=adopt, prefix="zfsctl", timezone="UTC")


def plan(
    *hosts: HostFacts,
    file: PolicyFile = EVERYWHERE,
    known: Mapping[tuple[str, int], Collection[str]] | None = None,
    approvals: Sequence[Approval] = (),
    only: Sequence[str] = (),
    anchors: Mapping[tuple[str, str], Mapping[int, Reason]] | None = None,
) -> Pruning:
    facts = Facts({one.host: one for one in hosts})
    selection = select_datasets(file, facts)
    places = [(one.host, of) for one in hosts for name, of in one.datasets.items() if name in only]
    return plan_pruning(
        restrict(selection, places) if only else selection.datasets,
        facts,
        policy=file,
        zone=UTC,
        now=max(one.clock for one in hosts),
        known_rules=known or {},
        approvals=approvals,
        anchors=anchors,
    )


def gone(part: Pruning) -> list[str]:
    """`host:dataset@guid` of each snapshot that a step destroys, in the order of the steps."""
    return [f"{step.host}:{step.dataset}@{ref.guid}" for step in part.steps for ref in step.snapshots]


def test_one_step_for_each_dataset_with_the_oldest_first() -> None:
    here = host("20T10 20T11 20T12m>20T12:30 20T13", "20T10", "20T10 20T11")
    part = plan(here)

    assert part.steps == (
        DestroySnapshots(
            id="destroy-1",
            host="local",
            why="no rule keeps 2 snapshots, 1 snapshot taken by hand expired",
            dataset="tank/a",
            dataset_guid=1000,
            snapshots=(
                SnapshotRef("zfsctl-20261120T100000Z", 1001),
                SnapshotRef("zfsctl-20261120T110000Z", 1002),
                SnapshotRef("zfsctl-manual-20261120T120000Z", 1003),
            ),
        ),
        DestroySnapshots(
            id="destroy-2",
            host="local",
            why="no rule keeps 1 snapshot",
            dataset="tank/c",
            dataset_guid=3000,
            snapshots=(SnapshotRef("zfsctl-20261120T100000Z", 3001),),
        ),
    )
    assert len(part.decisions) == 7
    assert [(one.dataset, one.policy, one.snapshots, one.rules) for one in part.datasets] == [
        (f"tank/{name}", "critical", count, fingerprint(LAST_1)) for name, count in (("a", 4), ("b", 1), ("c", 2))
    ]
    assert (part.findings, part.approvals) == ((), ())


def test_long_lists_go_in_parts_of_a_thousand() -> None:
    part = plan(host((dataset(), hours("2026-01-01T00", 2501))), known={("local", 1000): {fingerprint(LAST_1)}})

    assert [len(step.snapshots) for step in part.steps] == [1000, 1000, 500]
    assert [step.id for step in part.steps] == ["destroy-1", "destroy-2", "destroy-3"]
    assert gone(part) == [f"local:tank/a@{guid}" for guid in range(1, 2501)]


def test_long_names_go_in_parts_of_a_hundred_kilobytes() -> None:
    file = file_of({"tank": LAST_1}, adopt=("x*",))
    history = [replace(one, name=f"x{'y' * 200}{one.guid:05}") for one in hours("2026-01-01T00", 1001)]
    known = {("local", 1000): {fingerprint(LAST_1, adopt=("x*",))}}
    part = plan(host((dataset(), history)), file=file, known=known)

    assert [sum(len(ref.name) + 1 for ref in step.snapshots) <= 100_000 for step in part.steps] == [True] * 3
    assert len(gone(part)) == 1000


def test_a_receivers_first_prune_needs_nobody() -> None:
    history = hours("01T00", 200)
    sender = host((dataset("tank/a", guid=1), history), name="alpha")
    receiver = host((dataset("tank/b", guid=2), history), name="vault")
    file = file_of({"alpha:tank": policy("last=300", name="all"), "vault:tank": LAST_1})
    part = plan(sender, receiver, file=file)

    assert gone(part) == [f"vault:tank/b@{guid}" for guid in range(1, 200)]
    assert part.approvals == ()


def test_what_both_ends_would_destroy_in_one_plan_is_held_by_nobody() -> None:
    history = hours("01T00", 30)
    part = plan(
        host((dataset("tank/a", guid=1), history), name="alpha"),
        host((dataset("tank/b", guid=2), history), name="vault"),
    )

    assert part.steps == ()
    assert [(one.host, len(one.snapshots)) for one in part.approvals] == [("alpha", 29), ("vault", 29)]


def test_one_dataset_under_two_host_names_does_not_vouch_for_itself() -> None:
    history = hours("01T00", 30)
    file = file_of({"alpha:tank": LAST_1, "local:tank": policy("last=300", name="all")})
    part = plan(host((dataset(), history), name="alpha"), host((dataset(), history), name="local"), file=file)

    assert part.steps == ()
    assert [one.host for one in part.approvals] == ["alpha"]


def test_a_changed_rule_asks_and_the_same_rule_does_not() -> None:
    here = host((dataset(), hours("01T00", 30)))
    before = policy("last=29")

    assert len(plan(here, known={("local", 1000): {fingerprint(before)}}).approvals) == 1
    assert len(plan(here, known={("local", 1000): {fingerprint(LAST_1)}}).approvals) == 0
    assert len(plan(here, known={("alpha", 1000): {fingerprint(LAST_1)}}).approvals) == 1
    assert len(plan(here, known={("local", 2000): {fingerprint(LAST_1)}}).approvals) == 1


def test_a_mass_destroy_is_told_with_the_line_to_approve_it_and_its_rules_are_not_yet_known() -> None:
    part = plan(host((dataset(), hours("01T00", 30)), "20T10 20T11"))

    (finding,) = part.findings
    assert (finding.severity, finding.code, finding.dataset) == (Severity.WARNING, "withheld", "tank/a")
    assert "29 destroys withheld" in finding.message
    assert finding.hint == f"zfsctl approvals approve {part.approvals[0].id}"
    assert [(one.dataset, bool(one.rules)) for one in part.datasets] == [("tank/a", False), ("tank/b", True)]
    assert gone(part) == ["local:tank/b@2001"]


def test_once_approved_it_goes_and_its_rules_become_known() -> None:
    here = host((dataset(), hours("01T00", 30)))
    (request,) = plan(here).approvals
    yes = Approval(request, ApprovalStatus.APPROVED, filed_at=0, expires_at=at("2027-01-01T00"))
    part = plan(here, approvals=[yes])

    assert len(gone(part)) == 29
    assert part.datasets[0].rules == fingerprint(LAST_1)


def test_a_window_expiry_is_told_but_is_no_alarm() -> None:
    file = file_of({"tank": policy("within=1d")})
    history = (*snapshots("01T00 01T01 01T02", guid=100), *[replace(snapshots("29T23")[0], createtxg=9)])
    part = plan(host((dataset(), history)), file=file)

    assert part.steps == ()
    assert [(one.severity, one.code) for one in part.findings] == [(Severity.INFO, "withheld-expiry")]
    assert part.approvals[0].kind == "window-expiry"


def test_an_incomplete_listing_loses_nothing_and_other_hosts_go_on() -> None:
    part = plan(
        host("20T10 20T11", name="alpha", problems=["stderr: I/O error", "and more"]), host("20T10 20T11", name="vault")
    )

    assert gone(part) == ["vault:tank/a@1001"]
    assert [one.reasons for one in part.decisions[:2]] == [(Reason(Rule.UNKNOWN, "stderr: I/O error"),)] * 2
    assert [bool(one.rules) for one in part.datasets] == [False, True]


def test_a_pool_that_was_not_listed_is_unknown() -> None:
    part = plan(replace(host("20T10 20T11"), pools=()))

    assert part.steps == ()
    assert {rules_of(one)[0] for one in part.decisions} == {Rule.UNKNOWN}


@pytest.mark.parametrize(
    ("pool", "why"),
    [
        pytest.param(Pool("tank", 1, health="SUSPENDED"), "pool tank is SUSPENDED", id="suspended"),
        pytest.param(Pool("tank", 1, readonly=True), "pool tank is imported read-only", id="read-only"),
    ],
)
def test_a_pool_that_takes_no_changes_keeps_what_would_go(pool: Pool, why: str) -> None:
    part = plan(host("20T10 20T11", "20T10 20T11", pool=pool))

    assert part.steps == ()
    assert part.decisions[1].reasons == (Reason(Rule.READ_ONLY, why),)
    assert [(one.code, one.dataset) for one in part.findings] == [("pool-takes-no-writes", "tank")]
    assert not any(one.rules for one in part.datasets)


def test_a_pool_that_takes_no_changes_is_no_matter_where_nothing_would_go() -> None:
    assert plan(host("20T10", pool=Pool("tank", 1, readonly=True))).findings == ()


def test_opted_out_loses_nothing_even_when_it_is_named() -> None:
    file = file_of({"tank/a": None})
    part = plan(host("20T10 20T11m>20T11:30 20T12"), file=file, only=["tank/a"])

    assert part.steps == ()
    assert {one.reasons for one in part.decisions} == {(Reason(Rule.NO_POLICY, 'tank/a says policy = "none"'),)}


def test_named_without_a_rule_only_what_was_taken_by_hand_expires() -> None:
    part = plan(host("20T10 20T11m>20T11:30 20T12"), file=file_of({}), only=["tank/a"])

    assert gone(part) == ["local:tank/a@1002"]
    assert part.datasets[0].policy == ""
    assert part.datasets[0].rules == ""


def test_a_dataset_whose_snapshots_were_not_listed_is_not_looked_at() -> None:
    assert plan(replace(host("20T10 20T11"), snapshots={})) == Pruning()


def test_what_a_replication_rests_on_stays() -> None:
    base = Reason(Rule.BASE, "the base of nodes-to-vault")
    part = plan(
        host("20T10 20T11 20T12"), anchors={("local", "tank/a"): {1001: base}, ("vault", "tank/a"): {1002: base}}
    )

    assert gone(part) == ["local:tank/a@1002"]


def test_the_rules_of_each_policy_and_adoption_are_their_own() -> None:
    file = file_of({"tank/a": LAST_1, "tank/b": policy("last=2", name="two")})
    part = plan(host("20T10 20T11 20T12", "20T10 20T11 20T12"), file=file)

    assert gone(part) == ["local:tank/a@1001", "local:tank/a@1002", "local:tank/b@2001"]


@given(
    st.lists(histories(clock_was_right=True), min_size=1, max_size=3),
    st.sampled_from(["last=1", "daily=2 within=36h", "hourly=3d weekly=1"]),
    st.booleans(),
    st.integers(at("01T00"), at("29T00")),
)
def test_planning_again_after_applying_gives_nothing_new(
    many: list[tuple[Snapshot, ...]], keep_text: str, known: bool, clock: int
) -> None:
    file = file_of({"tank": policy(keep_text)})
    listed = [
        (dataset(f"tank/{number}", guid=number), [replace(one, dataset=f"tank/{number}") for one in history])
        for number, history in enumerate(many, 1)
    ]
    here = replace(host(*listed), clock=clock)
    fingerprints = {("local", number): {fingerprint(policy(keep_text))} for number in range(1, 4) if known}
    first = plan(here, file=file, known=fingerprints)
    lost = {(step.dataset, ref.guid) for step in first.steps for ref in step.snapshots}
    left = {
        name: tuple(one for one in history if (name, one.guid) not in lost) for name, history in here.snapshots.items()
    }
    # What was applied without objection is known from then on.
    for planned in first.datasets:
        if planned.rules:
            fingerprints[planned.host, planned.guid] = {planned.rules}
    second = plan(replace(here, snapshots=left), file=file, known=fingerprints)

    assert second.steps == ()
    assert {(one.dataset, one.guid) for one in first.decisions if one.verdict is Verdict.DESTROY} == lost
    assert [request.id for request in second.approvals] == [request.id for request in first.approvals]
