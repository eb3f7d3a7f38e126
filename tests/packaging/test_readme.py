"""README.md says nothing that is not so: its commands run, its policies load, its tables agree with the program."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.readme_blocks import README, ROOT, Block, blocks, program_calls, shell_commands
from zfsctl.cli.process import run
from zfsctl.config.load import load_policy_files
from zfsctl.documents.envelope import envelope
from zfsctl.errors import ExitCode

PROGRAM = Path(sys.executable).with_name("zfsctl")


@functools.cache
def help_of(*verb: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert run([*verb, "--help"]) == 0, f"zfsctl {' '.join(verb)} --help"
    return said.getvalue()


def listed(word: str, text: str) -> bool:
    """Whether a help text has a line of its own for a command or an option."""
    return re.search(rf"^\s+(-\w, *|[\w-]+, *)*{re.escape(word)}\b", text, re.MULTILINE) is not None


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.text.split("\n")[0])
def test_every_policy_shown_is_one_that_zfsctl_takes(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "zfsctl.toml"
    file.write_text(block.text)

    policy = load_policy_files([file])

    assert policy.policies
    assert {rule.policy for rule in policy.rules} <= set(policy.policies)


def test_there_is_a_policy_for_one_machine_and_one_for_two_hosts() -> None:
    assert ["[hosts]" in block.text for block in blocks("toml")] == [False, True]
    assert ["[[replications]]" in block.text for block in blocks("toml")] == [False, True]


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("sh run"), ids=lambda block: block.commands[0])
def test_every_session_shown_runs_on_simulated_hosts(block: Block, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }

    for command in block.commands:
        done = subprocess.run(
            shlex.split(command),
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("call", program_calls())
def test_every_call_named_is_one_that_the_program_knows(call: str) -> None:
    words = shlex.split(call)[1:]
    if words[:1] == ["--sandbox"]:
        words = words[2:]
    verb = [word for word in words[:1] if not word.startswith("-")]
    for word in words[1:2] if verb else []:
        if re.fullmatch("[a-z]+", word) and listed(word, help_of(*verb)):
            verb.append(word)

    text = help_of(*verb) + help_of()

    for word in words:
        if word.startswith("-"):
            assert listed(word.split("=")[0], text), f"{word} is not in zfsctl {' '.join(verb)} --help"


def test_every_make_target_named_is_there() -> None:
    named = {line.split()[1] for line in shell_commands() if line.startswith("make ")}
    named |= set(re.findall(r"`make ([a-z-]+)`", README))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"demo", "test", "check"} <= named
    assert named <= targets


def test_every_file_named_is_there() -> None:
    linked = [path for path in re.findall(r"\]\(([^)]+)\)", README) if "://" not in path]
    installed = [
        word
        for line in shell_commands()
        if line.startswith("install ")
        for word in line.split()
        if "/" in word and not word.startswith(("/", "dist/"))
    ]
    assert linked
    assert installed

    missing = [path for path in [*linked, *installed] if not any(ROOT.glob(path))]

    assert missing == []


def test_the_table_of_exit_codes_is_complete() -> None:
    table = README.split("## Exit codes")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ") and row[2].isdigit()]

    assert sorted(int(code) for row in rows for code in row.split(",")) == sorted(ExitCode)


def test_the_document_shown_is_made_like_every_document() -> None:
    shown = [json.loads(block.text) for block in blocks("json")]

    assert [list(document) for document in shown] == [list(envelope("plan", {}, at=0))]
