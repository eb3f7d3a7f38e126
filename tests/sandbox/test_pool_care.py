"""Scrubs and trims over simulated time."""

from __future__ import annotations

import pytest

from zfsctl.sandbox.pool_listing import clock, ctime
from zfsctl.sandbox.workload import advance, write


@pytest.fixture
def busy(desk):
    """`tank` holds 800 MiB: four seconds of scrubbing."""
    write(desk.state, "local", "tank", 800 << 20)
    return desk


def scan(desk):
    return [line for line in desk.ask("zpool status tank").stdout.splitlines() if "scan:" in line or "done" in line]


def test_a_pool_never_scrubbed_has_no_scan_line(desk):
    assert scan(desk) == []


def test_a_scrub_runs_and_ends_by_itself(busy):
    busy.do("zpool scrub tank")
    advance(busy.state, 2)

    began, progress = scan(busy)
    assert began == "  scan: scrub in progress since Fri Nov 20 12:00:00 2026"
    assert progress.endswith("00:00:03 to go")

    advance(busy.state, 10)

    assert scan(busy) == ["  scan: scrub repaired 0B in 00:00:05 with 0 errors on Fri Nov 20 12:00:05 2026"]


def test_a_second_scrub_is_refused_while_one_runs(busy):
    busy.do("zpool scrub tank")

    assert busy.refusal("zpool scrub tank") == (
        1,
        ["cannot scrub tank: currently scrubbing; use 'zpool scrub -s' to cancel scrub"],
    )


def test_a_paused_scrub_waits_and_a_plain_one_resumes_it(busy):
    busy.do("zpool scrub tank")
    advance(busy.state, 2)
    busy.do("zpool scrub -p tank")
    advance(busy.state, 3600)

    assert scan(busy)[0] == "  scan: scrub paused since Fri Nov 20 12:00:02 2026"

    busy.do("zpool scrub tank")
    advance(busy.state, 3)

    assert scan(busy) == ["  scan: scrub repaired 0B in 00:00:05 with 0 errors on Fri Nov 20 13:00:05 2026"]


def test_a_scrub_can_be_canceled_once(busy):
    busy.do("zpool scrub tank", "zpool scrub -s tank")

    assert scan(busy) == ["  scan: scrub canceled on Fri Nov 20 12:00:00 2026"]
    assert busy.refusal("zpool scrub -s tank") == (1, ["cannot cancel scrubbing tank: there is no active scrub"])


def test_a_trim_is_shown_per_device_until_it_is_complete(busy):
    busy.state.hosts["local"].pools["tank"].size = 40 << 30
    busy.do("zpool trim tank")
    advance(busy.state, 10)

    assert "% trimmed, started at Fri Nov 20 12:00:00 2026)" in busy.ask("zpool status -t tank").stdout
    assert busy.refusal("zpool trim tank") == (255, ["cannot trim 'sda': currently trimming"])

    busy.do("zpool trim -s tank")
    advance(busy.state, 100)
    assert "suspended" in busy.ask("zpool status -t tank").stdout

    busy.do("zpool trim tank")
    advance(busy.state, 100)
    assert "(100% trimmed, completed at" in busy.ask("zpool status -t tank").stdout


def test_healthy_pools_are_healthy(desk):
    assert desk.ask("zpool status -x").stdout == "all pools are healthy\n"
    assert desk.ask("zpool status -x tank").stdout == "pool 'tank' is healthy\n"


@pytest.mark.parametrize(("seconds", "text"), [(62, "00:01:02"), (3 * 86400 + 5, "3 days 00:00:05")])
def test_durations_read_as_zpool_prints_them(seconds, text):
    assert clock(seconds) == text


def test_instants_read_as_ctime_prints_them():
    assert ctime(1_793_491_205) == "Sun Nov  1 00:00:05 2026"


def test_pausing_twice_is_an_error_and_pausing_nothing_is_none(busy):
    busy.do("zpool scrub -p tank", "zpool scrub tank", "zpool scrub -p tank")

    assert busy.refusal("zpool scrub -p tank") == (
        1,
        ["cannot pause scrubbing tank: scrub is paused; use 'zpool scrub' to resume scrub"],
    )


def test_every_device_says_that_there_is_no_trim_to_stop(busy):
    busy.state.hosts["local"].pools["tank"].vdevs = ("sda", "sdb")

    assert busy.refusal("zpool trim -s tank") == (
        255,
        ["cannot trim 'sda': there is no active trim", "cannot trim 'sdb': there is no active trim"],
    )


def test_a_missing_pool_beside_one_that_is_there_leaves_the_exit_code_alone(desk):
    done = desk.ask("zpool list -Hp -o name tank nopool")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "tank\n", "cannot open 'nopool': no such pool\n")


def test_features_of_pools_are_told_and_can_be_taken_away(desk):
    ask = "zpool get -Hp -o name,property,value feature@large_blocks,feature@lz4_compress,health tank pond"
    desk.state.hosts["local"].pools["pond"].properties["feature@large_blocks"] = "disabled"

    assert desk.rows(ask) == [
        ["tank", "feature@large_blocks", "enabled"],
        ["tank", "feature@lz4_compress", "active"],
        ["tank", "health", "ONLINE"],
        ["pond", "feature@large_blocks", "disabled"],
        ["pond", "feature@lz4_compress", "active"],
        ["pond", "health", "ONLINE"],
    ]
    assert desk.refusal("zpool get -Hp feature@nosuch tank") == (
        2,
        ["bad property list: invalid property 'feature@nosuch'"],
    )
    assert desk.refusal("zpool get -Hp health none") == (1, ["cannot open 'none': no such pool"])


def test_a_stream_that_needs_a_feature_is_refused_without_it(desk):
    desk.do("zfs create -o recordsize=1M tank/a")
    write(desk.state, "local", "tank/a", 1 << 20)
    desk.do("zfs snapshot tank/a@s")
    pond = desk.state.hosts["local"].pools["pond"]
    for feature, flag in (("large_blocks", "-L"), ("embedded_data", "-e"), ("lz4_compress", "-c")):
        pond.properties = {f"feature@{feature}": "disabled"}
        done = desk.ask(f"sh -c 'zfs send {flag} tank/a@s | zfs receive -u pond/a'")

        assert (done.exit_code, done.stderr) == (
            1,
            "cannot receive new filesystem stream: pool must be upgraded to receive this stream.\n",
        )
        desk.do("sh -c 'zfs send tank/a@s | zfs receive -u pond/a'", "zfs destroy -r pond/a")
