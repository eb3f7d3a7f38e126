"""Every verb on simulated hosts: what it prints, what it changes, what it returns."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended, Zfsctl, edit_fleet, snapshots
from tests.documents.schemas import validator_of
from zfsctl.executor.locks import PoolLocks

NEW = "zfsctl-20261120T120000Z"


def valid(ended: Ended, kind: str) -> dict[str, Any]:
    """The data of the one document on stdout, which is what its schema says."""
    document = ended.document
    problems = [error.message for error in validator_of(kind).iter_errors(document)]

    assert problems == []
    assert document["schema"] == f"zfsctl.{kind}/1"
    data: dict[str, Any] = document["data"]
    return data


def names(folder: Path, host: str = "local", dataset: str = "tank/db") -> list[str]:
    """The snapshots that a simulated dataset has."""
    document = json.loads((folder / "fleet.json").read_text())
    pool = dataset.partition("/")[0]
    return [each["name"] for each in document["hosts"][host]["pools"][pool]["datasets"][dataset]["snapshots"]]


def hold(document: dict[str, Any]) -> None:
    db = document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank/db"]
    db["snapshots"][0]["holds"] = ["legal"]


def unreachable(document: dict[str, Any]) -> None:
    document["hosts"]["beta"]["reachable"] = False


def test_a_dry_run_shows_each_line_with_its_reason_and_changes_nothing(zfsctl: Zfsctl, sandbox: Path) -> None:
    before = (sandbox / "fleet.json").read_text()
    ended = zfsctl("run", "--dry-run", "--sandbox", sandbox)

    assert ended.code == 0
    assert [row[:3] for row in ended.rows[:4]] == [
        ["+", place, NEW] for place in ("beta:bk", "beta:bk/db", "tank", "tank/db")
    ]
    assert all(row[4] for row in ended.rows)
    assert "Plan: 4 snapshots, 8 destroys (frees about 32K)." in ended.stderr
    assert (sandbox / "fleet.json").read_text() == before


def test_a_run_does_what_its_dry_run_showed(zfsctl: Zfsctl, sandbox: Path) -> None:
    plan = valid(zfsctl("run", "-n", "--json", "--sandbox", sandbox), "plan")
    result = valid(zfsctl("run", "--json", "--sandbox", sandbox), "result")

    assert [step["id"] for step in result["steps"]] == [step["id"] for step in plan["steps"]]
    assert result["decisions"] == plan["decisions"]
    assert {outcome["result"] for outcome in result["outcomes"]} == {"done"}
    assert (result["exit_code"], result["errors"]) == (0, [])
    assert zfsctl("history", result["run"], "--sandbox", sandbox).rows[0][1] == result["run"]
    assert names(sandbox) == [*(snapshot["name"] for snapshot in snapshots()[4:]), NEW]


def test_a_run_may_be_limited_to_some_jobs(zfsctl: Zfsctl, sandbox: Path) -> None:
    assert {row[1] for row in zfsctl("run", "--only", "snapshot", "--sandbox", sandbox).rows} == {"+"}
    assert {row[1] for row in zfsctl("run", "--only", "prune", "--sandbox", sandbox).rows} == {"-"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["run", "-n"], 0, id="a-plan-is-no-failure"),
        pytest.param(["run", "-n", "--detailed-exitcode"], 4, id="unless-asked-to-be-one"),
        pytest.param(["snapshot", "-n", "--detailed-exitcode", "--only-once"], 2, id="an-unknown-option-comes-first"),
    ],
)
def test_a_plan_with_changes(zfsctl: Zfsctl, sandbox: Path, words: list[str], code: int) -> None:
    assert zfsctl(*words, "--sandbox", sandbox).code == code


def test_a_plan_without_changes_is_0_even_when_changes_would_be_4(zfsctl: Zfsctl, sandbox: Path) -> None:
    zfsctl("snapshot", "--sandbox", sandbox)

    assert zfsctl("snapshot", "-n", "--detailed-exitcode", "--sandbox", sandbox).code == 0


def test_a_snapshot_by_hand_is_of_that_dataset_alone_and_keeps_its_reason(zfsctl: Zfsctl, sandbox: Path) -> None:
    alone = zfsctl("snapshot", "tank", "--reason", "before; rm -rf /", "--expires", "30d", "--sandbox", sandbox)
    below = zfsctl("snapshot", "-r", "beta:bk", "--sandbox", sandbox, "-q")

    assert [row[2] for row in alone.rows] == ["tank"]
    assert "before; rm -rf /" in alone.rows[0][5]
    assert [row[2] for row in below.rows] == ["beta:bk", "beta:bk/db"]
    assert below.stderr == ""
    document = json.loads((sandbox / "fleet.json").read_text())
    taken = document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank"]["snapshots"][0]
    assert "before; rm -rf /" in json.dumps(taken)


def test_a_prune_that_nobody_confirmed_does_nothing_and_names_the_flag(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("prune", "--sandbox", sandbox)
    as_json = zfsctl("prune", "--json", "--sandbox", sandbox)
    chosen = zfsctl("prune", "tank/db", "--host", "local", "--sandbox", sandbox)

    assert (ended.code, as_json.code, chosen.code) == (5, 5, 5)
    assert "8 destroys were not confirmed" in ended.stderr
    assert f"zfsctl prune --sandbox {sandbox} --yes, or --dry-run" in ended.stderr
    assert f"zfsctl prune tank/db --host local --sandbox {sandbox} --yes" in chosen.stderr, "no more than was chosen"
    assert as_json.document["data"]["errors"][0]["code"] == "not-confirmed"
    assert len(names(sandbox)) == 8


@pytest.mark.parametrize(
    ("held", "told"),
    [(3, "prune: nothing was done, 1 destroy was not confirmed"), (2, "2 destroys were not confirmed")],
)
def test_what_nobody_confirmed_is_told_in_good_grammar(zfsctl: Zfsctl, sandbox: Path, held: int, told: str) -> None:
    def hold_some(document: dict[str, Any]) -> None:
        for snapshot in document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank/db"]["snapshots"][:held]:
            snapshot["holds"] = ["legal"]

    edit_fleet(sandbox, hold_some)

    assert told in zfsctl("prune", "tank/db", "--sandbox", sandbox).stderr


def test_a_confirmed_prune_destroys_what_no_rule_keeps(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("prune", "tank/db", "--yes", "--sandbox", sandbox)

    assert ended.code == 0
    assert "Done: 4 destroys (freed about 16K)." in ended.stderr
    assert (len(names(sandbox)), len(names(sandbox, "beta", "bk/db"))) == (4, 8)


def test_a_prune_of_nothing_asks_nobody(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("prune", "tank", "--sandbox", sandbox)

    assert (ended.code, ended.stdout) == (0, "")
    assert "nothing to do" in ended.stderr


def test_a_policy_that_is_read_only_shows_and_does_not_act(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text("read_only = true\n" + policy.read_text())
    ended = zfsctl("run", "--sandbox", sandbox)

    assert ended.code == 0
    assert ended.rows[0][0] == "+"
    assert "read_only = true" in ended.stderr
    assert len(names(sandbox)) == 8


def test_a_plan_is_saved_for_its_owner_alone_and_applied_as_it_was(
    zfsctl: Zfsctl, sandbox: Path, tmp_path: Path
) -> None:
    file = tmp_path / "night.json"
    saved = zfsctl("run", "--out", file, "--valid", "12h", "--sandbox", sandbox)
    unchanged = len(names(sandbox))
    applied = zfsctl("apply", file, "--json", "--sandbox", sandbox)

    assert (saved.code, unchanged) == (0, 8)
    assert "Saved until 2026-11-21 00:00 UTC" in saved.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert [outcome["result"] for outcome in valid(applied, "result")["outcomes"]] == ["done"] * 4
    assert len(names(sandbox)) == 5


def test_what_is_stale_is_left_out_of_a_saved_plan_and_told(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    zfsctl("prune", "--out", file, "--sandbox", sandbox)
    edit_fleet(sandbox, hold)
    ended = zfsctl("apply", file, "--yes", "--sandbox", sandbox)

    assert ended.code in (3, 5)
    assert "zfsctl-20261120T040000Z" in names(sandbox)
    assert "zfsctl-20261120T050000Z" not in names(sandbox)
    assert any(row[0] == "!" or row[0] == "stale" for row in ended.rows)


def test_a_plan_that_is_too_old_is_refused(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    zfsctl("run", "--out", file, "--sandbox", sandbox)
    zfsctl("sandbox", "advance", "2h", sandbox)
    ended = zfsctl("apply", file, "--sandbox", sandbox)

    assert ended.code == 5
    assert "too old" in ended.stderr
    assert len(names(sandbox)) == 8


def test_a_saved_prune_asks_what_a_prune_asks(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    zfsctl("prune", "--out", file, "--sandbox", sandbox)
    ended = zfsctl("apply", file, "--sandbox", sandbox)

    assert ended.code == 5
    assert f"zfsctl apply {file} --sandbox {sandbox} --yes" in ended.stderr


def test_a_plan_that_cannot_be_saved_is_said_and_nothing_is_left(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    ended = zfsctl("run", "--out", tmp_path / "no" / "plan.json", "--sandbox", sandbox)

    assert ended.code == 2
    assert "the plan was not saved" in ended.stderr


def test_the_document_of_a_dry_run_is_a_plan_file_too(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(zfsctl("run", "-n", "--json", "--sandbox", sandbox).stdout)

    assert zfsctl("apply", file, "--sandbox", sandbox).code == 0


def test_a_host_that_is_down_costs_only_itself(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, unreachable)
    ended = zfsctl("run", "--sandbox", sandbox)
    alone = zfsctl("run", "--sandbox", sandbox, "--host", "beta")

    assert (ended.code, alone.code) == (3, 12)
    assert names(sandbox)[-1] == NEW
    assert any(row[0] == "!" and row[1] == "beta" for row in ended.rows)


def test_what_another_run_holds_is_left_to_it_and_a_run_that_can_do_nothing_exits_11(
    zfsctl: Zfsctl, sandbox: Path
) -> None:
    other = PoolLocks(sandbox / "locks")
    other.acquire("local", "tank")
    half = zfsctl("run", "--sandbox", sandbox)
    other.acquire("beta", "bk")
    none = zfsctl("run", "--json", "--sandbox", sandbox)
    other.release()

    assert (half.code, none.code) == (0, 11)
    assert ["!", "tank", "info", "running"] in [row[:4] for row in half.rows]
    assert none.document["data"]["errors"][0]["code"] == "locked"
    assert len(names(sandbox)) == 8


def test_a_snapshot_by_hand_that_is_left_to_another_run_is_left_with_its_hooks(zfsctl: Zfsctl, sandbox: Path) -> None:
    with (sandbox / "zfsctl.toml").open("a") as policy:
        policy.write('[[hooks]]\nname = "db"\nselect = ["tank"]\nbefore = ["date", "+%s"]\nafter = ["date", "+%s"]\n')
    other = PoolLocks(sandbox / "locks")
    other.acquire("local", "tank")
    ended = zfsctl("snapshot", "tank", "tank/db", "beta:bk/db", "--json", "--sandbox", sandbox)
    other.release()
    data = ended.document["data"]
    results = {step["id"]: outcome["result"] for step, outcome in zip(data["steps"], data["outcomes"], strict=True)}

    assert ended.code == 3
    assert {step["kind"]: results[step["id"]] for step in data["steps"] if step["host"] == "local"} == {
        "hook": "running",
        "create-snapshots": "running",
    }
    assert [results[step["id"]] for step in data["steps"] if step["host"] == "beta"] == ["done"]


def test_status_is_said_for_people_pipes_and_programs(zfsctl: Zfsctl, sandbox: Path) -> None:
    rows = zfsctl("status", "--sandbox", sandbox).rows
    data = valid(zfsctl("status", "--json", "--sandbox", sandbox), "status")

    assert [row[0] for row in rows][:2] == ["host", "pool"]
    assert {d["dataset"] for d in data["datasets"]} == {"tank", "tank/db", "bk", "bk/db"}


def test_a_status_that_was_kept_is_shown_without_asking_a_host(zfsctl: Zfsctl, sandbox: Path) -> None:
    seen = zfsctl("status", "--sandbox", sandbox)
    edit_fleet(sandbox, unreachable)
    kept = zfsctl("status", "--cached", "--sandbox", sandbox)

    assert (kept.code, kept.stdout) == (0, seen.stdout)
    assert (
        zfsctl("status", "--cached", "--json", "--sandbox", sandbox).document["generated_at"] == "2026-11-20T12:00:00Z"
    )


def test_a_status_that_could_not_see_everything_says_so_by_its_exit_code(zfsctl: Zfsctl, sandbox: Path) -> None:
    edit_fleet(sandbox, unreachable)
    some = zfsctl("status", "--sandbox", sandbox)
    none = zfsctl("status", "--host", "beta", "--sandbox", sandbox)

    assert (some.code, none.code) == (3, 12)
    assert some.rows[2][:3] == ["host", "beta", "unknown"]


def test_monitoring_has_its_own_words_and_codes(zfsctl: Zfsctl, sandbox: Path) -> None:
    zfsctl("run", "--sandbox", sandbox)
    well = zfsctl("status", "--check", "--sandbox", sandbox)
    zfsctl("sandbox", "advance", "4h", sandbox)
    late = zfsctl("status", "--check", "--sandbox", sandbox)
    edit_fleet(sandbox, unreachable)
    silent = zfsctl("status", "--check", "--host", "beta", "--sandbox", sandbox)

    assert (well.code, well.stdout.startswith("ZFSCTL OK - ")) == (0, True)
    assert (late.code, late.stdout.startswith("ZFSCTL CRITICAL - ")) == (2, True)
    assert (silent.code, silent.stdout.startswith("ZFSCTL UNKNOWN - beta: ")) == (3, True)
    assert [out.stdout.count(" | ") for out in (well, late, silent)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        pytest.param("tank/db@zfsctl-20261120T040000Z", "snapshot", id="a-snapshot"),
        pytest.param("beta:bk/db", "dataset", id="a-dataset-of-another-host"),
        pytest.param("critical", "policy", id="a-policy"),
        pytest.param("retention", "topic", id="a-topic"),
    ],
)
def test_explain_says_what_a_name_is_and_why(zfsctl: Zfsctl, sandbox: Path, name: str, subject: str) -> None:
    data = valid(zfsctl("explain", name, "--days", "3", "--json", "--sandbox", sandbox), "explanation")
    rows = zfsctl("explain", name, "--days", "3", "--sandbox", sandbox).rows

    assert data["subject"] == subject
    assert rows[0][:2] == ["subject", subject]
    assert all(snapshot["reasons"] for snapshot in data["snapshots"])


def test_explain_of_a_name_that_is_near_to_another(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("explain", "critcal", "--sandbox", sandbox)

    assert ended.code == 2
    assert "did you mean critical?" in ended.stderr


def test_history_lists_runs_and_one_of_them_in_full(zfsctl: Zfsctl, sandbox: Path) -> None:
    empty = zfsctl("history", "--sandbox", sandbox)
    zfsctl("run", "--sandbox", sandbox)
    runs = valid(zfsctl("history", "--json", "--sandbox", sandbox), "history")["runs"]
    one = zfsctl("history", runs[0]["id"][:20], "--sandbox", sandbox)

    assert (empty.code, empty.stdout) == (0, "")
    assert [(run["command"], run["state"], run["created"], run["destroyed"]) for run in runs] == [("run", "done", 4, 8)]
    assert [row[0] for row in one.rows] == ["run", "step", "step", "step", "step"]
    assert zfsctl("history", "nothing", "--sandbox", sandbox).code == 2


def test_what_a_guard_withholds_waits_is_approved_and_is_done_by_the_next_run(zfsctl: Zfsctl, sandbox: Path) -> None:
    def many(document: dict[str, Any]) -> None:
        db = document["hosts"]["local"]["pools"]["tank"]["datasets"]["tank/db"]
        db["snapshots"] = [
            {"name": f"zfsctl-202611{day:02}T000000Z", "guid": str(500 + day), "createtxg": 10 + day}
            | {"creation": 1_795_132_800 - (20 - day) * 86_400, "properties": {"zfsctl:policy": "critical"}}
            for day in range(1, 21)
        ]

    edit_fleet(sandbox, many)
    first = zfsctl("run", "--sandbox", sandbox)
    waiting = valid(zfsctl("approvals", "--json", "--sandbox", sandbox), "approvals")["approvals"]

    assert len(names(sandbox)) == 21
    assert first.code != 0
    assert [(each["status"], each["dataset"]) for each in waiting] == [("waiting", "tank/db")]
    assert zfsctl("approvals", "approve", "zz", "--sandbox", sandbox).code == 2
    assert zfsctl("approvals", "approve", waiting[0]["id"], "zz", "--sandbox", sandbox).code == 2
    assert zfsctl("approvals", "--sandbox", sandbox).rows[0][1] == "waiting", "all of them, or none"

    approved = zfsctl("approvals", "approve", waiting[0]["id"], "--sandbox", sandbox)
    zfsctl("run", "--sandbox", sandbox)

    assert approved.rows[0][1] == "approved"
    assert len(names(sandbox)) < 10


def test_config_check_shows_logins_and_what_each_rule_selects(zfsctl: Zfsctl, sandbox: Path) -> None:
    data = valid(zfsctl("config", "check", "--json", "--sandbox", sandbox), "config")
    rows = zfsctl("config", "check", "--sandbox", sandbox).rows

    assert [(login["host"], login["way"], login["works"]) for login in data["logins"]] == [
        (host, way, True) for host in ("local", "beta") for way in ("run", "lines")
    ]
    assert [row[3] for row in rows if row[0] == "rule"] == ["beta:bk", "beta:bk/db", "tank", "tank/db"]


def test_a_rule_that_selects_nothing_fails_the_check(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text(policy.read_text() + '[[datasets]]\nselect = ["tank/gone"]\npolicy = "critical"\n')
    ended = zfsctl("config", "check", "--sandbox", sandbox)

    assert ended.code == 2
    assert any(row[0] == "!" and "tank/gone" in row[4] for row in ended.rows)


REPLICATION = """
[[replications]]
name = "{name}"
sender = "{sender}"
receiver = "{receiver}"
"""


def test_config_check_shows_what_each_replication_sends_where(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text(
        '[hosts]\nbeta = "b"\ngamma = "c"\n'
        + REPLICATION.format(name="out", sender="*:tank", receiver="beta:bk/{host}/tank")
    )
    fleet = json.loads((sandbox / "fleet.json").read_text())
    fleet["hosts"]["beta"]["pools"]["tank"] = {"datasets": {"tank": {}, "tank/x": {}, "tank/x.zfsctl-new-1": {}}}
    (sandbox / "fleet.json").write_text(json.dumps(fleet))

    ended = zfsctl("config", "check", "--sandbox", sandbox)
    data = valid(zfsctl("config", "check", "--json", "--sandbox", sandbox), "config")

    assert [row[2:] for row in ended.rows if row[0] == "replication"] == [
        ["out", "tank", "beta:bk/local/tank", "-"],
        ["out", "tank/db", "beta:bk/local/tank/db", "-"],
        ["out", "beta:tank", "beta:bk/beta/tank", "-"],
        ["out", "beta:tank/x", "beta:bk/beta/tank/x", "-"],
        ["out", "gamma:tank", "beta:bk/gamma/tank", "not known: gamma did not answer"],
    ]
    assert ended.code == 3, "one host of three did not answer"
    assert [tree["datasets"] for tree in data["replications"][0]["trees"]] == [
        ["tank", "tank/db"],
        ["tank", "tank/x"],
        [],
    ]


def test_a_replication_whose_sender_is_not_there_fails_the_check(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    text = policy.read_text()
    policy.write_text(text + REPLICATION.format(name="out", sender="tank/gone", receiver="usb/gone"))
    ended = zfsctl("config", "check", "--sandbox", sandbox)

    assert ended.code == 2
    assert any(row[0] == "!" and '"tank/gone" sends nothing from local' in row[4] for row in ended.rows)


def test_sending_the_snapshots_of_others_is_warned_of(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    one = REPLICATION.format(name="out", sender="tank/db", receiver="usb/db") + 'snapshots = "all"\n'
    policy.write_text(policy.read_text() + one)
    ended = zfsctl("config", "check", "--sandbox", sandbox)

    assert ended.code == 0
    assert [row[2:4] for row in ended.rows if row[0] == "!"] == [["warning", "never-pruned"]]


def test_the_policy_in_force_is_shown_as_a_file_that_loads(zfsctl: Zfsctl, sandbox: Path, tmp_path: Path) -> None:
    shown = zfsctl("config", "show", "--sandbox", sandbox)
    copy = tmp_path / "copy.toml"
    copy.write_text(shown.stdout)

    assert (
        valid(zfsctl("config", "show", "--json", "--sandbox", sandbox), "config")["text"].strip()
        == shown.stdout.strip()
    )
    assert zfsctl("run", "-n", "-c", copy, "--sandbox", sandbox).code == 0


def test_a_first_policy_is_written_for_the_pools_found_and_never_over_another(zfsctl: Zfsctl, sandbox: Path) -> None:
    refused = zfsctl("config", "init", "--sandbox", sandbox)
    (sandbox / "zfsctl.toml").unlink()
    written = zfsctl("config", "init", "--sandbox", sandbox)

    assert (refused.code, written.code) == (2, 0)
    assert 'select = ["tank"]' in (sandbox / "zfsctl.toml").read_text()
    assert zfsctl("run", "-n", "--sandbox", sandbox).code == 0


def test_a_first_policy_without_a_rule_says_so(zfsctl: Zfsctl, sandbox: Path) -> None:
    def without_pools(document: dict[str, Any]) -> None:
        document["hosts"]["local"]["pools"] = {}

    ruled, bare = sandbox / "ruled.toml", sandbox / "bare.toml"
    some = zfsctl("config", "init", "--sandbox", sandbox, "-c", ruled)
    edit_fleet(sandbox, without_pools)
    none = zfsctl("config", "init", "--sandbox", sandbox, "-c", bare)

    assert (some.code, none.code) == (0, 0)
    assert "no rule yet" not in some.stderr
    assert "It has no rule yet, because no pool that takes writes was found" in none.stderr


def test_a_sandbox_is_made_shown_and_advanced(zfsctl: Zfsctl, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    made = zfsctl("sandbox", "init", folder)
    shown = zfsctl("sandbox", "show", "--json", "--sandbox", folder)
    moved = zfsctl("sandbox", "advance", "90m", folder)

    assert (made.code, moved.code) == (0, 0)
    assert made.rows[0][0] == "now"
    assert valid(shown, "sandbox")["hosts"]["local"]["pools"]
    assert made.rows[0][1] != moved.rows[0][1]
    assert zfsctl("sandbox", "init", folder).code == 2


@pytest.mark.slow
def test_the_demo_shows_the_commands_that_a_person_would_type(zfsctl: Zfsctl) -> None:
    ended = zfsctl("demo")

    assert ended.code == 0
    place = re.search(r"^\$ zfsctl sandbox init --sandbox (\S+)$", ended.stdout, re.MULTILINE)
    assert place
    assert f"$ zfsctl run --dry-run --sandbox {place[1]}\n" in ended.stdout
    assert "Plan: " in ended.stdout
    assert "home  (replication)\n" in ended.stdout
    assert "The same on your own pools" in ended.stdout.rpartition("$ zfsctl status --check ")[2]
    assert zfsctl("demo", "--json").code == 2
