"""The parsers on what real OpenZFS printed (tests/zfs/captured, written by `python -m tests.testbed capture`)."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.testbed.capture import read_captured
from zfsctl.errors import UnreadableOutputError
from zfsctl.model.command import Command, Completed
from zfsctl.model.dataset import DatasetKind
from zfsctl.zfs.about import argv_clock, argv_version, parse_clock, parse_version
from zfsctl.zfs.bookmarks import parse_bookmarks
from zfsctl.zfs.datasets import argv_list_datasets, parse_datasets
from zfsctl.zfs.destroying import parse_destroy_estimate
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.holds import Hold, parse_holds
from zfsctl.zfs.own_properties import OwnProperties, argv_own_properties, parse_own_properties
from zfsctl.zfs.pools import argv_list_pools, parse_pools
from zfsctl.zfs.properties import parse_properties
from zfsctl.zfs.rereading import parse_guids, parse_reread_datasets, parse_reread_snapshots
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.snapshots import argv_list_snapshots, parse_snapshots
from zfsctl.zfs.text import text_lines

FOLDER = Path(__file__).parent / "captured"
ALL_SERIES = sorted(folder.name for folder in FOLDER.iterdir())
SCHEDULED = "zfsctl-20261101T000000Z"
MANUAL = "zfsctl-manual-20261102T000000Z"
BOTH = Scope(("bk", "tank"), recursive=True)

pytestmark = pytest.mark.parametrize("series", ALL_SERIES)


def answer(series: str, name: str) -> Completed:
    """What was captured as `name`."""
    captured = read_captured(FOLDER / series / f"{name}.txt")
    assert captured.rc is not None
    return Completed(tuple(shlex.split(captured.command)), captured.rc, captured.stdout, captured.stderr)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param("asked-version", argv_version(), id="version"),
        pytest.param("asked-clock", argv_clock(), id="clock"),
        pytest.param("asked-pools", argv_list_pools(), id="pools"),
        pytest.param("asked-datasets", argv_list_datasets(), id="datasets"),
        pytest.param("asked-snapshots", argv_list_snapshots(BOTH), id="snapshots"),
        pytest.param("asked-own-properties", argv_own_properties(BOTH), id="own-properties"),
    ],
)
def test_what_was_captured_is_what_zfsctl_asks_and_was_a_clean_answer(series: str, name: str, command: Command) -> None:
    completed = answer(series, name)

    assert completed.argv == command.argv
    assert completed.clean


def test_version_and_clock(series: str) -> None:
    assert parse_version(answer(series, "asked-version").stdout).startswith(f"{series}.")
    assert parse_clock(answer(series, "asked-clock").stdout) > 1_790_000_000


def test_pools(series: str) -> None:
    pools = parse_pools(answer(series, "asked-pools").stdout)

    assert [(pool.name, pool.health, pool.readonly) for pool in pools] == [
        ("bk", "ONLINE", False),
        ("tank", "ONLINE", False),
    ]
    assert all(pool.size and pool.free and pool.allocated and pool.capacity is not None for pool in pools)


def test_datasets(series: str) -> None:
    datasets = parse_datasets(answer(series, "asked-datasets").stdout)

    assert {name for name, dataset in datasets.items() if dataset.kind is DatasetKind.VOLUME} == {
        "tank/thick",
        "tank/vol",
    }
    assert {name for name, dataset in datasets.items() if dataset.inconsistent} == {"bk/partial"}
    assert {name for name, dataset in datasets.items() if dataset.receive_resume_token} == {"bk/partial", "bk/photos"}
    assert {name: dataset.origin for name, dataset in datasets.items() if dataset.origin} == {
        "tank/clone": "tank/photos@odd",
        "tank/clone two": "tank/photos@odd",
    }
    assert {name: dataset.keystatus for name, dataset in datasets.items() if dataset.keystatus} == {
        "bk/raw": "unavailable",
        "tank/enc": "available",
        "tank/enc/child": "available",
        "tank/locked": "unavailable",
    }
    assert datasets["tank/enc/child"].encryptionroot == "tank/enc"
    assert {name for name, dataset in datasets.items() if dataset.readonly} == {"tank/ro"}
    assert {"tank/with space", "tank/-dash/a:b", "tank/off/none"} <= datasets.keys()
    assert datasets["tank/photos"].mounted
    assert datasets["tank/off/none"].mountpoint == "none"
    assert datasets["tank/legacy"].mountpoint == "legacy"
    assert datasets["tank/off"].canmount == "off"
    assert (datasets["tank/vol"].mounted, datasets["tank/vol"].mountpoint) == (False, None)
    assert datasets["tank/photos"].used_by_snapshots > 3_000_000
    assert len({dataset.guid for dataset in datasets.values()}) == len(datasets)
    assert max(dataset.guid for dataset in datasets.values()) > 2**63


def test_snapshots(series: str) -> None:
    snapshots = parse_snapshots(text_lines(answer(series, "asked-snapshots").stdout))

    photos = snapshots["tank/photos"]
    assert [snapshot.name for snapshot in photos] == [SCHEDULED, MANUAL, "inherits", "odd", "with space", "-dash"]
    assert [snapshot.createtxg for snapshot in photos] == sorted({snapshot.createtxg for snapshot in photos})
    assert [snapshot.userrefs for snapshot in photos] == [0, 0, 2, 0, 1, 0]
    assert [sorted(snapshot.clones) for snapshot in photos if snapshot.clones] == [["tank/clone", "tank/clone two"]]
    assert photos[0].written > 3_000_000
    (received,) = snapshots["bk/photos"]
    assert (received.guid, received.creation) == (photos[0].guid, photos[0].creation)
    assert received.clones == ("bk/photos/%recv",)
    assert snapshots["bk/raw"][0].guid == snapshots["tank/enc"][0].guid
    assert snapshots["tank/vol"][0].createtxg == photos[0].createtxg
    assert [snapshot.name for snapshot in snapshots["tank/with space"]] == ["-a:b c"]


def test_snapshots_of_named_datasets_and_of_none(series: str) -> None:
    some = parse_snapshots(text_lines(answer(series, "asked-snapshots-of-some").stdout))
    none = answer(series, "asked-snapshots-of-none")

    assert {name: len(listed) for name, listed in some.items()} == {
        "tank/photos": 6,
        "tank/vol": 1,
        "tank/with space": 1,
    }
    assert none.clean
    assert parse_snapshots(text_lines(none.stdout)) == {}


def test_a_dataset_that_is_missing_spoils_a_listing(series: str) -> None:
    completed = answer(series, "asked-snapshots-of-missing")
    failure = parse_failure(completed)

    assert not completed.clean
    assert failure is not None
    assert failure.kind is FailureKind.DATASET_MISSING
    assert len(parse_snapshots(text_lines(completed.stdout))["tank/photos"]) == 6


def test_a_foreign_value_of_two_lines_makes_the_properties_unreadable(series: str) -> None:
    for name in ("asked-own-properties", "asked-own-properties-of-some"):
        with pytest.raises(UnreadableOutputError):
            parse_own_properties(text_lines(answer(series, name).stdout))


def test_own_properties_are_those_set_on_the_snapshot_itself(series: str) -> None:
    own = parse_own_properties(text_lines(answer(series, "asked-own-properties-readable").stdout))
    none = parse_own_properties(text_lines(answer(series, "asked-own-properties-of-none").stdout))
    guids = parse_snapshots(text_lines(answer(series, "asked-snapshots").stdout))["tank/photos"]

    assert own["tank/photos"] == {
        SCHEDULED: OwnProperties(policy="critical"),
        MANUAL: OwnProperties(None, "before the upgrade, größer", 1793491200, str(guids[1].guid)),
    }
    assert own["tank/with space"] == {}
    assert none == {}


def test_a_received_property_counts(series: str) -> None:
    lines = text_lines(answer(series, "asked-own-properties").stdout)
    own = parse_own_properties(line for line in lines if line.startswith("bk/"))

    assert own["bk/photos"] == {SCHEDULED: OwnProperties(policy="critical")}


def test_second_looks_list_what_is_there_and_say_what_is_gone(series: str) -> None:
    snapshots = answer(series, "asked-again-snapshots")
    names = snapshots.argv[snapshots.argv.index("-o") + 2 :]
    failure = parse_failure(snapshots, names)
    seen = parse_reread_snapshots(snapshots.stdout)
    datasets = parse_reread_datasets(answer(series, "asked-again-datasets").stdout)

    assert [(name, look.userrefs, len(look.clones)) for name, look in sorted(seen.items())] == [
        ("tank/photos@inherits", 2, 0),
        ("tank/photos@odd", 0, 2),
        ("tank/photos@with space", 1, 0),
    ]
    assert failure is not None
    assert {member.name for member in failure.members} == {"tank/photos@gone", "tank/gone@s"}
    assert {member.kind for member in failure.members} == {FailureKind.DATASET_MISSING}
    assert failure.others == ()
    assert sorted(datasets) == ["bk/photos", "tank/photos", "tank/vol"]
    assert datasets["bk/photos"].receive_resume_token
    assert datasets["tank/photos"].receive_resume_token is None
    assert parse_guids(answer(series, "asked-guids").stdout) == {name: look.guid for name, look in seen.items()}


def test_bookmarks_holds_properties_and_estimates(series: str) -> None:
    bookmarks = parse_bookmarks(answer(series, "asked-bookmarks").stdout)
    holds = parse_holds(answer(series, "asked-holds").stdout)
    properties = parse_properties(answer(series, "asked-properties").stdout)
    estimate = parse_destroy_estimate(answer(series, "asked-estimate").stdout)
    larger = parse_destroy_estimate(answer(series, "destroy-estimate").stdout)

    assert [bookmark.name for bookmark in bookmarks["tank/photos"]] == [
        "zfsctl-vault-0123456789abcdef",
        "with space",
    ]
    assert set(holds) == {
        Hold("tank/photos@inherits", "keep"),
        Hold("tank/photos@inherits", "two words"),
        Hold("tank/photos@with space", "zfsctl:base"),
    }
    assert {(found.name, found.property): found.source for found in properties} == {
        ("tank/photos", "zfsctl:policy"): "local",
        ("tank/photos", "compression"): "default",
        ("tank/ro", "zfsctl:policy"): "-",
        ("tank/ro", "compression"): "default",
    }
    assert set(estimate.snapshots) == {"tank/photos@inherits", "tank/photos@-dash"}
    assert larger.frees > 2_000_000


A, B, CLONED = "tank/f/a", "tank/f/b", "tank/f/cloned"
HELD = {"2.1": FailureKind.BUSY}
"""Up to 2.3.2 a held snapshot is just busy."""
FAILURES = [
    ("snapshot-exists", FailureKind.EXISTS, {f"{A}@s1"}),
    ("snapshot-several-exist", FailureKind.EXISTS, {f"{A}@s1", f"{B}@s1"}),
    ("snapshot-one-of-several-exists", FailureKind.EXISTS, {f"{B}@s1"}),
    ("snapshot-dataset-missing", FailureKind.DATASET_MISSING, {"tank/f/gone@s1"}),
    ("snapshot-one-dataset-missing", FailureKind.DATASET_MISSING, {"tank/f/gone@s4"}),
    ("snapshot-pool-missing", FailureKind.DATASET_MISSING, {"nopool/a@s1"}),
    ("snapshot-twice-of-one-dataset", FailureKind.SEVERAL_OF_ONE_DATASET, set()),
    ("snapshot-across-pools", FailureKind.SEVERAL_OF_ONE_DATASET, set()),
    ("snapshot-permission-denied", FailureKind.PERMISSION, set()),
    ("snapshot-delegated-one-denied", FailureKind.PERMISSION, set()),
    ("snapshot-limit", FailureKind.OUT_OF_SPACE, {f"{A}@s4"}),
    ("snapshot-of-partial-receive", FailureKind.BUSY, {"bk/partial@s1"}),
    ("destroy-held", HELD, {f"{A}@s2"}),
    ("destroy-list-one-held", HELD, {f"{A}@s2"}),
    ("destroy-cloned", FailureKind.CLONED, {f"{CLONED}@s1"}),
    ("destroy-base-of-partial-receive", FailureKind.CLONED, {f"bk/photos@{SCHEDULED}"}),
    ("destroy-estimate-cloned", FailureKind.CLONED, {"tank/photos@odd"}),
    ("destroy-missing", FailureKind.NONE_FOUND, set()),
    ("destroy-list-all-missing", FailureKind.NONE_FOUND, set()),
    ("destroy-of-missing-dataset", FailureKind.DATASET_MISSING, {"tank/f/gone@s1"}),
    ("destroy-mounted-in-use", FailureKind.BUSY, {f"{B}@s1"}),
    ("destroy-permission-denied", FailureKind.PERMISSION, set()),
    ("destroy-list-permission-denied", FailureKind.PERMISSION, set()),
    ("destroy-dataset-with-children", FailureKind.HAS_CHILDREN, {"tank/f/child"}),
    ("destroy-bookmark-missing", FailureKind.DATASET_MISSING, set()),
    ("hold-twice", FailureKind.TAG_EXISTS, {f"{A}@s2"}),
    ("hold-one-missing", FailureKind.DATASET_MISSING, {f"{A}@gone"}),
    ("hold-permission-denied", FailureKind.PERMISSION, set()),
    ("release-unknown-tag", FailureKind.NO_SUCH_TAG, {f"{A}@s2"}),
    ("bookmark-exists", FailureKind.EXISTS, {f"{A}#m1"}),
    ("bookmark-of-missing", FailureKind.DATASET_MISSING, {f"{A}@gone"}),
    ("list-missing-dataset", FailureKind.DATASET_MISSING, {"tank/f/gone"}),
    ("list-one-missing", FailureKind.DATASET_MISSING, {"tank/f/gone"}),
    ("list-unknown-column", FailureKind.UNKNOWN, set()),
    ("sudo-refused", FailureKind.PERMISSION, set()),
    ("program-missing", FailureKind.NO_PROGRAM, set()),
]


def operands(completed: Completed) -> list[str]:
    """The things that a captured command was about, a comma list taken apart."""
    names = []
    for word in completed.argv:
        dataset, at, short = word.partition("@")
        if "/" in dataset and not dataset.startswith("/"):
            names += [f"{dataset}@{part}" for part in short.split(",")] if at else [word]
    return names


@pytest.mark.parametrize(("name", "kind", "members"), [pytest.param(*row, id=row[0]) for row in FAILURES])
def test_what_openzfs_says_of_a_failure_is_understood(
    series: str, name: str, kind: FailureKind | dict[str, FailureKind], members: set[str]
) -> None:
    completed = answer(series, name)
    failure = parse_failure(completed, operands(completed))
    expected = kind if isinstance(kind, FailureKind) else kind.get(series, FailureKind.HELD)

    assert failure is not None
    assert failure.kind is expected
    assert {member.name for member in failure.members} == members
    assert "usage:" not in failure.text


def test_nothing_that_was_captured_is_called_a_failure_when_it_went_well(series: str) -> None:
    failed = []
    for path in (FOLDER / series).glob("*.txt"):
        captured = read_captured(path)
        if captured.rc is None:
            continue
        completed = Completed((), captured.rc, captured.stdout, captured.stderr)
        failure = parse_failure(completed)
        assert (failure is None) is (captured.rc == 0)
        if failure is not None:
            failed.append(failure)

    assert len(failed) > 50
    assert all(failure.first_line for failure in failed)
