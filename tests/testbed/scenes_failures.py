"""What OpenZFS says when it does not do what was asked."""

from __future__ import annotations

from typing import Final

from tests.testbed.capture import Camera

LONG: Final = "n" * 256


def prepare(camera: Camera) -> None:
    """Datasets of their own, so that these failures disturb no listing."""
    camera.do(
        r"""
        zfs create tank/f
        for child in a b cloned child child/deep receiver; do zfs create tank/f/$child; done
        zfs create -V 8M tank/f/vol
        zfs snapshot tank/f/a@s1; zfs snapshot tank/f/a@s2; zfs snapshot tank/f/a@s3
        zfs snapshot tank/f/b@s1
        zfs snapshot tank/f/cloned@s1
        zfs clone tank/f/cloned@s1 tank/f/clone
        zfs bookmark tank/f/a@s1 tank/f/a#m1
        zfs hold keep tank/f/a@s2
        """
    )


def snapshot(camera: Camera) -> None:
    take = camera.take
    take("snapshot-exists", ["zfs", "snapshot", "tank/f/a@s1"])
    take("snapshot-one-of-several-exists", ["zfs", "snapshot", "tank/f/a@s4", "tank/f/b@s1", "tank/f/cloned@s4"])
    take("snapshot-several-exist", ["zfs", "snapshot", "tank/f/a@s1", "tank/f/b@s1"])
    take("snapshot-dataset-missing", ["zfs", "snapshot", "tank/f/gone@s1"])
    take("snapshot-one-dataset-missing", ["zfs", "snapshot", "tank/f/a@s4", "tank/f/gone@s4"])
    take("snapshot-pool-missing", ["zfs", "snapshot", "nopool/a@s1"])
    take("snapshot-twice-of-one-dataset", ["zfs", "snapshot", "tank/f/a@s4", "tank/f/a@s5"])
    take("snapshot-across-pools", ["zfs", "snapshot", "tank/f/a@s4", "bk/photos@s4"])
    take("snapshot-recursive-exists", ["zfs", "snapshot", "-r", "tank/f@s1"])
    take("snapshot-name-too-long", ["zfs", "snapshot", f"tank/f/a@{LONG}"])
    take("snapshot-name-one-too-long", ["zfs", "snapshot", f"tank/f/a@{LONG[:247]}"])
    take("snapshot-name-longest", ["zfs", "snapshot", f"tank/f/a@{LONG[:246]}"])
    take("snapshot-name-invalid", ["zfs", "snapshot", "tank/f/a@s+1"])
    take("snapshot-name-non-ascii", ["zfs", "snapshot", "tank/f/a@größe"])
    take("snapshot-name-percent", ["zfs", "snapshot", "tank/f/a@s%1"])
    take("snapshot-name-empty", ["zfs", "snapshot", "tank/f/a@"])
    take("snapshot-two-delimiters", ["zfs", "snapshot", "tank/f/a@s@t"])
    take("snapshot-without-delimiter", ["zfs", "snapshot", "tank/f/a"])
    take("snapshot-native-property", ["zfs", "snapshot", "-o", "compression=on", "tank/f/a@s4"])
    take("snapshot-value-too-long", ["zfs", "snapshot", "-o", f"zfsctl:reason={'x' * 8192}", "tank/f/a@s4"])
    take("snapshot-permission-denied", ["zfs", "snapshot", "tank/f/a@s4"], user="zfsadmin")
    camera.do("zfs allow zfsadmin snapshot tank/f/a")
    take("snapshot-delegated", ["zfs", "snapshot", "tank/f/a@delegated"], user="zfsadmin")
    take(
        "snapshot-delegated-userprop-denied",
        ["zfs", "snapshot", "-o", "zfsctl:policy=x", "tank/f/a@s4"],
        user="zfsadmin",
    )
    take("snapshot-delegated-one-denied", ["zfs", "snapshot", "tank/f/a@s4", "tank/f/b@s4"], user="zfsadmin")
    camera.do("zfs set snapshot_limit=1 tank/f/a")
    take("snapshot-limit", ["zfs", "snapshot", "tank/f/a@s4"], user="zfsadmin")
    camera.do("zfs set snapshot_limit=none tank/f/a; zfs unallow zfsadmin tank/f/a")


def destroy(camera: Camera) -> None:
    take = camera.take
    take("destroy-held", ["zfs", "destroy", "tank/f/a@s2"])
    take("destroy-list-one-held", ["zfs", "destroy", "-vp", "tank/f/a@s1,s2,s3"])
    take(
        "list-after-destroy-list-one-held",
        ["zfs", "list", "-Hp", "-d", "1", "-t", "snapshot", "-o", "name", "tank/f/a"],
    )
    take("destroy-cloned", ["zfs", "destroy", "tank/f/cloned@s1"])
    take("destroy-missing", ["zfs", "destroy", "tank/f/a@gone"])
    take("destroy-list-all-missing", ["zfs", "destroy", "tank/f/a@gone,lost"])
    take("destroy-list-one-missing", ["zfs", "destroy", "-vp", "tank/f/b@s1,gone"])
    camera.do("zfs snapshot tank/f/b@s1")
    take("destroy-of-missing-dataset", ["zfs", "destroy", "tank/f/gone@s1"])
    take("destroy-of-missing-pool", ["zfs", "destroy", "nopool/a@s1"])
    camera.do("mkdir -p /mnt/snap; mount -t zfs tank/f/b@s1 /mnt/snap")
    take("destroy-mounted", ["zfs", "destroy", "tank/f/b@s1"])
    camera.do("umount /mnt/snap || true")
    camera.do("zfs list tank/f/b@s1 >/dev/null 2>&1 || zfs snapshot tank/f/b@s1")
    camera.do("mkdir -p /mnt/snap; mount -t zfs tank/f/b@s1 /mnt/snap; (cd /mnt/snap; sleep 60 <&- >&- 2>&- &) ")
    take("destroy-mounted-in-use", ["zfs", "destroy", "tank/f/b@s1"])
    take("destroy-permission-denied", ["zfs", "destroy", "tank/f/a@s3"], user="zfsadmin")
    take("destroy-list-permission-denied", ["zfs", "destroy", "tank/f/a@s1,s3"], user="zfsadmin")
    take("destroy-dataset-with-children", ["zfs", "destroy", "tank/f/child"])
    take("destroy-dataset-with-snapshots", ["zfs", "destroy", "tank/f/cloned"])
    take("destroy-dataset-missing", ["zfs", "destroy", "tank/f/gone"])
    camera.do("(cd /tank/f/receiver; sleep 20 <&- >&- 2>&- &)")
    take("destroy-dataset-busy", ["zfs", "destroy", "tank/f/receiver"])
    take("destroy-bookmark-missing", ["zfs", "destroy", "tank/f/a#gone"])
    take("destroy-bookmark-permission-denied", ["zfs", "destroy", "tank/f/a#m1"], user="zfsadmin")
    take("destroy-deferred-held", ["zfs", "destroy", "-d", "tank/f/a@s2"])


def hold_and_bookmark(camera: Camera) -> None:
    take = camera.take
    take("hold-twice", ["zfs", "hold", "keep", "tank/f/a@s2"])
    take("hold-missing", ["zfs", "hold", "keep", "tank/f/a@gone"])
    take("hold-one-missing", ["zfs", "hold", "other", "tank/f/a@s2", "tank/f/a@gone"])
    take("hold-dataset-missing", ["zfs", "hold", "keep", "tank/f/gone@s1"])
    take("hold-tag-too-long", ["zfs", "hold", LONG + "x", "tank/f/a@s3"])
    take("hold-tag-with-dot", ["zfs", "hold", ".keep", "tank/f/a@s3"])
    take("hold-permission-denied", ["zfs", "hold", "keep", "tank/f/a@s3"], user="zfsadmin")
    take("release-unknown-tag", ["zfs", "release", "unknown", "tank/f/a@s2"])
    take("release-missing", ["zfs", "release", "keep", "tank/f/a@gone"])
    take("release-permission-denied", ["zfs", "release", "keep", "tank/f/a@s2"], user="zfsadmin")
    take("bookmark-exists", ["zfs", "bookmark", "tank/f/a@s1", "tank/f/a#m1"])
    take("bookmark-of-missing", ["zfs", "bookmark", "tank/f/a@gone", "tank/f/a#m2"])
    take("bookmark-in-other-dataset", ["zfs", "bookmark", "tank/f/a@s1", "tank/f/b#m1"])
    take("bookmark-permission-denied", ["zfs", "bookmark", "tank/f/a@s1", "tank/f/a#m2"], user="zfsadmin")


def clone_promote_rename(camera: Camera) -> None:
    take = camera.take
    take("create-exists", ["zfs", "create", "tank/f/a"])
    take("create-parent-missing", ["zfs", "create", "tank/f/gone/child"])
    take("create-in-volume", ["zfs", "create", "tank/f/vol/child"])
    take("create-invalid-property", ["zfs", "create", "-o", "nosuch=1", "tank/f/new"])
    take("create-permission-denied", ["zfs", "create", "tank/f/new"], user="zfsadmin")
    take("create-name-too-long", ["zfs", "create", f"tank/f/{LONG}"])
    take("create-name-invalid", ["zfs", "create", "tank/f/a+b"])
    take("create-name-empty-component", ["zfs", "create", "tank/f//b"])
    take("create-nested-too-deep", ["zfs", "create", "-p", "tank/f/" + "/".join(["d"] * 60)])
    take("clone-exists", ["zfs", "clone", "tank/f/a@s1", "tank/f/b"])
    take("clone-of-missing", ["zfs", "clone", "tank/f/a@gone", "tank/f/new"])
    take("clone-of-missing-dataset", ["zfs", "clone", "tank/f/gone@s1", "tank/f/new"])
    take("clone-parent-missing", ["zfs", "clone", "tank/f/a@s1", "tank/f/gone/new"])
    take("clone-across-pools", ["zfs", "clone", "tank/f/a@s1", "bk/new"])
    take("promote-not-a-clone", ["zfs", "promote", "tank/f/a"])
    take("promote-missing", ["zfs", "promote", "tank/f/gone"])
    camera.do("zfs snapshot tank/f/clone@s1")
    take("promote-name-conflict", ["zfs", "promote", "tank/f/clone"])
    camera.do("zfs destroy tank/f/clone@s1")
    take("rename-exists", ["zfs", "rename", "tank/f/a", "tank/f/b"])
    take("rename-missing", ["zfs", "rename", "tank/f/gone", "tank/f/new"])
    take("rename-parent-missing", ["zfs", "rename", "tank/f/a", "tank/f/gone/new"])
    take("rename-into-itself", ["zfs", "rename", "tank/f/child", "tank/f/child/deep/new"])
    take("rename-across-pools", ["zfs", "rename", "tank/f/a", "bk/new"])
    take("rename-snapshot-exists", ["zfs", "rename", "tank/f/a@s1", "tank/f/a@s3"])
    take("rename-snapshot-missing", ["zfs", "rename", "tank/f/a@gone", "tank/f/a@new"])
    take("rename-snapshot-to-other-dataset", ["zfs", "rename", "tank/f/a@s1", "tank/f/b@new"])
    take("rename-pool-root", ["zfs", "rename", "tank", "tank/f/new"])
    take("rename-permission-denied", ["zfs", "rename", "tank/f/a", "tank/f/new"], user="zfsadmin")


def roll_back(camera: Camera) -> None:
    take = camera.take
    take("rollback-newer-snapshots", ["zfs", "rollback", "tank/f/a@s1"])
    camera.do("zfs create tank/f/marked; zfs snapshot tank/f/marked@s1; zfs snapshot tank/f/marked@s2")
    camera.do("zfs bookmark tank/f/marked@s2 tank/f/marked#m2; zfs destroy tank/f/marked@s2")
    take("rollback-newer-bookmark", ["zfs", "rollback", "tank/f/marked@s1"])
    camera.do("zfs snapshot tank/f/cloned@s0; zfs snapshot tank/f/cloned@s2; zfs clone tank/f/cloned@s2 tank/f/clone2")
    take("rollback-newer-cloned", ["zfs", "rollback", "-r", "tank/f/cloned@s1"])
    take("rollback-newer-held", ["zfs", "rollback", "-r", "tank/f/a@s1"])
    take(
        "list-after-rollback-newer-held", ["zfs", "list", "-Hp", "-d", "1", "-t", "snapshot", "-o", "name", "tank/f/a"]
    )
    take("rollback-missing", ["zfs", "rollback", "tank/f/a@gone"])
    take("rollback-permission-denied", ["zfs", "rollback", "tank/f/b@s1"], user="zfsadmin")


def list_and_set(camera: Camera) -> None:
    take = camera.take
    listing = ["zfs", "list", "-Hp", "-o", "name,guid"]
    take("list-missing-dataset", [*listing, "tank/f/gone"])
    take("list-missing-pool", [*listing, "nopool"])
    take("list-missing-snapshot", [*listing, "tank/f/a@gone"])
    take("list-one-missing", [*listing, "tank/f/a", "tank/f/gone", "tank/f/b"])
    take("list-recursive-of-missing", [*listing, "-r", "tank/f/gone"])
    take("list-unknown-column", ["zfs", "list", "-Hp", "-o", "name,nosuch", "tank"])
    take("list-invalid-name", [*listing, "tank/f/a+b"])
    take("list-name-too-long", [*listing, f"tank/{LONG}"])
    take("get-unknown-property", ["zfs", "get", "-Hp", "nosuch", "tank"])
    take("set-unknown-property", ["zfs", "set", "nosuch=1", "tank/f/a"])
    take("set-read-only-property", ["zfs", "set", "guid=1", "tank/f/a"])
    take("set-invalid-value", ["zfs", "set", "compression=nosuch", "tank/f/a"])
    take("set-user-property-upper-case", ["zfs", "set", "zfsctl:Policy=x", "tank/f/a"])
    take("set-user-property-too-long", ["zfs", "set", f"zfsctl:policy={'x' * 8192}", "tank/f/a"])
    take("set-user-property-name-too-long", ["zfs", "set", f"zfsctl:{LONG}=x", "tank/f/a"])
    take("set-on-missing", ["zfs", "set", "zfsctl:policy=x", "tank/f/gone"])
    take("set-on-missing-snapshot", ["zfs", "set", "zfsctl:policy=x", "tank/f/a@gone"])
    take("set-native-on-snapshot", ["zfs", "set", "compression=on", "tank/f/a@s1"])
    take("set-permission-denied", ["zfs", "set", "zfsctl:policy=x", "tank/f/a"], user="zfsadmin")
    take("set-quota-too-small", ["zfs", "set", "quota=4096", "tank/photos"])
    take("inherit-not-inheritable", ["zfs", "inherit", "quota", "tank/f/a"])
    take("inherit-unknown", ["zfs", "inherit", "nosuch", "tank/f/a"])
    take("inherit-permission-denied", ["zfs", "inherit", "zfsctl:policy", "tank/f/a"], user="zfsadmin")
    take("unknown-option", ["zfs", "list", "-Y", "tank"])
    take("unknown-subcommand", ["zfs", "nosuch"])
    take("sudo-refused", ["sudo", "-n", "zfs", "list", "-H", "-o", "name", "tank"], user="zfsadmin")
    take("program-missing", ["/usr/sbin/zfs-missing", "list"])


def partly_received(camera: Camera) -> None:
    """A saved receive keeps its base and refuses others."""
    take = camera.take
    take("destroy-base-of-partial-receive", ["zfs", "destroy", "bk/photos@zfsctl-20261101T000000Z"])
    take("snapshot-of-partial-receive", ["zfs", "snapshot", "bk/partial@s1"])
    take("receive-onto-partial", "zfs send -i @zfsctl-20261101T000000Z tank/photos@odd | zfs receive -u -s bk/photos")
    take("receive-exists", "zfs send tank/photos@odd | zfs receive -u bk/raw")
    take("receive-no-common-base", "zfs send -i @inherits tank/photos@odd | zfs receive -u bk/raw")
    take("receive-base-missing", "zfs send -i @inherits tank/photos@odd | zfs receive -u bk/gone")
    take("receive-nothing", "zfs receive -u bk/gone < /dev/null")
    take("receive-junk", "yes junk | head -c 100000 | zfs receive -u bk/gone")
    take("receive-abort-nothing", ["zfs", "receive", "-A", "bk/raw"])
    take("receive-abort", ["zfs", "receive", "-A", "bk/photos"])
    take("send-missing", "zfs send tank/photos@gone | cat >/dev/null")
    take("send-base-missing", "zfs send -i @gone tank/photos@odd | cat >/dev/null")
    take("send-base-newer", "zfs send -i @odd tank/photos@inherits | cat >/dev/null")
    take("send-token-corrupt", "zfs send -t 1-nonsense | cat >/dev/null")
    take("send-permission-denied", "zfs send tank/photos@odd | cat >/dev/null", user="zfsadmin")
    take(
        "receive-permission-denied", "zfs send -nP tank/photos@odd; zfs receive -u bk/new < /dev/null", user="zfsadmin"
    )


SCENES: Final = (
    prepare,
    snapshot,
    destroy,
    hold_and_bookmark,
    clone_promote_rename,
    roll_back,
    list_and_set,
    partly_received,
)
