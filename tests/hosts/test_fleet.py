"""The hosts of a policy file, by name."""

from __future__ import annotations

import socket

import pytest

from zfsctl.errors import UnknownNameError, UnreachableError
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.local import LocalHost
from zfsctl.hosts.protocol import Fleet, Host
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings

HOSTS = {
    "local": HostEntry("local", ""),
    "vault": HostEntry("vault", "127.0.0.1", SshSettings(port=1, timeout_seconds=7)),
}


def test_it_is_a_fleet_of_hosts() -> None:
    fleet: Fleet = RealFleet(HOSTS)
    here: Host = fleet.host("local")
    there: Host = fleet.host("vault")

    assert isinstance(here, LocalHost)
    assert isinstance(there, SshHost)
    assert (here.name, there.name) == ("local", "vault")
    assert fleet.host("vault") is there


def test_nothing_is_dialled_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]
        fleet = RealFleet({"vault": HostEntry("vault", "127.0.0.1", SshSettings(port=port))})
        fleet.host("vault")
        fleet.close()

        with pytest.raises(BlockingIOError):
            listener.accept()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as raised:
        RealFleet(HOSTS).host("vautl")

    assert raised.value.hint == "did you mean vault?"
    assert raised.value.where == "vautl"


def test_an_unknown_name_with_nothing_near_it_lists_the_hosts() -> None:
    with pytest.raises(UnknownNameError) as raised:
        RealFleet(HOSTS).pipe("local", Command(("true",)), "qqq", Command(("true",)))

    assert "local, vault" in raised.value.why


def test_a_timeout_of_the_command_line_replaces_the_hosts_own() -> None:
    fleet = RealFleet({"local": HOSTS["local"]}, timeout=1)
    with pytest.raises(Exception, match="within 1 s"):
        fleet.host("local").run(Command(("sleep", "33.1")))


def test_close_may_be_called_twice_and_the_fleet_still_works() -> None:
    fleet = RealFleet(HOSTS)
    assert fleet.host("local").run(Command(("true",))).exit_code == 0
    fleet.close()
    fleet.close()

    assert fleet.host("local").run(Command(("true",))).exit_code == 0


@pytest.mark.sshd
def test_a_pipe_to_a_host_that_is_down_says_which() -> None:
    fleet = RealFleet(HOSTS)
    with pytest.raises(UnreachableError) as raised:
        fleet.pipe("local", Command(("echo", "x")), "vault", Command(("cat",)))

    assert raised.value.where == "vault"
    assert fleet.host("local").exchanges == fleet.host("vault").exchanges == 1
