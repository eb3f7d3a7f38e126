"""`zfsctl replicate --from … --to …`: a tree that no replication of the policy is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Zfsctl

ENDS = ("--from", "tank/db", "--to", "beta:bk/hand/db")


@pytest.fixture(autouse=True)
def no_snapshots_on_the_receiver(sandbox: Path) -> None:
    policy = sandbox / "zfsctl.toml"
    policy.write_text(policy.read_text().replace('["tank", "beta:bk"]', '["tank"]'))


def test_a_tree_is_sent_once_and_then_what_it_lacks(zfsctl: Zfsctl, sandbox: Path) -> None:
    first = zfsctl("--sandbox", sandbox, "--json", "replicate", *ENDS)
    again = zfsctl("--sandbox", sandbox, "--json", "replicate", *ENDS)

    steps = [step["kind"] for step in json.loads(first.stdout)["data"]["steps"]]
    assert (first.code, steps) == (0, ["create-parents", "hold-snapshots", "transfer", "move-anchors"])
    assert (again.code, json.loads(again.stdout)["data"]["steps"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--from", "tank/db"], "they belong together", id="one end alone"),
        pytest.param([*ENDS, "nightly"], "stand instead of names", id="a name beside"),
        pytest.param(["--from", "tank/db", "--to", "nowhere:bk/x"], "there is no host 'nowhere'", id="no such host"),
        pytest.param(["--from", "tank/db", "--to", "tank/db/copy"], "its own sender", id="into itself"),
        pytest.param(["--from", "tank/db", "--to", "beta:bk"], "root of a pool", id="a whole pool"),
    ],
)
def test_what_the_policy_could_not_say_the_command_line_cannot(
    zfsctl: Zfsctl, sandbox: Path, words: list[str], said: str
) -> None:
    ended = zfsctl("--sandbox", sandbox, "replicate", *words)

    assert ended.code == 2
    assert said in ended.stderr
