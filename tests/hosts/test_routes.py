"""Streams by every route: through this machine, in one shell, and between two hosts of which one dials the other."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.loopback import Keys, Server, eventually, free_port, running, started
from tests.hosts.questions import sh
from zfsctl.errors import (
    AuthenticationError,
    HostKeyError,
    InterruptedOutputError,
    UnreachableError,
)
from zfsctl.hosts import openssh_argv
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.join import far_entry
from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings
from zfsctl.model.route import Route

pytestmark = pytest.mark.sshd

MEBIBYTE = 1 << 20
ROUTES = (Route.RELAY, Route.LOCAL, Route.PUSH, Route.PULL)
DIALLED = (Route.PUSH, Route.PULL)
every_route = pytest.mark.parametrize("route", ROUTES)
either_packing = pytest.mark.parametrize(
    "compress", [pytest.param(False, id="plain"), pytest.param(True, id="packed", marks=pytest.mark.slow)]
)
dialled_routes = pytest.mark.parametrize("route", DIALLED)


@dataclass
class Desk:
    """Two hosts that may dial each other, on servers of one test's own."""

    fleet: RealFleet
    alpha: Server
    beta: Server

    def pipe(self, route: Route, send: Command, receive: Command, **more: object) -> PipeResult:
        """From alpha to beta; the route local has alpha alone."""
        receiver = "alpha" if route is Route.LOCAL else "beta"
        return self.fleet.pipe("alpha", send, receiver, receive, route=route, **more)

    def running(self, command: str) -> list[int]:
        """What runs of it on both."""
        return running(self.alpha, command) + running(self.beta, command)


def made(factory: pytest.TempPathFactory, keys: Keys, *options: str) -> Iterator[Desk]:
    for alpha in started(factory, keys, *options):
        for beta in started(factory, keys, *options):
            alpha.knows(beta)
            beta.knows(alpha)
            fleet = RealFleet(
                {"alpha": alpha.entry("alpha"), "beta": beta.entry("beta"), "local": HostEntry("local", "")}
            )
            yield Desk(fleet, alpha, beta)
            fleet.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Desk]:
    """Shared by the tests that break nothing."""
    yield from made(tmp_path_factory, keys)


@pytest.fixture
def fragile_desk(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Desk]:
    """One test's own, to be cut and frozen."""
    yield from made(tmp_path_factory, keys)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """64 MiB of random bytes and their SHA-256."""
    path = tmp_path_factory.mktemp("data") / "data"
    content = os.urandom(64 * MEBIBYTE)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


class TestBytes:
    @pytest.mark.slow
    @every_route
    @either_packing
    def test_64_mebibytes_arrive_as_they_were(
        self, desk: Desk, data: tuple[Path, str], route: Route, compress: bool
    ) -> None:
        path, digest = data
        result = desk.pipe(route, Command(("cat", str(path))), Command(("sha256sum",)), compress=compress)

        assert result.receiver.stdout.split()[0] == digest
        assert (result.sender.exit_code, result.receiver.exit_code) == (0, 0)
        assert (result.sender.stderr, result.receiver.stderr, result.notes) == ("", "", ())
        assert not result.stopped
        if route is not Route.RELAY:
            assert result.bytes_sent is None
        elif not compress:
            assert result.bytes_sent == 64 * MEBIBYTE

    @every_route
    def test_both_ends_speak_for_themselves(self, desk: Desk, route: Route) -> None:
        result = desk.pipe(
            route, sh("echo x; echo sent >&2; exit 3"), sh("cat; printf 'no newline'; echo received >&2; exit 255")
        )

        assert (result.sender.exit_code, result.sender.stdout, result.sender.stderr) == (3, "", "sent\n")
        assert (result.receiver.exit_code, result.receiver.stderr) == (255, "received\n")
        assert result.receiver.stdout == "x\nno newline"

    @every_route
    def test_an_empty_stream_is_a_stream(self, desk: Desk, route: Route) -> None:
        result = desk.pipe(route, Command(("true",)), Command(("wc", "-c")), compress=True)

        assert (result.sender.exit_code, result.receiver.stdout.strip()) == (0, "0")

    @pytest.mark.slow
    @every_route
    @either_packing
    def test_banners_of_login_shells_do_not_get_into_the_stream(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        keys: Keys,
        data: tuple[Path, str],
        route: Route,
        compress: bool,
    ) -> None:
        path, digest = data
        banner = "ForceCommand echo Welcome; printf 'no newline'; echo Hi >&2; exec sh -c \"$SSH_ORIGINAL_COMMAND\""
        for desk in made(tmp_path_factory, keys, banner, f"Banner {__file__}"):
            result = desk.pipe(route, Command(("cat", str(path))), Command(("sha256sum",)), compress=compress)

            assert result.receiver.stdout.split()[0] == digest
            assert result.sender.stderr == result.receiver.stderr == ""

    @every_route
    def test_a_program_that_is_not_there(self, desk: Desk, route: Route) -> None:
        result = desk.pipe(route, Command(("no-such-program",)), Command(("cat",)))

        assert (result.sender.exit_code, result.receiver.exit_code) == (127, 0)
        assert "no-such-program" in result.sender.stderr

    @every_route
    def test_words_are_quoted_once(self, desk: Desk, route: Route) -> None:
        words = ("a b", "$HOME", "it's", '"', "*", "x;y", "`id`", "é\t")
        result = desk.pipe(route, Command(("printf", "%s\n", *words)), Command(("cat",)))

        assert result.receiver.stdout == "".join(f"{word}\n" for word in words)


class TestEarlyEnds:
    @every_route
    @either_packing
    @pytest.mark.parametrize("send", ["exec cat /dev/urandom", "exec sleep 34.2"], ids=["endless", "silent"])
    def test_a_receiver_that_fails_ends_the_sender(self, desk: Desk, route: Route, compress: bool, send: str) -> None:
        began = time.monotonic()
        result = desk.pipe(route, sh(send), sh("echo no such pool >&2; exit 1"), compress=compress)

        assert (result.receiver.exit_code, result.receiver.stderr) == (1, "no such pool\n")
        assert result.sender.exit_code != 0
        assert not result.stopped
        assert time.monotonic() - began < 20
        assert eventually(lambda: not desk.running("cat /dev/urandom") and not desk.running("sleep 34.2"))

    @every_route
    @either_packing
    def test_a_sender_that_fails_ends_the_stream(self, desk: Desk, route: Route, compress: bool) -> None:
        result = desk.pipe(
            route, sh("head -c 3000000 /dev/zero; echo cannot send >&2; exit 1"), sh("wc -c; exit 1"), compress=compress
        )

        assert (result.sender.exit_code, result.sender.stderr) == (1, "cannot send\n")
        assert (result.receiver.exit_code, result.receiver.stdout.strip()) == (1, "3000000")

    @every_route
    @pytest.mark.parametrize("code", [0, 1])
    def test_a_sender_may_end_after_its_receiver_has_ended_well(self, desk: Desk, route: Route, code: int) -> None:
        result = desk.pipe(route, sh(f"echo x; sleep 0.3; exit {code}"), Command(("head", "-1")))

        assert (result.sender.exit_code, result.receiver.exit_code) == (code, 0)
        assert not result.stopped

    @every_route
    def test_a_receiver_may_take_long_after_the_last_byte(self, desk: Desk, route: Route) -> None:
        result = desk.pipe(route, Command(("echo", "x")), sh("cat; sleep 0.4; echo done"))

        assert result.receiver.stdout == "x\ndone\n"


class TestStop:
    @every_route
    @either_packing
    @pytest.mark.parametrize("send", ["cat /dev/urandom", "sleep 34.3"], ids=["endless", "silent"])
    def test_a_stopped_stream_lets_the_receiver_save_what_it_has(
        self, desk: Desk, route: Route, compress: bool, send: str
    ) -> None:
        asked_at: list[float] = []

        def once_both_run() -> bool:
            if not asked_at and desk.running(send) and desk.running("md5sum"):
                asked_at.append(time.monotonic())
            return bool(asked_at)

        receive = sh("md5sum >/dev/null; sleep 0.2; echo saved; exit 1")
        result = desk.pipe(route, sh(f"exec {send}"), receive, compress=compress, stop=once_both_run)

        assert result.stopped
        assert (result.receiver.exit_code, result.receiver.stdout) == (1, "saved\n")
        assert result.sender.exit_code != 0
        assert time.monotonic() - asked_at[0] < 20
        assert eventually(lambda: not desk.running("md5sum") and not desk.running(send))

    @every_route
    def test_a_stop_before_the_beginning_runs_nothing(self, desk: Desk, route: Route, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        result = desk.pipe(route, Command(("touch", str(ran))), Command(("touch", str(ran))), stop=lambda: True)

        assert result.stopped
        assert result.sender.exit_code != 0
        assert result.receiver.exit_code != 0
        assert not ran.exists()


class TestDialling:
    @dialled_routes
    def test_a_host_that_is_down(self, desk: Desk, route: Route) -> None:
        entries = {"alpha": desk.alpha.entry("alpha"), "beta": desk.beta.entry("beta")}
        dialled = "beta" if route is Route.PUSH else "alpha"
        entries[dialled] = desk.alpha.entry(dialled, port=free_port())
        fleet = RealFleet(entries)

        with pytest.raises(UnreachableError) as raised:
            fleet.pipe("alpha", Command(("yes",)), "beta", Command(("cat",)), route=route)
        fleet.close()

        assert raised.value.where == dialled
        assert f"dialled from {'alpha' if route is Route.PUSH else 'beta'}" in raised.value.message
        assert "refused" in raised.value.why

    @dialled_routes
    @pytest.mark.parametrize("trouble", [HostKeyError, AuthenticationError])
    def test_keys_are_those_of_the_host_that_dials(
        self, fragile_desk: Desk, route: Route, trouble: type[UnreachableError]
    ) -> None:
        for server, other in ((fragile_desk.alpha, fragile_desk.beta), (fragile_desk.beta, fragile_desk.alpha)):
            if trouble is HostKeyError:
                server.knows()
            else:
                server.knows(other, key=server.keys.stranger)

        with pytest.raises(trouble) as raised:
            fragile_desk.pipe(route, Command(("yes",)), Command(("cat",)))

        told = f"{raised.value}{raised.value.hint}"
        assert str(fragile_desk.alpha.keys.folder) not in told
        assert raised.value.hint.endswith("# on alpha" if route is Route.PUSH else "# on beta")

    @pytest.mark.slow
    @dialled_routes
    @pytest.mark.parametrize("cut", ["alpha", "beta"])
    def test_a_connection_that_is_cut_in_the_middle(self, fragile_desk: Desk, route: Route, cut: str) -> None:
        server = fragile_desk.alpha if cut == "alpha" else fragile_desk.beta

        def cut_it() -> None:
            eventually(lambda: fragile_desk.running("dd"))
            time.sleep(0.3)
            server.cut()

        cutter = threading.Thread(target=cut_it)
        cutter.start()
        with pytest.raises(InterruptedOutputError) as raised:
            fragile_desk.pipe(route, Command(("dd", "if=/dev/zero")), sh("exec dd of=/dev/null"))
        cutter.join()

        assert raised.value.where == cut
        assert eventually(lambda: not fragile_desk.running("dd"))

    @pytest.mark.slow
    @pytest.mark.parametrize("route", [Route.RELAY, Route.PUSH, Route.PULL])
    @pytest.mark.parametrize("send", ["exec dd if=/dev/zero", "exec sleep 34.4"], ids=["flowing", "silent"])
    def test_a_network_that_falls_silent(
        self, fragile_desk: Desk, route: Route, send: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        short = [option for option in openssh_argv._STRICT if not option.startswith("ServerAlive")]
        monkeypatch.setattr(openssh_argv, "_STRICT", (*short, "ServerAliveInterval=1", "ServerAliveCountMax=3"))
        dialled = fragile_desk.alpha if route is Route.PULL else fragile_desk.beta
        began = time.monotonic()

        def freeze() -> None:
            eventually(lambda: fragile_desk.running(send.removeprefix("exec ")))
            dialled.freeze()

        freezer = threading.Thread(target=freeze)
        freezer.start()
        try:
            with pytest.raises(InterruptedOutputError):
                fragile_desk.pipe(route, sh(send), sh("cat >/dev/null"))
        finally:
            freezer.join()
            dialled.thaw()

        assert time.monotonic() - began < 50


class TestWays:
    @dialled_routes
    def test_one_host_needs_not_dial_itself(self, desk: Desk, route: Route) -> None:
        result = desk.fleet.pipe("alpha", Command(("echo", "x")), "alpha", Command(("cat",)), route=route)

        assert (result.receiver.stdout, result.bytes_sent) == ("x\n", None)

    def test_this_machine_joins_by_itself_too(self, desk: Desk) -> None:
        result = desk.fleet.pipe("local", sh("echo x; exit 4"), "local", sh("cat; exit 5"), route=Route.LOCAL)

        assert (result.sender.exit_code, result.receiver.exit_code) == (4, 5)
        assert (result.receiver.stdout, result.bytes_sent) == ("x\n", None)

    @pytest.mark.parametrize(("sender", "receiver", "route"), [("local", "beta", "push"), ("alpha", "local", "pull")])
    def test_where_this_machine_dials_the_bytes_are_counted(
        self, desk: Desk, sender: str, receiver: str, route: str
    ) -> None:
        result = desk.fleet.pipe(sender, Command(("echo", "x")), receiver, Command(("cat",)), route=Route(route))

        assert (result.receiver.stdout, result.bytes_sent) == ("x\n", 2)


@pytest.mark.parametrize(
    ("dialler", "jump", "taken"),
    [
        (SshSettings(), None, None),
        (SshSettings(), "gate", "gate"),
        (SshSettings(proxy_jump="gate"), "gate", None),
        (SshSettings(proxy_jump="other"), "gate", "gate"),
        (SshSettings(), "first,me@10.0.0.1:22", None),
    ],
    ids=["none", "from outside", "behind the same", "behind another", "is the jump host"],
)
def test_a_jump_host_is_passed_where_the_dialler_may_need_it(
    dialler: SshSettings, jump: str | None, taken: str | None
) -> None:
    far = SshSettings(
        user="u", port=7, identity_file="/k", known_hosts="/h", proxy_jump=jump, timeout_seconds=9, sudo=True
    )
    entry = far_entry(HostEntry("a", "10.0.0.1", dialler), HostEntry("b", "10.0.0.2", far))

    assert entry == HostEntry(
        "b", "10.0.0.2", SshSettings(user="u", port=7, proxy_jump=taken, timeout_seconds=9, sudo=True)
    )
