"""`zfsctl replicate --from … --to …`: a tree that no replication of the policy is about."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Zfsctl
from zfsctl.sandbox.building import do
from zfsctl.sandbox.store import FleetStore

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


def test_the_same_two_ends_are_the_same_replication_however_they_are_written(zfsctl: Zfsctl, sandbox: Path) -> None:
    zfsctl("--sandbox", sandbox, "replicate", *ENDS)
    again = zfsctl("--sandbox", sandbox, "--json", "replicate", "--from", "local:tank/db", *ENDS[2:])

    assert (again.code, json.loads(again.stdout)["data"]["steps"]) == (0, [])


def test_the_line_to_try_can_be_pasted(zfsctl: Zfsctl, sandbox: Path) -> None:
    """What only a policy's replication has, explain and its bare name, is not offered."""
    ends = ("--from", "tank/db", "--to", "beta:bk/an old one")
    with FleetStore(sandbox).locked() as fleet:
        do(fleet, "beta", "zfs", "create", "-o", "readonly=on", ends[3].removeprefix("beta:"))
        do(fleet, "beta", "zfs", "snapshot", "bk/an old one@theirs")
    refused = zfsctl("--sandbox", sandbox, "replicate", *ends)
    (row,) = refused.stdout.splitlines()
    line = row.split("\t")[-1]

    assert refused.code == 5
    assert shlex.split(line) == ["zfsctl", "--sandbox", str(sandbox), "replicate", *ends, "--adopt"]
    assert zfsctl(*shlex.split(line)[1:]).code == 0


def test_nothing_is_offered_where_only_the_policy_could_answer(zfsctl: Zfsctl, sandbox: Path) -> None:
    with FleetStore(sandbox).locked() as fleet:
        do(fleet, "beta", "zfs", "create", "-o", "mountpoint=/mine", "bk/old")
    refused = zfsctl("--sandbox", sandbox, "replicate", "--from", "tank/db", "--to", "beta:bk/old")

    assert refused.code == 5
    assert "somebody may be at work on it" in refused.stdout
    assert "zfsctl explain" not in refused.stdout
