"""Replication by the command line on simulated hosts: a chain, its prunes, and receivers that are not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HOUR, NOON, Zfsctl, edit_fleet, snapshots
from tests.cli.test_verbs import valid

POLICY = """\
[hosts]
beta = "beta.lan"
gamma = "gamma.lan"

[policies.critical]
snapshot = "hourly"
keep = {{ last = 2, hourly = 4 }}

[[datasets]]
select = ["tank/db"]
policy = "critical"

[[replications]]
name = "near"
sender = "tank/db"
receiver = "beta:bk/db"
keep = {{ last = 5 }}
repair = "never"
{near}

[[replications]]
name = "onward"
sender = "beta:bk/db"
receiver = "gamma:vault/{{host}}/db"
keep = {{ last = 6 }}
repair = "never"
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """local:tank/db with eight hourly snapshots goes to beta, and from there to gamma; nothing is copied yet."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    hosts = {"local": "tank", "beta": "bk", "gamma": "vault"}
    document = {
        "schema": "zfsctl.sandbox/1",
        "now": "2026-11-20T12:00:00Z",
        "hosts": {host: {"pools": {pool: {"size": 2**40, "datasets": {pool: {}}}}} for host, pool in hosts.items()},
    }
    tank: dict[str, Any] = document["hosts"]["local"]["pools"]["tank"]["datasets"]
    tank["tank/db"] = {"snapshots": snapshots()}
    (folder / "fleet.json").write_text(json.dumps(document))
    writes_policy(folder)
    return folder


def writes_policy(folder: Path, near: str = "") -> None:
    (folder / "zfsctl.toml").write_text(POLICY.format(near=near))


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs it leaves the folder in which everything is everywhere."""
    return tmp_path_factory.mktemp("settled") / "sandbox"


@pytest.fixture
def copied(zfsctl: Zfsctl, sandbox: Path, settled: Path) -> Path:
    """Three runs later everything is everywhere."""
    if not settled.exists():
        for _ in range(3):
            assert zfsctl("run", "--sandbox", sandbox).code == 0
        shutil.copytree(sandbox, settled)
    shutil.copytree(settled, sandbox, dirs_exist_ok=True)
    return sandbox


def names(folder: Path, host: str, dataset: str) -> list[str]:
    document = json.loads((folder / "fleet.json").read_text())
    pool = dataset.partition("/")[0]
    datasets = document["hosts"][host]["pools"][pool]["datasets"]
    return [each["name"] for each in datasets[dataset]["snapshots"]] if dataset in datasets else []


def everywhere(folder: Path) -> list[list[str]]:
    places = (("local", "tank/db"), ("beta", "bk/db"), ("gamma", "vault/beta/db"))
    return [names(folder, host, dataset) for host, dataset in places]


def hours(zfsctl: Zfsctl, folder: Path, number: int) -> int:
    """So many hourly runs; the exit code of the last."""
    code = 0
    for _ in range(number):
        zfsctl("sandbox", "advance", "1h", folder)
        code = zfsctl("run", "--sandbox", folder).code
    return code


def codes(data: dict[str, Any]) -> list[str]:
    return sorted({finding["code"] for finding in data["findings"]})


def test_a_first_copy_is_shown_and_then_made_as_it_was_shown(zfsctl: Zfsctl, sandbox: Path) -> None:
    plan = valid(zfsctl("replicate", "near", "-n", "--json", "--sandbox", sandbox), "plan")
    result = valid(zfsctl("replicate", "near", "--json", "--sandbox", sandbox), "result")

    assert [step["kind"] for step in plan["steps"]] == ["hold-snapshots", "transfer", "move-anchors"]
    assert [{**step, "estimate": None} for step in result["steps"]] == [
        {**step, "estimate": None} for step in plan["steps"]
    ]
    assert {outcome["result"] for outcome in result["outcomes"]} == {"done"}
    assert (result["exit_code"], result["errors"], codes(result)) == (0, [], [])
    assert names(sandbox, "beta", "bk/db") == names(sandbox, "local", "tank/db")
    again = valid(zfsctl("replicate", "near", "--json", "--sandbox", sandbox), "result")
    assert again["steps"] == []


def test_a_chain_with_a_prune_on_every_hop(zfsctl: Zfsctl, copied: Path) -> None:
    assert hours(zfsctl, copied, 3) == 0
    zfsctl("run", "--sandbox", copied)
    zfsctl("run", "--sandbox", copied)

    sent, near, far = everywhere(copied)
    assert (len(sent), len(near), len(far)) == (4, 5, 6)
    assert sent[-1] == near[-1] == far[-1]
    assert far[-4:] == sent
    assert far[-5:] == near
    assert valid(zfsctl("run", "-n", "--json", "--sandbox", copied), "plan")["steps"] == []


def test_a_run_of_a_chain_says_what_each_hop_keeps_and_why(zfsctl: Zfsctl, copied: Path) -> None:
    zfsctl("sandbox", "advance", "1h", copied)
    data = valid(zfsctl("run", "-n", "--json", "--sandbox", copied), "plan")

    newest = names(copied, "beta", "bk/db")[-1]
    reasons = {
        (each["host"], each["dataset"]): {reason["rule"] for reason in each["reasons"]}
        for each in data["decisions"]
        if each["snapshot"] == newest
    }
    assert "in-flight" in reasons["local", "tank/db"]
    assert {"base", "held"} <= reasons["beta", "bk/db"]
    assert {"base", "held"} <= reasons["gamma", "vault/beta/db"]
    destroyed = {each["dataset"] for each in data["decisions"] if each["verdict"] == "destroy"}
    assert destroyed <= {"tank/db", "bk/db", "vault/beta/db"}
    transfers = [step for step in data["steps"] if step["kind"] == "transfer"]
    assert [(step["replication"], step["dataset"]) for step in transfers] == [("near", "bk/db")]


def test_a_receiver_that_is_down_fails_the_run_and_holds_back_what_it_lacks(zfsctl: Zfsctl, copied: Path) -> None:
    def down(document: dict[str, Any]) -> None:
        document["hosts"]["beta"]["reachable"] = False

    edit_fleet(copied, down)
    code = hours(zfsctl, copied, 5)
    data = valid(zfsctl("run", "-n", "--json", "--sandbox", copied), "plan")

    assert code in (1, 3, 12)
    assert {"link-unknown", "unreachable"} <= set(codes(data))
    assert len(names(copied, "local", "tank/db")) > 4
    pending = [each for each in data["decisions"] if {reason["rule"] for reason in each["reasons"]} == {"pending"}]
    assert pending
    assert all(each["verdict"] == "keep" for each in pending)

    edit_fleet(copied, lambda document: document["hosts"]["beta"].update(reachable=True))
    for _ in range(3):
        assert zfsctl("run", "--sandbox", copied).code == 0
    sent, near, far = everywhere(copied)
    assert sent[-1] == near[-1] == far[-1]
    assert len(sent) == 4


def test_past_pending_limit_the_sender_prunes_and_says_so(zfsctl: Zfsctl, copied: Path) -> None:
    writes_policy(copied, 'pending_limit = "3h"\nmax_delay = "2h"\nwarn_after = "2h"')
    edit_fleet(copied, lambda document: document["hosts"]["beta"].update(reachable=False))
    hours(zfsctl, copied, 4)
    zfsctl("sandbox", "advance", "1h", copied)
    data = valid(zfsctl("run", "-n", "--json", "--sandbox", copied), "plan")
    hours(zfsctl, copied, 1)

    assert "pending-limit" in codes(data)
    (said,) = [finding for finding in data["findings"] if finding["code"] == "pending-limit"]
    assert (said["severity"], said["dataset"]) == ("warning", "tank/db")
    assert len(names(copied, "local", "tank/db")) <= 5

    edit_fleet(copied, lambda document: document["hosts"]["beta"].update(reachable=True))
    result = valid(zfsctl("run", "--json", "--sandbox", copied), "result")
    (transfer,) = [step for step in result["steps"] if step["kind"] == "transfer"]
    assert transfer["sends"][0]["source"].startswith("#zfsctl-near-"), "the cursor was kept"
    assert result["exit_code"] == 0


def test_a_receiver_that_may_be_away_is_quiet_for_so_long(zfsctl: Zfsctl, copied: Path) -> None:
    writes_policy(copied, 'away = "4h"')
    kept: dict[str, Any] = {}

    def unplug(document: dict[str, Any]) -> None:
        kept.update(document["hosts"]["beta"]["pools"])
        document["hosts"]["beta"]["pools"] = {}

    def plug(document: dict[str, Any]) -> None:
        document["hosts"]["beta"]["pools"] = kept

    edit_fleet(copied, unplug)
    zfsctl("sandbox", "advance", "1h", copied)
    quiet = valid(zfsctl("replicate", "near", "--json", "--sandbox", copied), "result")
    hours(zfsctl, copied, 1)
    zfsctl("sandbox", "advance", "5h", copied)
    alarm = valid(zfsctl("replicate", "near", "--json", "--sandbox", copied), "result")

    assert (quiet["exit_code"], codes(quiet), quiet["steps"]) == (0, ["unplugged"], [])
    assert (alarm["exit_code"], codes(alarm), alarm["steps"]) == (1, ["away"], [])

    edit_fleet(copied, plug)
    for _ in range(2):
        assert zfsctl("run", "--sandbox", copied).code == 0
    assert names(copied, "beta", "bk/db")[-1] == names(copied, "local", "tank/db")[-1]


@pytest.mark.parametrize(
    ("written", "own", "code"),
    [
        pytest.param(4096, [], "modified", id="written-to"),
        pytest.param(0, [{"name": "own", "guid": "77", "used": 4096}], "diverged", id="with-a-snapshot-of-its-own"),
    ],
)
def test_a_broken_receiver_is_left_as_it_is_and_refused(
    zfsctl: Zfsctl, copied: Path, written: int, own: list[dict[str, Any]], code: str
) -> None:
    def breaks(document: dict[str, Any]) -> None:
        copy = document["hosts"]["beta"]["pools"]["bk"]["datasets"]["bk/db"]
        copy["written"] = written
        copy["snapshots"] += [{**each, "createtxg": 9999, "creation": NOON + HOUR} for each in own]

    edit_fleet(copied, breaks)
    before = names(copied, "beta", "bk/db")
    zfsctl("sandbox", "advance", "1h", copied)
    zfsctl("run", "--only", "snapshot", "--sandbox", copied)
    result = valid(zfsctl("replicate", "near", "--json", "--sandbox", copied), "result")

    assert (result["exit_code"], codes(result)) == (5, [code])
    assert names(copied, "beta", "bk/db") == before
    decisions = valid(zfsctl("prune", "-n", "--json", "beta:bk/db", "--sandbox", copied), "plan")["decisions"]
    assert {each["verdict"] for each in decisions} == {"keep"}


def test_off_a_terminal_a_plan_to_send_is_plain_lines(zfsctl: Zfsctl, sandbox: Path) -> None:
    rows = zfsctl("replicate", "-n", "--sandbox", sandbox).rows

    sent = [row for row in rows if row[0] == ">"]
    assert sent
    assert all("\x1b" not in cell for row in rows for cell in row)


def test_an_unknown_replication_gets_the_nearest(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("replicate", "naer", "--json", "--sandbox", sandbox)

    (error,) = ended.document["data"]["errors"]
    assert (ended.code, error["try"]) == (2, "did you mean near?")
