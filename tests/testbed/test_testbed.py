"""The testbed itself: the hosts are what the other tests take them for."""

from __future__ import annotations

import subprocess

import pytest

from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host, HostError
from tests.testbed.pair import Pair
from tests.testbed.pools import create_pool, destroy_pool
from tests.testbed.recipe import HOSTS, USERS


@pytest.mark.zfs
@pytest.mark.parametrize("name", HOSTS)
def test_a_host_answers_with_the_version_asked_for(testbed: Pair, name: str, pytestconfig: pytest.Config) -> None:
    host = testbed.hosts[name]

    lines = host.ssh("hostname; zfs version").stdout.splitlines()

    series = pytestconfig.getoption("--openzfs")
    assert lines[0] == name
    assert lines[1].startswith(f"zfs-{series}.")
    assert lines[2].startswith(f"zfs-kmod-{series}.")
    assert host.zfs_version.startswith(f"{series}.")


@pytest.mark.zfs
@pytest.mark.parametrize(("name", "other"), [("alpha", "beta"), ("beta", "alpha")])
@pytest.mark.parametrize("user", ["root", *USERS])
def test_each_host_reaches_the_other_as_every_user(testbed: Pair, name: str, other: str, user: str) -> None:
    done = testbed.hosts[name].ssh(["ssh", "-o", "BatchMode=yes", other, "hostname; id -un"], user=user)

    assert done.stdout.split() == [other, user]


@pytest.mark.zfs
def test_the_host_key_is_checked(alpha: Host, beta: Host) -> None:
    words = alpha.ssh_argv(shared=False)
    wrong = [*words[:-1], "-p", str(beta.port), "-o", "HostKeyAlias=alpha", words[-1], "true"]

    done = subprocess.run(wrong, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    assert done.returncode == 255
    assert "verification failed" in done.stderr


@pytest.mark.zfs
def test_a_fresh_pool_appears_and_goes(testbed: Pair) -> None:
    for host in testbed.hosts.values():
        pool = create_pool(host, size="128M", options={"canmount": "off"})
        listed = host.ssh(["zpool", "list", "-Hp", "-o", "name,health", pool.name]).stdout
        destroy_pool(pool)

        assert listed == f"{pool.name}\tONLINE\n"
        assert host.ssh(["zpool", "list", pool.name], check=False).rc == 1
        assert host.ssh(["test", "-e", pool.device], check=False).rc == 1


@pytest.mark.zfs
def test_pools_of_one_test_do_not_meet(pool_on: PoolFactory, alpha: Host, beta: Host) -> None:
    pools = [pool_on(alpha), pool_on(alpha, features={"feature@bookmark_v2": "disabled"}), pool_on(beta)]

    guids = {pool.host.ssh(["zpool", "get", "-Hp", "-o", "value", "guid", pool.name]).stdout for pool in pools}

    assert len(guids) == 3


@pytest.mark.zfs
def test_a_user_without_rights_changes_nothing_and_sudo_does(alpha: Host, pool_on: PoolFactory) -> None:
    pool = pool_on(alpha)

    refused = alpha.ssh(["zfs", "snapshot", f"{pool}@a"], user="zfsadmin", check=False)
    allowed = alpha.ssh(["sudo", "-n", "zfs", "snapshot", f"{pool}@a"], user="zfssudo", check=False)

    assert refused.rc == 1
    assert "permission denied" in refused.stderr
    assert allowed.rc == 0


@pytest.mark.zfs
def test_a_command_that_takes_too_long_is_an_error(alpha: Host) -> None:
    with pytest.raises(HostError, match="no end after 1 s"):
        alpha.ssh("sleep 30", timeout=1)


@pytest.mark.zfs
def test_input_and_bytes_that_are_no_text_come_back_as_they_went(alpha: Host) -> None:
    done = alpha.ssh("cat", input=b"caf\xc3\xa9 \xff\n")

    assert done.stdout.encode(errors="surrogateescape") == b"caf\xc3\xa9 \xff\n"
