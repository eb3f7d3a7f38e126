"""However a command line is wrong, it ends in one error that says what to type instead."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Zfsctl, edit_fleet
from zfsctl.cli import process
from zfsctl.cli.verbs import VERBS
from zfsctl.version import VERSION


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        pytest.param("snapshto", "there is no command 'snapshto'", "zfsctl snapshot", id="an-unknown-verb"),
        pytest.param("config chek", "there is no command 'chek'", "zfsctl config check", id="an-unknown-verb-below"),
        pytest.param("xyzzy", "there is no command 'xyzzy'", "zfsctl --help", id="a-verb-near-to-nothing"),
        pytest.param("run --dry-rn", "no option --dry-rn", "zfsctl run --dry-run", id="an-unknown-option"),
        pytest.param("--jsno run", "no option --jsno", "zfsctl --json", id="an-unknown-option-before-the-verb"),
        pytest.param("snapshot --reson x", "no option --reson", "zfsctl snapshot --reason x", id="the-nearest-option"),
        pytest.param("snapshot --reson=x", "no option --reson", "zfsctl snapshot --reason=x", id="with-its-value"),
        pytest.param("prune -r tank --yse", "no option --yse", "zfsctl prune -r tank --yes", id="in-its-own-line"),
        pytest.param("snapshto -r tank", "no command", "zfsctl snapshot -r tank", id="an-unknown-verb-in-its-own-line"),
        pytest.param("snapshot --bad", "no option --bad", "zfsctl snapshot --help", id="an-option-near-to-nothing"),
        pytest.param("snapshot -X", "no option -X", "zfsctl snapshot --help", id="an-unknown-letter"),
        pytest.param("explain", "nothing was done", "zfsctl explain --help", id="a-missing-argument"),
        pytest.param("apply a.json b.json", "nothing was done", "zfsctl apply --help", id="one-argument-too-many"),
        pytest.param("run --only prune,snapsht", "--only", "--only snapshot", id="an-unknown-job"),
        pytest.param("snapshot tank --expires 30days", "--expires", "--expires 30d", id="a-duration-in-words"),
        pytest.param("run --valid 2h", "--valid", "--out", id="valid-without-out"),
        pytest.param("snapshot --due tank", "a selection", "--due", id="due-with-a-selection"),
        pytest.param("prune -r", "--recursive", "no selection", id="recursion-below-nothing"),
        pytest.param("snapshot --reason why", "--reason", "no selection", id="a-reason-for-what-is-scheduled"),
        pytest.param("explain x --as polcy", "--as", "--as policy", id="an-unknown-kind-of-name"),
        pytest.param("explain x --days 0", "nothing was done", "zfsctl explain --help", id="no-days-at-all"),
        pytest.param("schema plam", "no document of the kind 'plam'", "zfsctl schema plan", id="an-unknown-schema"),
        pytest.param("status --timeout soon", "--timeout", "--timeout 60s", id="a-timeout-that-is-none"),
        pytest.param("sandbox show", "no folder was named", "zfsctl sandbox show DIR", id="no-sandbox-named"),
        pytest.param("sandbox init", "no folder was named", "zfsctl sandbox init DIR", id="no-sandbox-to-make"),
        pytest.param("sandbox advance 2d", "no folder", "zfsctl sandbox advance 2d DIR", id="no-sandbox-to-advance"),
        pytest.param(
            "snapshot tank --expires 99999999999d", "--expires", "--expires 30d", id="longer-than-the-calendar"
        ),
        pytest.param("run --out p.json --valid 0s", "--valid", "--valid 12h", id="no-time-at-all"),
        pytest.param("apply missing.json", "No such file", "zfsctl run --dry-run --out", id="a-plan-that-is-not-there"),
    ],
)
@pytest.mark.parametrize("as_json", [pytest.param(False, id="text"), pytest.param(True, id="json")])
def test_a_wrong_command_line_exits_2_with_what_to_type(
    zfsctl: Zfsctl, line: str, message: str, hint: str, as_json: bool
) -> None:
    ended = zfsctl(*line.split(), *(["--json"] if as_json else []))

    assert ended.code == 2
    assert ended.stderr.startswith("error: ")
    assert message in ended.stderr
    assert hint in ended.stderr
    if as_json:
        assert ended.document["schema"] == "zfsctl.error/1"
        assert ended.document["data"]["errors"][0]["code"] in ("usage", "unknown-name")
    else:
        assert ended.stdout == ""


def test_an_argument_that_is_no_utf8_is_refused(zfsctl: Zfsctl) -> None:
    ended = zfsctl("snapshot", "tank", "--reason", b"caf\xe9".decode("utf-8", "surrogateescape"))

    assert ended.code == 2
    assert "it is not UTF-8" in ended.stderr
    assert "\\xe9" in ended.stderr


def test_no_command_at_all_shows_the_commands_and_exits_2(zfsctl: Zfsctl) -> None:
    ended = zfsctl()

    assert (ended.code, ended.stdout) == (2, "")
    assert "Commands:" in ended.stderr
    assert zfsctl("--json").document["data"]["errors"][0]["try"] == "zfsctl --help"


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["--no-color", "--version"]])
def test_the_version(zfsctl: Zfsctl, words: list[str]) -> None:
    assert zfsctl(*words).stdout == f"zfsctl {VERSION}\n"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_verb_explains_itself_and_its_summary_is_the_one_of_the_list(
    zfsctl: Zfsctl, verb: str, option: str
) -> None:
    ended = zfsctl(verb, option)

    assert ended.code == 0
    assert VERBS[verb][1] in ended.stdout
    assert "Options of every command:" in ended.stdout
    assert ended.stdout.index("  -h, --help") < ended.stdout.index("Options of every command:")


def test_the_list_of_verbs_imports_none_of_them(zfsctl: Zfsctl) -> None:
    shown = zfsctl("--help").stdout

    assert [line.split()[0] for line in shown.partition("Commands:\n")[2].splitlines() if line.startswith("  ")][
        : len(VERBS)
    ] == list(VERBS)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--sandbox", "DIR", "--json", "status"], id="before"),
        pytest.param(["status", "--sandbox", "DIR", "--json"], id="after"),
        pytest.param(["--json", "status", "--sandbox", "DIR"], id="around"),
    ],
)
def test_options_of_every_command_stand_before_or_after_it(zfsctl: Zfsctl, sandbox: Path, words: list[str]) -> None:
    ended = zfsctl(*(str(sandbox) if word == "DIR" else word for word in words))

    assert (ended.code, ended.document["schema"]) == (0, "zfsctl.status/1")


def test_hosts_add_up_and_a_later_value_wins(zfsctl: Zfsctl, sandbox: Path) -> None:
    both = zfsctl("--sandbox", sandbox, "--host", "local", "status", "--host", "beta")
    one = zfsctl("--sandbox", "/nowhere", "status", "--sandbox", sandbox, "--host", "beta")

    assert [row[1] for row in both.rows if row[0] == "host"] == ["local", "beta"]
    assert [row[1] for row in one.rows if row[0] == "host"] == ["beta"]


def test_options_of_every_command_stand_among_verbs_of_verbs(zfsctl: Zfsctl, sandbox: Path) -> None:
    for words in (
        ["--sandbox", sandbox, "config", "check", "--json"],
        ["config", "--sandbox", sandbox, "check", "--json"],
        ["config", "check", "--sandbox", sandbox, "--json"],
        ["config", "--json", "check", "--sandbox", sandbox],
    ):
        assert zfsctl(*words).document["schema"] == "zfsctl.config/1"


def test_an_option_that_only_looks_like_json_is_data(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("--sandbox", sandbox, "snapshot", "tank", "--reason", "--json")

    assert ended.code == 0
    assert ended.rows[0][:3] == ["done", "+", "tank"]


def test_an_unknown_host_gets_the_nearest_one(zfsctl: Zfsctl, sandbox: Path) -> None:
    ended = zfsctl("status", "--sandbox", sandbox, "--host", "bta")

    assert ended.code == 2
    assert "did you mean beta?" in ended.stderr


def test_what_nobody_foresaw_is_one_document_and_no_trace(zfsctl: Zfsctl, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("the moon is blue")

    monkeypatch.setattr(process, "dispatch", broken)
    ended, traced = zfsctl("status", "--json"), zfsctl("status", "-v")

    assert (ended.code, traced.code) == (1, 1)
    assert ended.document["data"]["errors"][0]["code"] == "internal"
    assert ended.document["data"]["errors"][0]["why"] == "RuntimeError: the moon is blue"
    assert "Traceback" not in ended.stderr
    assert "Traceback" in traced.stderr


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["status", "--check", "--bogus"], id="an-unknown-option"),
        pytest.param(["status", "--check", "--sandbox", "/nowhere"], id="no-such-sandbox"),
        pytest.param(["status", "--check", "--cached"], id="nothing-kept"),
        pytest.param(["--host", "nobody", "status", "--check", "-c", "/nowhere.toml"], id="no-policy"),
    ],
)
def test_monitoring_gets_one_line_and_3_for_every_error(zfsctl: Zfsctl, words: list[str]) -> None:
    ended = zfsctl(*words)

    assert ended.code == 3
    assert ended.stdout.startswith("ZFSCTL UNKNOWN - ")
    assert ended.stdout.count("\n") == 1


def test_monitoring_as_a_document_is_still_one_document_and_3(zfsctl: Zfsctl) -> None:
    ended = zfsctl("status", "--check", "--json", "--sandbox", "/nowhere")

    assert ended.code == 3
    assert ended.document["schema"] == "zfsctl.error/1"


def test_every_schema_is_listed_and_printed(zfsctl: Zfsctl) -> None:
    kinds = [row[0] for row in zfsctl("schema").rows]

    assert kinds[0] == "plan"
    for kind in kinds:
        assert json.loads(zfsctl("schema", kind).stdout)["title"] == f"zfsctl.{kind}/1"
    assert list(zfsctl("schema", "--json").document) == kinds


@pytest.mark.parametrize(
    ("line", "why", "hint"),
    [
        pytest.param("snapshot nohost:tank", "it has local, beta", "zfsctl config check", id="an-unknown-host"),
        pytest.param("explain x --as policy", "nothing is called that", "zfsctl config show", id="no-such-policy"),
        pytest.param("explain critical --as dataset", "a policy", "critical --as policy", id="another-kind-of-name"),
        pytest.param("run -n -c /nofile", "nothing without a policy file", "zfsctl config init", id="no-such-file"),
    ],
)
def test_a_name_that_the_policy_does_not_have_exits_2_with_what_to_type(
    zfsctl: Zfsctl, sandbox: Path, line: str, why: str, hint: str
) -> None:
    ended = zfsctl(*line.split(), "--sandbox", sandbox)

    assert ended.code == 2
    assert why in ended.stderr
    assert re.search(f"try: zfsctl .*{hint.removeprefix('zfsctl ')}", ended.stderr)


@pytest.mark.parametrize("damage", ['{"schema": ', '{"schema": "zfsctl.sandbox/1", "now": true}'])
def test_a_damaged_sandbox_is_set_aside_and_made_anew_by_the_line_to_try(
    zfsctl: Zfsctl, sandbox: Path, damage: str
) -> None:
    (sandbox / "fleet.json").write_text(damage)

    ended = zfsctl("status", "--sandbox", sandbox)

    assert ended.code == 2
    assert f"try: mv {sandbox} {sandbox}.aside && zfsctl sandbox init {sandbox}\n" in ended.stderr


def test_the_dataset_in_the_totals_is_explained_even_where_a_policy_has_its_name(zfsctl: Zfsctl, sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text(policy.read_text().replace("critical", "tank"))
    edit_fleet(sandbox, with_snapshots_of_the_pool_alone)

    totals = zfsctl("run", "--dry-run", "--only", "prune", "--host", "local", "--sandbox", sandbox).stderr
    explained = zfsctl(*totals.rpartition(": zfsctl ")[2].split(), "--sandbox", sandbox)

    assert (explained.code, explained.rows[0][:3]) == (0, ["subject", "dataset", "tank"])


def with_snapshots_of_the_pool_alone(document: dict[str, Any]) -> None:
    datasets = document["hosts"]["local"]["pools"]["tank"]["datasets"]
    datasets["tank"] = datasets.pop("tank/db")
