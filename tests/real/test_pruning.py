"""Pruning on real hosts: what goes, in how many commands, and what a member that cannot go costs."""

from __future__ import annotations

import pytest

from tests.real.operators import Operator
from tests.real.zfs import commands, do, guids, scheduled, snapshots, take
from tests.testbed.pools import Pool
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.prune import PruneRequest, plan_prune

pytestmark = pytest.mark.zfs

FOREIGN = ["__replicate__2026", "auto-2026-01-01_00-00", "autosnap_2026-01-01_00:00:01_daily", "vzdump", "zfsctl-2026"]


def test_one_comma_list_per_dataset_and_what_is_foreign_stays(operator: Operator, alpha_pool: Pool) -> None:
    a, b, adopted = (f"{alpha_pool}/{name}" for name in ("a", "b c", "adopted"))
    names = [scheduled(day) for day in range(1, 5)]
    do(
        alpha_pool.host,
        *(f"zfs create -o canmount=off '{name}'" for name in (a, b, adopted)),
        *take([a, b], names[:2]),
        *take([a, adopted], FOREIGN[:3]),
        *take([a, b], names[2:]),
        *take([a], FOREIGN[3:]),
    )
    operator.writes(
        f"""
        policies.small = {{ keep = {{ last = 1 }} }}
        [[datasets]]
        select = ["alpha:{alpha_pool}"]
        policy = "small"
        [[datasets]]
        select = ["alpha:{adopted}"]
        policy = "small"
        adopt = ["autosnap_*", "__*__*"]
        """
    )
    before = guids(alpha_pool)

    refused = operator.zfsctl("prune")
    shown = operator.zfsctl("prune", "--dry-run")
    untouched = guids(alpha_pool)
    pruned = operator.zfsctl("prune", "--yes")

    assert (refused.code, shown.code, pruned.code) == (5, 0, 0)
    assert untouched == before
    assert pruned.data["steps"] == shown.data["steps"]
    assert all(step["frees"] is not None for step in pruned.data["steps"])
    gone = {a: names[:3], b: names[:3], adopted: [FOREIGN[0]]}
    assert commands(alpha_pool, "destroy") == [f"zfs destroy {name}@{','.join(gone[name])}" for name in sorted(gone)]
    assert snapshots(alpha_pool) == {
        a: [*FOREIGN[:3], names[3], *FOREIGN[3:]],
        b: [names[3]],
        adopted: FOREIGN[1:3],
    }
    planned = {(one["dataset"], one["snapshot"]): one["guid"] for one in shown.data["decisions"]}
    assert planned == {tuple(name.split("@")): guid for name, guid in before.items()}


def test_a_member_that_cannot_go_costs_only_itself(operator: Operator, alpha_pool: Pool) -> None:
    dataset = f"{alpha_pool}/a"
    held, cloned, gone, replaced, free, late, newest = (scheduled(day) for day in range(1, 8))
    do(
        alpha_pool.host,
        f"zfs create -o canmount=off {dataset}",
        *take([dataset], [held, cloned, gone, replaced, free, late, newest]),
    )
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 1")
    with operator.session() as session:
        plan = plan_prune(session, PruneRequest())
        do(
            alpha_pool.host,
            f"zfs hold mine {dataset}@{held}",
            f"zfs clone -o canmount=off {dataset}@{cloned} {alpha_pool}/clone",
            f"zfs destroy {dataset}@{gone}",
            f"zfs destroy {dataset}@{replaced}",
            f"zfs snapshot {dataset}@{replaced}",
        )
        other = guids(alpha_pool)[f"{dataset}@{replaced}"]
        applied = apply_plan(session, plan)

    (outcome,) = applied.outcomes
    assert applied.exit_code == 3
    assert {member.snapshot: str(member.result) for member in outcome.members} == {
        held: "stale",
        cloned: "stale",
        gone: "done",
        replaced: "stale",
        free: "done",
        late: "done",
    }
    assert guids(alpha_pool)[f"{dataset}@{replaced}"] == other
    assert snapshots(alpha_pool)[dataset] == [held, cloned, newest, replaced]

    after = operator.zfsctl("prune", "--yes")

    reasons = {one["snapshot"]: one["reasons"][0]["rule"] for one in after.data["decisions"]}
    assert (reasons[held], reasons[cloned]) == ("held", "clones")
    assert after.code == 0


def test_what_became_another_between_plan_and_apply_is_left_alone(operator: Operator, alpha_pool: Pool) -> None:
    gone, replaced, renewed, fine = (f"{alpha_pool}/{name}" for name in ("gone", "replaced", "renewed", "fine"))
    names = [scheduled(1), scheduled(2)]
    do(
        alpha_pool.host,
        *(f"zfs create -o canmount=off {name}" for name in (gone, replaced, renewed, fine)),
        *take([gone, replaced, renewed, fine], names),
    )
    operator.writes_rules(f"alpha:{alpha_pool}/*", keep="last = 1")
    with operator.session() as session:
        plan = plan_prune(session, PruneRequest())
        do(
            alpha_pool.host,
            f"zfs destroy -r {gone}",
            f"zfs destroy {replaced}@{names[0]}; zfs snapshot {replaced}@{names[0]}",
            f"zfs destroy -r {renewed}; zfs create -o canmount=off {renewed}",
            *take([renewed], names),
        )
        before = guids(alpha_pool)
        applied = apply_plan(session, plan)

    results = {step.dataset: str(outcome.result) for step, outcome in zip(plan.steps, applied.outcomes, strict=True)}
    assert results == {gone: "done", replaced: "stale", renewed: "stale", fine: "done"}
    assert applied.exit_code == 3
    assert guids(alpha_pool) == {name: guid for name, guid in before.items() if name != f"{fine}@{names[0]}"}

    operator.writes_rules(f"alpha:{replaced}", keep="last = 1")
    with operator.session() as session:
        plan = plan_prune(session, PruneRequest())
        do(alpha_pool.host, f"zfs destroy {replaced}@{names[1]}; zfs snapshot {replaced}@{names[1]}")
        applied = apply_plan(session, plan)

    assert (applied.exit_code, str(applied.outcomes[0].result)) == (5, "stale")


def test_changed_rules_ask_before_a_mass_of_snapshots_goes(operator: Operator, alpha_pool: Pool) -> None:
    dataset = f"{alpha_pool}/a"
    names = [scheduled(day) for day in range(1, 17)]
    do(alpha_pool.host, f"zfs create -o canmount=off {dataset}", *take([dataset], names))
    operator.writes_rules(f"alpha:{dataset}", keep="last = 16")
    operator.zfsctl("run")
    operator.writes_rules(f"alpha:{dataset}", keep="last = 4")

    withheld = operator.zfsctl("run")
    (request,) = operator.zfsctl("approvals").data["approvals"]
    still = snapshots(alpha_pool)[dataset]
    approved = operator.zfsctl("approvals", "approve", request["id"])
    destroyed = operator.zfsctl("run")

    assert (withheld.code, withheld.steps, withheld.findings) == (5, [], [("withheld", "alpha", dataset)])
    assert still == names
    assert sorted(one["name"] for one in request["snapshots"]) == names[:12]
    assert approved.code == 0
    assert destroyed.code == 0
    assert sorted(destroyed.members("done")) == [f"{dataset}@{name}" for name in names[:12]]
    assert snapshots(alpha_pool)[dataset] == names[12:]


@pytest.mark.slow
def test_five_hundred_snapshots_of_fifty_datasets_go_in_three_exchanges(operator: Operator, alpha_pool: Pool) -> None:
    datasets = [f"{alpha_pool}/{number}" for number in range(50)]
    names = [scheduled(day) for day in range(1, 12)]
    do(
        alpha_pool.host,
        f"for n in $(seq 0 49); do zfs create -o canmount=off {alpha_pool}/$n; done",
        *take(datasets, names),
    )
    operator.writes_rules(*(f"alpha:{alpha_pool}/{number}" for number in range(50)), keep="last = 1")
    with operator.session() as session:
        plan = plan_prune(session, PruneRequest())
        before = session.fleet.host("alpha").exchanges
        applied = apply_plan(session, plan)
        exchanges = session.fleet.host("alpha").exchanges - before

    assert applied.exit_code == 0
    assert sum(len(outcome.members) for outcome in applied.outcomes) == 500
    assert exchanges <= 3
    assert len(commands(alpha_pool, "destroy")) == 50
    assert snapshots(alpha_pool) == {name: [names[-1]] for name in sorted(datasets)}
