"""What listings and other reading commands say about datasets, snapshots, bookmarks and holds."""

from __future__ import annotations

from typing import Final

from tests.testbed.capture import Camera

DATASET_COLUMNS: Final = (
    "name,type,guid,createtxg,creation,used,available,referenced,written,origin,mounted,mountpoint,canmount,readonly,"
    "receive_resume_token,encryption,keystatus,encryptionroot,inconsistent,zfsctl:policy"
)
SNAPSHOT_COLUMNS: Final = "name,guid,createtxg,creation,used,referenced,written,userrefs,clones,defer_destroy"
BOOKMARK_COLUMNS: Final = "name,guid,createtxg,creation"
TAGS: Final = "zfsctl:policy,zfsctl:reason,zfsctl:expires"


def build_tree(camera: Camera) -> None:
    """One pool with every kind of dataset that listings must be able to tell."""
    camera.do(
        r"""
        mkdir -p /var/testbed && truncate -s 512M /var/testbed/tank.img /var/testbed/bk.img
        zpool create -o cachefile=none tank /var/testbed/tank.img
        zpool create -o cachefile=none -O mountpoint=none bk /var/testbed/bk.img
        zfs create tank/photos
        zfs create "tank/with space"
        zfs create -p tank/-dash/a:b
        zfs create -o canmount=off tank/off
        zfs create -o mountpoint=none tank/off/none
        zfs create -o mountpoint=legacy tank/legacy
        zfs create -o readonly=on tank/ro
        zfs create -s -V 16M tank/vol
        zfs create -V 8M tank/thick
        echo secret-secret | zfs create -o encryption=on -o keyformat=passphrase tank/enc
        zfs create tank/enc/child
        echo secret-secret | zfs create -o encryption=on -o keyformat=passphrase tank/locked
        zfs snapshot tank/locked@before
        zfs unmount tank/locked && zfs unload-key tank/locked
        zfs set zfsctl:policy=critical tank/photos
        zfs set "zfsctl:policy=Größe ↑ 数" "tank/with space"
        zfs set "zfsctl:policy=$(printf 'tab\there\nsecond line')" tank/-dash/a:b
        head -c 3000000 /dev/urandom > /tank/photos/one
        """
    )
    camera.do(
        r"""
        zfs snapshot -o zfsctl:policy=critical tank/photos@zfsctl-20261101T000000Z tank/vol@zfsctl-20261101T000000Z
        head -c 2000000 /dev/urandom > /tank/photos/two
        zfs snapshot -o "zfsctl:reason=before the upgrade, größer" -o zfsctl:expires=1793491200 \
            tank/photos@zfsctl-manual-20261102T000000Z
        rm /tank/photos/one
        zfs snapshot tank/photos@inherits
        zfs snapshot -o "zfsctl:reason=$(printf 'two\tfields\nand lines')" tank/photos@odd
        zfs snapshot "tank/photos@with space" "tank/with space@-a:b c"
        zfs snapshot tank/photos@-dash
        zfs snapshot -r tank/enc@both
        zfs hold keep tank/photos@inherits
        zfs hold "two words" tank/photos@inherits
        zfs hold zfsctl:base "tank/photos@with space"
        zfs bookmark tank/photos@zfsctl-20261101T000000Z tank/photos#zfsctl-vault-0123456789abcdef
        zfs bookmark tank/photos@inherits "tank/photos#with space"
        zfs clone tank/photos@odd tank/clone
        zfs clone tank/photos@odd "tank/clone two"
        zfs hold defer tank/vol@zfsctl-20261101T000000Z
        zfs destroy -d tank/vol@zfsctl-20261101T000000Z
        zpool sync tank
        """
    )


def receive_trees(camera: Camera) -> None:
    """Received datasets: whole, interrupted at the first copy, interrupted at an increment."""
    camera.do(
        r"""
        zfs send -p tank/photos@zfsctl-20261101T000000Z | zfs receive -u -s bk/photos
        zfs send tank/photos@inherits | head -c 700000 | zfs receive -u -s bk/partial || true
        zfs send -i @zfsctl-20261101T000000Z tank/photos@odd | head -c 700000 | zfs receive -u -s bk/photos || true
        zfs send -w tank/enc@both | zfs receive -u bk/raw
        zpool sync bk
        """
    )


def list_datasets(camera: Camera) -> None:
    take = camera.take
    listing = ["zfs", "list", "-Hp", "-r", "-t", "filesystem,volume", "-o", DATASET_COLUMNS]
    take("version", "zfs version")
    take("list-datasets", [*listing, "tank"])
    take("list-datasets-received", [*listing, "bk"])
    take("list-datasets-all", listing)
    take("list-datasets-of-nothing", ["zfs", "list", "-Hp", "-r", "-t", "volume", "-o", "name,guid", "tank/photos"])
    take("list-dataset-with-space", ["zfs", "list", "-Hp", "-o", DATASET_COLUMNS, "tank/with space"])
    take("list-ancestor-of-missing", ["zfs", "list", "-Hp", "-d", "1", "-o", "name,guid", "tank/off"])
    take(
        "get-policy-of-datasets",
        [
            "zfs",
            "get",
            "-Hp",
            "-r",
            "-t",
            "filesystem,volume",
            "-o",
            "name,property,value,source",
            "zfsctl:policy",
            "tank",
        ],
    )
    take("list-snapshots-changed", ["zfs", "list", "-Hp", "-o", "name,snapshots_changed", "tank/photos"])


def list_snapshots(camera: Camera) -> None:
    take = camera.take
    listing = ["zfs", "list", "-Hp", "-r", "-t", "snapshot", "-o", SNAPSHOT_COLUMNS]
    take("list-snapshots", [*listing, "tank"])
    take("list-snapshots-received", [*listing, "bk"])
    take(
        "list-snapshots-of-one",
        ["zfs", "list", "-Hp", "-d", "1", "-t", "snapshot", "-o", SNAPSHOT_COLUMNS, "tank/photos"],
    )
    take("list-snapshots-of-none", [*listing, "tank/ro"])
    take("list-snapshots-fast", ["zfs", "list", "-Hp", "-r", "-t", "snapshot", "-o", "name,guid,createtxg", "tank"])
    take("list-snapshots-with-tag", ["zfs", "list", "-Hp", "-r", "-t", "snapshot", "-o", "name,zfsctl:policy", "tank"])
    tags = ["zfs", "get", "-Hp", "-r", "-t", "snapshot", "-o", "name,property,value,source"]
    take("get-tags-local", [*tags, "-s", "local,received", TAGS, "tank"])
    take("get-tags-received", [*tags, "-s", "local,received", TAGS, "bk"])
    take("get-tags-any-source", [*tags, TAGS, "tank/photos"])
    take("get-guid", ["zfs", "get", "-Hp", "-o", "value", "guid", "tank/photos@inherits"])
    take("list-snapshot-with-space", ["zfs", "list", "-Hp", "-o", SNAPSHOT_COLUMNS, "tank/with space@-a:b c"])
    take(
        "list-snapshots-named-one-missing",
        [
            "zfs",
            "list",
            "-Hp",
            "-o",
            "name,guid,userrefs,clones",
            "tank/photos@inherits",
            "tank/photos@gone",
            "tank/photos@odd",
        ],
    )


def list_bookmarks_and_holds(camera: Camera) -> None:
    take = camera.take
    take("list-bookmarks", ["zfs", "list", "-Hp", "-r", "-t", "bookmark", "-o", BOOKMARK_COLUMNS, "tank"])
    take("list-bookmarks-of-none", ["zfs", "list", "-Hp", "-r", "-t", "bookmark", "-o", BOOKMARK_COLUMNS, "tank/ro"])
    held = ["tank/photos@inherits", "tank/photos@with space", "tank/photos@odd"]
    take("holds-exact", ["zfs", "holds", "-Hp", *held])
    take("holds", ["zfs", "holds", "-H", *held])
    take("holds-recursive", ["zfs", "holds", "-H", "-r", "tank/photos@inherits"])
    take("holds-of-none", ["zfs", "holds", "-H", "tank/photos@odd"])
    take("holds-of-missing", ["zfs", "holds", "-H", "tank/photos@gone"])


def estimate(camera: Camera) -> None:
    take = camera.take
    take(
        "destroy-estimate",
        ["zfs", "destroy", "-nvp", "tank/photos@zfsctl-20261101T000000Z,zfsctl-manual-20261102T000000Z"],
    )
    take("destroy-estimate-one-missing", ["zfs", "destroy", "-nvp", "tank/photos@zfsctl-20261101T000000Z,gone"])
    take("destroy-estimate-with-space", ["zfs", "destroy", "-nvp", "tank/photos@-dash,with space"])
    take("destroy-estimate-cloned", ["zfs", "destroy", "-nvp", "tank/photos@zfsctl-20261101T000000Z,odd"])
    take("send-estimate", ["zfs", "send", "-nvP", "tank/photos@inherits"])
    take("send-estimate-incremental", ["zfs", "send", "-nvP", "-I", "@zfsctl-20261101T000000Z", "tank/photos@odd"])
    token = camera.do("zfs get -Hp -o value receive_resume_token bk/photos").strip()
    take("send-estimate-resumed", ["zfs", "send", "-nvP", "-t", token])
    take("diff", ["zfs", "diff", "-FHt", "tank/photos@zfsctl-20261101T000000Z", "tank/photos@inherits"])


def destroy_with_output(camera: Camera) -> None:
    camera.do("zfs snapshot tank/ro@one; zfs snapshot tank/ro@two")
    camera.take("destroy-list", ["zfs", "destroy", "-vp", "tank/ro@one,two,gone"])


SCENES: Final = (
    build_tree,
    receive_trees,
    list_datasets,
    list_snapshots,
    list_bookmarks_and_holds,
    estimate,
    destroy_with_output,
)
