"""What commands say of replications, on simulated hosts: how they stand, why, and what comes next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Zfsctl, edit_fleet, fleet
from tests.cli.test_verbs import unreachable, valid

POLICY = """\
[hosts]
beta = "beta.lan"

[policies.critical]
snapshot = "hourly"
keep = { last = 2, hourly = 20 }

[[datasets]]
select = ["tank"]
policy = "critical"

[[replications]]
name = "to-beta"
sender = "tank"
receiver = "beta:bk/tank"
warn_after = "12h"
keep = { hourly = 30 }
"""

EMPTY = ("the first snapshot will be sent",)
MISSING = ("there is no copy yet", "the next run sends the first copy, 8 snapshots")


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """Two hosts: tank/db with eight hourly snapshots is to be copied to bk/tank/db, where nothing is yet."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "zfsctl.toml").write_text(POLICY)
    document = fleet()
    del document["hosts"]["beta"]["pools"]["bk"]["datasets"]["bk/db"]
    (folder / "fleet.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def copied(zfsctl: Zfsctl, sandbox: Path) -> Path:
    """The same once everything was sent."""
    assert zfsctl("run", "--sandbox", sandbox).code == 0
    return sandbox


def copy_of_db(document: dict[str, Any]) -> dict[str, Any]:
    """The copy of tank/db in the document of the simulated hosts."""
    found: dict[str, Any] = document["hosts"]["beta"]["pools"]["bk"]["datasets"]["bk/tank/db"]
    return found


def in_use(document: dict[str, Any]) -> None:
    copy_of_db(document)["properties"] |= {"readonly": "off", "canmount": "on", "mountpoint": "/db"}
    copy_of_db(document)["mounted"] = True


def written_to(document: dict[str, Any]) -> None:
    copy_of_db(document)["written"] = 4096


def test_a_status_tells_of_each_replication_and_each_of_its_datasets(zfsctl: Zfsctl, sandbox: Path) -> None:
    before = zfsctl("status", "--sandbox", sandbox).rows
    zfsctl("run", "--sandbox", sandbox)
    after = zfsctl("status", "--sandbox", sandbox).rows

    base = ["@zfsctl-20261120T120000Z", "2026-11-20T12:00:00Z"]
    assert [row for row in before if row[0] in ("replication", "pair")] == [
        ["replication", "to-beta", "warning", "28800", "43200", "259200"],
        ["pair", "to-beta", "tank", "beta:bk/tank", "healthy", "empty", "0", "0", "-", "-", "-", *EMPTY],
        ["pair", "to-beta", "tank/db", "beta:bk/tank/db", "warning", "missing", "28800", "8", "-", "-", *MISSING],
    ]
    assert [row for row in after if row[0] in ("replication", "pair")] == [
        ["replication", "to-beta", "healthy", "0", "43200", "259200"],
        ["pair", "to-beta", "tank", "beta:bk/tank", "healthy", "current", "0", "0", *base, "-", "-"],
        ["pair", "to-beta", "tank/db", "beta:bk/tank/db", "healthy", "current", "0", "0", *base, "-", "-"],
    ]


def test_the_document_of_a_status_holds_its_replications(zfsctl: Zfsctl, copied: Path) -> None:
    (replication,) = valid(zfsctl("status", "--json", "--sandbox", copied), "status")["replications"]

    assert (replication["name"], replication["health"], replication["lag"]) == ("to-beta", "healthy", 0)
    assert replication["pairs"][1]["receiver"] == {"host": "beta", "dataset": "bk/tank/db"}


def test_a_run_leaves_a_view_of_replications_for_which_no_host_is_asked(zfsctl: Zfsctl, copied: Path) -> None:
    seen = zfsctl("status", "--sandbox", copied)
    zfsctl("sandbox", "advance", "1h", copied)
    zfsctl("run", "--sandbox", copied)
    edit_fleet(copied, unreachable)
    kept = zfsctl("status", "--cached", "--sandbox", copied)

    assert [row[:3] for row in seen.rows if row[0] == "replication"] == [["replication", "to-beta", "healthy"]]
    assert [row[4:9] for row in kept.rows if row[0] == "pair"] == [
        ["healthy", "current", "0", "0", "@zfsctl-20261120T130000Z"]
    ] * 2


def test_a_run_that_looks_at_no_receiver_leaves_the_last_view(zfsctl: Zfsctl, copied: Path) -> None:
    before = zfsctl("status", "--cached", "--sandbox", copied).stdout
    zfsctl("sandbox", "advance", "1h", copied)
    zfsctl("run", "--only", "snapshot", "--sandbox", copied)

    assert zfsctl("status", "--cached", "--sandbox", copied).stdout == before


def test_what_is_received_is_never_late_for_a_schedule(zfsctl: Zfsctl, copied: Path) -> None:
    policy = copied / "zfsctl.toml"
    policy.write_text(
        POLICY.replace('select = ["tank"]', 'select = ["tank", "beta:bk/*/d*"]').replace("keep = { hourly = 30 }", "")
    )
    zfsctl("sandbox", "advance", "5h", copied)
    rows = zfsctl("status", "--sandbox", copied).rows

    assert {row[1]: row[2] for row in rows if row[0] == "dataset"} == {
        "tank": "critical",
        "tank/db": "critical",
        "beta:bk/tank/db": "ok",
    }


@pytest.mark.parametrize(
    ("change", "code", "start"),
    [
        pytest.param(
            lambda _: None,
            0,
            "ZFSCTL OK - 2 hosts, 2 datasets, 1 replication | ok=5 warning=0 critical=0 unknown=0 "
            "newest_age_max=0s lag_to-beta=0s;43200;259200 approvals=0",
            id="all-is-well",
        ),
        pytest.param(
            in_use,
            2,
            "ZFSCTL CRITICAL - to-beta: taken-over: tank/db → beta:bk/tank/db: the receiver is mounted",
            id="the-copy-is-in-use",
        ),
        pytest.param(
            written_to,
            2,
            "ZFSCTL CRITICAL - to-beta: broken: tank/db → beta:bk/tank/db: 4096 bytes were written",
            id="the-copy-was-written-to",
        ),
        pytest.param(unreachable, 3, "ZFSCTL UNKNOWN - beta: ", id="its-host-is-silent"),
    ],
)
def test_monitoring_hears_of_replications(zfsctl: Zfsctl, copied: Path, change: Any, code: int, start: str) -> None:  # noqa: ANN401
    edit_fleet(copied, change)
    ended = zfsctl("status", "--check", "--sandbox", copied)

    assert (ended.code, ended.stdout[: len(start)]) == (code, start)


def test_monitoring_sees_the_lag_grow_past_its_limits(zfsctl: Zfsctl, copied: Path) -> None:
    seen = []
    for hours in ("1h", "13h", "60h"):
        zfsctl("sandbox", "advance", hours, copied)
        zfsctl("run", "--only", "snapshot", "--sandbox", copied)
        ended = zfsctl("status", "--check", "--sandbox", copied)
        seen.append((ended.code, ended.stdout.split("lag_to-beta=")[1].split(" ")[0]))

    assert seen == [(0, "0s;43200;259200"), (1, "46800s;43200;259200"), (2, "262800s;43200;259200")]


def test_a_lag_that_cannot_be_known_is_u(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, unreachable)
    ended = zfsctl("status", "--check", "--sandbox", sandbox)

    assert " lag_to-beta=U " in ended.stdout


@pytest.mark.parametrize("host", ["local", "beta"])
def test_one_host_is_told_of_with_the_replications_that_end_there(zfsctl: Zfsctl, copied: Path, host: str) -> None:
    ended = zfsctl("status", "--host", host, "--sandbox", copied)

    assert ended.code == 0
    assert [row[1] for row in ended.rows if row[0] == "host"] == [host]
    assert [row[1:3] for row in ended.rows if row[0] == "replication"] == [["to-beta", "healthy"]]
    assert ("dataset" in {row[0] for row in ended.rows}) is (host == "local")


def test_a_change_of_health_is_noted_by_runs_and_by_looks(zfsctl: Zfsctl, sandbox: Path) -> None:
    zfsctl("status", "--sandbox", sandbox)
    zfsctl("replicate", "--sandbox", sandbox)
    zfsctl("sandbox", "advance", "1h", sandbox)
    zfsctl("run", "--sandbox", sandbox)
    edit_fleet(sandbox, in_use)
    zfsctl("sandbox", "advance", "1h", sandbox)
    zfsctl("run", "--sandbox", sandbox)
    ended = zfsctl("history", "to-beta", "--sandbox", sandbox)
    whole = valid(zfsctl("history", "--replications", "--json", "--sandbox", sandbox), "history")

    assert [row[1:2] + row[3:9] for row in ended.rows] == [
        ["2026-11-20T14:00:00Z", "tank/db", "beta:bk/tank/db", "healthy", "taken-over", "taken-over", "0"],
        ["2026-11-20T14:00:00Z", "-", "-", "healthy", "taken-over", "-", "0"],
        ["2026-11-20T12:00:00Z", "tank/db", "beta:bk/tank/db", "warning", "healthy", "current", "0"],
        ["2026-11-20T12:00:00Z", "-", "-", "warning", "healthy", "-", "0"],
        ["2026-11-20T12:00:00Z", "tank/db", "beta:bk/tank/db", "-", "warning", "missing", "28800"],
        ["2026-11-20T12:00:00Z", "tank", "beta:bk/tank", "-", "healthy", "empty", "0"],
        ["2026-11-20T12:00:00Z", "-", "-", "-", "warning", "-", "28800"],
    ]
    assert [(one["old"], one["new"]) for one in whole["health"]] == [
        ("healthy", "taken-over"),
        ("warning", "healthy"),
        (None, "warning"),
    ]
    assert whole["runs"] == []


def test_a_replication_of_which_nothing_was_noted_is_no_unknown_run(zfsctl: Zfsctl, sandbox: Path) -> None:
    known = zfsctl("history", "to-beta", "--sandbox", sandbox)
    unknown = zfsctl("history", "to-gamma", "--sandbox", sandbox)

    assert (known.code, known.stdout) == (0, "")
    assert unknown.code == 2


def test_one_host_alone_changes_no_history(zfsctl: Zfsctl, copied: Path) -> None:
    before = zfsctl("history", "to-beta", "--sandbox", copied).stdout
    edit_fleet(copied, in_use)
    zfsctl("status", "--host", "beta", "--sandbox", copied)

    assert zfsctl("history", "to-beta", "--sandbox", copied).stdout == before
