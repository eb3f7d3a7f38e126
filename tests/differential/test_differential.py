"""Command sequences, generated and remembered, on the sandbox and on real OpenZFS: the answers must agree."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.differential.generator import Generator
from tests.differential.regressions import SEQUENCES
from tests.differential.running import Difference, Play, Report
from tests.differential.writing import on_simulated_hosts
from tests.testbed.host import Host
from tests.testbed.pools import create_pool, destroy_pool
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.protocol import Host as ZfsctlHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings
from zfsctl.sandbox import building
from zfsctl.sandbox.building import create_fleet
from zfsctl.sandbox.promoting import hangs
from zfsctl.sandbox.shell import run_program

COMMANDS = 375
"""In one play; there are four, so 1,500 in all."""
TRANSFERRING_COMMANDS = 250
TRANSFERS_SEED = "agreed"
"""Streams meet more of OpenZFS than all of which is known to agree: other seeds are for `make differential`."""

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


def on_both(alpha: Host, beta: Host, work: Callable[[Host, ZfsctlHost], list[Report]]) -> list[str]:
    """What differed on either host, both of which work at the same time."""

    def on(host: Host) -> list[Report]:
        with dialled(host) as real:
            return work(host, real)

    with ThreadPoolExecutor(2) as workers:
        reports = [report for each in workers.map(on, (alpha, beta)) for report in each]
    return [str(report) for report in reports if report.differences]


@contextmanager
def a_play(
    name: str, host: Host, real: ZfsctlHost, options: dict[str, str], *, transfers: bool = False
) -> Iterator[Play]:
    """A sequence to be played on a pool of its own, which goes with it."""
    pool = create_pool(host, options=options)
    try:
        yield Play(name, real, pool.name, options, host.zfs_version, transfers=transfers)
    finally:
        destroy_pool(pool)


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.slow
@pytest.mark.parametrize(
    # One of four with mounts: mounting is slow on emulated hosts, and little of it is simulated.
    ("on_alpha", "on_beta"),
    [pytest.param(UNMOUNTED, UNMOUNTED, id="unmounted"), pytest.param(MOUNTED, UNMOUNTED, id="mounted")],
)
def test_generated_commands_are_answered_as_real_openzfs_answers_them(alpha, beta, seed, on_alpha, on_beta, request):
    options = {alpha.name: on_alpha, beta.name: on_beta}

    def work(host: Host, real: ZfsctlHost) -> list[Report]:
        with a_play(f"{seed}-{host.name}-{request.node.callspec.id}", host, real, options[host.name]) as play:
            return [play.run(COMMANDS)]

    wrong = on_both(alpha, beta, work)

    assert not wrong, f"repeat with ZFSCTL_DIFFERENTIAL_SEED={seed}\n" + "\n".join(wrong)


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.slow
def test_generated_transfers_are_answered_as_real_openzfs_answers_them(alpha, beta):
    wrong = differing_transfers(alpha, beta, TRANSFERS_SEED)

    assert not wrong, "\n".join(wrong)


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.exploring
def test_transfers_of_a_fresh_seed_are_answered_as_real_openzfs_answers_them(alpha, beta, seed):
    wrong = differing_transfers(alpha, beta, seed)

    assert not wrong, f"repeat with ZFSCTL_DIFFERENTIAL_SEED={seed}\n" + "\n".join(wrong)


def differing_transfers(alpha: Host, beta: Host, seed: str) -> list[str]:
    """What differed where streams are generated too."""

    def work(host: Host, real: ZfsctlHost) -> list[Report]:
        with a_play(f"{seed}-{host.name}-transfers", host, real, UNMOUNTED, transfers=True) as play:
            return [play.run(TRANSFERRING_COMMANDS)]

    return on_both(alpha, beta, work)


@pytest.mark.zfs
@pytest.mark.differential
@pytest.mark.slow
def test_commands_that_once_parted_the_two_are_answered_alike(alpha, beta):
    names = list(SEQUENCES)
    halves = {alpha.name: names[::2], beta.name: names[1::2]}

    def work(host: Host, real: ZfsctlHost) -> list[Report]:
        reports = []
        for name in halves[host.name]:
            with a_play(name, host, real, UNMOUNTED) as play:
                reports.append(play.replay([tuple(shlex.split(line)) for line in SEQUENCES[name]]))
        return reports

    wrong = on_both(alpha, beta, work)

    assert not wrong, "\n".join(wrong)


def test_the_same_seed_makes_the_same_commands_and_none_that_would_hang_a_pool():
    """Without a real host: what is generated covers every kind of command and never promotes into a bookmark."""

    def sequence() -> list[tuple[str, ...]]:
        fleet = create_fleet(1_795_176_000)
        pool = building.create_pool(fleet, "local", "pool", 1 << 28, properties=UNMOUNTED)
        made = []

        def ask(argv: tuple[str, ...]) -> str:
            argv = on_simulated_hosts(argv, fleet, ask)
            return "\n".join(run_program(fleet, fleet.hosts["local"], argv)[1])

        for argv in Generator("7", lambda: pool, transfers=True):
            if argv[1] == "promote" and argv[2] in pool.datasets:
                assert not hangs(pool.datasets[argv[2]])
            made.append(argv)
            ask(argv)
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
