"""The commands that change a host: what they say, and what they refuse to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.refs import SnapshotRef
from zfsctl.zfs.destroying import (
    Estimate,
    argv_destroy,
    argv_destroy_estimate,
    argv_destroy_seen,
    destroy_batches,
    parse_destroy_estimate,
)
from zfsctl.zfs.snapshotting import argv_snapshot


def test_snapshots_of_one_pool_are_taken_by_one_command() -> None:
    command = argv_snapshot(("tank/a@x", "tank/b c@x"), (("zfsctl:policy", "critical"),))

    assert command.argv == ("zfs", "snapshot", "-o", "zfsctl:policy=critical", "tank/a@x", "tank/b c@x")


@pytest.mark.parametrize(
    ("snapshots", "properties", "why"),
    [
        pytest.param((), (), "no snapshot to take", id="none"),
        pytest.param(("tank/a",), (), "names no snapshot", id="a-dataset"),
        pytest.param(("tank/a@x", "tank/a@y"), (), "at most one snapshot of a dataset", id="two-of-one-dataset"),
        pytest.param(("tank/a@x", "usb/a@x"), (), "one pool only", id="two-pools"),
        pytest.param(("tank/a@x@y",), (), "does not allow|holds a character", id="two-delimiters"),
        pytest.param(("-r@x",), (), "letter", id="an-option"),
        pytest.param((f"tank/a@{'x' * 249}",), (), "longer than the 255 bytes", id="256-bytes"),
        pytest.param(("tank/a@x",), (("compression", "on"),), "no name of a user property", id="a-native-property"),
        pytest.param(("tank/a@x",), (("zfsctl:reason", "a\nb"),), "newline", id="a-newline"),
    ],
)
def test_a_snapshot_that_openzfs_would_refuse_is_refused(
    snapshots: tuple[str, ...], properties: tuple[tuple[str, str], ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        argv_snapshot(snapshots, properties)


def test_the_longest_name_is_allowed() -> None:
    name = f"tank/a@{'x' * 248}"

    assert argv_snapshot((name,)).argv == ("zfs", "snapshot", name)


def test_a_destroy_is_one_comma_list() -> None:
    assert argv_destroy("tank/a", ("x", "y z")).argv == ("zfs", "destroy", "tank/a@x,y z")
    assert argv_destroy_estimate("tank/a", ("x",)).argv == ("zfs", "destroy", "-nvp", "tank/a@x")


@pytest.mark.parametrize(
    ("dataset", "names"),
    [
        pytest.param("tank/a", (), id="no-name-would-leave-the-dataset"),
        pytest.param("tank/a", ("",), id="an-empty-name"),
        pytest.param("tank/a", ("x", ""), id="an-empty-name-among-others"),
        pytest.param("tank/a", ("x%y",), id="a-range"),
        pytest.param("tank/a", ("%",), id="every-snapshot"),
        pytest.param("tank/a", ("x,y",), id="a-list-in-a-name"),
        pytest.param("tank/a", ("x@y",), id="a-second-delimiter"),
        pytest.param("tank/a", ("x#y",), id="a-bookmark"),
        pytest.param("tank/a", ("x/y",), id="a-slash"),
        pytest.param("tank/a", ("x", "x"), id="a-name-twice"),
        pytest.param("tank/a", ("x\n",), id="a-newline"),
        pytest.param("tank/a@b", ("x",), id="a-snapshot-for-a-dataset"),
        pytest.param("tank/a#b", ("x",), id="a-bookmark-for-a-dataset"),
        pytest.param("", ("x",), id="no-dataset"),
        pytest.param("-R", ("x",), id="an-option"),
        pytest.param("tank//a", ("x",), id="an-empty-component"),
        pytest.param("tank/a", tuple(f"s{number}" for number in range(1001)), id="more-than-a-thousand"),
    ],
)
def test_a_destroy_of_anything_else_is_refused(dataset: str, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        argv_destroy(dataset, names)
    with pytest.raises(ValueError):
        argv_destroy_estimate(dataset, names)


NAMES = st.text(st.sampled_from("ab:-@%,#/ \n.é"), max_size=8)


@given(NAMES, st.lists(NAMES, max_size=4))
def test_whatever_the_names_a_destroy_names_snapshots_of_one_dataset_or_is_refused(
    dataset: str, names: list[str]
) -> None:
    try:
        zfs, destroy, operand = argv_destroy(dataset, names).argv
    except ValueError:
        return

    assert (zfs, destroy) == ("zfs", "destroy")
    assert operand.count("@") == 1
    assert operand.partition("@")[0] == dataset
    assert operand.partition("@")[2].split(",") == names
    assert "%" not in operand
    assert not operand.startswith("-")


def test_destroys_are_split_at_a_thousand_names_and_at_the_length_of_an_argument() -> None:
    short = [SnapshotRef(f"s{number}", number) for number in range(2500)]
    long = [SnapshotRef(f"{'x' * 200}{number:04}", number) for number in range(900)]

    assert [len(part) for part in destroy_batches("tank/a", short)] == [1000, 1000, 500]
    assert [ref for part in destroy_batches("tank/a", long) for ref in part] == long
    commands = [argv_destroy_seen("tank/a", 1, part) for part in destroy_batches("tank/a", long)]
    assert max(len(command.argv[2]) for command in commands) < 100_000


def test_an_estimate_names_the_snapshots_and_the_sum() -> None:
    stdout = "destroy\ttank/a@x\ndestroy\ttank/a@y z\nreclaim\t1048576\n"

    assert parse_destroy_estimate(stdout) == Estimate(("tank/a@x", "tank/a@y z"), 1048576)


@pytest.mark.parametrize(
    "stdout",
    [
        pytest.param("", id="nothing"),
        pytest.param("destroy\ttank/a@x\n", id="no-sum"),
        pytest.param("destroy\ttank/a@x\nreclaim\t1M\n", id="a-sum-for-people"),
        pytest.param("destroy\ttank/a\nreclaim\t1\n", id="a-dataset"),
        pytest.param("would destroy tank/a@x\nwould reclaim 1M\n", id="words"),
        pytest.param("reclaim\t1\nreclaim\t2\n", id="two-sums"),
    ],
)
def test_an_estimate_that_cannot_be_read_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the estimate of a destroy"):
        parse_destroy_estimate(stdout)
