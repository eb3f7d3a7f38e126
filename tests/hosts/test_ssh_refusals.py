"""Hosts that are not reached, not trusted, or do not let us in."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.loopback import ADDRESS, Keys, Server, free_port, key_line, started
from tests.hosts.questions import TRUE, ask, failure, listen
from zfsctl.errors import (
    AuthenticationError,
    HostKeyError,
    UnreachableError,
)
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.policy import HostEntry, SshSettings, Transport

pytestmark = pytest.mark.sshd


@pytest.fixture(scope="module")
def nologin_server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Server]:
    """A server whose account has no shell."""
    yield from started(tmp_path_factory, keys, "ForceCommand echo This account is currently not available. >&2; exit 1")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server((ADDRESS, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def chatting_port() -> Iterator[int]:
    """A port of some other service."""
    with socket.create_server((ADDRESS, 0)) as listener:

        def chat() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"220 mail ready\r\n" * 100)
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=chat)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


class TestRefusals:
    def test_a_wrong_host_key_is_refused(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        wrong = tmp_path / "known_hosts"
        wrong.write_text(key_line(server.keys.other_host, server.port))

        error = failure(server.entry(transport=transport, known_hosts=str(wrong)))

        assert isinstance(error, HostKeyError)
        assert "another key" in error.why
        assert "StrictHostKeyChecking" not in error.hint

    def test_an_unknown_host_key_is_refused(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        error = failure(server.entry(transport=transport, known_hosts=str(tmp_path / "none")))

        assert isinstance(error, HostKeyError)
        assert "no known_hosts file" in error.why
        assert f"-p {server.port}" in error.hint
        assert not (tmp_path / "none").exists()

    def test_a_revoked_host_key_is_refused(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        line = key_line(server.keys.host, server.port)
        (tmp_path / "known_hosts").write_text(f"{line}@revoked {line}")

        error = failure(server.entry(transport=transport, known_hosts=str(tmp_path / "known_hosts")))

        assert isinstance(error, HostKeyError)

    def test_a_hashed_name_and_a_second_key_are_known(
        self, server: Server, transport: Transport, tmp_path: Path
    ) -> None:
        known = tmp_path / "known_hosts"
        known.write_text(key_line(server.keys.other_host, server.port) + key_line(server.keys.host, server.port))
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
        assert ADDRESS not in known.read_text()

        host = SshHost(server.entry(transport=transport, known_hosts=str(known)))
        assert host.run(TRUE).exit_code == 0
        host.close()

    def test_a_key_that_is_not_let_in(self, server: Server, transport: Transport) -> None:
        error = failure(server.entry(transport=transport, identity_file=str(server.keys.stranger)))

        assert isinstance(error, AuthenticationError)
        assert str(server.port) in error.message

    def test_a_key_that_is_missing(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        error = failure(server.entry(transport=transport, identity_file=str(tmp_path / "nothing")))

        assert isinstance(error, AuthenticationError)

    @pytest.mark.slow
    def test_a_key_that_is_encrypted(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        key = tmp_path / "locked"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key], check=True)

        error = failure(server.entry(transport=transport, identity_file=str(key)))

        assert isinstance(error, AuthenticationError)

    def test_a_user_who_may_not_log_in(self, server: Server, transport: Transport) -> None:
        error = failure(server.entry(transport=transport, user="no-such-user"))

        assert isinstance(error, AuthenticationError)
        assert "no-such-user" in error.message

    def test_an_account_without_a_shell(self, nologin_server: Server, transport: Transport) -> None:
        error = failure(nologin_server.entry(transport=transport))

        assert isinstance(error, AuthenticationError)
        assert "runs no commands" in error.why
        assert "not available" in error.why

    def test_a_host_that_is_down(self, server: Server, transport: Transport) -> None:
        error = failure(server.entry(transport=transport, port=free_port()))

        assert type(error) is UnreachableError
        assert "refused" in error.why
        assert error.where == "box"

    def test_a_name_that_does_not_resolve(self, transport: Transport) -> None:
        error = failure(HostEntry("ghost", "ghost.invalid", SshSettings(timeout_seconds=5, transport=transport)))

        assert type(error) is UnreachableError

    def test_a_host_that_accepts_and_says_nothing(self, silent_port: int, server: Server, transport: Transport) -> None:
        began = time.monotonic()
        error = failure(server.entry(transport=transport, port=silent_port, timeout_seconds=1))

        assert type(error) is UnreachableError
        assert time.monotonic() - began < 8

    @pytest.mark.slow
    def test_a_service_that_is_no_ssh(self, chatting_port: int, server: Server, transport: Transport) -> None:
        error = failure(server.entry(transport=transport, port=chatting_port, timeout_seconds=2))

        assert type(error) is UnreachableError

    def test_a_listing_is_refused_like_a_question(self, server: Server, tmp_path: Path) -> None:
        entries = {
            HostKeyError: server.entry(known_hosts=str(tmp_path / "none")),
            AuthenticationError: server.entry(identity_file=str(server.keys.stranger)),
            UnreachableError: server.entry(port=free_port()),
        }

        assert [type(failure(entry, listen)) for entry in entries.values()] == list(entries)

    @pytest.mark.slow
    def test_a_host_refused_once_can_be_asked_again(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        known = tmp_path / "known_hosts"
        host = SshHost(server.entry(transport=transport, known_hosts=str(known)))
        with pytest.raises(HostKeyError):
            host.run(TRUE)
        known.write_text(key_line(server.keys.host, server.port))

        assert host.run(TRUE).exit_code == 0
        host.close()

    def test_a_dead_host_costs_its_timeout_once(self, silent_port: int, server: Server, transport: Transport) -> None:
        host = SshHost(server.entry(transport=transport, port=silent_port, timeout_seconds=1))
        began = time.monotonic()
        with ThreadPoolExecutor(10) as pool:
            errors = [future.exception() for future in [pool.submit(ask, host) for _ in range(10)]]
        host.close()

        assert {type(error) for error in errors} == {UnreachableError}
        assert time.monotonic() - began < 5

    def test_a_host_known_by_an_authority_needs_openssh(self, server: Server, tmp_path: Path) -> None:
        blob = " ".join(server.keys.host.with_suffix(".pub").read_text().split()[:2])
        (tmp_path / "known_hosts").write_text(f"@cert-authority * {blob}\n")

        error = failure(server.entry(known_hosts=str(tmp_path / "known_hosts")))

        assert isinstance(error, HostKeyError)
        assert error.hint == 'transport = "openssh"'

    @pytest.mark.slow
    def test_a_server_that_opens_no_session(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        for server in started(tmp_path_factory, keys, "MaxSessions 0"):
            began = time.monotonic()

            assert isinstance(failure(server.entry(transport=transport)), UnreachableError)
            assert time.monotonic() - began < 10
