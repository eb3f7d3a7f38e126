"""What goes wrong between two real hosts while they replicate, and how the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from tests.real.links import NAMES, Link
from tests.real.operators import LIMIT
from tests.real.zfs import do, guids, scheduled, snapshots, take
from tests.testbed.fixtures import PoolFactory

pytestmark = pytest.mark.zfs


def streams_of(process: subprocess.Popen[str]) -> list[int]:
    """The OpenSSH processes that zfsctl has started for streams: not those that share their connections."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if "ssh" in line and " -M" not in line]


def receiver_bytes(link: Link) -> int:
    return int(do(link.target.host, f"zpool list -Hp -o alloc {link.target}").strip())


@pytest.mark.slow
def test_a_connection_that_is_cut_again_and_again_is_gone_on_with(link: Link) -> None:
    do(link.source.host, f"zfs create {link.sender}")
    link.adds("big", [link.sender], kilobytes=24 << 10)
    do(link.source.host, *take([link.sender], NAMES[:1]))
    link.writes_policy('bandwidth = "2MiB"')
    chance = random.Random(20)
    cuts = 0
    with link.operator.started("replicate") as run:
        deadline = time.monotonic() + LIMIT
        while run.poll() is None and cuts < 5:
            assert time.monotonic() < deadline
            streams = streams_of(run)
            if not streams:
                time.sleep(0.1)
                continue
            time.sleep(1 + 2 * chance.random())
            for pid in streams[: chance.choice((1, 2))]:
                try:
                    os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGTERM)))
                except ProcessLookupError:
                    continue
                cuts += 1
        stdout, stderr = run.communicate(timeout=LIMIT)

    assert cuts >= 3
    for _ in range(5):
        if snapshots(link.target).get(link.receiver) == NAMES[:1]:
            break
        run_again = link.operator.zfsctl("replicate")
        assert run_again.code in (0, 1, 3, 12), (stdout, stderr, run_again.stdout)
    link.is_same(NAMES[0])
    assert link.operator.zfsctl("replicate").steps == []
    assert link.holds(link.source) == {}


def test_a_receiver_without_room_says_so_and_is_gone_on_with(link: Link) -> None:
    link.fills()
    link.adds("big", [link.sender], kilobytes=6 << 10)
    do(link.source.host, *take([link.sender], [scheduled(4)]))
    do(link.target.host, f"zfs create -o canmount=off -o quota=12M {link.target}/copies")
    link.writes_policy()
    assert link.operator.zfsctl("replicate").code == 0
    link.adds("more", [link.sender], kilobytes=8 << 10)
    do(link.source.host, *take([link.sender], [scheduled(5)]))
    before = guids(link.target)

    full = link.operator.zfsctl("replicate")
    held = guids(link.target)
    do(link.target.host, f"zfs set quota=none {link.target}/copies")
    run = link.operator.zfsctl("replicate")

    assert full.code == 1
    assert "space" in str(full.data["errors"]) or "quota" in str(full.data["errors"])
    assert held == before
    assert run.code == 0, run.stdout
    link.is_same(scheduled(5))


def test_a_first_copy_whose_snapshot_went_is_begun_anew(link: Link) -> None:
    do(link.source.host, f"zfs create {link.sender}")
    link.adds("big", [link.sender], kilobytes=4 << 10)
    do(link.source.host, *take([link.sender], NAMES[:1]))
    link.writes_policy('bandwidth = "1MiB"')
    with link.operator.started("replicate") as run:
        deadline = time.monotonic() + LIMIT
        while not do(link.target.host, f"zfs list -H -o receive_resume_token {link.receiver} 2>/dev/null || true"):
            assert time.monotonic() < deadline
            assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=LIMIT)
    token = do(link.target.host, f"zfs get -H -o value receive_resume_token {link.receiver}").strip()
    do(
        link.source.host,
        f"zfs release zfsctl:copy:send {link.sender}@{NAMES[0]}; zfs destroy {link.sender}@{NAMES[0]}",
        *take([link.sender], NAMES[1:2]),
    )
    link.writes_policy()

    again = link.operator.zfsctl("replicate")

    assert run.returncode == 143
    assert token not in ("", "-")
    assert "abort-receive" in again.steps
    assert again.code == 0, again.stdout
    assert snapshots(link.target)[link.receiver] == NAMES[1:2]
    link.is_same(NAMES[1])


def test_an_account_with_the_rights_of_a_receiver_alone_replicates(link: Link) -> None:
    link.fills("home")
    do(link.target.host, f"zfs create -o canmount=off {link.target}/copies")
    do(link.source.host, f"zfs allow -u zfsadmin snapshot,send,hold,release,bookmark,destroy,userprop {link.source}")
    rights = "receive,create,mount,readonly,canmount,hold,release,userprop"
    do(link.target.host, f"zfs allow -u zfsadmin {rights} {link.target}")
    for name in ("alpha", "beta"):
        link.operator.settings[name]["user"] = "zfsadmin"
    link.writes_policy()

    first = link.operator.zfsctl("replicate")
    link.adds("later", [link.sender, f"{link.sender}/home"])
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], [scheduled(4)]))
    second = link.operator.zfsctl("replicate")

    assert (first.code, second.code) == (0, 0), (first.data["errors"], second.data["errors"])
    link.is_same(scheduled(4), "home")
    assert link.operator.zfsctl("replicate").steps == []
    assert len(link.cursors()) == 2


def test_an_account_that_may_not_protect_a_copy_is_told_so(link: Link) -> None:
    """zfs receive ends well and leaves the copy writable."""
    link.fills()
    do(link.target.host, f"zfs create -o canmount=off {link.target}/copies")
    do(link.target.host, f"zfs allow -u zfsadmin receive,create,mount,hold,release,userprop {link.target}")
    link.operator.settings["beta"]["user"] = "zfsadmin"
    link.writes_policy()

    run = link.operator.zfsctl("replicate")

    assert run.code != 0
    assert "zfs allow" in str(run.data["errors"])


def test_a_chain_of_three_and_a_second_receiver_leave_each_other_alone(link: Link, pool_on: PoolFactory) -> None:
    link.fills()
    third, other = pool_on(link.source.host), pool_on(link.target.host)
    link.operator.writes(
        f"""
        policies.small = {{ keep = {{ last = 1 }} }}
        [[datasets]]
        select = ["alpha:{link.sender}"]
        policy = "small"
        [[replications]]
        name = "first"
        sender = "alpha:{link.sender}"
        receiver = "beta:{link.receiver}"
        keep = {{ last = 2 }}
        [[replications]]
        name = "onward"
        sender = "beta:{link.receiver}"
        receiver = "alpha:{third}/copies/data"
        keep = {{ last = 3 }}
        [[replications]]
        name = "beside"
        sender = "alpha:{link.sender}"
        receiver = "beta:{other}/copies/data"
        keep = {{ last = 1 }}
        """
    )
    codes = []
    for day in range(4, 7):
        codes += [link.operator.zfsctl("run").code for _ in range(2)]
        link.adds(f"day{day}", [link.sender], kilobytes=100)
        do(link.source.host, *take([link.sender], [scheduled(day)]))
    codes += [link.operator.zfsctl("run").code for _ in range(3)]
    last = link.operator.zfsctl("run")

    assert codes == [0] * len(codes)
    assert last.steps == []
    assert snapshots(link.source) == {link.sender: [scheduled(6)]}
    assert snapshots(link.target) == {link.receiver: [scheduled(5), scheduled(6)]}
    assert snapshots(other) == {f"{other}/copies/data": [scheduled(6)]}
    assert snapshots(third) == {f"{third}/copies/data": [scheduled(4), scheduled(5), scheduled(6)]}
    sent = link.contents(link.source, link.sender, scheduled(6))
    assert link.contents(third, f"{third}/copies/data", scheduled(6)) == sent
    assert link.contents(other, f"{other}/copies/data", scheduled(6)) == sent


def test_a_pool_that_is_unplugged_is_away_and_nothing_is_lost_meanwhile(link: Link) -> None:
    link.fills()
    link.writes_policy('away = "45d"', keep="last = 1")
    assert link.operator.zfsctl("run").code == 0
    do(link.target.host, f"zpool export {link.target}")
    try:
        for day in (4, 5):
            link.adds(f"day{day}", [link.sender], kilobytes=100)
            do(link.source.host, *take([link.sender], [scheduled(day)]))
        away = [link.operator.zfsctl("run") for _ in range(2)]
        checked = link.operator.zfsctl("status", "--check", json=False)
    finally:
        do(link.target.host, f"zpool import -d /var/testbed -o cachefile=none {link.target}")
    back = link.operator.zfsctl("run")
    arrived = snapshots(link.target)[link.receiver]
    later = link.operator.zfsctl("run")

    assert [run.code for run in away] == [0, 0]
    assert checked.code == 0, checked.stdout
    assert (back.code, later.code) == (0, 0)
    assert arrived[-2:] == [scheduled(4), scheduled(5)], "what was taken meanwhile waited for the receiver"
    link.is_same(scheduled(5))


def test_twenty_levels_arrive_as_twenty_levels(link: Link) -> None:
    below = ["/".join(str(level) for level in range(1, depth + 1)) for depth in range(1, 21)]
    names = [link.sender, *(f"{link.sender}/{name}" for name in below)]
    do(link.source.host, f"zfs create -p -o canmount=off {names[-1]}", *take(names, NAMES[:1]))
    link.writes_policy("parallel = 4")

    run = link.operator.zfsctl("replicate")

    assert run.code == 0, run.data["errors"]
    assert len(guids(link.target)) == 21
    assert sorted(guids(link.target).values()) == sorted(guids(link.source).values())
    assert link.operator.zfsctl("replicate").steps == []
