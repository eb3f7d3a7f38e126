"""What this machine must have to make hosts: root, a Debian-like apt, an archive, a few programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

PROGRAMS: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
"""Program to Debian package: what a boot needs."""

BUILD_PROGRAMS: Final = {"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "unshare": "util-linux"}
"""The same for what only the build of an image needs, besides `KEYRING`."""

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

Say = Callable[[str], None]

FORWARDED: Final = re.compile(
    r"Acquire::(http|https|ftp|tor)(::|\s)|Acquire::(Retries|ForceIPv[46]|Check-(Valid-Until|Date)|Queue-Mode)\b",
    re.IGNORECASE,
)
"""The apt settings of this machine that decide how an archive is reached."""


class CannotMakeHosts(Exception):
    """Real hosts cannot be made here; the text says what is missing and what adds it."""


def find_program(name: str) -> str | None:
    """The path of a program, also where a user's PATH lacks the sbin folders."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def missing_packages(*, building: bool) -> tuple[str, ...]:
    """The Debian packages to install before hosts can be booted, or with `building` an image built; empty for none."""
    wanted = PROGRAMS | BUILD_PROGRAMS if building else PROGRAMS
    packages = {package for program, package in wanted.items() if find_program(program) is None}
    if building and not KEYRING.exists():
        packages.add("debian-archive-keyring")
    return tuple(sorted(packages))


def check_machine(*, building: bool) -> None:
    """Raise `CannotMakeHosts` if hosts can neither be made as things are nor after installing packages."""
    if os.uname().sysname != "Linux" or os.uname().machine != "x86_64":
        raise CannotMakeHosts("real OpenZFS hosts are made on x86-64 Linux only")
    packages = missing_packages(building=building)
    root = os.geteuid() == 0
    if packages and find_program("apt-get") is None:
        raise CannotMakeHosts(f"this machine has no apt-get; install what gives {', '.join(packages)} in Debian")
    if packages and not root:
        raise CannotMakeHosts(f"not root; run: sudo apt-get install {' '.join(packages)}")
    if building and not root:
        raise CannotMakeHosts("no image yet, and only root can build one; run: sudo make test")


def install_missing(say: Say, *, building: bool) -> None:
    """Install the packages that are missing, reading the package lists first when this machine has none."""
    packages = missing_packages(building=building)
    if building or packages:
        refresh_lists(say)
    if packages:
        say(f"installing {' '.join(packages)}")
        run_apt("install", "--yes", "--no-install-recommends", *packages)
    still = missing_packages(building=building)
    if still:
        raise CannotMakeHosts(f"apt-get installed {' '.join(packages)}, yet {' '.join(still)} is missing")


def refresh_lists(say: Say) -> None:
    """Run `apt-get update` when the machine's package lists are absent."""
    if not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        say("reading package lists (apt-get update)")
        run_apt("update")


def run_apt(*arguments: str) -> None:
    """Run apt-get without questions; services that a package brings are not started."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=1200,
    )
    if done.returncode != 0:
        raise CannotMakeHosts(f"apt-get {' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def debian_archive() -> str:
    """The address from which this machine's own apt gets Debian, whatever release it follows.

    Raises:
        CannotMakeHosts: apt is set up with no archive of Debian (on Ubuntu, for example).
    """
    policy = subprocess.run(
        ["apt-cache", "policy"],
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    address = parse_debian_archive(policy)
    if address is None:
        raise CannotMakeHosts("apt on this machine is set up with no Debian archive (component main)")
    return address


def parse_debian_archive(policy: str) -> str | None:
    """The archive of Debian's main component in the text of `apt-cache policy`, or None.

    Security and other side archives carry a label of their own ("Debian-Security") and are passed over.
    """
    address = None
    for line in policy.splitlines():
        words = line.split()
        if len(words) >= 4 and words[-1] == "Packages":
            address = words[1]
        elif words[:1] == ["release"]:
            release = set(line.strip().removeprefix("release ").split(","))
            if {"o=Debian", "l=Debian", "c=main"} <= release:
                return address
    return None


def apt_options() -> tuple[str, ...]:
    """This machine's proxy, certificate and retry settings of apt, as lines of an apt configuration."""
    dump = subprocess.run(
        ["apt-config", "dump", "--no-empty", "--format", '%F "%v";%n'], capture_output=True, text=True, timeout=60
    ).stdout
    return tuple(line for line in dump.splitlines() if FORWARDED.match(line))
