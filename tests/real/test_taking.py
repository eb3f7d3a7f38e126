"""Snapshots by schedule and by hand on real hosts."""

from __future__ import annotations

import shlex
import sqlite3
from contextlib import closing

import pytest

from tests.real.operators import Operator
from tests.real.zfs import commands, do, guids, snapshots
from tests.testbed.pools import Pool
from zfsctl.executor.create import next_second
from zfsctl.model.plan import CreateSnapshots
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.run import RunRequest, plan_run

pytestmark = pytest.mark.zfs

STAMP = len("zfsctl-20260101T000000Z")
MOST_NAME_BYTES = 255


def test_a_run_takes_one_atomic_snapshot_per_pool_and_policy_on_both_hosts(
    operator: Operator, alpha_pool: Pool, beta_pool: Pool
) -> None:
    do(
        alpha_pool.host,
        f"for name in a b vm; do zfs create -o canmount=off {alpha_pool}/$name; done",
        f"zfs create -s -V 8M {alpha_pool}/vm/disk",
    )
    do(beta_pool.host, f"zfs create -o canmount=off {beta_pool}/a")
    operator.writes(
        f"""
        policies.small = {{ snapshot = "0 0 1 1 *", keep = {{ last = 2 }} }}
        policies.other = {{ snapshot = "0 0 1 1 *", keep = {{ last = 1 }} }}
        [[datasets]]
        select = ["alpha:{alpha_pool}", "beta:{beta_pool}"]
        policy = "small"
        [[datasets]]
        select = ["alpha:{alpha_pool}/vm"]
        policy = "other"
        """
    )

    first = operator.zfsctl("run")
    second = operator.zfsctl("run")

    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    assert first.results == ["done"] * 3
    assert second.steps == []
    assert len(commands(alpha_pool, "snapshot")) == 2
    assert len(commands(beta_pool, "snapshot")) == 1
    alone = f"{alpha_pool}/vm {alpha_pool}/vm/disk"
    listing = f"zfs list -Hp -r -t snapshot -o createtxg {alpha_pool} | sort -u | wc -l; "
    listing += f"zfs list -Hp -d 1 -t snapshot -o createtxg {alone} | sort -u | wc -l; "
    listing += f"zfs get -Hp -r -t snapshot -s local -o value zfsctl:policy {alpha_pool} | sort | uniq -c"
    assert do(alpha_pool.host, listing).split() == ["2", "1", "2", "other", "3", "small"]
    on_hosts = guids(alpha_pool) | guids(beta_pool)
    assert first.guids() == on_hosts
    with closing(sqlite3.connect(operator.folder / "state/state.db")) as journal:
        rows = journal.execute("SELECT dataset || '@' || name, guid FROM snapshots").fetchall()
    assert dict(rows) == on_hosts


def test_thirty_datasets_cost_as_many_exchanges_as_three(operator: Operator, alpha_pool: Pool) -> None:
    do(
        alpha_pool.host,
        f"for n in $(seq 3); do zfs create -p -o canmount=off {alpha_pool}/few/$n; done",
        f"for n in $(seq 30); do zfs create -p -o canmount=off {alpha_pool}/many/$n; done",
        f"zfs snapshot -r {alpha_pool}@zfsctl-20260101T000000Z",
    )
    exchanges = []
    for name in ("few", "many"):
        operator.writes_rules(f"alpha:{alpha_pool}/{name}")
        with operator.session() as session:
            plan = plan_run(session, RunRequest())
            applied = apply_plan(session, plan)
            exchanges.append(session.fleet.host("alpha").exchanges)

        assert (plan.steps, applied.exit_code) == ((), 0)

    assert exchanges[0] == exchanges[1] <= 4


def test_awkward_names_are_snapshots_like_others(operator: Operator, alpha_pool: Pool) -> None:
    longest = f"{alpha_pool}/{'l' * (MOST_NAME_BYTES - STAMP - 2 - len(alpha_pool.name))}"
    odd = [f"{alpha_pool}/{name}" for name in ("two words", "-leading", "a:b", "-r", "trailing ")]
    do(
        alpha_pool.host,
        f"zfs set canmount=off {alpha_pool}",
        *(shlex.join(["zfs", "create", "-o", "canmount=off", "--", name]) for name in [*odd, longest, f"{longest}o"]),
        shlex.join(["zfs", "create", "-s", "-V", "8M", f"{alpha_pool}/disk of: one"]),
    )
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 1")

    taken = operator.zfsctl("run")
    again = operator.zfsctl("snapshot", *(f"alpha:{name}" for name in odd))
    pruned = operator.zfsctl("prune", "--yes")

    assert taken.code == 3
    assert taken.findings == [("name-too-long", "alpha", f"{longest}o")]
    datasets = [alpha_pool.name, *odd, longest, f"{alpha_pool}/disk of: one"]
    assert sorted(taken.members("done")) == sorted(f"{name}@{taken.data['steps'][0]['snapshot']}" for name in datasets)
    assert max(map(len, taken.members("done"))) == MOST_NAME_BYTES
    assert (again.code, sorted(again.members("done"))) == (
        0,
        sorted(f"{name}@{again.data['steps'][0]['snapshot']}" for name in odd),
    )
    assert (pruned.code, pruned.steps) == (0, [])
    assert {name: len(found) for name, found in snapshots(alpha_pool).items()} == {
        name: 1 + (name in odd) for name in datasets
    }


def test_a_snapshot_by_hand_is_kept_until_it_expires(operator: Operator, alpha_pool: Pool) -> None:
    do(alpha_pool.host, f"zfs create -p -o canmount=off {alpha_pool}/a/b", f"zfs create {alpha_pool}/other")
    operator.writes_rules(f"alpha:{alpha_pool}", keep="last = 1")

    taken = operator.zfsctl(
        "snapshot", f"alpha:{alpha_pool}/a", "-r", "--reason", "before 'the' upgrade: größer", "--expires", "30d"
    )
    (step,) = taken.data["steps"]
    name = step["snapshot"]
    operator.zfsctl("run")
    kept = operator.zfsctl("prune", "--yes")
    seen = operator.zfsctl("status")

    assert taken.code == 0
    assert [ref["name"] for ref in step["datasets"]] == [f"{alpha_pool}/a", f"{alpha_pool}/a/b"]
    assert name.startswith("zfsctl-manual-")
    assert kept.steps == []
    counts = {one["dataset"]: (one["scheduled"], one["manual"]) for one in seen.data["datasets"]}
    assert counts == {
        alpha_pool.name: (1, 0),
        f"{alpha_pool}/a": (1, 1),
        f"{alpha_pool}/a/b": (1, 1),
        f"{alpha_pool}/other": (1, 0),
    }
    asked = f"zfs get -Hp -s local -o property,value all {alpha_pool}/a@{name} | sort"
    properties = dict(line.split("\t") for line in do(alpha_pool.host, asked).splitlines())
    assert properties["zfsctl:reason"] == "before 'the' upgrade: größer"
    assert 0 <= int(properties["zfsctl:expires"]) - taken.data["created_at"] - 30 * 86400 < 5

    do(alpha_pool.host, f"zfs set zfsctl:expires=1 {alpha_pool}/a@{name}")
    expired = operator.zfsctl("prune", "--yes")

    assert (expired.code, expired.members("done")) == (0, [f"{alpha_pool}/a@{name}"])
    assert name in snapshots(alpha_pool)[f"{alpha_pool}/a/b"]


def test_nothing_written_means_no_snapshot_where_the_policy_says_so(operator: Operator, alpha_pool: Pool) -> None:
    do(alpha_pool.host, f"zfs create {alpha_pool}/quiet", f"zfs create {alpha_pool}/busy")
    do(
        alpha_pool.host,
        f"zfs snapshot -r {alpha_pool}@zfsctl-20260101T000000Z",
        f"echo text > /{alpha_pool}/busy/file; zpool sync {alpha_pool}",
        f"zfs snapshot -r {alpha_pool}@autosnap_foreign",
    )
    operator.writes(
        f"""
        policies.small = {{ snapshot = "* * * * *", keep = {{ last = 9 }}, skip_empty = true }}
        [[datasets]]
        select = ["alpha:{alpha_pool}"]
        policy = "small"
        """
    )
    # Due from the next minute on.
    do(alpha_pool.host, "while [ $(date +%S) -lt 59 ]; do sleep 0.5; done; sleep 2")

    written = operator.zfsctl("snapshot", "--due")

    assert do(alpha_pool.host, f"zfs get -Hp -o value written {alpha_pool}/busy") == "0\n"
    assert [member.partition("@")[0] for member in written.members("done")] == [f"{alpha_pool}/busy"]


def test_what_changes_before_the_snapshots_are_taken_costs_only_itself(operator: Operator, beta_pool: Pool) -> None:
    gone, renewed, clash, fine = (f"{beta_pool}/{name}" for name in ("gone", "renewed", "clash", "fine"))
    do(beta_pool.host, *(f"zfs create -o canmount=off {name}" for name in (gone, renewed, clash, fine)))
    operator.writes_rules(f"beta:{beta_pool}/*")
    with operator.session() as session:
        plan = plan_run(session, RunRequest())
        (step,) = plan.steps
        assert isinstance(step, CreateSnapshots)
        do(
            beta_pool.host,
            f"zfs destroy {gone}",
            f"zfs destroy {renewed}; zfs create -o canmount=off {renewed}",
            f"zfs snapshot {clash}@{step.snapshot}",
        )
        applied = apply_plan(session, plan)

    members = applied.outcomes[0].members
    later = next_second(step.snapshot)
    assert {member.dataset: (member.snapshot, str(member.result)) for member in members} == {
        gone: (step.snapshot, "stale"),
        renewed: (step.snapshot, "stale"),
        clash: (later, "done"),
        fine: (later, "done"),
    }
    assert applied.exit_code == 3
    assert snapshots(beta_pool) == {clash: [step.snapshot, later], fine: [later]}
