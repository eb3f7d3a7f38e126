"""The last look before a destroy."""

from __future__ import annotations

import pytest

from tests.executor.scripted import Said, ScriptedHost
from zfsctl.errors import UnreachableError
from zfsctl.executor.recheck import SnapshotState, check_snapshots
from zfsctl.model.plan import DestroySnapshots, SnapshotRef

DATASETS = "tank\t1\t-\ntank/a\t5\t-\n"
SNAPSHOTS = "tank/a@x\t7\t0\t-\ntank/a@y\t8\t0\t-\n"
MISSING = "cannot open '{}': dataset does not exist\n"


def step(dataset: str = "tank/a", guid: int = 5, **snapshots: int) -> DestroySnapshots:
    """A planned destroy of snapshots by name and guid."""
    refs = tuple(SnapshotRef(name, guid) for name, guid in (snapshots or {"x": 7, "y": 8}).items())
    return DestroySnapshots(id="s1", host="alpha", why="", dataset=dataset, dataset_guid=guid, snapshots=refs)


def states(planned: DestroySnapshots, datasets: Said, snapshots: Said) -> list[SnapshotState]:
    """What became of the snapshots of `planned`."""
    host = ScriptedHost("alpha", {"datasets again": datasets, "snapshots again": snapshots})
    (recheck,) = check_snapshots(host, [planned])
    assert [check.ref for check in recheck.snapshots] == list(planned.snapshots)
    assert all(bool(check.detail) is (check.state is not SnapshotState.UNCHANGED) for check in recheck.snapshots)
    return [check.state for check in recheck.snapshots]


UNCHANGED, GONE, OTHER = SnapshotState.UNCHANGED, SnapshotState.GONE, SnapshotState.OTHER_GUID
HELD, CLONED, UNKNOWN = SnapshotState.HELD, SnapshotState.CLONED, SnapshotState.UNKNOWN
PARTIAL = SnapshotState.PARTIAL_RECEIVE


@pytest.mark.parametrize(
    ("datasets", "snapshots", "found"),
    [
        pytest.param(Said(DATASETS), Said(SNAPSHOTS), [UNCHANGED, UNCHANGED], id="as-planned"),
        pytest.param(
            Said(DATASETS),
            Said("tank/a@y\t8\t0\t-\n", MISSING.format("tank/a@x"), 1),
            [GONE, UNCHANGED],
            id="one-is-gone",
        ),
        pytest.param(
            Said(DATASETS),
            Said("", MISSING.format("tank/a@x") + MISSING.format("tank/a@y"), 1),
            [GONE, GONE],
            id="both-are-gone",
        ),
        pytest.param(
            Said(DATASETS), Said("tank/a@x\t99\t0\t-\ntank/a@y\t8\t0\t-\n"), [OTHER, UNCHANGED], id="a-namesake"
        ),
        pytest.param(
            Said(DATASETS), Said("tank/a@x\t7\t1\t-\ntank/a@y\t8\t0\t-\n"), [HELD, UNCHANGED], id="a-hold-since"
        ),
        pytest.param(
            Said(DATASETS), Said("tank/a@x\t7\t0\ttank/c\ntank/a@y\t8\t0\t-\n"), [CLONED, UNCHANGED], id="a-clone-since"
        ),
        pytest.param(
            Said(DATASETS),
            Said("tank/a@x\t7\t0\t-\ntank/a@y\t8\t0\ttank/a/%recv\n"),
            [UNCHANGED, CLONED],
            id="the-base-of-a-receive",
        ),
        pytest.param(
            Said("tank\t1\t-\ntank/a\t6\t-\n"), Said(SNAPSHOTS), [OTHER, OTHER], id="another-dataset-of-that-name"
        ),
        pytest.param(
            Said("tank\t1\t-\n", MISSING.format("tank/a"), 1),
            Said("", MISSING.format("tank/a@x") + MISSING.format("tank/a@y"), 1),
            [GONE, GONE],
            id="the-dataset-is-gone",
        ),
        pytest.param(
            Said("", MISSING.format("tank") + MISSING.format("tank/a"), 1),
            Said("", MISSING.format("tank/a@x") + MISSING.format("tank/a@y"), 1),
            [UNKNOWN, UNKNOWN],
            id="the-pool-is-not-imported",
        ),
        pytest.param(
            Said("tank\t1\t-\ntank/a\t5\t1-ab-c-d\n"), Said(SNAPSHOTS), [PARTIAL, PARTIAL], id="a-resume-token"
        ),
        pytest.param(
            Said(DATASETS),
            Said(SNAPSHOTS, "cannot iterate filesystems: I/O error\n"),
            [UNKNOWN, UNKNOWN],
            id="a-word-on-stderr",
        ),
        pytest.param(
            Said(DATASETS),
            Said("tank/a@y\t8\t0\t-\n", MISSING.format("tank/a@x") + "cannot read: I/O error\n", 1),
            [UNKNOWN, UNKNOWN],
            id="one-gone-and-another-trouble",
        ),
        pytest.param(
            Said(DATASETS),
            Said("", "cannot open 'tank/a@x': no such pool\ncannot open 'tank/a@y': no such pool\n", 1),
            [UNKNOWN, UNKNOWN],
            id="no-such-pool-is-not-a-snapshot-gone",
        ),
        pytest.param(Said(DATASETS), Said(SNAPSHOTS, exit_code=1), [UNKNOWN, UNKNOWN], id="exit-1-without-a-word"),
        pytest.param(
            Said(DATASETS), Said("", MISSING.format("tank/a@x"), 2), [UNKNOWN, UNKNOWN], id="exit-2-is-another-trouble"
        ),
        pytest.param(Said(DATASETS), Said("tank/a@x\t7\t0\t-\n"), [UNCHANGED, UNKNOWN], id="one-left-out-silently"),
        pytest.param(Said(DATASETS), Said("tank/a@x\t7\n"), [UNKNOWN, UNKNOWN], id="other-columns"),
        pytest.param(Said("tank/a\t5\n"), Said(SNAPSHOTS), [UNKNOWN, UNKNOWN], id="other-columns-of-the-dataset"),
        pytest.param(Said("tank\t1\t-\n"), Said(SNAPSHOTS), [UNKNOWN, UNKNOWN], id="the-dataset-left-out-silently"),
    ],
)
def test_only_what_is_still_the_planned_snapshot_may_go(
    datasets: Said, snapshots: Said, found: list[SnapshotState]
) -> None:
    assert states(step(), datasets, snapshots) == found


def test_many_destroys_share_one_exchange_and_pools_are_asked_apart() -> None:
    steps = [step(f"{pool}/{number:03}", 5, x=7) for number in range(100) for pool in ("tank", "tank2")]
    host = ScriptedHost("alpha", {"datasets again": Said(), "snapshots again": Said()})

    rechecks = check_snapshots(host, steps)

    assert [recheck.dataset for recheck in rechecks] == [planned.dataset for planned in steps]
    assert host.exchanges == 1
    assert len(host.asked) == 4
    assert all(len({name.partition("/")[0] for name in command.argv[7:]}) == 1 for command in host.asked)


def test_a_sick_pool_makes_nothing_doubtful_but_itself() -> None:
    host = ScriptedHost(
        "alpha",
        {
            "datasets again": [Said("sick\t1\t-\nsick/a\t5\t-\n"), Said(DATASETS)],
            "snapshots again": [Said("", "cannot open 'sick/a@x': I/O error\n", 1), Said("tank/a@x\t7\t0\t-\n")],
        },
    )

    sick, well = check_snapshots(host, [step("sick/a", 5, x=7), step("tank/a", 5, x=7)])

    assert not sick.unchanged
    assert "I/O error" in sick.snapshots[0].detail
    assert well.unchanged == (SnapshotRef("x", 7),)


def test_two_steps_of_one_dataset_are_each_answered() -> None:
    host = ScriptedHost("alpha", {"datasets again": Said(DATASETS), "snapshots again": Said(SNAPSHOTS)})

    first, second = check_snapshots(host, [step(x=7), step(y=9)])

    assert first.unchanged == (SnapshotRef("x", 7),)
    assert second.unchanged == ()


def test_no_step_asks_nothing() -> None:
    host = ScriptedHost("alpha", {})

    assert check_snapshots(host, []) == ()
    assert host.exchanges == 0


def test_a_lost_connection_is_raised() -> None:
    host = ScriptedHost("alpha", {"datasets again": Said(error=UnreachableError("alpha could not be reached"))})

    with pytest.raises(UnreachableError):
        check_snapshots(host, [step()])
