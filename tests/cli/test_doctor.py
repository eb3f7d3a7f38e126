"""`zfsctl doctor`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Zfsctl, edit_fleet
from tests.documents.schemas import validator_of

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
    assert [error.message for error in validator_of("doctor").iter_errors(ended.document)] == []
    data = ended.document["data"]
    assert data["hosts"] == ["local", "beta"]
    assert [finding["code"] for finding in data["findings"]] == ["leaked-hold"]
    assert [(one["dataset"], one["obstacles"]) for one in data["asides"]] == [
        ("bk/db.zfsctl-aside-20261118T120000Z", [])
    ]


ASIDE = "bk/db.zfsctl-aside-20261118T120000Z"


def left(sandbox: Path) -> set[str]:
    """The datasets of beta."""
    return set(json.loads((sandbox / "fleet.json").read_text())["hosts"]["beta"]["pools"]["bk"]["datasets"])


def test_a_copy_goes_when_its_name_was_typed(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_copy_set_aside)

    plan = zfsctl("doctor", "--release", f"beta:{ASIDE}", "--dry-run", "--sandbox", sandbox)
    ended = zfsctl("doctor", "--release", f"beta:{ASIDE}", "--confirm", ASIDE, "--sandbox", sandbox)

    why = "set aside 2 d ago by a repair of to-beta"
    assert (plan.code, ended.code) == (0, 0)
    assert [[row[0], row[1], row[2], row[4]] for row in plan.rows] == [
        ["-", f"beta:{ASIDE}", "own", "it goes with its dataset"],
        ["-", f"beta:{ASIDE}", "(dataset)", why],
    ]
    assert [row[0] for row in ended.rows] == ["done", "done"]
    assert left(sandbox) == {"bk", "bk/db"}
    assert zfsctl("doctor", "--sandbox", sandbox).code == 0


@pytest.mark.parametrize(
    "more", [(), ("--yes",), ("--confirm", "bk/db"), ("--confirm", "yes"), ("--confirm", f"beta:{ASIDE}")]
)
def test_without_its_name_it_stays(zfsctl: Zfsctl, sandbox: Path, more: tuple[str, ...]) -> None:
    edit_fleet(sandbox, with_a_copy_set_aside)

    ended = zfsctl("doctor", "--release", f"beta:{ASIDE}", *more, "--sandbox", sandbox)

    assert ended.code == 5
    assert f"doctor --release: nothing was released, {ASIDE} stays" in ended.stderr
    assert left(sandbox) == {"bk", "bk/db", ASIDE}


def test_what_was_never_set_aside_is_a_wrong_name(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("doctor", "--release", "beta:bk/db", "--confirm", "bk/db", "--json", "--sandbox", sandbox)

    assert ended.code == 2
    (error,) = ended.document["data"]["errors"]
    assert (error["code"], error["message"]) == (
        "usage", "beta:bk/db: not released, it is no copy that a repair set aside",
    )  # fmt: skip


def test_a_saved_release_asks_for_the_name_too(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_copy_set_aside)
    path = sandbox / "plan.json"

    kept = zfsctl("doctor", "--release", f"beta:{ASIDE}", "--out", path, "--json", "--sandbox", sandbox)
    refused = zfsctl("apply", path, "--yes", "--sandbox", sandbox)
    stayed = left(sandbox)
    applied = zfsctl("apply", path, "--confirm", ASIDE, "--json", "--sandbox", sandbox)

    assert [step["kind"] for step in kept.document["data"]["steps"]] == ["destroy-dataset"]
    assert [kept.code, refused.code, applied.code] == [0, 5, 0]
    assert ASIDE in stayed
    assert ASIDE not in left(sandbox)
    assert applied.document["data"]["outcomes"][0]["result"] == "done"


@pytest.mark.parametrize("option", [("--dry-run",), ("--confirm", "x"), ("--out", "x"), ("--detailed-exitcode",)])
def test_what_is_about_a_release_needs_one(zfsctl: Zfsctl, sandbox: Path, option: tuple[str, ...]) -> None:
    ended = zfsctl("doctor", *option, "--sandbox", sandbox)

    assert ended.code == 2
    assert "it is about --release" in ended.stderr


def test_one_host_alone(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, with_a_leaked_hold)

    assert zfsctl("doctor", "--host", "beta", "--sandbox", sandbox).code == 0
    assert zfsctl("doctor", "--host", "local", "--sandbox", sandbox).code == 6


def test_a_host_that_does_not_answer_ends_with_12_alone_and_with_3_among_others(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, lambda document: document["hosts"]["beta"].update(reachable=False))

    assert zfsctl("doctor", "--host", "beta", "--sandbox", sandbox).code == 12
    assert zfsctl("doctor", "--sandbox", sandbox).code == 3
