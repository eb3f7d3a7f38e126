"""The fleet of a first look."""

from __future__ import annotations

import pytest

from zfsctl.config.load import load_policy
from zfsctl.model.names import Ownership, ownership_of
from zfsctl.sandbox.document_load import load_fleet
from zfsctl.sandbox.document_save import fleet_document
from zfsctl.sandbox.example import EXAMPLE_POLICY, build_example_fleet

NOW = 1_795_177_800


@pytest.fixture(scope="module")
def fleet():
    return load_fleet(build_example_fleet(NOW))


def snapshots(fleet):
    return [
        (dataset, snapshot)
        for machine in fleet.hosts.values()
        for pool in machine.pools.values()
        for dataset, snapshot in pool.snapshots()
    ]


def test_it_is_the_same_for_the_same_instant(fleet):
    assert build_example_fleet(NOW) == fleet_document(fleet)


def test_it_has_half_a_year_of_history_and_nothing_from_the_future(fleet):
    found = [snapshot for _, snapshot in snapshots(fleet)]

    assert len(found) > 500
    assert min(snapshot.creation for snapshot in found) < NOW - 150 * 86400
    assert max(snapshot.creation for snapshot in found) <= NOW
    assert all(
        dataset.creation <= snapshot.creation and dataset.createtxg < snapshot.createtxg
        for dataset, snapshot in snapshots(fleet)
    )


def test_it_shows_scheduled_manual_foreign_held_and_cloned_snapshots(fleet):
    found = [snapshot for _, snapshot in snapshots(fleet)]
    kinds = {ownership_of(snapshot.name, prefix="zfsctl") for snapshot in found}

    assert kinds == {Ownership.SCHEDULED, Ownership.MANUAL, None}
    assert any(snapshot.holds for snapshot in found)
    assert any(dataset.origin for dataset in fleet.hosts["local"].pools["tank"].datasets.values())
    assert all(
        snapshot.properties["zfsctl:policy"]
        for snapshot in found
        if ownership_of(snapshot.name, prefix="zfsctl") is Ownership.SCHEDULED
    )


def test_its_policy_is_one_that_zfsctl_reads(tmp_path):
    path = tmp_path / "zfsctl.toml"
    path.write_text(EXAMPLE_POLICY)

    policy = load_policy(path, environ={})

    assert sorted(policy.policies) == ["apps", "critical", "media"]
    assert "vault" in policy.hosts
