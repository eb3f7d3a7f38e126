"""The pytest plug-in: hosts and pools for tests marked `zfs`, and the rule that a CI run skips nothing.

Options
    --openzfs 2.1|2.3|2.4, or ZFSCTL_TESTBED_OPENZFS: the OpenZFS series (2.3).
    ZFSCTL_TESTBED_REUSE=1: take the running pair, or boot one and leave it; =0: never take it.
    ZFSCTL_CI=1: hosts that cannot be made, any skipped test, and fewer real-host tests than
    `[tool.zfsctl.tests] real_host_floor` of pyproject.toml (for the default series) are failures.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest

from tests.testbed.host import Host
from tests.testbed.machine import CannotMakeHosts, Say
from tests.testbed.pair import Pair, boot_pair, find_pair, take_down
from tests.testbed.pools import Pool, create_pool, destroy_pool
from tests.testbed.recipe import DEFAULT_SERIES, RECIPES

VERSION_KEY: Final = pytest.StashKey[str]()
MOST_PAIRS: Final = 2
"""So many pairs of emulated hosts keep two processors busy; with more, each only becomes slower."""


class PoolFactory(Protocol):
    """Makes pools that go when the test ends."""

    def __call__(
        self,
        host: Host,
        *,
        size: str = "256M",
        features: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
    ) -> Pool: ...


def in_ci() -> bool:
    """Whether a test that does not run is a failure."""
    return os.environ.get("ZFSCTL_CI") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("zfsctl").addoption(
        "--openzfs",
        choices=sorted(RECIPES),
        default=os.environ.get("ZFSCTL_TESTBED_OPENZFS", DEFAULT_SERIES),
        help="the OpenZFS series of the real hosts (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    tally = RealHostTally(config)
    config.pluginmanager.register(tally, "zfsctl-real-hosts")


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Both hosts, booted once for the whole run."""
    config = request.config
    series: str = config.getoption("--openzfs")
    try:
        pair, ours = obtain_pair(series, teller(config), workers=int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    except CannotMakeHosts as error:
        if in_ci():
            pytest.fail(f"real OpenZFS hosts cannot be made: {error}", pytrace=False)
        pytest.skip(f"needs real OpenZFS hosts, virtual ones that `make test` builds: {error}")
    config.stash[VERSION_KEY] = pair.alpha.zfs_version
    yield pair
    if ours:
        pair.end()


def obtain_pair(series: str, say: Say, *, workers: int = 1) -> tuple[Pair, bool]:
    """A healthy pair, and whether this run has to end it.

    Args:
        workers: How many processes share the tests of a run. Each boots a pair of its own, so that none disturbs the
            others.
    """
    reuse = os.environ.get("ZFSCTL_TESTBED_REUSE")
    if not in_ci() and reuse != "0":
        pair = find_pair(series, say)
        if pair is not None:
            return pair, False
    if workers > MOST_PAIRS:
        raise CannotMakeHosts(
            f"each of {workers} workers would boot its own; run with -n {MOST_PAIRS}, "
            "or first: python -m tests.testbed up"
        )
    if reuse == "1" and not in_ci():
        take_down(series)
        return boot_pair(series, say, keep=True), False
    return boot_pair(series, say), True


def teller(config: pytest.Config) -> Say:
    """Tells the person at the terminal why nothing happens for a while."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")

    def say(text: str) -> None:
        if reporter is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"testbed: {text}")

    return say


@pytest.fixture
def alpha(testbed: Pair) -> Host:
    """The first real host."""
    return alive(testbed.alpha)


@pytest.fixture
def beta(testbed: Pair) -> Host:
    """The second real host."""
    return alive(testbed.beta)


def alive(host: Host) -> Host:
    """The host itself, booted again if its kernel died in an earlier test."""
    if host.machine.process() is None:
        host.restart()
    return host


@pytest.fixture
def pool_on(testbed: Pair) -> Iterator[PoolFactory]:
    """Makes fresh pools with unique names on either host, destroyed after the test."""
    pools: list[Pool] = []

    def make(
        host: Host,
        *,
        size: str = "256M",
        features: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
    ) -> Pool:
        pools.append(create_pool(host, size=size, features=features, options=options))
        return pools[-1]

    yield make
    for pool in reversed(pools):
        destroy_pool(pool)


@pytest.fixture
def alpha_pool(pool_on: PoolFactory, alpha: Host) -> Pool:
    """A fresh pool of 256 MiB on alpha."""
    return pool_on(alpha)


@pytest.fixture
def beta_pool(pool_on: PoolFactory, beta: Host) -> Pool:
    """A fresh pool of 256 MiB on beta."""
    return pool_on(beta)


class RealHostTally:
    """Counts the tests that ran on real hosts, per OpenZFS version, and holds CI to the floor."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.executed: Counter[str] = Counter()
        self.skipped: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" and item.get_closest_marker("zfs") is not None:
            version = self.config.stash.get(VERSION_KEY, "")
            if version:
                report.user_properties.append(("openzfs", version))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)
        elif report.when == "call":
            self.executed.update(str(value) for key, value in report.user_properties if key == "openzfs")

    def complaints(self) -> list[str]:
        """Why this run must not count as a success; only CI asks."""
        found = [f"skipped in CI: {nodeid}" for nodeid in self.skipped]
        floor = self.floor()
        ran = sum(self.executed.values())
        if ran < floor:
            found.append(f"{ran} real-host tests ran, the floor is {floor}")
        return found

    def floor(self) -> int:
        """How many real-host tests this run must execute: none when they are not asked for."""
        if "not zfs" in self.config.option.markexpr or self.config.option.collectonly:
            return 0
        if self.config.getoption("--openzfs") != DEFAULT_SERIES:
            return 1
        pyproject = tomllib.loads(Path(self.config.rootpath, "pyproject.toml").read_text())
        return int(pyproject["tool"]["zfsctl"]["tests"]["real_host_floor"])

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if in_ci() and not hasattr(self.config, "workerinput") and self.complaints() and exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for version, count in sorted(self.executed.items()):
            terminalreporter.write_line(f"real hosts: {count} tests on OpenZFS {version}")
        if in_ci():
            for complaint in self.complaints():
                terminalreporter.write_line(f"CI: {complaint}", red=True)
