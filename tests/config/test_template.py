"""The file that `config init` writes: right as it stands, whatever pools there are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.config.load import load_policy_files
from zfsctl.config.template import render_policy_template
from zfsctl.model.dataset import Dataset, DatasetKind
from zfsctl.model.policy import PolicyFile
from zfsctl.model.pool import Pool


def load(text: str) -> PolicyFile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zfsctl.toml"
        path.write_text(text)
        return load_policy_files([path])


def test_each_pool_gets_a_rule_and_a_day_begins_where_the_machine_is() -> None:
    policy = load(render_policy_template([Pool("tank", 1), Pool("media", 2)], timezone="Asia/Kathmandu"))

    assert policy.timezone == "Asia/Kathmandu"
    assert [[pattern.dataset for pattern in rule.select] for rule in policy.rules] == [["tank"], ["media"]]
    assert all(rule.policy in policy.policies for rule in policy.rules)
    assert not any(rule.exclude or rule.adopt for rule in policy.rules), "nothing is left out or taken over unasked"


def test_a_machine_without_pools_gets_a_file_without_rules() -> None:
    text = render_policy_template([])

    assert load(text).rules == ()
    assert "# [[datasets]]" in text


@pytest.mark.parametrize("pool", [Pool("old", 1, health="FAULTED"), Pool("old", 1, readonly=True)])
def test_a_pool_that_takes_no_writes_stands_there_as_a_comment_with_the_reason(pool: Pool) -> None:
    text = render_policy_template([pool, Pool("tank", 2)])

    assert [rule.select[0].dataset for rule in load(text).rules] == ["tank"]
    assert '# select = ["old"]' in text
    assert "old takes no snapshots now" in text


def test_what_lies_below_a_pool_is_shown_as_far_as_it_helps() -> None:
    names = ["tank", "tank/home", "tank/home/me", *(f"tank/d{number}" for number in range(30)), "tanker/x"]
    datasets = {name: Dataset(name, DatasetKind.FILESYSTEM, guid) for guid, name in enumerate(names)}

    text = render_policy_template([Pool("tank", 1)], datasets)

    assert "# Below tank: tank/home\n" in text
    assert "# Below tank: and 11 more\n" in text
    assert "tank/home/me" not in text
    assert "tanker/x" not in text
    load(text)


@pytest.mark.parametrize(
    "uncommented",
    [
        pytest.param(("# read_only", "read_only"), id="read-only"),
        pytest.param(("# [ssh]", "[ssh]", "# user =", "user ="), id="ssh"),
        pytest.param(("# [hosts]", "[hosts]", "# alpha =", "alpha =", "# vault =", "vault ="), id="hosts"),
        pytest.param(("# exclude =", "exclude ="), id="exclude"),
        pytest.param(
            (
                *("# [hosts]", "[hosts]", "# vault =", "vault =", "# [[replications]]", "[[replications]]"),
                *("# name =", "name =", "# sender =", "sender =", "# receiver =", "receiver ="),
                *("# keep = { daily = 30 }", "keep = { daily = 30 }", "# away =", "away ="),
            ),
            id="replications",
        ),
    ],
)
def test_what_stands_there_as_a_comment_is_right_when_it_is_uncommented(uncommented: tuple[str, ...]) -> None:
    text = render_policy_template([Pool("tank", 1)])
    for old, new in zip(uncommented[::2], uncommented[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)

    load(text)


POOL_NAMES = st.from_regex(r"[a-zA-Z][A-Za-z0-9\-_.: ]{0,20}[A-Za-z0-9]", fullmatch=True).filter(
    lambda name: not name.startswith(("mirror", "raidz", "draid")) and name not in ("spare", "log")
)


@given(st.lists(POOL_NAMES, unique=True, max_size=4))
def test_whatever_the_pools_are_called_the_file_loads_and_selects_them(names: list[str]) -> None:
    policy = load(render_policy_template([Pool(name, guid) for guid, name in enumerate(names)]))

    assert [(rule.select[0].host, rule.select[0].dataset) for rule in policy.rules] == [("local", n) for n in names]
