"""The policy in force as TOML: what is shown is what runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.config.policies import EXAMPLES, FULL, REPLICATED
from zfsctl.config.load import load_policy_files
from zfsctl.config.show import render_policy_file
from zfsctl.config.template import render_policy_template
from zfsctl.model.policy import PolicyFile
from zfsctl.model.pool import Pool


def without_places(policy: PolicyFile) -> PolicyFile:
    return replace(
        policy,
        files=(),
        rules=tuple(replace(rule, where="") for rule in policy.rules),
        replications=tuple(replace(one, where="") for one in policy.replications),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(FULL, id="every-key"),
        pytest.param(REPLICATED, id="every-key-of-replications"),
        pytest.param("[hosts]\nlocal = { sudo = true }\n", id="local"),
        pytest.param(render_policy_template([Pool("tank", 1)]), id="template"),
        pytest.param((EXAMPLES / "home-server.toml").read_text(), id="home-server"),
        pytest.param((EXAMPLES / "storage-pair.toml").read_text(), id="storage-pair"),
    ],
)
def test_a_policy_that_is_shown_and_loaded_again_is_the_same(tmp_path: Path, text: str) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(text)
    policy = load_policy_files([first])

    second.write_text(render_policy_file(policy))

    assert without_places(load_policy_files([second])) == without_places(policy)


def test_several_files_are_shown_as_one(tmp_path: Path) -> None:
    first, second, shown = tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "c.toml"
    first.write_text('[ssh]\nport = 7\n[policies.p]\nkeep = { last = 1 }\n[[datasets]]\nselect = ["t"]\npolicy = "p"\n')
    second.write_text('[hosts]\na = "a.lan"\n[[datasets]]\nselect = ["a:t"]\npolicy = "none"\n')
    policy = load_policy_files([first, second])

    shown.write_text(render_policy_file(policy))

    assert without_places(load_policy_files([shown])) == without_places(policy)
    assert "port = 7" in shown.read_text()
