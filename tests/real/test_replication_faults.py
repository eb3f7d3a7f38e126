"""What goes wrong between two real hosts while they replicate, and how the next run goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from tests.real.links import NAMES, Link
from tests.real.operators import LIMIT, Operator
from tests.real.zfs import do, guids, scheduled, snapshots, take
from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host

pytestmark = pytest.mark.zfs


def streams_of(process: subprocess.Popen[str]) -> list[int]:
    """The OpenSSH processes that zfsctl has started for streams: not those that share their connections."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if "ssh" in line and " -M" not in line]


def receiver_bytes(link: Link) -> int:
    return int(do(link.target.host, f"zpool list -Hp -o alloc {link.target}").strip())


CUTS = 20


@pytest.mark.slow
def test_a_connection_that_is_cut_twenty_times_is_gone_on_with(
    operator: Operator, pool_on: PoolFactory, alpha: Host, beta: Host
) -> None:
    """200 MiB, each time cut at another moment, now on one side and now on both."""
    link = Link(operator, pool_on(alpha, size="512M"), pool_on(beta, size="512M"))
    do(link.source.host, f"zfs create {link.sender}")
    link.adds("big", [link.sender], kilobytes=200 << 10)
    do(link.source.host, *take([link.sender], NAMES[:1]))
    link.writes_policy()
    chance = random.Random(20)
    cuts, codes, moved = 0, [], 0
    deadline = time.monotonic() + 2 * LIMIT
    while not codes or codes[-1]:
        with link.operator.started("replicate") as run:
            while run.poll() is None:
                assert time.monotonic() < deadline, (cuts, codes)
                streams = streams_of(run) if cuts < CUTS else []
                if streams:
                    time.sleep(0.3 + 2 * chance.random())
                    cuts += cut(streams[: chance.choice((1, 2))], chance)
                time.sleep(0.1)
            stdout, stderr = run.communicate(timeout=LIMIT)
        codes.append(run.returncode)
        assert run.returncode in (0, 1, 3, 12), (stdout, stderr)
        there = receiver_bytes(link)
        assert there >= moved, "what had arrived was kept"
        moved = there

    assert cuts >= CUTS // 2, "the stream was long enough to be cut many times"
    link.is_same(NAMES[0])
    assert link.operator.zfsctl("replicate").steps == []
    assert link.holds(link.source) == {}


def cut(streams: list[int], chance: random.Random) -> int:
    """How many of these processes were there to be ended."""
    ended = 0
    for pid in streams:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGTERM)))
            ended = 1
    return ended


@pytest.mark.slow
def test_a_receiver_that_loses_power_in_mid_stream_is_gone_on_with(link: Link) -> None:
    do(link.source.host, f"zfs create {link.sender}")
    link.adds("big", [link.sender], kilobytes=24 << 10)
    do(link.source.host, *take([link.sender], NAMES[:1]))
    link.writes_policy('bandwidth = "2MiB"')
    with link.operator.started("replicate") as run:
        deadline = time.monotonic() + LIMIT
        while receiver_bytes(link) < 4 << 20:
            assert time.monotonic() < deadline
            assert run.poll() is None
        link.target.host.restart(fresh=False)
        stdout, stderr = run.communicate(timeout=LIMIT)
    do(link.target.host, f"zpool import -d /var/testbed -o cachefile=none {link.target}")
    arrived = receiver_bytes(link)
    link.writes_policy()

    again = link.operator.zfsctl("replicate")

    assert run.returncode in (1, 3, 12), (stdout, stderr)
    assert arrived > 1 << 20, "what had been written before is there"
    assert again.code == 0, again.stdout
    assert snapshots(link.target)[link.receiver] == NAMES[:1]
    link.is_same(NAMES[0])
    assert link.operator.zfsctl("replicate").steps == []


def test_a_receive_of_somebody_else_is_left_to_end(link: Link) -> None:
    """It leaves no token, as it cannot be resumed; what it brings counts once it is there."""
    do(link.source.host, f"zfs create {link.sender}", *take([link.sender], NAMES[:1]))
    link.writes_policy()
    assert link.operator.zfsctl("replicate").code == 0
    link.adds("more", [link.sender])
    do(link.source.host, *take([link.sender], NAMES[1:2]))
    send = [*link.source.host.ssh_argv(), f"zfs send -i @{NAMES[0]} {link.sender}@{NAMES[1]}"]
    stream = subprocess.run(send, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    theirs = [*link.target.host.ssh_argv(), f"zfs receive -u {link.receiver}"]
    with subprocess.Popen(theirs, stdin=subprocess.PIPE) as receive:
        assert receive.stdin is not None
        receive.stdin.write(stream[: len(stream) // 2])
        receive.stdin.flush()
        running = f"zfs list -H -o clones {link.receiver}@{NAMES[0]} | grep -q %recv"
        do(link.target.host, f"for try in $(seq 100); do {running} && break; sleep 0.2; done; {running}")

        meanwhile = link.operator.zfsctl("replicate")
        receive.stdin.write(stream[len(stream) // 2 :])
        receive.stdin.close()
        ended = receive.wait(LIMIT)
    later = link.operator.zfsctl("replicate")

    assert [code for code, _, _ in meanwhile.findings] == ["receiving"]
    assert meanwhile.steps == []
    assert ended == 0
    assert (later.code, later.steps) == (0, ["move-anchors"])
    link.is_same(NAMES[1])


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


SENDS = "snapshot,send,hold,release,bookmark,userprop,destroy,mount"
RECEIVES = "receive,create,mount,readonly,canmount,hold,release,userprop,destroy"
REPAIRS = "clone,promote,rename,compression"
"""Rights of ordinary accounts, as README.md names them."""


def as_ordinary_accounts(link: Link, *rights: str) -> None:
    do(link.target.host, f"zfs create -o canmount=off {link.target}/copies")
    do(link.source.host, f"zfs allow -u zfsadmin {SENDS} {link.source}")
    do(link.target.host, f"zfs allow -u zfsadmin {','.join(rights)} {link.target}/copies")
    for name in ("alpha", "beta"):
        link.operator.settings[name]["user"] = "zfsadmin"


def test_an_account_with_the_rights_of_a_receiver_alone_replicates(link: Link) -> None:
    link.fills("home")
    as_ordinary_accounts(link, RECEIVES)
    link.writes_policy()

    first = link.operator.zfsctl("replicate")
    link.adds("later", [link.sender, f"{link.sender}/home"])
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], [scheduled(4)]))
    second = link.operator.zfsctl("replicate")

    assert (first.code, second.code) == (0, 0), (first.data["errors"], second.data["errors"])
    link.is_same(scheduled(4), "home")
    assert link.operator.zfsctl("replicate").steps == []
    assert len(link.cursors()) == 2


def test_an_account_with_three_rights_more_prunes_and_repairs_too(link: Link) -> None:
    link.fills("home")
    as_ordinary_accounts(link, RECEIVES, REPAIRS)
    link.writes_policy('repair = "auto"\nkeep = { last = 2 }')
    runs = [link.operator.zfsctl("run") for _ in range(2)]
    pruned = snapshots(link.target)[link.receiver]
    do(link.target.host, f"zfs snapshot {link.receiver}@own; zfs set compression=lz4 {link.receiver}")
    do(
        link.target.host,
        f"zfs set readonly=off {link.receiver}; zfs mount {link.receiver}; date >/{link.receiver}/note",
    )
    do(
        link.target.host,
        f"zfs snapshot {link.receiver}@written; zfs unmount {link.receiver}; zfs set readonly=on {link.receiver}",
    )
    link.adds("later", [link.sender])
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], [scheduled(4)]))

    repaired = link.operator.zfsctl("replicate")

    assert [run.code for run in runs] == [0, 0], [run.data["errors"] for run in runs]
    assert pruned == NAMES[1:]
    assert repaired.code == 0, repaired.stdout
    assert "swap-datasets" in repaired.steps
    link.is_same(scheduled(4), "home")
    assert "written" in str(guids(link.target))


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
