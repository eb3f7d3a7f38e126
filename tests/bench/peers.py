"""The tools beside which zfsctl is measured: a plain pipe, syncoid and bzfs, in the versions that are released.

syncoid and the one Perl module that it needs are unpacked from this machine's Debian packages, bzfs is installed by
pip into an environment of its own, all of it into ~/.cache/zfsctl-bench; the system is left as it is. All of them
copy a tree with the snapshots that are there, relayed by this machine and not mounted on arrival.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tests.bench.counting import Cost, Meter

DEBIAN: Final = ("sanoid", "libcapture-tiny-perl")
SENDER, RECEIVER = "alpha", "beta"
"""The hosts, as the ssh configuration of the testbed names them."""


class CannotInstall(Exception):
    """A peer is left out."""


class Peer(Protocol):
    """A tool that copies a tree from one host to the other."""

    name: str
    about: str

    def copy(self, sender: str, receiver: str, last: str) -> Cost:
        """Bring `receiver` up to the snapshot `last` of `sender`, with all datasets below.

        Raises:
            CommandFailed: It did not.
        """
        ...


def cache_folder() -> Path:
    """Where the peers are kept between runs."""
    parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = parent / "zfsctl-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True, slots=True)
class Pipe:
    """`zfs send -R | zfs receive`, joined by a shell of this machine; a first copy only."""

    meter: Meter
    environ: Mapping[str, str]
    name: str = "raw"
    about: str = "ssh zfs send -R | ssh zfs receive -u"

    def copy(self, sender: str, receiver: str, last: str) -> Cost:
        send = shlex.join(["ssh", f"root@{SENDER}", shlex.join(["zfs", "send", "-R", f"{sender}@{last}"])])
        receive = shlex.join(["ssh", f"root@{RECEIVER}", shlex.join(["zfs", "receive", "-u", receiver])])
        return self.meter.run(["bash", "-o", "pipefail", "-c", f"{send} | {receive}"], environ=self.environ)


@dataclass(frozen=True, slots=True)
class Syncoid:
    """Debian's syncoid, without snapshots of its own, so that it sends what the others send."""

    meter: Meter
    environ: Mapping[str, str]
    about: str
    name: str = "syncoid"

    def copy(self, sender: str, receiver: str, last: str) -> Cost:
        tree = debian_tree()
        argv = ["perl", str(tree / "usr/sbin/syncoid"), "--recursive", "--no-sync-snap", "--recvoptions=u", "--quiet"]
        environ = {**self.environ, "PERL5LIB": str(tree / "usr/share/perl5")}
        return self.meter.run([*argv, f"root@{SENDER}:{sender}", f"root@{RECEIVER}:{receiver}"], environ=environ)


@dataclass(frozen=True, slots=True)
class Bzfs:
    """bzfs of PyPI with its defaults; its shared connections outlive it, as they do for its users."""

    meter: Meter
    environ: Mapping[str, str]
    about: str
    name: str = "bzfs"

    def copy(self, sender: str, receiver: str, last: str) -> Cost:
        logs = Path(self.environ["HOME"]) / "bzfs-logs"
        argv = [str(bzfs_program()), "--recursive", "--quiet", "--log-dir", str(logs)]
        return self.meter.run([*argv, f"root@{SENDER}:{sender}", f"root@{RECEIVER}:{receiver}"], environ=self.environ)


def installed_peers(meter: Meter, environ: Mapping[str, str], say: Callable[[str], None]) -> list[Peer]:
    """Every tool that could be installed; of the others `say` is told why not."""
    found: list[Peer] = [Pipe(meter, environ)]
    makers: dict[str, Callable[[], Peer]] = {
        "syncoid": lambda: Syncoid(meter, environ, install_syncoid()),
        "bzfs": lambda: Bzfs(meter, environ, install_bzfs()),
    }
    for name, make in makers.items():
        try:
            found.append(make())
        except CannotInstall as error:
            say(f"!!! {name} IS LEFT OUT, its figures are missing: {error}")
    return found


def debian_tree() -> Path:
    """Where the Debian packages are unpacked."""
    return cache_folder() / "debian"


def bzfs_program() -> Path:
    """The command of bzfs."""
    return cache_folder() / "bzfs" / "bin" / "bzfs"


def install_syncoid() -> str:
    """Unpack Debian's package; the version.

    Raises:
        CannotInstall: No such package, or no Perl.
    """
    tree = debian_tree()
    program = tree / "usr/sbin/syncoid"
    if not program.exists():
        tree.mkdir(exist_ok=True)
        _do("apt-get", "download", *DEBIAN, cwd=tree)
        for package in tree.glob("*.deb"):
            _do("dpkg-deb", "--extract", str(package), str(tree))
    environ = {**os.environ, "PERL5LIB": str(tree / "usr/share/perl5")}
    return f"syncoid {_version(_do('perl', str(program), '--version', environ=environ))}"


def install_bzfs() -> str:
    """Install it of PyPI in an environment of its own; the version.

    Raises:
        CannotInstall: pip could not.
    """
    program = bzfs_program()
    if not program.exists():
        folder = program.parents[1]
        venv.create(folder, with_pip=False)
        _do(sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install", "--quiet", "bzfs")
    return f"bzfs {_version(_do(str(program), '--version'))}"


def end_shared_connections(since: float) -> None:
    """End the connections that bzfs has opened since then and left; they would end by themselves ten minutes later.

    It keeps them below the home directory of the account, whatever HOME says.
    """
    folder = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".ssh" / "bzfs"
    for path in folder.rglob("*"):
        if path.is_socket() and path.stat().st_mtime >= since:
            subprocess.run(
                ["ssh", "-o", f"ControlPath={path}", "-O", "exit", "any"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=30,
            )


def _version(said: str) -> str:
    """The first thing like a version in what a program says of itself."""
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "of an unknown version"


def _do(*argv: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(f"{shlex.join(argv)}: {error}") from None
    if done.returncode != 0:
        raise CannotInstall(f"exit {done.returncode} of {shlex.join(argv)}: {done.stderr.strip()[-500:]}")
    return done.stdout
