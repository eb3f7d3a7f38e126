"""Connections that are cut, hosts that fall silent, and the traps of the libraries underneath."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import fabric
import pytest

from tests.hosts.loopback import (
    ADDRESS,
    Keys,
    Server,
    clients,
    eventually,
    free_port,
    key_line,
    make_key,
    running,
    started,
)
from tests.hosts.questions import TRUE, ask, failure, listen, sh
from zfsctl.errors import (
    HostKeyError,
    HostTimeoutError,
    InterruptedOutputError,
    UnreachableError,
)
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import Transport

pytestmark = pytest.mark.sshd


class TestFaults:
    def test_a_command_that_takes_too_long(self, server: Server, transport: Transport) -> None:
        host = SshHost(server.entry(transport=transport))
        with pytest.raises(HostTimeoutError) as raised:
            host.run_all([TRUE, Command(("sleep", "31.4"))], timeout=0.5)

        assert "sleep 31.4" in raised.value.message
        assert "box" in raised.value.message
        assert host.run(TRUE).exit_code == 0
        host.close()

    def test_a_listing_that_falls_silent(self, box: SshHost, server: Server) -> None:
        with pytest.raises(HostTimeoutError), box.lines(sh("echo row; sleep 31.5"), timeout=0.5) as lines:
            list(lines)

        assert eventually(lambda: not running(server, "sleep 31.5"))

    def test_leaving_a_listing_early_ends_the_command(self, box: SshHost, server: Server) -> None:
        with box.lines(sh("echo first; exec sleep 31.6")) as lines:
            assert next(iter(lines)) == "first"
            assert eventually(lambda: running(server, "sleep 31.6"))

        assert eventually(lambda: not running(server, "sleep 31.6"))

    def test_leaving_an_endless_listing_early(self, box: SshHost) -> None:
        with box.lines(Command(("yes",))) as lines:
            taken = [line for line, _ in zip(lines, range(100_000), strict=False)]

        assert taken == ["y"] * 100_000

    def test_a_connection_cut_in_mid_command(self, fragile_server: Server, transport: Transport) -> None:
        host = SshHost(fragile_server.entry(transport=transport))

        def cut_it() -> None:
            eventually(lambda: running(fragile_server, "sleep 31.7"))
            fragile_server.cut()

        cutter = threading.Thread(target=cut_it)
        cutter.start()
        with pytest.raises(InterruptedOutputError) as raised:
            host.run_all([sh("echo half"), Command(("sleep", "31.7"))])
        cutter.join()

        assert "sleep 31.7" in raised.value.message
        assert "unknown" in raised.value.why
        assert host.run(TRUE).exit_code == 0  # dials anew
        host.close()

    def test_a_connection_cut_while_idle_is_dialled_again(self, fragile_server: Server, transport: Transport) -> None:
        host = SshHost(fragile_server.entry(transport=transport))
        ask(host)
        fragile_server.cut()

        assert host.run(TRUE).exit_code == 0
        host.close()

    def test_a_listing_cut_in_the_middle_is_never_whole(self, fragile_server: Server, transport: Transport) -> None:
        host = SshHost(fragile_server.entry(transport=transport))
        with host.lines(sh("seq 1000; exec sleep 31.8")) as lines:
            rows = iter(lines)
            seen = [next(rows) for _ in range(1000)]
            fragile_server.cut()
            with pytest.raises(InterruptedOutputError):
                next(rows)
            with pytest.raises(RuntimeError):
                _ = lines.completed
        host.close()

        assert seen[-1] == "1000"

    def test_a_banner_of_the_login_shell_is_dropped(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        banner = "ForceCommand echo Welcome to box; printf 'no newline' >&2; exec sh -c \"$SSH_ORIGINAL_COMMAND\""
        for server in started(tmp_path_factory, keys, banner, f"Banner {__file__}"):
            host = SshHost(server.entry(transport=transport))
            assert host.run(sh("echo out; echo err >&2")) == Completed(
                ("sh", "-c", "echo out; echo err >&2"), 0, "out\n", "err\n"
            )
            with host.lines(sh("echo row; exit 4")) as lines:
                assert list(lines) == ["row"]
                assert (lines.completed.exit_code, lines.completed.stderr) == (4, "")
            host.close()

    @pytest.mark.slow
    def test_a_host_that_stops_in_mid_conversation(
        self, fragile_server: Server, transport: Transport, frozen: Callable[[Server], None]
    ) -> None:
        host = SshHost(fragile_server.entry(transport=transport, timeout_seconds=2))
        ask(host)
        frozen(fragile_server)
        began = time.monotonic()

        with pytest.raises((HostTimeoutError, UnreachableError)):
            host.run(TRUE, timeout=1)
        host.close()

        assert time.monotonic() - began < 15


@pytest.fixture
def frozen() -> Iterator[Callable[[Server], None]]:
    """Stops a server and all its children, and lets them go on at the end."""
    servers: list[Server] = []

    def freeze(server: Server) -> None:
        servers.append(server)
        server.freeze()

    yield freeze
    for server in servers:
        server.thaw()


class TestTraps:
    def test_a_planted_fabric_file_is_not_executed(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".fabric.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
        (tmp_path / "fabric.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        host = SshHost(server.entry(transport=Transport.FABRIC))
        ask(host)
        host.close()

        assert not (tmp_path / "executed").exists()
        fabric.Config()
        assert (tmp_path / "executed").exists()  # what Fabric by itself does with it

    def test_our_own_input_is_not_touched(self, server: Server, transport: Transport) -> None:
        entry = server.entry(transport=transport)
        program = f"""
import sys
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings, Transport
host = SshHost({entry!r})
host.run(Command(("true",)))
with host.lines(Command(("true",))) as lines:
    list(lines)
host.close()
print(len(sys.stdin.read().splitlines()))
""".replace(f"{entry.ssh.transport!r}", f"Transport.{entry.ssh.transport.name}")
        fed = "".join(f"{i}\n" for i in range(1000))
        done = subprocess.run([sys.executable, "-c", program], input=fed, capture_output=True, text=True, check=False)

        assert (done.stdout, done.stderr) == ("1000\n", "")

    def test_a_dead_program_leaves_no_ssh_behind(self, fragile_server: Server) -> None:
        entry = fragile_server.entry(transport=Transport.OPENSSH)
        program = f"""
import os, signal
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings, Transport
host = SshHost({entry!r})
with host.lines(Command(("sh", "-c", "echo up; exec sleep 31.9"))) as lines:
    next(iter(lines))
    os.kill(os.getpid(), signal.SIGKILL)
""".replace(f"{entry.ssh.transport!r}", f"Transport.{entry.ssh.transport.name}")
        with tempfile.TemporaryDirectory() as sockets:
            environment = {**os.environ, "TMPDIR": sockets}
            subprocess.run(
                [sys.executable, "-c", program], capture_output=True, check=False, timeout=30, env=environment
            )

        assert eventually(lambda: not running(fragile_server, "sleep 31.9"))
        assert eventually(lambda: not clients(fragile_server))

    def test_a_program_that_forgets_to_close_leaves_nothing_behind(self, fragile_server: Server) -> None:
        entry = fragile_server.entry(transport=Transport.OPENSSH)
        program = f"""
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings, Transport
host = SshHost({entry!r})
host.run(Command(("true",)))
""".replace(f"{entry.ssh.transport!r}", f"Transport.{entry.ssh.transport.name}")
        with tempfile.TemporaryDirectory() as sockets:
            environment = {**os.environ, "TMPDIR": sockets}
            subprocess.run([sys.executable, "-c", program], check=True, timeout=30, env=environment)

            assert os.listdir(sockets) == []
        assert not clients(fragile_server)

    def test_a_failed_login_says_nothing_by_itself(
        self, server: Server, transport: Transport, capfd: pytest.CaptureFixture[str]
    ) -> None:
        failure(server.entry(transport=transport, identity_file=str(server.keys.stranger)))
        failure(server.entry(transport=transport, port=free_port()))

        assert capfd.readouterr() == ("", "")

    def test_no_key_path_gets_into_logs(
        self, server: Server, transport: Transport, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        host = SshHost(server.entry(transport=transport))
        ask(host)
        host.close()
        failure(server.entry(transport=transport, identity_file=str(server.keys.stranger)))

        assert str(server.keys.folder) not in caplog.text

    def test_a_long_folder_for_sockets_is_not_used(
        self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = tmp_path / ("x" * 100)
        long.mkdir()
        monkeypatch.setenv("RUNTIME_DIRECTORY", str(long))
        host = SshHost(server.entry(transport=Transport.OPENSSH))
        ask(host)
        host.close()

        assert not list(long.iterdir())

    @pytest.mark.slow
    def test_an_rsa_host_key_is_accepted(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        rsa = make_key(tmp_path_factory.mktemp("rsa") / "host", kind="rsa")
        for server in started(tmp_path_factory, keys, f"HostKey {rsa}"):
            server.known_hosts.write_text(key_line(rsa, server.port))
            host = SshHost(server.entry(transport=transport))
            assert host.run(TRUE).exit_code == 0
            host.close()


class TestJumps:
    def test_a_host_behind_another(self, server: Server, fragile_server: Server, transport: Transport) -> None:
        both = fragile_server.folder / "both"
        both.write_text(server.known_hosts.read_text() + fragile_server.known_hosts.read_text())
        user = server.entry().ssh.user
        jump = f"{user}@{ADDRESS}:{fragile_server.port}"
        host = SshHost(server.entry(transport=transport, known_hosts=str(both), proxy_jump=jump))
        assert host.run(Command(("echo", "through"))).stdout == "through\n"
        listen(host)
        host.close()

    def test_a_jump_host_with_a_wrong_key(self, server: Server, fragile_server: Server, transport: Transport) -> None:
        user = server.entry().ssh.user
        jump = f"{user}@{ADDRESS}:{fragile_server.port}"
        known = fragile_server.folder / "known"
        known.write_text(server.known_hosts.read_text() + key_line(server.keys.other_host, fragile_server.port))

        error = failure(server.entry(transport=transport, known_hosts=str(known), proxy_jump=jump))

        assert isinstance(error, HostKeyError)
