"""Starts and ends one virtual machine. Knows nothing of ZFS."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testbed.image import Image, run
from tests.testbed.machine import CannotMakeHosts, find_program
from tests.testbed.recipe import DATA_DISKS, HOSTS

MEMORY_MIB: Final = 2048
DATA_DISK_SIZE: Final = "2G"
PR_SET_PDEATHSIG: Final = 1

# no_timer_check: on a busy machine the check sees too few ticks of an emulated timer and the kernel stops booting.
KERNEL_ARGUMENTS: Final = (
    "root=/dev/nvme0n1 rw init=/usr/local/sbin/testbed-init console=ttyS0 quiet loglevel=4 panic=-1 "
    "no_timer_check mitigations=off nokaslr audit=0 apparmor=0 nowatchdog net.ifnames=0"
)


EMULATED_CPU: Final = "Westmere,+rdrand,-cx16"
"""A small processor boots faster than the largest one. Without cx16 the kernel avoids cmpxchg16b, after which
qemu 7.2 loses the flags at an interrupt, and the guest dies by a double fault in __kmalloc."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One virtual machine of a run. Its files lie in `folder`, each with its name in front."""

    name: str
    folder: Path
    port: int  # on 127.0.0.1, forwarded to the guest's sshd

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def console(self) -> Path:
        """All that the guest's kernel and system wrote to the serial line."""
        return self.folder / f"{self.name}.console"

    @property
    def complaints(self) -> Path:
        """What the emulator itself wrote."""
        return self.folder / f"{self.name}.qemu"

    def start(self, image: Image, *, lock: int, keep: bool, fresh: bool = True) -> subprocess.Popen[bytes]:
        """Start it. It ends with this process, unless `keep`.

        Must be called from the main thread: the kernel ends the machine with the thread that started it.

        Args:
            lock: An open file that the machine keeps open as long as it lives.
            fresh: With new disks; otherwise with those that it had.
        """
        overlay = self.folder / f"{self.name}.qcow2"
        data = [self.folder / f"{self.name}.data{number}" for number in range(1, DATA_DISKS + 1)]
        if fresh:
            overlay.unlink(missing_ok=True)
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "raw", str(overlay)])
            for disk in data:
                disk.unlink(missing_ok=True)
                run(["truncate", "-s", DATA_DISK_SIZE, str(disk)])
        self.pid_file.unlink(missing_ok=True)
        # A second start must not append to the first one's log, and the first one's must not be lost.
        if self.console.exists():
            self.console.replace(self.console.with_suffix(".console.before"))
        with self.complaints.open("ab") as out:
            return subprocess.Popen(
                self.command(image, overlay, data),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                pass_fds=(lock,),
                preexec_fn=None if keep else end_with_parent,
            )

    def command(self, image: Image, overlay: Path, data: list[Path]) -> list[str]:
        """The emulator's command line."""
        program = find_program("qemu-system-x86_64")
        if program is None:
            raise CannotMakeHosts("qemu-system-x86_64 is missing")
        mac = f"{list(HOSTS).index(self.name) + 1:02}"
        other = next(name for name in HOSTS if name != self.name)
        kvm = os.environ.get("ZFSCTL_TESTBED_ACCEL") == "kvm"
        # The kernel brings a driver for NVMe only; for the other disks it is loaded later.
        disks = [(overlay, "qcow2", "root", "nvme")]
        disks += [(disk, "raw", f"data{number}", "virtio-blk-pci") for number, disk in enumerate(data, 1)]
        return [
            program,
            *("-name", f"zfsctl-testbed-{self.name}", "-nodefaults", "-no-reboot", "-display", "none"),
            *(("-accel", "kvm", "-cpu", "host") if kvm else ("-accel", "tcg,thread=multi", "-cpu", EMULATED_CPU)),
            *("-m", str(MEMORY_MIB), "-smp", "1"),
            *("-kernel", str(image.kernel)),
            *("-append", f"{KERNEL_ARGUMENTS} testbed.host={self.name}"),
            *("-serial", f"file:{self.console}", "-pidfile", str(self.pid_file)),
            # Nothing of a run outlives it, so no write needs to reach the platter.
            *(
                word
                for path, form, serial, device in disks
                for word in (
                    *("-drive", f"file={path},format={form},if=none,id={serial},cache=unsafe,discard=unmap"),
                    *("-device", f"{device},drive={serial},serial={serial}"),
                )
            ),
            *("-netdev", f"user,id=reach,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:22"),
            *("-device", f"virtio-net-pci,netdev=reach,romfile=,mac=52:54:00:77:00:{mac}"),
            *(
                "-netdev",
                f"dgram,id=pair,local.type=unix,local.path={self.folder / self.name}.net,"
                f"remote.type=unix,remote.path={self.folder / other}.net",
            ),
            *("-device", f"virtio-net-pci,netdev=pair,romfile=,mac=52:54:00:77:01:{mac}"),
        ]

    def process(self) -> int | None:
        """The process id, if this very machine runs."""
        try:
            number = int(self.pid_file.read_text())
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return number if os.fsencode(self.pid_file) in words else None

    def end(self, *, limit: float = 20, keeps_disks: bool = False) -> None:
        """End it at once, as a power cut would: what its kernel had not written is lost.

        Args:
            limit: Seconds after which it must be gone.
            keeps_disks: Whether all that its kernel had written is on its disks then. The emulator writes down last
                where in an overlay things lie, so it is told to end instead of being killed; its guest is told nothing.

        Raises:
            TimeoutError: It still runs after `limit` seconds.
        """
        by = signal.SIGTERM if keeps_disks else signal.SIGKILL
        deadline = time.monotonic() + limit
        while (number := self.process()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, by)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} (process {number}) does not end")
            time.sleep(0.05)
        self.pid_file.unlink(missing_ok=True)


def end_with_parent() -> None:
    """In the child, before it becomes the emulator: die when the parent dies."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
