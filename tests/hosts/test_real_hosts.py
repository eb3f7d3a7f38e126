"""The hosts of this package against real OpenZFS hosts: rights, names, exit codes, and a stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testbed.fixtures import PoolFactory
from tests.testbed.host import Host
from tests.testbed.pools import Pool
from zfsctl.hosts.fleet import RealFleet
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings, Transport

pytestmark = pytest.mark.zfs


def entry(name: str, host: Host, *, user: str = "root", transport: Transport = Transport.FABRIC) -> HostEntry:
    return HostEntry(
        name,
        host.address,
        SshSettings(
            user=user,
            port=host.port,
            identity_file=str(host.identity_file),
            known_hosts=str(host.known_hosts),
            timeout_seconds=180,
            sudo=user == "zfssudo",
            transport=transport,
        ),
    )


@pytest.fixture
def fleet(alpha: Host, beta: Host) -> Iterator[RealFleet]:
    hosts = {"alpha": entry("alpha", alpha), "beta": entry("beta", beta)}
    for user in ("zfsadmin", "zfssudo"):
        for transport in Transport:
            hosts[f"{user}-{transport}"] = entry(f"{user}-{transport}", alpha, user=user, transport=transport)
    made = RealFleet(hosts)
    yield made
    made.close()


def test_rights_come_from_sudo_and_from_nowhere_else(fleet: RealFleet, alpha_pool: Pool) -> None:
    name = f"{alpha_pool}/with space"
    create = Command(("zfs", "create", name))
    refused = fleet.host(f"zfsadmin-{Transport.FABRIC}").run(create)
    made = fleet.host(f"zfssudo-{Transport.FABRIC}").run(create)
    destroyed = fleet.host(f"zfssudo-{Transport.OPENSSH}").run(Command(("zfs", "destroy", name)))

    assert refused.exit_code == 1
    assert "permission denied" in refused.stderr
    assert (made.exit_code, made.stdout, made.stderr) == (0, "", "")
    assert (destroyed.exit_code, destroyed.stderr) == (0, "")


def test_255_of_zfs_itself_is_an_answer(fleet: RealFleet) -> None:
    resume = Command(("zfs", "send", "-t", "1-abc"))
    with fleet.host("alpha").lines(resume) as lines:
        assert list(lines) == []
        assert lines.completed.exit_code == 255
    for done in fleet.host("alpha").run_all([resume, resume]):
        assert done.exit_code == 255
        assert done.stderr.startswith("cannot resume send: ")


def test_a_snapshot_arrives_with_its_guid(fleet: RealFleet, alpha_pool: Pool, pool_on: PoolFactory, beta: Host) -> None:
    target = pool_on(beta)
    guid = ("zfs", "list", "-Hp", "-o", "guid")
    alpha_host, beta_host = fleet.host("alpha"), fleet.host("beta")
    made, asked = alpha_host.run_all(
        [Command(("zfs", "snapshot", f"{alpha_pool}@a b")), Command((*guid, f"{alpha_pool}@a b"))]
    )
    result = fleet.pipe(
        "alpha",
        Command(("zfs", "send", f"{alpha_pool}@a b")),
        "beta",
        Command(("zfs", "receive", "-u", "-s", f"{target}/copy")),
    )

    assert made.clean
    assert (result.sender.exit_code, result.sender.stderr) == (0, "")
    assert (result.receiver.exit_code, result.receiver.stderr) == (0, "")
    assert result.bytes_sent
    assert beta_host.run(Command((*guid, f"{target}/copy@a b"))).stdout == asked.stdout


def test_a_receiver_that_refuses_ends_the_sender(fleet: RealFleet, alpha_pool: Pool) -> None:
    fleet.host("alpha").run(Command(("zfs", "snapshot", f"{alpha_pool}@a")))
    result = fleet.pipe(
        "alpha", Command(("zfs", "send", f"{alpha_pool}@a")), "beta", Command(("zfs", "receive", "nopool/copy"))
    )

    assert result.receiver.exit_code == 1
    assert "nopool" in result.receiver.stderr
