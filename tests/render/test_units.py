"""Sizes are those of `zfs list`, times those that people say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.render.units import counted, from_now, human_bytes, instant_utc, minute_utc, short_duration


@pytest.mark.parametrize(
    ("count", "text"),
    [
        # What zfs_nicebytes() of OpenZFS 2.3 makes of these numbers.
        (0, "0B"),
        (1, "1B"),
        (512, "512B"),
        (1023, "1023B"),
        (1024, "1K"),
        (1025, "1.00K"),
        (1536, "1.50K"),
        (10 * 1024 + 512, "10.5K"),
        (98_304, "96K"),
        (100 * 1024 + 1, "100K"),
        (1024 * 1024 - 1, "1024K"),
        (1024 * 1024, "1M"),
        (14_889_779, "14.2M"),
        (2_202_009, "2.10M"),
        (419_430, "410K"),
        (1_099_511_627_776, "1T"),
        (1_209_462_790_553, "1.10T"),
        (2**60 * 15, "15E"),
        (2**64 - 1, "16.0E"),
    ],
)
def test_bytes_look_as_zfs_list_prints_them(count: int, text: str) -> None:
    assert human_bytes(count) == text


@given(st.integers(0, 2**64 - 1))
def test_no_size_is_wider_than_five_characters(count: int) -> None:
    assert len(human_bytes(count)) <= 5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0 s", id="nothing"),
        pytest.param(59, "59 s", id="seconds"),
        pytest.param(60, "1 min", id="a-minute"),
        pytest.param(3599, "59 min", id="almost-an-hour"),
        pytest.param(3 * 3600 + 5, "3 h", id="hours"),
        pytest.param(47 * 3600, "47 h", id="two-days-less-an-hour-are-hours"),
        pytest.param(48 * 3600, "2 d", id="two-days"),
        pytest.param(400 * 86_400, "400 d", id="more-than-a-year"),
        pytest.param(-5, "0 s", id="a-clock-set-back"),
    ],
)
def test_a_duration_is_said_in_its_largest_unit(seconds: int, text: str) -> None:
    assert short_duration(seconds) == text


def test_times_are_said_from_now_and_in_utc() -> None:
    noon = 1_795_176_000

    assert from_now(noon - 7200, now=noon) == "2 h ago"
    assert from_now(noon + 60, now=noon) == "in 1 min"
    assert from_now(noon, now=noon) == "now"
    assert minute_utc(noon) == "2026-11-20 12:00 UTC"
    assert instant_utc(noon) == "2026-11-20T12:00:00Z"
    assert instant_utc(None) == "-"


def test_one_is_not_several() -> None:
    assert [counted(n, "snapshot") for n in (0, 1, 2)] == ["0 snapshots", "1 snapshot", "2 snapshots"]
