"""`zfsctl doctor`: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.cli.conftest import Zfsctl, edit_fleet
from zfsctl.documents.schemas import json_schema

HELD = "zfsctl-20261120T110000Z"


def with_a_leaked_hold(document: dict[str, Any]) -> None:
    document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank/db"]["snapshots"][-1]["holds"] = ["zfsctl:gone:base"]


def with_a_copy_set_aside(document: dict[str, Any]) -> None:
    datasets = document["hosts"]["beta"]["pools"]["bk"]["datasets"]
    datasets["bk/db.zfsctl-aside-20261118T120000Z"] = {
        "properties": {"canmount": "noauto", "zfsctl:aside": "clone:to-beta:7:20261118T120000Z"},
        "snapshots": [{"name": "own", "guid": "77"}],
    }


def test_nothing_left_over_ends_well(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("doctor", "--sandbox", sandbox)

    assert (ended.code, ended.stdout) == (0, "")
    assert ended.stderr == "Looked at 2 hosts: nothing is left over.\n"


def test_what_is_left_over_ends_with_6_and_says_what_to_paste(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_leaked_hold)

    ended = zfsctl("doctor", "--sandbox", sandbox)

    assert ended.code == 6
    assert ended.rows == [
        [
            "!",
            "tank/db",
            "warning",
            "leaked-hold",
            f"@{HELD} cannot be destroyed, held by zfsctl:gone:base: the policy has no replication gone, unless "
            "another machine's policy has it",
            f"zfs release zfsctl:gone:base tank/db@{HELD}",
        ]
    ]
    assert ended.stderr == "Looked at 2 hosts: 1 finding.\n"


def test_a_copy_set_aside_is_a_row_of_its_own(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_copy_set_aside)

    ended = zfsctl("doctor", "--sandbox", sandbox)

    aside = "beta:bk/db.zfsctl-aside-20261118T120000Z"
    assert ended.code == 6
    (row,) = ended.rows
    assert row[:5] == ["aside", aside, "bk/db", "2026-11-18T12:00:00Z", "1"]
    assert row[6:] == ["-", "-"]


def test_json_is_one_document_as_its_schema_says(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_leaked_hold)
    edit_fleet(sandbox, with_a_copy_set_aside)

    ended = zfsctl("doctor", "--json", "--sandbox", sandbox)

    assert ended.code == 6
    assert [error.message for error in Draft202012Validator(json_schema("doctor")).iter_errors(ended.document)] == []
    data = ended.document["data"]
    assert data["hosts"] == ["local", "beta"]
    assert [finding["code"] for finding in data["findings"]] == ["leaked-hold"]
    assert [(one["dataset"], one["obstacles"]) for one in data["asides"]] == [
        ("bk/db.zfsctl-aside-20261118T120000Z", [])
    ]


def test_one_host_alone(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_leaked_hold)

    assert zfsctl("doctor", "--host", "beta", "--sandbox", sandbox).code == 0
    assert zfsctl("doctor", "--host", "local", "--sandbox", sandbox).code == 6


def test_a_host_that_does_not_answer_ends_with_12_alone_and_with_3_among_others(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, lambda document: document["hosts"]["beta"].update(reachable=False))

    assert zfsctl("doctor", "--host", "beta", "--sandbox", sandbox).code == 12
    assert zfsctl("doctor", "--sandbox", sandbox).code == 3
