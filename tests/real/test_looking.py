"""What a person asks of real hosts, and gets as documents."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from tests.real.operators import Operator
from tests.real.zfs import do, scheduled, take
from tests.testbed.pools import Pool

pytestmark = pytest.mark.zfs

NAMES = [scheduled(day) for day in range(1, 4)]


def test_explain_and_status_tell_what_is_there_in_documents_of_their_schema(
    operator: Operator, beta_pool: Pool
) -> None:
    dataset = f"{beta_pool}/two words"
    do(
        beta_pool.host,
        f"zfs create '{dataset}'",
        *take([dataset], NAMES[:2]),
        f"zfs hold mine '{dataset}@{NAMES[0]}'",
        f"echo text > '/{dataset}/file'; zpool sync {beta_pool}",
        *take([dataset], [NAMES[2], "auto-x"]),
    )
    operator.writes_rules(f"beta:{beta_pool}/*", keep="last = 1")

    answers = {
        words: operator.zfsctl(*words)
        for words in [
            ("explain", f"beta:{dataset}"),
            ("explain", f"beta:{dataset}@{NAMES[0]}"),
            ("explain", "small", "--as", "policy"),
            ("status",),
            ("status", "--cached"),
            ("config", "check"),
            ("explain", f"beta:{dataset}@nothere"),
            ("status", "--host", "btea"),
        ]
    }

    printed = json.loads(operator.zfsctl("schema").stdout)
    for words, answer in answers.items():
        kind = answer.document["schema"].removeprefix("zfsctl.").removesuffix("/1")
        Draft202012Validator(printed[kind]).validate(answer.document)
        assert answer.code == (2 if words[-1].endswith(("nothere", "btea")) else 0), words
    whole, one, policy, status, cached, *_ = answers.values()
    rules = {
        snapshot["snapshot"]: [reason["rule"] for reason in snapshot["reasons"]] for snapshot in whole.data["snapshots"]
    }
    assert rules == {NAMES[0]: ["held"], NAMES[1]: ["no-rule"], NAMES[2]: ["last", "newest"], "auto-x": ["not-ours"]}
    assert [snapshot["snapshot"] for snapshot in one.data["snapshots"]] == [NAMES[0]]
    assert policy.data["name"] == "small"
    (seen,) = status.data["datasets"]
    assert (seen["dataset"], seen["scheduled"], seen["foreign"], seen["newest"]) == (dataset, 3, 1, NAMES[2])
    assert seen["used_by_snapshots"] == int(do(beta_pool.host, f"zfs get -Hp -o value usedbysnapshots '{dataset}'"))
    assert cached.data["datasets"] == status.data["datasets"]
