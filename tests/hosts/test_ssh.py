"""One machine over SSH, both transports, against a real OpenSSH server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.loopback import ADDRESS, Keys, Server, eventually, free_port, key_line, make_key, running, started
from zfsctl.errors import (
    AuthenticationError,
    HostKeyError,
    HostTimeoutError,
    InterruptedOutputError,
    UnreachableError,
    ZfsctlError,
)
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command, Completed
from zfsctl.model.policy import HostEntry, SshSettings, Transport

pytestmark = pytest.mark.sshd

TRUE = Command(("true",))


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


def ask(host: SshHost) -> None:
    host.run(TRUE)


def listen(host: SshHost) -> None:
    with host.lines(TRUE) as lines:
        list(lines)


def failure(entry: HostEntry, put: Callable[[SshHost], None] = ask) -> ZfsctlError:
    """What one question to this host raises; its text tells no key path."""
    host = SshHost(entry)
    try:
        with pytest.raises(ZfsctlError) as raised:
            put(host)
    finally:
        host.close()
    assert str(entry.ssh.identity_file) not in f"{raised.value}{raised.value.hint}"
    return raised.value


class TestAnswers:
    def test_output_errors_and_exit_code_come_back(self, box: SshHost) -> None:
        done = box.run(sh("echo out; echo err >&2; exit 3"))

        assert done == Completed(("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\n", "err\n")

    def test_255_of_the_command_is_an_answer(self, box: SshHost) -> None:
        assert box.run(sh("echo 'cannot resume send' >&2; exit 255")).exit_code == 255
        with box.lines(sh("echo row; exit 255")) as lines:
            assert list(lines) == ["row"]
            assert lines.completed.exit_code == 255

    def test_no_byte_is_lost(self, box: SshHost) -> None:
        raw = bytes(range(1, 256)) + b"\xff\xfe no newline"
        script = "printf '" + "".join(f"\\{byte:03o}" for byte in raw) + "'"

        assert box.run(sh(script)).stdout.encode("utf-8", "surrogateescape") == raw
        with box.lines(sh(script)) as lines:
            assert "\n".join(lines).encode("utf-8", "surrogateescape") == raw

    def test_arguments_are_quoted_once(self, box: SshHost) -> None:
        arguments = ("tank/with space@it's", "-n", "a\nb", "$(reboot)", "")

        assert box.run(Command(("printf", "%s|", *arguments))).stdout == "".join(f"{a}|" for a in arguments)

    def test_several_commands_are_one_question(self, box: SshHost) -> None:
        before = box.exchanges
        answers = box.run_all([sh("echo 1; exit 1"), Command(("cat",), stdin="two"), sh("echo 3 >&2")])

        assert [(a.exit_code, a.stdout, a.stderr) for a in answers] == [(1, "1\n", ""), (0, "two", ""), (0, "", "3\n")]
        assert box.exchanges == before + 1

    def test_questions_are_counted(self, box: SshHost) -> None:
        before = box.exchanges
        box.run(TRUE)
        listen(box)
        box.run_all([TRUE, TRUE])
        box.run_all([])

        assert box.exchanges == before + 3

    def test_a_command_near_the_longest_argument_arrives(self, box: SshHost) -> None:
        words = [f"tank/data@zfsctl-{i:020}" for i in range(3300)]
        done = box.run(Command(("echo", *words)))

        assert 120_000 < len(done.stdout) < 131_072
        assert done.stdout == " ".join(words) + "\n"

    def test_a_megabyte_of_commands_is_one_question(self, box: SshHost) -> None:
        before = box.exchanges
        commands = [Command(("echo", str(i), "x" * 50_000)) for i in range(20)]

        assert [a.stdout for a in box.run_all(commands)] == [f"{i} {'x' * 50_000}\n" for i in range(20)]
        assert box.exchanges == before + 1

    def test_long_input_arrives(self, box: SshHost) -> None:
        text = "".join(f"it's line {i}\n" for i in range(20_000))

        assert box.run(Command(("cat",), stdin=text)).stdout == text

    def test_200000_lines_are_complete(self, box: SshHost) -> None:
        began = time.monotonic()
        with box.lines(Command(("seq", "200000"))) as lines:
            assert [int(line) for line in lines] == list(range(1, 200_001))
            assert lines.completed.clean
        assert len(box.run(Command(("seq", "200000"))).stdout) == 1_288_895

        assert time.monotonic() - began < 10

    def test_empty_lines_and_a_last_line_without_newline_are_kept(self, box: SshHost) -> None:
        with box.lines(sh("printf 'a\\n\\n\\nb'")) as lines:
            assert list(lines) == ["a", "", "", "b"]

    def test_the_end_of_a_listing_is_told_only_after_its_last_line(self, box: SshHost) -> None:
        with box.lines(sh("echo a; echo b; echo oops >&2")) as lines:
            with pytest.raises(RuntimeError):
                _ = lines.completed
            assert list(lines) == ["a", "b"]
            assert (lines.completed.exit_code, lines.completed.stderr) == (0, "oops\n")

    def test_a_program_that_is_not_there_is_an_answer(self, box: SshHost) -> None:
        assert box.run(Command(("no-such-zfs", "list"))).exit_code == 127

    def test_small_questions_are_quick(self, box: SshHost) -> None:
        box.run(TRUE)
        began = time.monotonic()
        for _ in range(20):
            box.run(TRUE)

        # An untuned connection takes 40 ms for each on an idle machine.
        assert (time.monotonic() - began) / 20 < 0.3


class TestSharing:
    def test_many_threads_share_one_host(self, box: SshHost) -> None:
        before = box.exchanges
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda i: box.run(Command(("echo", str(i)))).stdout, range(72)))

        assert answers == [f"{i}\n" for i in range(72)]
        assert box.exchanges == before + 72

    @pytest.mark.slow
    def test_a_server_that_allows_few_sessions_is_believed(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        for server in started(tmp_path_factory, keys, "MaxSessions 2"):
            host = SshHost(server.entry(transport=transport))
            with ThreadPoolExecutor(6) as pool:
                answers = list(pool.map(host.run, [Command(("echo", str(i))) for i in range(12)]))
            host.close()

            assert [answer.stdout for answer in answers] == [f"{i}\n" for i in range(12)]

    @pytest.mark.slow
    def test_twenty_hosts_answer_at_once(self, server: Server, transport: Transport) -> None:
        hosts = [SshHost(server.entry(f"node{i}", transport=transport)) for i in range(20)]
        try:
            with ThreadPoolExecutor(20) as pool:
                answers = list(pool.map(lambda host: host.run(Command(("echo", host.name))).stdout, hosts))
        finally:
            for host in hosts:
                host.close()

        assert answers == [f"node{i}\n" for i in range(20)]

    @pytest.mark.slow
    def test_one_connection_serves_all_questions(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, transport: Transport
    ) -> None:
        for server in started(tmp_path_factory, keys, "LogLevel VERBOSE"):
            host = SshHost(server.entry(transport=transport))
            for _ in range(5):
                host.run(TRUE)
            host.close()

            assert server.log.count("Accepted publickey") == 1

    def test_nothing_is_left_after_close(self, server: Server, transport: Transport, tmp_path: Path) -> None:
        os_before = len(os.listdir("/proc/self/fd"))
        threads_before = threading.active_count()
        host = SshHost(server.entry(transport=transport))
        ask(host)
        listen(host)
        host.close()
        host.close()

        assert eventually(lambda: threading.active_count() <= threads_before)
        assert eventually(lambda: len(os.listdir("/proc/self/fd")) <= os_before)

    def test_a_question_after_close_dials_anew(self, box: SshHost) -> None:
        ask(box)
        box.close()

        assert box.run(TRUE).exit_code == 0


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
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=30)

        assert eventually(lambda: not running(fragile_server, "sleep 31.9"))
        assert eventually(lambda: not clients(fragile_server))

    def test_a_failed_login_says_nothing_by_itself(
        self, server: Server, transport: Transport, capfd: pytest.CaptureFixture[str]
    ) -> None:
        failure(server.entry(transport=transport, identity_file=str(server.keys.stranger)))
        failure(server.entry(transport=transport, port=free_port()))

        assert capfd.readouterr() == ("", "")

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


def clients(server: Server) -> list[str]:
    """The ssh processes of this machine that talk to this server."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"ssh") and str(server.port).encode() in words:
            found.append(pid)
    return found
