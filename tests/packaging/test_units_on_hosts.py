"""What the systemd units allow, tried by a real systemd on a host with real OpenZFS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.testbed.host import Completed, Host
from tests.testbed.pools import Pool

pytestmark = pytest.mark.zfs

UNITS: Final = Path(__file__).resolve().parents[2] / "examples" / "systemd"
FOLDER: Final = "/run/systemd/system"
START_LIMIT: Final = 180

Start = Callable[..., Completed]


@pytest.fixture
def start(alpha: Host, alpha_pool: Pool) -> Iterator[Start]:
    """Starts zfsctl-snapshot.service with another program in the place of zfsctl, and waits for its end."""
    unit = f"zfsctl-trial-{alpha_pool}.service"

    def run(script: str, *, drop_in: str = "") -> Completed:
        lines = (UNITS / "zfsctl-snapshot.service").read_text().splitlines()
        program = f"{FOLDER}/{unit}.d/program"
        text = "\n".join(f"ExecStart=/bin/sh -e {program}" if line.startswith("ExecStart=") else line for line in lines)
        alpha.ssh(f"mkdir -p {FOLDER}/{unit}.d")
        alpha.ssh(f"cat >{program}", input=script)
        alpha.ssh(f"cat >{FOLDER}/{unit}", input=text.replace("OnFailure=", "# OnFailure="))
        alpha.ssh(f"cat >{FOLDER}/{unit}.d/trial.conf", input=drop_in)
        tell = f"code=$?; journalctl --no-pager -o cat -u {unit} >&2; exit $code"
        return alpha.ssh(f"systemctl daemon-reload; systemctl start {unit}; {tell}", check=False, timeout=START_LIMIT)

    yield run
    alpha.ssh(f"systemctl stop {unit}; rm -rf {FOLDER}/{unit} {FOLDER}/{unit}.d; systemctl daemon-reload")


def test_a_unit_that_runs_zfs_here_may_do_all_of_it_and_everyone_sees_its_mounts(
    start: Start, alpha: Host, alpha_pool: Pool
) -> None:
    done = start(
        f"""
        zfs snapshot -o zfsctl:policy=p {alpha_pool}@a
        zfs hold zfsctl:test {alpha_pool}@a
        zfs release zfsctl:test {alpha_pool}@a
        zfs create {alpha_pool}/made
        zfs clone {alpha_pool}@a {alpha_pool}/copy
        zfs destroy {alpha_pool}/copy
        zfs destroy {alpha_pool}@a
        zpool scrub -w {alpha_pool}
        touch /var/lib/zfsctl/state /run/zfsctl/lock /var/cache/zfsctl/names
        """
    )

    assert done.rc == 0, done.stderr
    assert alpha.ssh(f"findmnt --noheadings --output FSTYPE /{alpha_pool}/made").stdout.strip() == "zfs"


def test_a_unit_that_runs_zfs_here_cannot_change_the_clock(start: Start) -> None:
    done = start("date --set=2001-01-01")

    assert done.rc != 0
    assert "Operation not permitted" in done.stderr


def test_a_controller_logs_in_elsewhere_and_keeps_its_state_yet_sees_no_home_and_no_disks(
    start: Start, alpha: Host
) -> None:
    alpha.ssh("id zfsctl || useradd --system --home-dir /var/lib/zfsctl --shell /usr/sbin/nologin zfsctl")
    alpha.ssh("mkdir -p /var/lib/zfsctl/.ssh && cp /root/.ssh/id_ed25519 /var/lib/zfsctl/.ssh")
    alpha.ssh("chown -R zfsctl: /var/lib/zfsctl && chmod 700 /var/lib/zfsctl/.ssh")

    done = start(
        """
        ssh -o BatchMode=yes zfsadmin@beta zfs version
        python3 -c 'import sqlite3; sqlite3.connect("/var/lib/zfsctl/trial.db").execute("PRAGMA journal_mode = WAL")'
        python3 -c 'import ctypes, ssl, hashlib, threading'
        touch /run/zfsctl/lock /var/cache/zfsctl/names
        test "$HOME" = /var/lib/zfsctl
        test "$(id -un)" = zfsctl
        test ! -e /home/zfsadmin
        test ! -e /dev/vda
        ! touch /etc/zfsctl-was-here
        """,
        drop_in=(UNITS / "zfsctl-controller.conf").read_text(),
    )

    assert done.rc == 0, done.stderr
