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
def test_monitoring_hears_of_replications(zfsctl: Zfsctl, copied: Path, change: Any, code: int, start: str) -> None:
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


def evidence(rows: list[list[str]], sender: str) -> dict[str, str]:
    return {row[2]: row[3] for row in rows if row[:2] == ["evidence", sender]}


def test_a_replication_is_explained_by_the_very_plan_of_a_run(zfsctl: Zfsctl, copied: Path) -> None:
    zfsctl("sandbox", "advance", "2h", copied)
    zfsctl("run", "--only", "snapshot", "--sandbox", copied)
    rows = zfsctl("explain", "to-beta", "--sandbox", copied).rows
    data = valid(zfsctl("explain", "to-beta", "--json", "--sandbox", copied), "explanation")
    plan = valid(zfsctl("replicate", "--dry-run", "--json", "--sandbox", copied), "plan")

    facts = {row[1]: row[2] for row in rows if row[0] == "fact"}
    assert rows[0] == ["subject", "replication", "to-beta"]
    assert (facts["sender"], facts["receiver"], facts["route"]) == ("tank", "beta:bk/tank", "relay")
    assert facts["health"] == "healthy, lag none, seen since 2026-11-20 12:00"
    assert [row[4:8] for row in rows if row[0] == "pair"] == [["healthy", "behind", "0", "1"]] * 2
    assert evidence(rows, "tank/db")["both"] == "9 snapshots"
    assert evidence(rows, "tank/db")["sender"] == "1 snapshot of its own, to be sent: @zfsctl-20261120T140000Z"
    assert [row[1:4] for row in rows if row[0] == "step"] == [
        [name, ">", "to-beta  -i zfsctl-20261120T120000Z → zfsctl-20261120T140000Z"] for name in ("tank", "tank/db")
    ]
    told = {step["id"]: step for pair in data["pairs"] for step in pair["steps"]}
    assert told == {step["id"]: step for step in plan["steps"]}


def test_the_worst_dataset_of_a_replication_comes_first_with_its_reason(zfsctl: Zfsctl, copied: Path) -> None:
    edit_fleet(copied, written_to)
    (first, second) = valid(zfsctl("explain", "to-beta", "--json", "--sandbox", copied), "explanation")["pairs"]

    assert (first["sender"]["dataset"], first["health"], first["state"]) == ("tank/db", "broken", "modified")
    assert first["why"].startswith("4096 bytes were written on the receiver after @zfsctl-20261120T120000Z; its repair")
    assert first["next"].startswith("zfsctl approvals approve ")
    assert second["health"] == "healthy"


def test_a_dataset_that_is_sent_says_so(zfsctl: Zfsctl, copied: Path) -> None:
    rows = zfsctl("explain", "tank/db", "--sandbox", copied).rows
    edit_fleet(copied, in_use)
    after = zfsctl("explain", "tank/db@zfsctl-20261120T120000Z", "--sandbox", copied).rows

    assert ["fact", "sent by", "to-beta to beta:bk/tank/db: healthy"] in rows
    (text,) = (row[2] for row in after if row[1] == "sent by")
    assert text.startswith("to-beta to beta:bk/tank/db: taken-over: the receiver is mounted")


def test_what_is_received_is_ruled_by_the_keep_of_its_replication(zfsctl: Zfsctl, copied: Path) -> None:
    rows = zfsctl("explain", "beta:bk/tank/db", "--sandbox", copied).rows
    facts = {row[1]: row[2] for row in rows if row[0] == "fact"}
    oldest = zfsctl("explain", "beta:bk/tank/db@zfsctl-20261120T040000Z", "--sandbox", copied).rows[-1]

    assert facts == {
        "policy": "to-beta (receiver)",
        "rule": f"{copied}/zfsctl.toml: replications[1]: keep",
        "received by": "to-beta from tank/db: healthy",
    }
    assert ["rule", "hourly = 30"] in rows
    assert oldest[5:] == [
        "2026-11-21T10:00:00Z",
        "hour 04:00, 9 of 30",
        "hourly = 30 lets go of it on 2026-11-21 10:00",
    ]


def test_without_a_keep_what_is_received_is_ruled_by_the_policy_of_its_sender(zfsctl: Zfsctl, copied: Path) -> None:
    policy = copied / "zfsctl.toml"
    policy.write_text(POLICY.replace("keep = { hourly = 30 }", ""))
    rows = zfsctl("explain", "beta:bk/tank/db", "--sandbox", copied).rows

    assert ["fact", "rule", "the policy of its sender, tank/db"] in rows
    assert ["rule", "hourly = 20"] in rows


def test_the_root_of_a_receiving_pool_is_a_dataset_too(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text(POLICY.replace("beta:bk/tank", "usb/tank"))
    edit_fleet(sandbox, lambda document: document["hosts"]["local"]["pools"].update(usb={"datasets": {"usb": {}}}))

    assert zfsctl("explain", "usb", "--sandbox", sandbox).rows[0] == ["subject", "dataset", "usb"]


def test_a_name_that_a_policy_and_a_replication_have_needs_a_choice(zfsctl: Zfsctl, copied: Path) -> None:
    policy = copied / "zfsctl.toml"
    policy.write_text(POLICY.replace('"to-beta"', '"critical"'))
    both = zfsctl("explain", "critical", "--sandbox", copied)
    one = zfsctl("explain", "critical", "--as", "replication", "--sandbox", copied)

    assert (both.code, "it is a policy and a replication" in both.stderr) == (2, True)
    assert one.rows[0] == ["subject", "replication", "critical"]


def test_a_replication_whose_host_is_silent_is_explained_as_unknown(zfsctl: Zfsctl, copied: Path) -> None:
    edit_fleet(copied, unreachable)
    ended = zfsctl("explain", "to-beta", "--sandbox", copied)

    assert {row[4] for row in ended.rows if row[0] == "pair"} == {"unknown"}
    assert "both" not in evidence(ended.rows, "tank/db")
    assert any(row[0] == "!" for row in ended.rows)


def test_a_topic_tells_what_the_words_mean(zfsctl: Zfsctl, sandbox: Path) -> None:
    text = zfsctl("explain", "replication", "--sandbox", sandbox).stdout

    assert all(word.upper() in text for word in ("healthy", "away", "repairing", "unknown", "taken-over", "broken"))
