"""A real OpenSSH server on 127.0.0.1, with keys and a configuration of its own; nothing of the machine is changed."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from zfsctl.model.policy import HostEntry, SshSettings, Transport

ADDRESS = "127.0.0.1"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing_server() -> str:
    """What keeps a server from being started here, empty for nothing."""
    for program in ("sshd", "ssh", "ssh-keygen"):
        if shutil.which(program, path=_PATH) is None:
            return f"{program} is missing: apt-get install openssh-server openssh-client"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("sshd")
        except KeyError:
            return "the account sshd is missing: apt-get install openssh-server"
    return ""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def make_key(path: Path, *, kind: str = "ed25519") -> Path:
    """A new key pair without passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
    return path


@dataclass
class Keys:
    """The keys of a test session: two for hosts, one that is let in, one that is not."""

    folder: Path
    host: Path = field(init=False)
    other_host: Path = field(init=False)
    user: Path = field(init=False)
    stranger: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in ("host", "other_host", "user", "stranger"):
            setattr(self, name, make_key(self.folder / name))
        (self.folder / "authorized").write_text(self.user.with_suffix(".pub").read_text())


def key_line(key: Path, port: int) -> str:
    """A line of known_hosts that gives this key to the server on `port`."""
    kind, blob = key.with_suffix(".pub").read_text().split()[:2]
    return f"[{ADDRESS}]:{port} {kind} {blob}\n"


def program(path: Path, script: str) -> None:
    """A program that is a shell script."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class Server:
    """One running sshd.

    Args:
        options: More lines of sshd_config.
    """

    def __init__(self, keys: Keys, folder: Path, *options: str) -> None:
        self.keys = keys
        self.folder = folder
        self._options = options
        for _ in range(5):
            self.port = free_port()
            self._process = self._start()
            if self._listens():
                break
        else:
            raise RuntimeError(f"sshd does not start: {self.log}")
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(key_line(keys.host, self.port))

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log").read_text(errors="replace")

    def entry(self, name: str = "box", **ssh: object) -> HostEntry:
        """The host entry that reaches this server as the present user."""
        settings: dict[str, object] = {
            "user": getpass.getuser(),
            "port": self.port,
            "identity_file": str(self.keys.user),
            "known_hosts": str(self.known_hosts),
            "timeout_seconds": 10,
            "transport": Transport.FABRIC,
            **ssh,
        }
        return HostEntry(name, ADDRESS, SshSettings(**settings))

    def knows(self, *others: Server, key: Path | None = None, bin: Path | None = None) -> None:
        """Let its account dial other servers, as an operator sets it up: by a configuration and a key of its own.

        `bin` is where its PATH begins, if the test says so.
        """
        known = self.folder / "others"
        known.write_text("".join(key_line(other.keys.host, other.port) for other in others))
        config = self.folder / "ssh_config"
        config.write_text(f"IdentityFile {key or self.keys.user}\nUserKnownHostsFile {known}\n")
        ssh = (bin or self.folder / "bin") / "ssh"
        ssh.unlink(missing_ok=True)
        program(ssh, f'exec {shutil.which("ssh")} -F {config} "$@"')

    def cut(self) -> None:
        """End the server's side of every connection, without a word to the client."""
        for pid in sorted(descendants(self.pid), reverse=True):
            if _program(pid).startswith("sshd"):
                _send(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The listening process."""
        return self._process.pid

    def freeze(self) -> None:
        """Stop it and its connections where they are; the kernel still acknowledges what is sent to them."""
        for pid in (self.pid, *descendants(self.pid)):
            _send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all go on."""
        for pid in (self.pid, *descendants(self.pid)):
            _send(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it and its connections."""
        self.cut()
        self._process.terminate()
        self._process.wait(5)

    def _start(self) -> subprocess.Popen[bytes]:
        config = self.folder / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    *self._options,
                    f"ListenAddress {ADDRESS}:{self.port}",
                    f"HostKey {self.keys.host}",
                    f"AuthorizedKeysFile {self.keys.folder / 'authorized'}",
                    f"PidFile {self.folder / 'pid'}",
                    # An empty home: what the account's own rc files do and take is not what we test.
                    f"SetEnv HOME={self.folder} PATH={self.folder}/bin:{_PATH}",
                    "StrictModes no",
                    "UsePAM no",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PermitRootLogin prohibit-password",
                    "MaxStartups 100:30:200",
                    "KexAlgorithms curve25519-sha256@libssh.org,curve25519-sha256",  # the cheapest that both offer
                    "",
                ]
            )
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        program = shutil.which("sshd", path=_PATH)
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen([program or "sshd", "-D", "-e", "-f", config], stderr=log, stdin=subprocess.DEVNULL)

    def _listens(self) -> bool:
        for _ in range(200):
            if self._process.poll() is not None:
                return False
            with socket.socket() as probe:
                if probe.connect_ex((ADDRESS, self.port)) == 0:
                    return True
            time.sleep(0.02)
        self._process.kill()
        self._process.wait()
        return False


def running(server: Server, command: str) -> list[int]:
    """The processes below this server whose command line begins with `command`."""
    return [pid for pid in descendants(server.pid) if _command_line(pid).startswith(command)]


def eventually(condition: object, *, seconds: float = 5) -> bool:
    """Whether `condition()` becomes true in time."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def started(factory: pytest.TempPathFactory, keys: Keys, *options: str) -> Iterator[Server]:
    """A server for a fixture: started, handed out, ended."""
    if missing := missing_server():
        pytest.skip(missing)
    server = Server(keys, factory.mktemp("sshd"), *options)
    try:
        yield server
    finally:
        server.stop()


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split()):
                found += [child, *descendants(child)]
    except OSError:  # it has ended meanwhile
        return found
    return found


def _send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may end by itself between the look and the signal."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def clients(server: Server) -> list[int]:
    """The ssh processes of this machine that talk to this server."""
    return [
        pid
        for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        if (words := _command_line(pid).split())[:1] and words[0].endswith("ssh") and str(server.port) in words
    ]


def masters(server: Server) -> list[int]:
    """Those of them whose connection others share."""
    return [pid for pid in clients(server) if "ControlMaster=yes" in _command_line(pid)]
