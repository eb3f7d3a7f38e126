"""What streams over a real OpenSSH server cost and leave behind: bandwidth, packing, and shared connections."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.hosts.loopback import Keys, Server, clients, descendants, eventually, masters, running, started
from tests.hosts.questions import sh
from zfsctl.hosts.fleet import RealFleet
from zfsctl.hosts.protocol import PipeResult
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry
from zfsctl.model.route import Route

pytestmark = pytest.mark.sshd

MEBIBYTE = 1 << 20
ROUTES = (Route.RELAY, Route.LOCAL, Route.PUSH, Route.PULL)


def fleet_of(**servers: Server) -> RealFleet:
    hosts = {name: server.entry(name) for name, server in servers.items()}
    return RealFleet({"local": HostEntry("local", ""), **hosts})


@pytest.fixture
def fleet(server: Server) -> Iterator[RealFleet]:
    made = fleet_of(box=server)
    yield made
    made.close()


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where sockets lie during a test."""
    folder = Path("/tmp") / f"zs{os.getpid()}"
    folder.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    yield folder
    for left in folder.iterdir():
        left.rmdir()
    folder.rmdir()


class TestBandwidth:
    @pytest.mark.parametrize(
        ("bandwidth", "size"),
        [
            pytest.param(100_000, 150_000, id="100 kB/s"),
            pytest.param(10 * MEBIBYTE, 20 * MEBIBYTE, id="10 MiB/s", marks=pytest.mark.slow),
        ],
    )
    @pytest.mark.parametrize("ends", ["local", pytest.param("box", marks=pytest.mark.slow)])
    def test_a_stream_keeps_to_its_bandwidth(self, fleet: RealFleet, ends: str, bandwidth: int, size: int) -> None:
        fleet.pipe(ends, Command(("true",)), ends, Command(("cat",)))  # the connection is up
        told: list[tuple[float, int]] = []
        used = resource.getrusage(resource.RUSAGE_SELF)
        result = fleet.pipe(
            ends,
            sh(f"head -c {size} /dev/zero"),
            ends,
            sh("cat >/dev/null"),
            bandwidth=bandwidth,
            on_bytes=lambda total: told.append((time.monotonic(), total)),
        )
        now = resource.getrusage(resource.RUSAGE_SELF)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime

        (began, first), (ended, last) = told[0], told[-1]
        rate = (last - first) / (ended - began)
        assert result.bytes_sent == size == last
        assert bandwidth * 0.4 < rate < bandwidth * 1.15
        assert max(b - a for (_, a), (_, b) in pairwise(told)) < bandwidth * 0.4  # no bursts
        assert cpu < 0.05 * (ended - began) + 0.03  # what the two processes took to start

    def test_a_limit_beyond_the_possible_changes_nothing(self, fleet: RealFleet) -> None:
        result = fleet.pipe("local", sh("head -c 3000000 /dev/zero"), "local", Command(("wc", "-c")), bandwidth=1 << 50)

        assert (result.receiver.stdout.strip(), result.bytes_sent) == ("3000000", 3_000_000)

    @pytest.mark.parametrize("stopped", [False, True], ids=["receiver fails", "stop"])
    def test_an_end_is_noticed_within_a_slow_stream(self, fleet: RealFleet, stopped: bool) -> None:
        began = time.monotonic()
        receive = sh("cat >/dev/null") if stopped else sh("read x; sleep 0.3; exit 1")
        stop = (lambda: time.monotonic() - began > 0.4) if stopped else None
        result = fleet.pipe("local", Command(("yes",)), "local", receive, bandwidth=10, stop=stop)

        assert result.receiver.exit_code == (0 if stopped else 1)
        assert result.stopped == stopped
        assert time.monotonic() - began < 5


class TestPacking:
    def test_the_bytes_on_the_wire_are_counted(self, fleet: RealFleet) -> None:
        result = fleet.pipe("box", sh("head -c 10000000 /dev/zero"), "box", Command(("wc", "-c")), compress=True)

        assert result.receiver.stdout.strip() == "10000000"
        assert result.bytes_sent is not None
        assert 0 < result.bytes_sent < 100_000
        assert result.notes == ()

    @pytest.mark.parametrize(
        "route", [ROUTES[0], *(pytest.param(route, marks=pytest.mark.slow) for route in ROUTES[1:])]
    )
    @pytest.mark.parametrize("poor", ["alpha", "beta"])
    def test_without_zstd_a_stream_goes_as_it_is(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, route: Route, poor: str
    ) -> None:
        bare = tmp_path_factory.mktemp("bare")
        for tool in Path("/usr/bin").iterdir():
            if tool.name != "zstd":
                (bare / tool.name).symlink_to(tool)
        for alpha in started(tmp_path_factory, keys, *([f"SetEnv PATH={bare}"] if poor == "alpha" else [])):
            for beta in started(tmp_path_factory, keys, *([f"SetEnv PATH={bare}"] if poor == "beta" else [])):
                for server, other in ((alpha, beta), (beta, alpha)):
                    server.knows(other, bin=bare if server is (alpha if poor == "alpha" else beta) else None)
                fleet = fleet_of(alpha=alpha, beta=beta)
                local = route is Route.LOCAL
                ends = (poor, poor) if local else ("alpha", "beta")
                result = fleet.pipe(
                    ends[0], sh("head -c 1000000 /dev/zero"), ends[1], sh("wc -c"), route=route, compress=True
                )
                fleet.close()

                assert result.receiver.stdout.strip() == "1000000"
                assert result.notes == (f"sent uncompressed: zstd is missing on {poor}",)
                assert result.bytes_sent in (None, 1_000_000)


class TestSharedConnections:
    def test_streams_and_listings_of_a_host_share_one_connection(self, fragile_server: Server) -> None:
        fleet = fleet_of(box=fragile_server)
        host = fleet.host("box")
        with host.lines(Command(("true",))) as lines:
            list(lines)

        def pipe(_: int) -> PipeResult:
            return fleet.pipe("box", sh("head -c 2000000 /dev/zero"), "box", Command(("wc", "-c")))

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(pipe, range(8)))
        fleet.close()

        assert [result.receiver.stdout.strip() for result in results] == ["2000000"] * 8
        assert fragile_server.log.count("Accepted publickey") == 1

    @pytest.mark.slow
    @pytest.mark.parametrize("sessions", [1, 2])
    def test_a_server_that_allows_few_sessions_gets_more_connections(
        self, tmp_path_factory: pytest.TempPathFactory, keys: Keys, sessions: int
    ) -> None:
        for server in started(tmp_path_factory, keys, f"MaxSessions {sessions}"):
            fleet = fleet_of(box=server)
            for route in (Route.RELAY, Route.LOCAL):
                result = fleet.pipe("box", sh("echo x; echo e >&2"), "box", sh("cat; echo f >&2"), route=route)

                assert (result.receiver.stdout, result.sender.stderr, result.receiver.stderr) == ("x\n", "e\n", "f\n")
            fleet.close()

    def test_a_connection_that_died_is_replaced(self, fragile_server: Server) -> None:
        fleet = fleet_of(box=fragile_server)
        for _ in range(2):
            result = fleet.pipe("box", Command(("echo", "x")), "box", Command(("cat",)))
            assert result.receiver.stdout == "x\n"
            fragile_server.cut()
        fleet.close()

    def test_a_shared_connection_that_is_killed_in_the_middle_cuts_its_streams(self, fragile_server: Server) -> None:
        fleet = fleet_of(box=fragile_server)
        seen = threading.Event()

        def kill(total: int) -> None:
            if not seen.is_set() and total:
                seen.set()
                for pid in masters(fragile_server):
                    os.kill(pid, signal.SIGKILL)

        with pytest.raises(Exception, match="did not finish its answer"):
            fleet.pipe("box", Command(("dd", "if=/dev/zero")), "box", sh("exec dd of=/dev/null"), on_bytes=kill)
        result = fleet.pipe("box", Command(("echo", "x")), "box", Command(("cat",)))
        fleet.close()

        assert result.receiver.stdout == "x\n"
        assert eventually(lambda: not running(fragile_server, "dd"))


class TestNothingLeft:
    def test_after_close(self, fragile_server: Server, sockets: Path) -> None:
        fleet = fleet_of(box=fragile_server)
        fleet.pipe("box", Command(("yes",)), "box", Command(("head", "-1")))
        fleet.pipe("box", Command(("yes",)), "box", Command(("head", "-1")), route=Route.LOCAL)
        before = [path.stat().st_mode & 0o777 for path in sockets.iterdir()]
        fleet.close()

        assert before == [0o700]
        assert list(sockets.iterdir()) == []
        assert clients(fragile_server) == []
        assert eventually(lambda: len(descendants(fragile_server.pid)) == 0)

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
    @pytest.mark.parametrize("route", [Route.RELAY, Route.LOCAL])
    def test_after_a_signal(
        self, fragile_server: Server, sockets: Path, number: signal.Signals, route: Route, tmp_path: Path
    ) -> None:
        entry = fragile_server.entry()
        saved = tmp_path / "saved"
        script = f"""
import sys
from zfsctl.hosts.fleet import RealFleet
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry, SshSettings, Transport
from zfsctl.model.route import Route
fleet = RealFleet({{"box": {entry!r}}})
fleet.pipe("box", Command(("dd", "if=/dev/zero")), "box", Command(("sh", "-c", "dd of=/dev/null; echo >{saved}")),
    route=Route("{route}"))
""".replace(f"{entry.ssh.transport!r}", f"Transport.{entry.ssh.transport.name}")
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        assert eventually(lambda: len(running(fragile_server, "dd")) == 2, seconds=20)
        process.send_signal(number)
        process.wait(20)

        assert eventually(lambda: not running(fragile_server, "dd"))
        assert eventually(saved.exists)  # the receiver saw the end of its input
        assert eventually(lambda: not clients(fragile_server))
        assert eventually(lambda: not list(sockets.iterdir()))
