"""One host as tests see it: where it is, how to log in, what it answers."""

from __future__ import annotations

import fcntl
import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.testbed.image import Image
from tests.testbed.machine import find_program
from tests.testbed.qemu import Machine

BOOT_LIMIT: Final = 420
"""Seconds until a booted host must answer; emulation on a busy machine is slow."""

ATTEMPTS: Final = 3
"""Boots to try: a port that was free may be taken a moment later, and emulation may fail a guest's kernel."""

COMMAND_LIMIT: Final = 60
ENVIRONMENT: Final = "LC_ALL=C.UTF-8 TZ=UTC"


class HostError(Exception):
    """A host did not do what a test needs."""


class HostEndedError(HostError):
    """The virtual machine ended while it booted."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished remote command. Bytes that are no UTF-8 are kept as surrogates."""

    command: str
    rc: int
    stdout: str
    stderr: str


@dataclass(slots=True)
class Host:
    """A booted host. `alpha` reaches `beta` by that name, and the other way round, as every user."""

    machine: Machine
    image: Image
    keep: bool  # outlives this process
    lock: Path  # every machine of a run holds it
    address: str = "127.0.0.1"
    user: str = "root"
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _version: str = ""

    @property
    def name(self) -> str:
        return self.machine.name

    @property
    def port(self) -> int:
        return self.machine.port

    @property
    def identity_file(self) -> Path:
        """The private key that root, zfsadmin and zfssudo accept."""
        return self.image.client_key

    @property
    def known_hosts(self) -> Path:
        """Holds the host's key for [127.0.0.1]:port and for its name."""
        return self.machine.folder / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`: knows both hosts by name."""
        return self.machine.folder / "ssh_config"

    @property
    def zfs_version(self) -> str:
        """The version of the userland, such as "2.3.9"."""
        if not self._version:
            first = self.ssh("zfs version").stdout.split("\n")[0]
            self._version = first.removeprefix("zfs-").split("-")[0]
        return self._version

    def ssh_argv(self, user: str | None = None, *, shared: bool = True) -> list[str]:
        """The words of a local `ssh` command up to and with the destination.

        Args:
            shared: Use this run's open connection if there is one; else dial anew.
        """
        program = find_program("ssh") or "ssh"
        control = [] if shared else ["-o", "ControlPath=none"]
        return [program, "-F", str(self.ssh_config), *control, f"{user or self.user}@{self.name}"]

    def ssh(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        input: str | bytes | None = None,
        timeout: float = COMMAND_LIMIT,
        user: str | None = None,
    ) -> Completed:
        """Run a command with `LC_ALL=C.UTF-8 TZ=UTC` and wait for it.

        Args:
            command: A shell text as it is, or words that are quoted for the shell.

        Raises:
            HostError: It took longer than `timeout` seconds, or failed and `check` is set.
        """
        text = command if isinstance(command, str) else shlex.join(command)
        self._share(user or self.user)
        try:
            done = subprocess.run(
                [*self.ssh_argv(user), f"export {ENVIRONMENT}; {text}"],
                input=input.encode() if isinstance(input, str) else input or b"",
                capture_output=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise HostError(f"{self.name}: no end after {timeout:.0f} s: {text}") from None
        completed = Completed(
            text,
            done.returncode,
            done.stdout.decode(errors="surrogateescape"),
            done.stderr.decode(errors="surrogateescape"),
        )
        if check and completed.rc != 0:
            raise HostError(f"{self.name}: exit {completed.rc} of: {text}\n{completed.stderr}")
        return completed

    def _share(self, user: str) -> None:
        """Open the connection that later commands share; without it each would need a second and a half."""
        socket_file = self.machine.folder / f"{self.name}.{user}.ctl"
        if socket_file.exists():
            return
        # It gets no pipe of ours: it would hold it open and every reader would wait for it.
        subprocess.run(
            [*self.ssh_argv(user)[:-1], "-M", "-N", "-f", "-o", "ControlPersist=yes", f"{user}@{self.name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_LIMIT,
        )

    def start(self, *, fresh: bool = True) -> None:
        """Boot, with fresh disks or those it had, without waiting."""
        with self.lock.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            self._child = self.machine.start(self.image, lock=handle.fileno(), keep=self.keep, fresh=fresh)

    def wait(self, limit: float = BOOT_LIMIT) -> None:
        """Wait until OpenZFS answers over ssh.

        Raises:
            HostEndedError: The machine ended.
            HostError: `limit` seconds were not enough.
        """
        deadline = time.monotonic() + limit
        while not self._greets():
            if self._child is not None and self._child.poll() is not None:
                raise HostEndedError(f"{self.name} ended while booting: {self.last_words()}")
            if time.monotonic() > deadline:
                raise HostError(f"{self.name} did not answer within {limit:.0f} s: {self.last_words()}")
            time.sleep(0.2)
        while True:
            done = subprocess.run(
                [*self.ssh_argv(shared=False), "zfs version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=120,
            )
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise HostError(f"{self.name} has no OpenZFS: {done.stderr.decode(errors='replace')}")
            time.sleep(0.5)

    def _greets(self) -> bool:
        """Whether sshd says hello. The emulator accepts connections long before the guest does."""
        try:
            with socket.create_connection((self.address, self.port), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def healthy(self, limit: float = 120) -> bool:
        """Whether the host runs and answers, its pools included."""
        if self.machine.process() is None:
            return False
        try:
            done = subprocess.run(
                [*self.ssh_argv(shared=False), "zpool list -H -o name && zfs version"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def end(self, *, keeps_disks: bool = False) -> None:
        """End the host at once."""
        self.machine.end(keeps_disks=keeps_disks)
        for stale in self.machine.folder.glob(f"{self.name}.*.ctl"):
            stale.unlink(missing_ok=True)
        if self._child is not None:
            self._child.wait(timeout=20)
            self._child = None

    def restart(self, *, fresh: bool = True) -> None:
        """End it at once and boot it at the same address: with fresh disks, as for a pool that hangs, or with those it
        had, as after a power cut; its pools are then to be imported.
        """
        for attempts_left in reversed(range(ATTEMPTS)):
            self.end(keeps_disks=not fresh)
            self.start(fresh=fresh)
            try:
                self.wait()
                return
            except HostEndedError:
                if not attempts_left:
                    raise

    def last_words(self) -> str:
        """The end of the emulator's complaints and of the console."""
        texts = [
            path.read_text(errors="replace")
            for path in (self.machine.complaints, self.machine.console)
            if path.exists()
        ]
        return "\n".join(text[-1500:] for text in texts)
