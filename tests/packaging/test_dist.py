"""The one file of `make dist`: it runs alone, does what the installed program does, and starts as fast."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.bench.bench_startup import INSTALLED, ONE_FILE, ROOT, cpu_milliseconds
from zfsctl.version import VERSION

pytestmark = pytest.mark.slow

Program = Callable[..., subprocess.CompletedProcess[str]]

BUILD_LIMIT: Final = 600


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of dist/zfsctl, built if it is absent or older than the sources, far from the sources."""
    built = subprocess.run(
        ["make", "--silent", "--directory", str(ROOT), "dist"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_LIMIT,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return Path(shutil.copy(ONE_FILE, tmp_path_factory.mktemp("bin") / "zfsctl"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a fresh account has: an empty home folder, and a place of its own for the program to unpack itself."""
    home = tmp_path_factory.mktemp("home")
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PEX_ROOT": str(home / "pex"), "LC_ALL": "C.UTF-8"}


@pytest.fixture
def zfsctl(one_file: Path, environment: dict[str, str], tmp_path: Path) -> Program:
    """Calls the one file in an empty folder."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [one_file, *arguments],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call


def test_it_says_its_version(zfsctl: Program) -> None:
    done = zfsctl("--version")

    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["zfsctl", VERSION], "")


def test_it_helps(zfsctl: Program) -> None:
    done = zfsctl("--help")

    assert done.returncode == 0
    assert "explain" in done.stdout


def test_it_shows_the_demo(zfsctl: Program) -> None:
    done = zfsctl("demo")

    assert done.returncode == 0, done.stderr
    assert "Plan:" in done.stdout


def test_it_takes_and_prunes_on_simulated_hosts(zfsctl: Program) -> None:
    assert zfsctl("sandbox", "init", "trial").returncode == 0

    planned = zfsctl("--sandbox", "trial", "run", "--dry-run", "--json")
    applied = zfsctl("--sandbox", "trial", "run", "--json")
    # A run destroys by what it read at its start: what the new snapshots set free goes with the next one.
    freed, again = (zfsctl("--sandbox", "trial", "run", "--json") for _ in range(2))

    assert {done.returncode for done in (planned, applied, freed, again)} == {0}, applied.stdout + applied.stderr
    steps = [step["why"] for step in json.loads(planned.stdout)["data"]["steps"]]
    assert steps
    assert [step["why"] for step in json.loads(applied.stdout)["data"]["steps"]] == steps
    assert json.loads(again.stdout)["data"]["steps"] == []


def test_it_says_what_is_wrong_by_its_exit_code(zfsctl: Program) -> None:
    done = zfsctl("--config", "absent.toml", "status")

    assert (done.returncode, done.stdout) == (2, "")
    assert "absent.toml" in done.stderr


def test_it_carries_no_installer(one_file: Path) -> None:
    with zipfile.ZipFile(one_file) as archive:
        names = archive.namelist()

    assert any(name.startswith(".deps/typer-0.28.") for name in names)
    assert any(name.endswith("zfsctl/py.typed") for name in names)
    assert not any(name.startswith((".deps/pip-", ".deps/setuptools-")) for name in names)


def test_its_version_costs_at_most_twice_what_the_installed_one_costs(
    one_file: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEX_ROOT", environment["PEX_ROOT"])

    installed = min(cpu_milliseconds([INSTALLED, "--version"], runs=9))
    alone = min(cpu_milliseconds([one_file, "--version"], runs=9))

    assert alone <= 2 * installed, f"{alone:.0f} ms CPU, the installed program {installed:.0f}"
