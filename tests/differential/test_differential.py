"""Command sequences, generated and remembered, on the sandbox and on real OpenZFS: the answers must agree."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.differential.generator import Generator
from tests.differential.regressions import SEQUENCES
from tests.differential.running import Difference, Play
from tests.testbed.host import Host
from tests.testbed.pools import Pool
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.protocol import Host as ZfsctlHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings
from zfsctl.sandbox.building import create_fleet, create_pool
from zfsctl.sandbox.promoting import hangs
from zfsctl.sandbox.shell import run_program

LEAST_COMMANDS = 1500
SEED = os.environ.get("ZFSCTL_DIFFERENTIAL_SEED") or secrets.token_hex(4)
"""Fresh each time; a failure prints it, and this variable repeats it."""

UNMOUNTED = {"volmode": "none", "mountpoint": "none"}
MOUNTED = {"volmode": "none"}


@contextmanager
def dialled(host: Host) -> Iterator[ZfsctlHost]:
    """A testbed host as zfsctl itself reaches it."""
    ssh = SshSettings(
        user="root", port=host.port, identity_file=str(host.identity_file), known_hosts=str(host.known_hosts)
    )
    fleet = RealFleet({host.name: HostEntry(host.name, host.address, ssh)})
    try:
        yield fleet.host(host.name)
    finally:
        fleet.close()


def play(pool: Pool, options: dict[str, str], seed: str, length: int) -> Play:
    with dialled(pool.host) as real:
        game = Play(seed, real, pool.name, options, pool.host.zfs_version)
        game.run(length)
    return game


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.slow
def test_generated_commands_are_answered_as_real_openzfs_answers_them(alpha, beta, pool_on):
    games = [
        (pool_on(host, options=options), options, f"{SEED}-{number}")
        for number, (host, options) in enumerate(
            ((alpha, UNMOUNTED), (beta, UNMOUNTED), (alpha, MOUNTED), (beta, UNMOUNTED))
        )
    ]
    length = -(-LEAST_COMMANDS // len(games))

    with ThreadPoolExecutor(2) as workers:
        played = list(workers.map(lambda game: play(*game, length), games))

    wrong = [str(each.report) for each in played if each.report.differences]
    assert not wrong, f"repeat with ZFSCTL_DIFFERENTIAL_SEED={SEED}\n" + "\n".join(wrong)
    total = sum(len(each.report.played) for each in played)
    print(f"{total} commands answered alike, seed {SEED}")
    assert total >= LEAST_COMMANDS


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.slow
def test_commands_that_once_parted_the_two_are_answered_alike(alpha, beta, pool_on):
    def replay(host: Host, names: list[str]) -> list[str]:
        wrong = []
        with dialled(host) as real:
            for name in names:
                pool = pool_on(host, options=UNMOUNTED)
                commands = [tuple(shlex.split(line.replace("POOL", pool.name))) for line in SEQUENCES[name]]
                report = Play(name, real, pool.name, UNMOUNTED, host.zfs_version).replay(commands)
                wrong += [str(report)] if report.differences else []
        return wrong

    names = list(SEQUENCES)
    with ThreadPoolExecutor(2) as workers:
        wrong = list(workers.map(replay, (alpha, beta), (names[::2], names[1::2])))

    assert wrong == [[], []], "\n".join((*wrong[0], *wrong[1]))


def test_the_same_seed_makes_the_same_commands_and_none_that_would_hang_a_pool():
    """Without a real host: what is generated covers every kind of command and never promotes into a bookmark."""

    def sequence() -> list[tuple[str, ...]]:
        fleet = create_fleet(1_795_176_000)
        pool = create_pool(fleet, "local", "pool", 1 << 28, properties=UNMOUNTED)
        made = []
        for argv in Generator("7", lambda: pool):
            if argv[1] == "promote" and argv[2] in pool.datasets:
                assert not hangs(pool.datasets[argv[2]])
            made.append(argv)
            run_program(fleet, fleet.hosts["local"], argv)
            if len(made) == 1200:
                return made
        raise AssertionError("the generator ended")

    first = sequence()

    assert first == sequence()
    verbs = {argv[1] for argv in first}
    assert {"create", "snapshot", "destroy", "hold", "release", "bookmark", "clone", "promote", "rename"} <= verbs
    assert {"rollback", "set", "inherit", "list", "get", "holds"} <= verbs


def test_what_cannot_be_the_same_is_made_alike_and_nothing_else():
    from tests.differential.comparing import Side
    from zfsctl.model.command import Completed

    argv = Command(("zfs", "list", "-Hp", "-o", "name,guid,createtxg,used,clones,userrefs")).argv
    left = Completed(argv, 0, "t@a\t11\t5\t100\tt/y,t/x\t0\nt@b\t12\t9\t0\t-\t1\n", "")
    right = Completed(argv, 0, "t@a\t77\t40\t0\tt/x,t/y\t0\nt@b\t78\t41\t5\t-\t1\n", "")

    assert Side().plain(left) == Side().plain(right)
    for wrong in (
        "t@a\t77\t42\t0\tt/x,t/y\t0\nt@b\t78\t41\t5\t-\t1\n",
        "t@a\t77\t40\t0\tt/x\t0\nt@b\t78\t41\t5\t-\t1\n",
    ):
        assert Side().plain(left) != Side().plain(Completed(argv, 0, wrong, ""))


def test_a_difference_shows_the_lines_that_stand_alone():
    argv = ("zfs", "list")

    assert str(Difference(3, argv, (0, ["a", "b"], []), (1, ["a", "c"], ["bad"]))) == (
        "#3 zfs list\n  real: exit 1, alone: ['c', 'bad']\n  sandbox: exit 0, alone: ['b']"
    )
    assert "alone: ['b', 'a']" in str(Difference(3, argv, (0, ["b", "a"], []), (0, ["a", "b"], [])))
