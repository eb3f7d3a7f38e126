"""The systemd units: accepted by systemd itself, and shut in no further than zfs allows."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
UNITS: Final = ROOT / "examples" / "systemd"
SERVICES: Final = ("zfsctl-snapshot.service", "zfsctl-upkeep.service")
EXPOSURE: Final = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")

# systemd.exec(5): any of these gives the unit a mount namespace of its own, and then no file system that zfs mounts
# is seen by the rest of the machine.
MOUNT_NAMESPACE: Final = {
    "BindPaths",
    "BindReadOnlyPaths",
    "DynamicUser",
    "ExecPaths",
    "InaccessiblePaths",
    "MountFlags",
    "NoExecPaths",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateTmp",
    "ProcSubset",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RootDirectory",
    "RootImage",
    "TemporaryFileSystem",
}


def keys_of(unit: Path) -> set[str]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(unit.read_text())
    return set(parser["Service"])


@pytest.fixture
def systemd_analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze, of the package systemd")
    return program


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A unit folder as an operator would fill it, with the program where it is here."""
    program = Path(sys.executable).with_name("zfsctl")
    for unit in UNITS.glob("zfsctl-*.*"):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/usr/local/bin/zfsctl", str(program)))
    return tmp_path


def make_controller(folder: Path) -> None:
    for service in SERVICES:
        (folder / f"{service}.d").mkdir()
        shutil.copy(UNITS / "zfsctl-controller.conf", folder / f"{service}.d" / "controller.conf")


def ask(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def exposure(program: str, folder: Path, service: str) -> float:
    """What `systemd-analyze security` thinks of a unit: 0 is shut in, 10 is open."""
    done = ask(program, folder, "security", "--offline=yes", str(folder / service))
    found = EXPOSURE.search(done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found.group(1))


@pytest.mark.parametrize("controller", [pytest.param(False, id="zfs runs here"), pytest.param(True, id="controller")])
def test_systemd_accepts_every_unit(systemd_analyze: str, installed: Path, controller: bool) -> None:
    if controller:
        make_controller(installed)
    units = sorted(str(unit) for unit in installed.glob("zfsctl-*.*") if unit.suffix in {".service", ".timer"})
    assert len(units) == 5

    done = ask(systemd_analyze, installed, "verify", "--man=no", *units)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_unit_with_a_mistake_is_not_accepted(systemd_analyze: str, installed: Path) -> None:
    unit = installed / SERVICES[0]
    unit.write_text(unit.read_text().replace("Type=oneshot", "Type=onceonly"))

    done = ask(systemd_analyze, installed, "verify", "--man=no", str(unit))

    assert "onceonly" in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_that_runs_zfs_here_shares_the_mounts_of_the_machine(service: str) -> None:
    assert keys_of(UNITS / service) & MOUNT_NAMESPACE == set()


@pytest.mark.parametrize("service", SERVICES)
def test_units_are_shut_in_as_far_as_promised(systemd_analyze: str, installed: Path, service: str) -> None:
    here = exposure(systemd_analyze, installed, service)
    make_controller(installed)
    controller = exposure(systemd_analyze, installed, service)

    assert here <= 4.5
    assert controller <= 1.6


@pytest.mark.parametrize("name", ["zfsctl-snapshot", "zfsctl-upkeep"])
def test_each_service_has_its_timer(name: str) -> None:
    assert (UNITS / f"{name}.service").is_file()
    assert "Persistent=yes" in (UNITS / f"{name}.timer").read_text()


@pytest.mark.slow
def test_both_services_do_their_work_on_simulated_hosts(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("zfsctl")
    subprocess.run([program, "sandbox", "init", str(tmp_path / "trial")], check=True, capture_output=True, timeout=120)

    said = []
    for service in SERVICES:
        line = next(line for line in (UNITS / service).read_text().splitlines() if line.startswith("ExecStart="))
        command = [program, *line.split()[1:], "--sandbox", str(tmp_path / "trial")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        said.append(done.stderr)

    assert ["destroys" in text for text in said] == [True, False]
    assert "1 transfer" in said[1]


def test_both_services_together_do_everything_that_a_run_does_and_nothing_twice() -> None:
    words = [
        word
        for service in SERVICES
        for line in (UNITS / service).read_text().splitlines()
        if line.startswith("ExecStart=")
        for word in line.split("--only ")[1].split(",")
    ]

    assert sorted(words) == ["archives", "pools", "prune", "replicate", "snapshot", "verify"]
