"""Properties of the sender: those that the policy names arrive with a first copy, all are kept as text for restores."""

from __future__ import annotations

import json
from pathlib import Path

from tests.operations.test_repair import COPY, Pair, new_pair


def kept(pair: Pair, name: str) -> dict[str, str]:
    (text,) = pair.world.zfs("beta", "get", "-H", "-o", "value", "zfsctl:source-properties", name)
    found: dict[str, str] = json.loads(text)
    return found


def test_what_was_set_on_the_sender_is_kept_on_the_receiver(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    pair.world.zfs("alpha", "set", "compression=lz4", "org.site:owner=anna b", "tank/a/x")
    pair.replicate()

    assert kept(pair, f"{COPY}/x") == {"compression": "lz4", "org.site:owner": "anna b"}
    assert kept(pair, COPY) == {}

    pair.world.zfs("alpha", "inherit", "compression", "tank/a/x")
    pair.takes()
    pair.replicate()

    assert kept(pair, f"{COPY}/x") == {"org.site:owner": "anna b"}


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    pair.replicate()
    pair.takes()
    pair.world.fleet.faults.log.clear()
    pair.replicate()

    assert not [line for _, line in pair.world.fleet.faults.log if "source-properties=" in line]


def test_properties_that_the_policy_names_arrive_with_the_first_copy(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    pair.world.policy_text += 'properties = ["compression", "org.site:owner", "recordsize"]\n'
    pair.world.zfs("alpha", "create", "-o", "compression=lz4", "-o", "org.site:owner=anna b", "tank/a/new")
    pair.takes()

    pair.replicate()

    rows = pair.world.zfs(
        "beta", "get", "-H", "-o", "value,source", "compression,org.site:owner,recordsize", f"{COPY}/new"
    )
    assert rows[:2] == ["lz4\tlocal", "anna b\tlocal"]
    assert not rows[2].endswith("local")
