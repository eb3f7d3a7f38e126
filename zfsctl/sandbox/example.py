"""The fleet of a first look: a home server with three pools and a second host, with half a year of history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from zfsctl.model.names import stamp
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.document_save import Table, fleet_document
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.scans import Scan
from zfsctl.sandbox.workload import MEBIBYTE, overwrite, write

GIBIBYTE = 1 << 30
TEBIBYTE = 1 << 40
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EXAMPLE_POLICY = """\
# The policy of the simulated fleet. Real ones look just the same; zfsctl config init writes one for your pools.
timezone = "UTC"

[hosts]
vault = "vault.lan"

[policies.critical]
snapshot = "hourly"
keep = { last = 2, hourly = 48, daily = 14, weekly = 8, monthly = 6 }

[policies.apps]
snapshot = "hourly"
keep = { hourly = 24, daily = 7 }
skip_empty = true

[policies.media]
snapshot = "daily"
keep = { daily = 14, monthly = 6 }

[[datasets]]
select = ["tank"]
policy = "critical"
adopt = ["autosnap_*"]

[[datasets]]
select = ["tank/scratch"]
policy = "none"

[[datasets]]
select = ["media"]
policy = "media"

[[datasets]]
select = ["apps"]
exclude = ["**/layers"]
policy = "apps"

[[datasets]]
select = ["vault:bk/office", "vault:bk/mail"]
policy = "critical"

[[replications]]
name = "home"
sender = "tank/documents"
receiver = "vault:bk/home/documents"
keep = { daily = 30, monthly = 12 }
"""
"""The policy that goes with the example fleet, as the text of a zfsctl.toml."""

_CRITICAL = ("tank", "tank/documents", "tank/photos", "tank/vm", "tank/vm/db01", "tank/vm/web01")
_APPS = ("apps", "apps/config", "apps/database")
_MEDIA = ("media", "media/films", "media/music")
_VAULT = ("bk/mail", "bk/office")

_WRITES = {
    "tank/documents": 6,
    "tank/photos": 180,
    "tank/vm/db01": 96,
    "tank/vm/web01": 40,
    "apps/config": 1,
    "apps/database": 24,
    "media/films": 2300,
    "media/music": 60,
    "bk/mail": 14,
    "bk/office": 9,
}
"""MiB that are written between two snapshots."""


def build_example_fleet(now: int) -> Table:
    """The document of the example fleet at `now`, epoch seconds.

    Its last snapshots are an hour or more old, so something is due; a few are past what the policy keeps; among
    the others are manual and foreign ones, one that is held, and one with a clone.
    """
    return fleet_document(example_fleet(now))


def example_fleet(now: int) -> SimFleet:
    """The example fleet itself."""
    fleet = create_fleet(now - 240 * DAY, ("local", "vault"), seed=2026)
    _lay_out(fleet)
    _live(fleet, now)
    _add_what_others_left(fleet, now)
    fleet.now = now
    local = fleet.hosts["local"].pools
    for name, days in (("tank", 12), ("media", 12), ("apps", 40)):
        local[name].scan = Scan("scrub", now - days * DAY, local[name].allocated())
    vault = fleet.hosts["vault"].pools["bk"]
    vault.scan = Scan("scrub", now - 33 * DAY, vault.allocated(), repaired=128 << 10)
    return fleet


def _lay_out(fleet: SimFleet) -> None:
    create_pool(fleet, "local", "tank", 8 * TEBIBYTE, vdevs=("sda", "sdb"), properties={"atime": "off"})
    create_pool(fleet, "local", "media", 12 * TEBIBYTE, vdevs=("sdc",))
    create_pool(fleet, "local", "apps", TEBIBYTE, vdevs=("nvme0n1",))
    create_pool(fleet, "vault", "bk", 16 * TEBIBYTE, vdevs=("sda", "sdb"))
    for name in ("tank/documents", "tank/photos", "tank/vm", "tank/scratch", "media/films", "media/music"):
        do(fleet, "local", "zfs", "create", name)
    for name in ("apps/config", "apps/database", "apps/layers", "apps/layers/0a1b", "apps/layers/9f3c"):
        do(fleet, "local", "zfs", "create", name)
    for name in ("tank/vm/db01", "tank/vm/web01"):
        do(fleet, "local", "zfs", "create", "-s", "-V", "64G", name)
    for name in _VAULT:
        do(fleet, "vault", "zfs", "create", name)
    do(fleet, "local", "zfs", "set", "zfsctl:owner=anna", "tank/documents")
    write(fleet, "local", "tank/documents", 38 * GIBIBYTE, path="letters/2026/landlord.txt", text="Dear Mr Winter,\n")
    write(fleet, "local", "tank/photos", 910 * GIBIBYTE, path="2026/05/garden.jpg", text="(a picture of a garden)\n")
    write(fleet, "local", "tank/vm/db01", 22 * GIBIBYTE)
    write(fleet, "local", "tank/vm/web01", 11 * GIBIBYTE)
    write(fleet, "local", "tank/scratch", 140 * GIBIBYTE)
    write(fleet, "local", "media/films", 5 * TEBIBYTE)
    write(fleet, "local", "media/music", 420 * GIBIBYTE)
    write(fleet, "local", "apps/config", 300 * MEBIBYTE, path="nginx/site.conf", text="listen 443 ssl;\n")
    write(fleet, "local", "apps/database", 9 * GIBIBYTE)
    write(fleet, "vault", "bk/mail", 61 * GIBIBYTE)
    write(fleet, "vault", "bk/office", 210 * GIBIBYTE)


def _live(fleet: SimFleet, now: int) -> None:
    """Write and take snapshots at the instants that are left of half a year of schedules."""
    hour = now - now % HOUR
    midnight = now - now % DAY
    hourly = {hour - each * HOUR for each in range(1, 50)}
    daily = {midnight - each * DAY for each in range(15)}
    weekly = {midnight - each * DAY for each in range(57) if _moment(midnight - each * DAY).weekday() == 0}
    monthly = {_month_start(now, each) for each in range(6)}
    recent = {instant for instant in hourly if instant >= hour - 26 * HOUR}
    critical = hourly | daily | weekly | monthly
    for instant in sorted(critical):
        fleet.now = instant
        _snapshot(fleet, "local", instant, "critical", _CRITICAL)
        _snapshot(fleet, "vault", instant, "critical", _VAULT)
        if instant in recent | {midnight - each * DAY for each in range(8)}:
            _snapshot(fleet, "local", instant, "apps", _APPS)
        if instant in daily | monthly and instant < midnight:
            _snapshot(fleet, "local", instant, "media", _MEDIA)
    write(fleet, "local", "tank/photos", 35 * MEBIBYTE)
    write(fleet, "local", "apps/config", 64 << 10)


def _snapshot(fleet: SimFleet, host: str, instant: int, policy: str, datasets: tuple[str, ...]) -> None:
    for dataset in datasets:
        size = _WRITES.get(dataset, 0) * MEBIBYTE
        if size:
            overwrite(fleet, host, dataset, size // 3)
            write(fleet, host, dataset, size - size // 3)
    name = f"zfsctl-{stamp(instant)}"
    do(fleet, host, "zfs", "snapshot", "-o", f"zfsctl:policy={policy}", *(f"{dataset}@{name}" for dataset in datasets))


def _add_what_others_left(fleet: SimFleet, now: int) -> None:
    upgrade = now - 9 * DAY - 4 * HOUR
    fleet.now = upgrade
    manual = f"zfsctl-manual-{stamp(upgrade)}"
    do(
        fleet,
        "local",
        *("zfs", "snapshot", "-o", "zfsctl:reason=before the upgrade", "-o", f"zfsctl:expires={now + 21 * DAY}"),
        f"tank/vm/db01@{manual}",
    )
    fleet.now = now - 30 * HOUR
    do(fleet, "local", "zfs", "snapshot", "tank/documents@before-tax-return")
    do(fleet, "local", "zfs", "hold", "keep-for-the-tax-office", "tank/documents@before-tax-return")
    do(fleet, "local", "zfs", "snapshot", "tank/vm/web01@vzdump")
    oldest = do(fleet, "local", "zfs", "list", "-Hp", "-t", "snapshot", "-o", "name", "tank/photos")[3]
    fleet.now = now - 20 * MINUTE
    do(fleet, "local", "zfs", "clone", "-o", "canmount=noauto", oldest, "tank/photos-sorting")


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _month_start(now: int, back: int) -> int:
    first = _moment(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    return int(first.timestamp())
