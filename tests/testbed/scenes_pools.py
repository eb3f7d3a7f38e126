"""What pools say: healthy, scrubbing, trimming, resilvering, damaged, full, read-only, suspended, gone."""

from __future__ import annotations

from typing import Final

from tests.testbed.capture import Camera

POOL_COLUMNS: Final = "name,guid,size,allocated,free,fragmentation,capacity,health,readonly"
PARAMETERS: Final = "/sys/module/zfs/parameters"
FREEZE: Final = f"{PARAMETERS}/zfs_scan_suspend_progress"
"""A tunable of OpenZFS that stops scrubs and resilvers where they are, so that they can be looked at."""


def take_status(camera: Camera, name: str, pool: str) -> None:
    """The status of one pool: as text, and as JSON where this version has it."""
    camera.take(f"status-{name}", ["zpool", "status", "-p", pool])
    if camera.release >= (2, 3):
        camera.take(f"status-json-{name}", ["zpool", "status", "-jp", pool])


def make_pools(camera: Camera) -> None:
    camera.take("pools", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS])
    camera.take("pools-one", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "tank"])
    camera.take("pools-missing", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "nopool"])
    camera.take("pools-one-missing", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "tank", "nopool"])
    camera.take("pools-unknown-column", ["zpool", "list", "-Hp", "-o", "name,nosuch"])
    camera.take("status-missing", ["zpool", "status", "-p", "nopool"])
    camera.do(
        r"""
        cd /var/testbed
        truncate -s 256M m1.img m2.img m3.img r1.img r2.img r3.img
        zpool create -o cachefile=none mir mirror /var/testbed/m1.img /var/testbed/m2.img
        zpool create -o cachefile=none rz raidz /var/testbed/r1.img /var/testbed/r2.img /var/testbed/r3.img
        head -c 30000000 /dev/urandom > /mir/data
        head -c 20000000 /dev/urandom > /rz/data
        zpool sync
        """
    )


def scrub(camera: Camera) -> None:
    take = camera.take
    take_status(camera, "never-scrubbed", "mir")
    take("scrub-stop-none", ["zpool", "scrub", "-s", "mir"])
    take("scrub-pause-none", ["zpool", "scrub", "-p", "mir"])
    camera.do(f"echo 1 > {FREEZE}")
    take("scrub-start", ["zpool", "scrub", "mir"])
    camera.do("sleep 6")
    take_status(camera, "scrubbing-frozen", "mir")
    take("scrub-start-again", ["zpool", "scrub", "mir"])
    take("scrub-pause", ["zpool", "scrub", "-p", "mir"])
    camera.do("zpool sync mir")
    take_status(camera, "scrub-paused", "mir")
    take("scrub-pause-again", ["zpool", "scrub", "-p", "mir"])
    take("scrub-resume", ["zpool", "scrub", "mir"])
    camera.do("zpool sync mir")
    take_status(camera, "scrub-resumed", "mir")
    take("scrub-stop", ["zpool", "scrub", "-s", "mir"])
    take_status(camera, "scrub-canceled", "mir")
    camera.do(f"echo 0 > {FREEZE}; zpool scrub -w mir", timeout=300)
    take_status(camera, "scrub-finished", "mir")
    take("scrub-missing", ["zpool", "scrub", "nopool"])
    take("scrub-permission-denied", ["zpool", "scrub", "mir"], user="zfsadmin")


def scrub_under_way(camera: Camera) -> None:
    """A scrub that has done a part of its work: small steps, and frozen after the first that shows."""
    camera.do(
        f"""
        head -c 60000000 /dev/urandom > /rz/more; zpool sync rz
        echo 1 > {PARAMETERS}/zfs_scrub_min_time_ms
        zpool scrub rz
        for try in $(seq 200); do
            zpool status rz | grep -Eq '([1-9][0-9]?[.][0-9]+|0[.][0-9]*[1-9][0-9]*)% done' && break
            zpool sync rz
        done
        echo 1 > {FREEZE}
        """,
        timeout=300,
    )
    take_status(camera, "scrubbing", "rz")
    camera.do(f"echo 0 > {FREEZE}; echo 1000 > {PARAMETERS}/zfs_scrub_min_time_ms")
    camera.do("zpool wait -t scrub rz", timeout=600)
    take_status(camera, "scrub-finished-raidz", "rz")


def trim(camera: Camera) -> None:
    take = camera.take
    take("status-untrimmed", ["zpool", "status", "-pt", "mir"])
    take("trim-stop-none", ["zpool", "trim", "-s", "mir"])
    # The rate is held between extents only, so they must be small for a trim to last.
    camera.do(f"echo 262144 > {PARAMETERS}/zfs_trim_extent_bytes_max; zpool trim -r 4M mir; sleep 6")
    take("status-trimming", ["zpool", "status", "-pt", "mir"])
    take("status-trimming-without-t", ["zpool", "status", "-p", "mir"])
    if camera.release >= (2, 3):
        take("status-json-trimming", ["zpool", "status", "-jpt", "mir"])
    take("trim-again", ["zpool", "trim", "mir"])
    take("trim-suspend", ["zpool", "trim", "-s", "mir"])
    take("status-trim-suspended", ["zpool", "status", "-pt", "mir"])
    take("trim-cancel", ["zpool", "trim", "-c", "mir"])
    take("status-trim-canceled", ["zpool", "status", "-pt", "mir"])
    camera.do(f"echo 134217728 > {PARAMETERS}/zfs_trim_extent_bytes_max; zpool trim -w mir", timeout=300)
    take("status-trimmed", ["zpool", "status", "-pt", "mir"])
    take("trim-missing", ["zpool", "trim", "nopool"])
    take("trim-permission-denied", ["zpool", "trim", "mir"], user="zfsadmin")


def resilver(camera: Camera) -> None:
    camera.do("zpool offline mir /var/testbed/m2.img")
    take_status(camera, "degraded-offline", "mir")
    camera.take("pools-degraded", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "mir"])
    camera.do(f"echo 1 > {FREEZE}; zpool replace mir /var/testbed/m2.img /var/testbed/m3.img; sleep 6")
    take_status(camera, "resilvering", "mir")
    camera.take("scrub-while-resilvering", ["zpool", "scrub", "mir"])
    camera.do(f"echo 0 > {FREEZE}; zpool wait -t resilver,replace mir", timeout=300)
    take_status(camera, "resilvered", "mir")
    camera.do("zpool offline -f mir /var/testbed/m3.img")
    take_status(camera, "degraded-faulted-vdev", "mir")
    camera.do("zpool clear mir; zpool wait -t resilver mir", timeout=300)


def damage(camera: Camera) -> None:
    """Data errors: the middle of a vdev without redundancy is overwritten."""
    camera.do(
        r"""
        cd /var/testbed; truncate -s 256M bad.img
        zpool create -o cachefile=none bad /var/testbed/bad.img
        head -c 60000000 /dev/urandom > "/bad/a file"
        zfs snapshot bad@kept
        zpool export bad
        dd if=/dev/urandom of=bad.img bs=1M seek=12 count=30 conv=notrunc 2>/dev/null
        zpool import -o cachefile=none -d /var/testbed/bad.img bad
        zpool scrub -w bad
        """,
        timeout=300,
    )
    take_status(camera, "data-errors", "bad")
    camera.take("status-data-errors-verbose", ["zpool", "status", "-pv", "bad"])
    camera.take("status-data-errors-verbose-unprivileged", ["zpool", "status", "-pv", "bad"], user="zfsadmin")
    camera.take("status-all", ["zpool", "status", "-p"])
    camera.take("status-unhealthy", ["zpool", "status", "-x"])
    camera.do("zpool destroy bad")


def read_only(camera: Camera) -> None:
    take = camera.take
    camera.do(
        r"""
        zfs create rz/kept; zfs snapshot rz/kept@s1; zfs snapshot rz/kept@s2; zfs hold keep rz/kept@s1
        zpool export rz
        zpool import -o cachefile=none -o readonly=on -d /var/testbed rz
        """
    )
    take("pools-read-only", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "rz"])
    take_status(camera, "read-only", "rz")
    take("snapshot-read-only-pool", ["zfs", "snapshot", "rz/kept@s3"])
    take("destroy-read-only-pool", ["zfs", "destroy", "rz/kept@s2"])
    take("destroy-list-read-only-pool", ["zfs", "destroy", "rz/kept@s1,s2"])
    take("hold-read-only-pool", ["zfs", "hold", "keep", "rz/kept@s2"])
    take("release-read-only-pool", ["zfs", "release", "keep", "rz/kept@s1"])
    take("set-read-only-pool", ["zfs", "set", "zfsctl:policy=x", "rz/kept"])
    take("bookmark-read-only-pool", ["zfs", "bookmark", "rz/kept@s1", "rz/kept#m1"])
    take("create-read-only-pool", ["zfs", "create", "rz/new"])
    take("rename-read-only-pool", ["zfs", "rename", "rz/kept", "rz/new"])
    camera.do("zpool export rz")


def full(camera: Camera) -> None:
    take = camera.take
    camera.do(
        r"""
        cd /var/testbed; truncate -s 64M full.img
        zpool create -o cachefile=none full /var/testbed/full.img
        zfs create full/a; zfs create full/b
        zfs snapshot full/a@s1
        dd if=/dev/urandom of=/full/a/fill bs=64k 2>/dev/null || true
        zpool sync full
        dd if=/dev/urandom of=/full/b/fill bs=4k 2>/dev/null || true
        zpool sync full
        """
    )
    take("pools-full", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS, "full"])
    take("write-pool-full", "echo text > /full/b/more; sync /full/b/more")
    take("snapshot-pool-full", ["zfs", "snapshot", "full/a@s2"])
    take("snapshot-pool-full-several", ["zfs", "snapshot", "full/a@s3", "full/b@s3"])
    take("create-pool-full", ["zfs", "create", "full/c"])
    take("create-volume-pool-full", ["zfs", "create", "-V", "32M", "full/vol"])
    take("set-pool-full", ["zfs", "set", "zfsctl:policy=x", "full/a"])
    take("hold-pool-full", ["zfs", "hold", "keep", "full/a@s1"])
    take("bookmark-pool-full", ["zfs", "bookmark", "full/a@s1", "full/a#m1"])
    take("clone-pool-full", ["zfs", "clone", "full/a@s1", "full/clone"])
    take("receive-pool-full", "zfs send tank/photos@odd | zfs receive -u full/photos")
    take("destroy-pool-full", ["zfs", "destroy", "full/a@s1"])
    camera.do("zpool destroy full")
    camera.do("zfs create -o quota=2M tank/quota")
    camera.do("dd if=/dev/urandom of=/tank/quota/f bs=64k 2>/dev/null || true; zpool sync tank")
    take("write-over-quota", "dd if=/dev/urandom of=/tank/quota/g bs=64k count=64")
    take("snapshot-over-quota", ["zfs", "snapshot", "tank/quota@s1"])
    take("create-over-quota", ["zfs", "create", "-V", "8M", "tank/quota/vol"])
    take("receive-over-quota", "zfs send tank/photos@odd | zfs receive -u tank/quota/photos")


def suspended(camera: Camera) -> None:
    """A pool whose device takes no more writes: its file lies on a file system that is full."""
    take = camera.take
    camera.do(
        r"""
        mkdir -p /mnt/small; mount -t tmpfs -o size=48M tmpfs /mnt/small
        truncate -s 512M /mnt/small/gone.img
        zpool create -o cachefile=none -o failmode=wait gone /mnt/small/gone.img
        zfs create gone/a; zfs snapshot gone/a@s1
        (dd if=/dev/urandom of=/gone/a/f bs=128k count=600 conv=fsync <&- >/dev/null 2>&1 &)
        for try in $(seq 100); do zpool list -H -o health gone | grep -q SUSPENDED && break; sleep 0.3; done
        """
    )
    take("pools-suspended", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS], timeout=20)
    take_status(camera, "suspended", "gone")
    take("list-suspended-pool", ["zfs", "list", "-Hp", "-r", "-t", "all", "-o", "name,guid", "gone"], timeout=20)
    take("snapshot-suspended-pool", ["zfs", "snapshot", "gone/a@s2"], timeout=20)
    take("destroy-suspended-pool", ["zfs", "destroy", "gone/a@s1"], timeout=20)
    take("set-suspended-pool", ["zfs", "set", "zfsctl:policy=x", "gone/a"], timeout=20)
    take("trim-suspended-pool", ["zpool", "trim", "gone"], timeout=20)


def unavailable(camera: Camera) -> None:
    """A pool that a booting host finds in its cache file, one disk of which is missing."""
    camera.host.restart()
    camera.do(
        r"""
        cd /var/testbed; truncate -s 128M u1.img u2.img
        zpool create -o cachefile=/root/u.cache una /var/testbed/u1.img /var/testbed/u2.img
        cp /root/u.cache /root/kept.cache; zpool export una; rm u2.img
        modprobe -r zfs; cp /root/kept.cache /etc/zfs/zpool.cache
        modprobe zfs zfs_autoimport_disable=0
        """
    )
    camera.take("pools-unavailable", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS])
    take_status(camera, "unavailable", "una")
    camera.take("list-unavailable-pool", ["zfs", "list", "-Hp", "-r", "-o", "name,guid", "una"])
    camera.take("list-all-unavailable-pool", ["zfs", "list", "-Hp", "-r", "-o", "name,guid"])
    camera.take("snapshot-unavailable-pool", ["zfs", "snapshot", "una@s1"])
    camera.take("scrub-unavailable-pool", ["zpool", "scrub", "una"])


def nothing(camera: Camera) -> None:
    """No pools, then no module."""
    camera.host.restart()
    camera.take("list-no-pools", ["zfs", "list", "-Hp", "-o", "name"])
    camera.take("pools-none", ["zpool", "list", "-Hp", "-o", POOL_COLUMNS])
    camera.take("status-none", ["zpool", "status", "-p"])
    camera.do("modprobe -r zfs; mv /lib/modules/$(uname -r)/updates/dkms /root/")
    camera.take("list-no-module", ["zfs", "list", "-Hp", "-o", "name"])
    camera.take("pools-no-module", ["zpool", "list", "-Hp", "-o", "name"])
    camera.take("version-no-module", ["zfs", "version"])


SCENES: Final = (
    make_pools,
    scrub,
    scrub_under_way,
    trim,
    resilver,
    damage,
    read_only,
    full,
    suspended,
    unavailable,
    nothing,
)
