"""A plan that was saved, and applied to real hosts later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.real.operators import Operator
from tests.real.zfs import do, guids, scheduled, snapshots, take
from tests.testbed.pools import Pool

pytestmark = pytest.mark.zfs

NAMES = [scheduled(day) for day in range(1, 5)]


def built(operator: Operator, pool: Pool, *datasets: str) -> Path:
    """Datasets with four scheduled snapshots each, rules that keep two, and where their plan is to be saved."""
    full = [f"{pool}/{name}" for name in datasets]
    do(pool.host, *(f"zfs create -o canmount=off {name}" for name in full), *take(full, NAMES))
    operator.writes_rules(f"beta:{pool}/*")
    return operator.folder / "plan.json"


def tampered(source: Path, change: dict[str, Any]) -> Path:
    """The plan with other snapshots in its only step."""
    document = json.loads(source.read_text())
    document["data"]["steps"][0].update(change)
    target = source.with_name("tampered.json")
    target.write_text(json.dumps(document))
    return target


def test_a_saved_plan_is_applied_as_it_is_without_what_is_stale(operator: Operator, beta_pool: Pool) -> None:
    plan = built(operator, beta_pool, "a", "b", "held", "gone")
    saved = operator.zfsctl("prune", "--out", plan)
    untouched = guids(beta_pool)
    do(
        beta_pool.host,
        *take([f"{beta_pool}/a"], [scheduled(9)]),
        f"zfs hold mine {beta_pool}/held@{NAMES[0]}",
        f"zfs destroy -r {beta_pool}/gone",
    )

    unconfirmed = operator.zfsctl("apply", plan)
    applied = operator.zfsctl("apply", plan, "--yes")
    repeated = operator.zfsctl("apply", plan, "--yes")

    assert (saved.code, unconfirmed.code, applied.code, repeated.code) == (0, 5, 3, 5)
    assert len(untouched) == 16
    stale = [finding for finding in applied.findings if finding[0] == "stale"]
    assert stale == [("stale", "beta", f"{beta_pool}/gone"), ("stale", "beta", f"{beta_pool}/held")]
    assert snapshots(beta_pool) == {
        f"{beta_pool}/a": [*NAMES[2:], scheduled(9)],
        f"{beta_pool}/b": NAMES[2:],
        f"{beta_pool}/held": [NAMES[0], *NAMES[2:]],
    }
    assert repeated.document["schema"] == "zfsctl.error/1"


def test_a_plan_that_was_tampered_with_or_is_old_destroys_nothing(operator: Operator, beta_pool: Pool) -> None:
    plan = built(operator, beta_pool, "a")
    dataset = f"{beta_pool}/a"
    do(beta_pool.host, *take([dataset], ["autosnap_x"]))
    assert operator.zfsctl("prune", "--out", plan).code == 0
    before = guids(beta_pool)
    foreign, newest, kept = (
        {"name": name, "guid": before[f"{dataset}@{name}"]} for name in ("autosnap_x", NAMES[3], NAMES[2])
    )
    other = {"name": NAMES[0], "guid": before[f"{dataset}@{NAMES[3]}"]}
    old = json.loads(plan.read_text())
    old["data"]["created_at"] -= 7200
    old["data"]["valid_until"] -= 7200
    plan.with_name("old.json").write_text(json.dumps(old))

    answers = [
        operator.zfsctl("apply", "--yes", tampered(plan, {"snapshots": [foreign, newest, kept]})),
        operator.zfsctl("apply", "--yes", tampered(plan, {"snapshots": [other]})),
        operator.zfsctl("apply", "--yes", tampered(plan, {"dataset": f"{beta_pool}/b"})),
        operator.zfsctl("apply", "--yes", plan.with_name("old.json")),
    ]

    assert [answer.code for answer in answers] == [5, 5, 5, 5]
    assert guids(beta_pool) == before
