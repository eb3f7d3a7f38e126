"""Signs that somebody else takes snapshots of the same datasets."""

from __future__ import annotations

from datetime import UTC

import pytest

from tests.planner.notation import at
from zfsctl.model.dataset import Dataset, DatasetKind, Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.finding import Finding
from zfsctl.model.names import scheduled_name
from zfsctl.model.policy import Policy, PolicyFile, Schedule
from zfsctl.planner.controllers import controllers_on
from zfsctl.planner.selection import Selected

NOW = at("20T15")
HOURLY = Policy("p", (), Schedule("hourly", "0 * * * *"))
POLICY = PolicyFile(policies={"p": HOURLY})
TANK = Dataset("tank/a", DatasetKind.FILESYSTEM, 1)


def snapshot(time: str, policy: str | None = "p", seconds: int = 0, name: str = "") -> Snapshot:
    creation = at(time) + seconds
    return Snapshot("tank/a", name or scheduled_name("zfsctl", creation), creation, creation, creation, policy=policy)


def found(*snapshots: Snapshot, policy: Policy | None = HOURLY) -> list[Finding]:
    host = HostFacts("alpha", NOW, datasets={"tank/a": TANK}, snapshots={"tank/a": snapshots})
    return list(controllers_on(host, POLICY, [Selected("alpha", TANK, None, policy)], zone=UTC))


@pytest.mark.parametrize(
    "snapshots",
    [
        pytest.param((), id="nothing was taken"),
        pytest.param((snapshot("20T13"), snapshot("20T14")), id="one for each hour"),
        pytest.param((snapshot("20T13", seconds=3590), snapshot("20T14", seconds=5)), id="late, and then in time"),
        pytest.param((snapshot("20T12", "old"), snapshot("20T13", "old"), snapshot("20T14")), id="a renamed policy"),
        pytest.param((snapshot("20T13", "old"),), id="a renamed policy that has taken nothing yet"),
        pytest.param((snapshot("20T13"), snapshot("20T14", None, name="by-hand")), id="one by hand"),
        pytest.param((snapshot("01T13"), snapshot("01T13", seconds=9), snapshot("20T14")), id="twice, long ago"),
        pytest.param((snapshot("01T10"), snapshot("01T13", "other"), snapshot("20T14")), id="another's, long ago"),
        pytest.param((snapshot("01T13", None, name="autosnap_x"), snapshot("20T14")), id="sanoid, long ago"),
    ],
)
def test_one_controller_alone(snapshots: tuple[Snapshot, ...]) -> None:
    assert found(*snapshots) == []


@pytest.mark.parametrize(
    ("snapshots", "code", "said"),
    [
        pytest.param(
            (snapshot("20T13"), snapshot("20T13", "other", 600), snapshot("20T14")), "second-controller",
            "was taken 1 h ago by the policy 'other'", id="another policy file takes them in between",
        ),
        pytest.param(
            (snapshot("20T13"), snapshot("20T13", seconds=7)), "duplicate-schedule",
            "were both taken for one instant of 'hourly', once", id="two for one instant",
        ),
        pytest.param(
            (snapshot("20T13"), snapshot("20T14", None, name="autosnap_2026-11-20_14:00:00_hourly")),
            "duplicate-schedule", "is named as sanoid does", id="another tool",
        ),
    ],
)  # fmt: skip
def test_a_second_one_is_told(snapshots: tuple[Snapshot, ...], code: str, said: str) -> None:
    (finding,) = found(*snapshots)

    assert finding.code == code
    assert said in finding.message


def test_a_dataset_that_this_policy_only_prunes_is_not_another_files_too() -> None:
    (finding,) = found(snapshot("20T13", "other"), policy=Policy("p", ()))

    assert finding.code == "second-controller"


@pytest.mark.parametrize("taken", [snapshot("20T13", "other"), snapshot("20T13", None, name="autosnap_x")])
def test_a_dataset_that_this_policy_leaves_alone_may_be_looked_after_by_others(taken: Snapshot) -> None:
    assert found(taken, policy=None) == []
