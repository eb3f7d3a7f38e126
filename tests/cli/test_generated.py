"""Completions and manual pages are those of this very program, and work in the shells that read them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from zfsctl.cli.generate.bash import bash_completion
from zfsctl.cli.generate.files import generated_files
from zfsctl.cli.generate.man_policy import KEYS
from zfsctl.cli.generate.texts import EXAMPLES, EXIT_STATUS
from zfsctl.cli.generate.tree import CommandText, read_tree
from zfsctl.cli.verbs import VERBS
from zfsctl.config.shape import (
    DatasetsTable,
    HookTable,
    HostTable,
    KeepTable,
    PolicyDocument,
    PolicyTable,
    ReplicationTable,
    SshTable,
)
from zfsctl.errors import ExitCode

TOP = Path(__file__).parents[2]
SNAPSHOTS = "tank/a\ta-1\ta-2\ttwo words\ntank\tt-1\nalpha:tank/db\tdb-1\tdb-2\tx:1\n"
NAMES = "tank\ntank/a\ntank/with blank\nalpha:tank/db\nalpha:tank/x\nbeta:bk\n"


@pytest.fixture(scope="module")
def tree() -> CommandText:
    """The whole command tree."""
    return read_tree()


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """Every generated file."""
    return generated_files()


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """An environment whose cache holds a few names."""
    (tmp_path / "names").write_text(NAMES)
    (tmp_path / "snapshots").write_text(SNAPSHOTS)
    return {**os.environ, "ZFSCTL_CACHE_DIR": str(tmp_path), "HOME": str(tmp_path)}


def test_what_is_in_the_repository_is_what_the_program_says(files: dict[str, str]) -> None:
    stale = [name for name, text in files.items() if not (TOP / name).exists() or (TOP / name).read_text() != text]
    extra = {f"man/{page.name}" for page in (TOP / "man").glob("*")} - set(files)

    assert (stale, extra) == ([], set()), "python -m zfsctl.cli.generate writes them anew"


def test_every_command_and_option_is_in_the_completions_and_the_pages(tree: CommandText, files: dict[str, str]) -> None:
    shells = [files[f"completions/{name}"] for name in ("zfsctl.bash", "_zfsctl", "zfsctl.fish")]
    for command in tree.walk():
        page = files[f"man/zfsctl{'-' + command.path[0] if command.path else ''}.8"].replace("\\-", "-")
        for option in command.options:
            long = option.spellings[-1].lstrip("-")
            assert all(long in text for text in shells), option.spellings
            assert option.shared or all(spelling in page for spelling in option.spellings), option.spellings
        for name in command.path[-1:]:
            assert all(name in text for text in shells)
            assert name in page


def test_every_verb_has_an_example_and_every_exit_code_its_words() -> None:
    assert {path[0] for path in EXAMPLES if path} == set(VERBS)
    assert {code for code, _ in EXIT_STATUS} == set(ExitCode)


def test_every_key_of_the_policy_file_is_in_its_page() -> None:
    tables = {
        "": PolicyDocument,
        "ssh": SshTable,
        "hosts.NAME": HostTable,
        "policies.NAME": PolicyTable,
        "policies.NAME.keep": KeepTable,
        "datasets": DatasetsTable,
        "hooks": HookTable,
        "replications": ReplicationTable,
    }
    keys = {table: {key for key, _ in texts} for table, texts in KEYS.items()}
    keys["hosts.NAME"] |= keys["ssh"]

    assert keys == {table: set(shape.model_fields) for table, shape in tables.items()}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        pytest.param("zfsctl s", ["snapshot", "status", "schema", "sandbox"], id="verbs"),
        pytest.param("zfsctl -c x config ", ["init", "check", "show"], id="verbs-below-a-verb"),
        pytest.param("zfsctl snapshot --re", ["--recursive", "--reason"], id="options"),
        pytest.param("zfsctl --sand", ["--sandbox"], id="options-before-a-verb"),
        pytest.param("zfsctl prune tank", ["tank", "tank/a", "tank/with\\ blank"], id="datasets"),
        pytest.param("zfsctl prune -r tank/a be", ["beta:bk"], id="a-second-dataset"),
        pytest.param("zfsctl prune alpha:t", ["tank/db", "tank/x"], id="after-a-colon-readline-wants-the-rest"),
        pytest.param("zfsctl doctor --release alpha:t", ["tank/db", "tank/x"], id="the-dataset-of-an-option"),
        pytest.param("zfsctl explain tank/", ["tank/a", "tank/with\\ blank"], id="datasets-of-a-snapshot"),
        pytest.param(
            "zfsctl explain tank/a@", ["@a-1", "@a-2", "@two\\ words"], id="snapshots-readline-keeps-the-at-sign"
        ),
        pytest.param("zfsctl explain alpha:tank/db@d", ["@db-1", "@db-2"], id="snapshots-of-another-host"),
        pytest.param("zfsctl explain alpha:tank/db@x:", ["1"], id="a-snapshot-with-a-colon"),
        pytest.param("zfsctl explain tank/with@", [], id="a-dataset-without-snapshots"),
        pytest.param("zfsctl prune tank/a@", [], id="no-snapshots-where-a-dataset-is-wanted"),
        pytest.param("zfsctl --host ", ["local", "alpha", "beta"], id="hosts"),
        pytest.param("zfsctl status --host=al", ["alpha"], id="hosts-behind-an-equals-sign"),
        pytest.param("zfsctl schema p", ["plan"], id="kinds"),
        pytest.param("zfsctl snapshot --reason ", [], id="free-text"),
        pytest.param("zfsctl --sandbox /nowhere prune ", [], id="the-names-of-a-sandbox-are-its-own"),
    ],
)
def test_bash_offers(tree: CommandText, cache: dict[str, str], line: str, offered: list[str], tmp_path: Path) -> None:
    script = tmp_path / "zfsctl.bash"
    script.write_text(bash_completion(tree))
    program = (
        f'source {script}; COMP_LINE="$1"; COMP_POINT=${{#1}}; _zfsctl; '
        'for word in "${COMPREPLY[@]}"; do printf "%s\\n" "$word"; done'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", line], env=cache, capture_output=True, text=True, timeout=20
    )

    assert (done.stdout.split("\n")[:-1], done.stderr) == (offered, "")


def test_bash_starts_no_program_but_sort(tree: CommandText, cache: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "zfsctl.bash"
    script.write_text(bash_completion(tree))
    program = f"source {script}; COMP_LINE='zfsctl prune t'; COMP_POINT=14; PATH=; _zfsctl; echo ${{#COMPREPLY[@]}}"
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", program], env=cache, capture_output=True, text=True, timeout=20
    )

    assert (done.stdout, done.stderr) == ("3\n", "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        pytest.param("zfsctl sn", ["snapshot"], id="verbs"),
        pytest.param("zfsctl -c x config ", ["check", "init", "show"], id="verbs-below-a-verb"),
        pytest.param("zfsctl snapshot --re", ["--reason", "--recursive"], id="options"),
        pytest.param("zfsctl prune alpha:t", ["alpha:tank/db", "alpha:tank/x"], id="datasets"),
        pytest.param("zfsctl doctor --release be", ["beta:bk"], id="the-dataset-of-an-option"),
        pytest.param("zfsctl explain alpha:tank/d", ["alpha:tank/db"], id="datasets-of-a-snapshot"),
        pytest.param("zfsctl explain alpha:tank/db@d", ["alpha:tank/db@db-1", "alpha:tank/db@db-2"], id="snapshots"),
        pytest.param("zfsctl explain tank/b@", [], id="a-dataset-without-snapshots"),
        pytest.param("zfsctl --host ", ["alpha", "beta", "local"], id="hosts"),
    ],
)
def test_fish_offers(files: dict[str, str], cache: dict[str, str], line: str, offered: list[str]) -> None:
    program = files["completions/zfsctl.fish"] + f"\ncomplete -C {line!r}\n"
    done = subprocess.run(["fish", "-N"], input=program, env=cache, capture_output=True, text=True, timeout=20)

    assert ([text.split("\t")[0] for text in done.stdout.splitlines()], done.stderr) == (offered, "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
def test_zsh_can_read_its_completion(files: dict[str, str]) -> None:
    done = subprocess.run(
        ["zsh", "-fn"], input=files["completions/_zfsctl"], capture_output=True, text=True, timeout=20
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
@pytest.mark.parametrize(
    ("word", "offered"),
    [
        pytest.param("tank/a@", ["tank/a@a-1", "tank/a@a-2", "tank/a@two words"], id="snapshots"),
        pytest.param("alpha:tank/db@d", ["alpha:tank/db@db-1", "alpha:tank/db@db-2", "alpha:tank/db@x:1"], id="host"),
        pytest.param("tank/b@", [], id="a-dataset-without-snapshots"),
    ],
)
def test_zsh_hands_snapshots_to_its_matching(
    files: dict[str, str], cache: dict[str, str], word: str, offered: list[str]
) -> None:
    given = '_arguments() { : }\ncompadd() { [[ $1 == -- ]] && shift; print -rl -- "$@" }\nwords=()\n'
    program = f"{given}{files['completions/_zfsctl']}\nPREFIX={word} _zfsctl_snapshots\n"
    done = subprocess.run(["zsh", "-f"], input=program, env=cache, capture_output=True, text=True, timeout=20)

    assert (done.stdout.splitlines(), done.stderr) == (offered, "")


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc on this machine")
def test_mandoc_has_nothing_to_say(files: dict[str, str], tmp_path: Path) -> None:
    pages = [(tmp_path / Path(name).name, text) for name, text in files.items() if name.startswith("man/")]
    for path, text in pages:
        path.write_text(text)
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", *(path for path, _ in pages)],
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_page_has_the_sections_that_people_look_for(files: dict[str, str], verb: str) -> None:
    page = files[f"man/zfsctl-{verb}.8"]

    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "ENVIRONMENT", "EXAMPLES"):
        assert f"\n.SH {section}\n" in page
