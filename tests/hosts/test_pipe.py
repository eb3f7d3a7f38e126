"""Send into receive, here and over a real OpenSSH server."""

from __future__ import annotations

import hashlib
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.loopback import Keys, Server, descendants, eventually, free_port, running, started
from zfsctl.errors import HostKeyError, InterruptedOutputError, UnreachableError
from zfsctl.hosts.fleet import RealFleet
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry

ENDS = [
    pytest.param("local", "local", id="local-to-local"),
    pytest.param("local", "box", id="local-to-ssh", marks=pytest.mark.sshd),
    pytest.param("box", "local", id="ssh-to-local", marks=pytest.mark.sshd),
    pytest.param("box", "box", id="ssh-to-ssh", marks=pytest.mark.sshd),
]
ends = pytest.mark.parametrize(("sender", "receiver"), ENDS)
same_ends = pytest.mark.parametrize(("sender", "receiver"), [ENDS[0], ENDS[3]])
MEBIBYTE = 1 << 20


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


@pytest.fixture
def fleet(request: pytest.FixtureRequest) -> Iterator[RealFleet]:
    """This machine as `local`, and through a server as `box` where the test needs it."""
    hosts = {"local": HostEntry("local", "")}
    values = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    if "box" in values:
        server: Server = request.getfixturevalue("server")
        hosts["box"] = server.entry()
    made = RealFleet(hosts)
    yield made
    made.close()


def random_file(path: Path, mebibytes: int) -> str:
    """Fill a file with random bytes; return their SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(mebibytes):
            block = os.urandom(MEBIBYTE)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


@ends
def test_all_bytes_arrive_as_they_were(fleet: RealFleet, sender: str, receiver: str, tmp_path: Path) -> None:
    digest = random_file(tmp_path / "data", 5)
    told: list[int] = []
    result = fleet.pipe(
        sender,
        sh(f"cat {tmp_path}/data; echo sent >&2; exit 3"),
        receiver,
        sh("sha256sum; echo received >&2; exit 255"),
        on_bytes=told.append,
    )

    assert result.receiver.stdout.split()[0] == digest
    assert (result.sender.exit_code, result.sender.stdout, result.sender.stderr) == (3, "", "sent\n")
    assert (result.receiver.exit_code, result.receiver.stderr) == (255, "received\n")
    assert result.bytes_sent == told[-1] == 5 * MEBIBYTE
    assert told == sorted(told)


@same_ends
def test_an_empty_stream_is_a_stream(fleet: RealFleet, sender: str, receiver: str) -> None:
    result = fleet.pipe(sender, Command(("true",)), receiver, Command(("wc", "-c")))

    assert (result.receiver.stdout.strip(), result.bytes_sent) == ("0", 0)


@same_ends
def test_a_sender_that_fails_in_the_middle(fleet: RealFleet, sender: str, receiver: str) -> None:
    result = fleet.pipe(
        sender, sh("head -c 3000000 /dev/zero; echo 'cannot send' >&2; exit 1"), receiver, sh("wc -c; exit 1")
    )

    assert (result.sender.exit_code, result.sender.stderr) == (1, "cannot send\n")
    assert (result.receiver.exit_code, result.receiver.stdout.strip()) == (1, "3000000")
    assert result.bytes_sent == 3_000_000


@ends
def test_a_receiver_that_fails_in_the_middle_ends_an_endless_sender(
    fleet: RealFleet, sender: str, receiver: str
) -> None:
    began = time.monotonic()
    result = fleet.pipe(
        sender, Command(("cat", "/dev/zero")), receiver, sh("head -c 100000 >&2 >/dev/null; echo full >&2; exit 1")
    )

    assert (result.receiver.exit_code, result.receiver.stderr) == (1, "full\n")
    assert result.sender.exit_code != 0
    assert time.monotonic() - began < 15


@ends
def test_a_receiver_that_fails_while_the_sender_is_silent(fleet: RealFleet, sender: str, receiver: str) -> None:
    began = time.monotonic()
    result = fleet.pipe(sender, Command(("sleep", "34.1")), receiver, sh("echo no such pool >&2; exit 1"))

    assert (result.receiver.exit_code, result.receiver.stderr) == (1, "no such pool\n")
    assert result.sender.exit_code != 0
    assert time.monotonic() - began < 25


@same_ends
def test_much_on_stderr_of_both_blocks_nothing(fleet: RealFleet, sender: str, receiver: str) -> None:
    noise = "head -c 2000000 /dev/zero | tr '\\0' e >&2"
    result = fleet.pipe(sender, sh(f"{noise}; echo x"), receiver, sh(f"{noise}; cat"))

    assert result.receiver.stdout == "x\n"
    assert "bytes left out" in result.sender.stderr
    assert "bytes left out" in result.receiver.stderr


@same_ends
def test_a_receiver_may_take_long_after_the_last_byte(fleet: RealFleet, sender: str, receiver: str) -> None:
    result = fleet.pipe(sender, Command(("echo", "x")), receiver, sh("cat; sleep 0.3; echo done"))

    assert result.receiver.stdout == "x\ndone\n"


def test_no_process_and_no_file_is_left_behind(fleet: RealFleet) -> None:
    before = len(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    processes = descendants(os.getpid())
    for _ in range(10):
        fleet.pipe("local", Command(("yes",)), "local", Command(("head", "-1")))

    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == threads
    assert set(descendants(os.getpid())) <= set(processes)


@same_ends
@pytest.mark.parametrize(("send", "receive"), [("no-such-program", "cat"), ("true", "no-such-program")])
def test_a_program_that_is_not_there(fleet: RealFleet, sender: str, receiver: str, send: str, receive: str) -> None:
    result = fleet.pipe(sender, Command((send,)), receiver, Command((receive,)))

    missing = result.sender if send == "no-such-program" else result.receiver
    assert missing.exit_code == 127
    assert "no-such-program" in missing.stderr


def test_the_commands_of_a_pipe_have_no_input_of_their_own(fleet: RealFleet) -> None:
    with pytest.raises(ValueError):
        fleet.pipe("local", Command(("cat",), stdin="x"), "local", Command(("cat",)))


def test_an_error_of_the_listener_ends_both(fleet: RealFleet) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    processes = descendants(os.getpid())
    with pytest.raises(KeyboardInterrupt):
        fleet.pipe("local", Command(("yes",)), "local", sh("cat >/dev/null"), on_bytes=stop)

    assert set(descendants(os.getpid())) <= set(processes)


@pytest.mark.sshd
class TestConnections:
    @pytest.mark.parametrize("down", ["sender", "receiver"])
    def test_an_end_that_is_down(self, server: Server, down: str) -> None:
        ends = dict.fromkeys(("sender", "receiver"), "box") | {down: "ghost"}
        fleet = RealFleet({"box": server.entry(), "ghost": server.entry("ghost", port=free_port())})

        with pytest.raises(UnreachableError) as raised:
            fleet.pipe(ends["sender"], Command(("yes",)), ends["receiver"], sh("cat >/dev/null"))

        assert raised.value.where == "ghost"
        assert eventually(lambda: not running(server, "yes"))

    def test_an_end_with_a_wrong_key(self, server: Server, tmp_path: Path) -> None:
        fleet = RealFleet(
            {"box": server.entry(), "mallory": server.entry("mallory", known_hosts=str(tmp_path / "none"))}
        )

        with pytest.raises(HostKeyError):
            fleet.pipe("box", Command(("echo", "x")), "mallory", Command(("cat",)))

    @pytest.mark.parametrize("cut", ["sender", "receiver"])
    def test_an_end_that_is_cut_in_the_middle(self, server: Server, fragile_server: Server, cut: str) -> None:
        ends = dict.fromkeys(("sender", "receiver"), "box") | {cut: "fragile"}
        fleet = RealFleet({"box": server.entry(), "fragile": fragile_server.entry("fragile")})
        seen = threading.Event()

        def notice(total: int) -> None:
            if total > MEBIBYTE and not seen.is_set():
                seen.set()
                fragile_server.cut()

        with pytest.raises(InterruptedOutputError) as raised:
            fleet.pipe(
                ends["sender"],
                Command(("dd", "if=/dev/zero")),
                ends["receiver"],
                sh("dd of=/dev/null"),
                on_bytes=notice,
            )

        assert raised.value.where == "fragile"
        assert eventually(lambda: not running(server, "dd"))

    def test_a_banner_does_not_get_into_the_stream(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, tmp_path: Path
    ) -> None:
        digest = random_file(tmp_path / "data", 1)
        banner = 'ForceCommand echo Welcome to box; echo Welcome >&2; exec sh -c "$SSH_ORIGINAL_COMMAND"'
        for server in started(tmp_path_factory, keys, banner):
            fleet = RealFleet({"box": server.entry()})
            result = fleet.pipe("box", Command(("cat", f"{tmp_path}/data")), "box", Command(("sha256sum",)))

            assert result.receiver.stdout.split()[0] == digest
            assert result.sender.stderr == result.receiver.stderr == ""
            assert result.bytes_sent == MEBIBYTE


@pytest.mark.slow
@pytest.mark.sshd
@ends
def test_300_mebibytes_arrive_without_passing_through_python(
    fleet: RealFleet, sender: str, receiver: str, tmp_path: Path
) -> None:
    digest = random_file(tmp_path / "data", 300)
    used = resource.getrusage(resource.RUSAGE_SELF)
    result = fleet.pipe(sender, Command(("cat", f"{tmp_path}/data")), receiver, Command(("sha256sum",)))
    user_seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime - used.ru_utime

    assert result.receiver.stdout.split()[0] == digest
    assert result.bytes_sent == 300 * MEBIBYTE
    assert user_seconds < 2
