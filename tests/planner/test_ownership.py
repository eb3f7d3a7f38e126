"""Whose a snapshot is, and what was written since the last one of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.planner.notation import snapshots
from zfsctl.model.names import manual_name, scheduled_name
from zfsctl.planner.ownership import Owners, Standing, newest_first, written_since_ours


@pytest.mark.parametrize(
    ("name", "standing"),
    [
        pytest.param("zfsctl-20261120T143000Z", Standing.SCHEDULED, id="scheduled"),
        pytest.param("zfsctl-manual-20261120T143000Z", Standing.MANUAL, id="manual"),
        pytest.param("zfsctl-20261120T143000", Standing.FOREIGN, id="no-z"),
        pytest.param("zfsctl-20261120T143000Z ", Standing.FOREIGN, id="more-behind"),
        pytest.param("xzfsctl-20261120T143000Z", Standing.FOREIGN, id="more-in-front"),
        pytest.param("zfsctl-20261320T143000Z", Standing.FOREIGN, id="no-such-month"),
        pytest.param("zfsctl-20260229T143000Z", Standing.FOREIGN, id="no-such-day"),
        pytest.param("zfsctl-20261120T243000Z", Standing.FOREIGN, id="no-such-hour"),
        pytest.param("zfsctl-20261120T146000Z", Standing.FOREIGN, id="no-such-minute"),
        pytest.param("zfsctl-２０261120T143000Z", Standing.FOREIGN, id="digits-of-another-script"),
        pytest.param("ZFSCTL-20261120T143000Z", Standing.FOREIGN, id="capitals"),
        pytest.param("zfsctl-keep-20261120T143000Z", Standing.FOREIGN, id="another-word"),
        pytest.param("autosnap_2026-11-20_daily", Standing.ADOPTED, id="adopted"),
        pytest.param("my-autosnap_1", Standing.FOREIGN, id="adopted-in-the-middle-only"),
        pytest.param("__migration__", Standing.FOREIGN, id="others"),
    ],
)
def test_a_name_decides_whose_a_snapshot_is(name: str, standing: Standing) -> None:
    owners = Owners("zfsctl", ("autosnap_*", "zfsctl-auto*"))

    assert owners.standing(name) is standing
    assert owners.standing(name) is standing


@given(st.integers(0, 253_402_300_799), st.sampled_from(["zfsctl", "a.b", "x_1"]))
def test_every_name_that_we_give_is_ours(when: int, prefix: str) -> None:
    assert Owners(prefix).standing(scheduled_name(prefix, when)) is Standing.SCHEDULED
    assert Owners(prefix).standing(manual_name(prefix, when)) is Standing.MANUAL
    assert Owners("zf").standing(scheduled_name(prefix, when)) is Standing.FOREIGN


def test_equal_createtxg_is_ordered_by_creation_then_name_then_guid() -> None:
    one, two, three = snapshots("20T06 20T07 20T08")
    same = [replace(one, createtxg=5), replace(two, createtxg=5), replace(three, createtxg=4)]

    assert [snapshot.guid for snapshot in newest_first(same)] == [2, 1, 3]
    assert newest_first(same[::-1]) == newest_first(same)


@pytest.mark.parametrize(
    ("history", "written", "head", "total"),
    [
        pytest.param("", (), 7, 7, id="all-of-the-head-without-snapshots"),
        pytest.param("20T06", (9,), 0, 0, id="nothing-since-ours"),
        pytest.param("20T06", (9,), 5, 5, id="the-head-since-ours"),
        pytest.param("20T06 20T07f", (9, 4), 0, 4, id="anothers-snapshot-hides-what-was-written-in-the-head"),
        pytest.param("20T06 20T07f 20T08a 20T09f", (9, 1, 2, 3), 4, 10, id="several-of-them"),
        pytest.param("20T06 20T07m", (9, 4), 0, 4, id="a-manual-one-may-expire-so-it-counts-as-anothers"),
        pytest.param("20T06 20T05", (9, 4), 3, 3, id="the-last-one-is-by-createtxg"),
    ],
)
def test_written_is_summed_over_all_that_is_newer_than_ours(
    history: str, written: tuple[int, ...], head: int, total: int
) -> None:
    listed = [replace(one, written=count) for one, count in zip(snapshots(history), written, strict=True)]

    assert written_since_ours(listed, head, prefix="zfsctl") == total
