"""The names, values and columns that generated commands are made of."""

from __future__ import annotations

from zfsctl.zfs.datasets import DATASET_COLUMNS
from zfsctl.zfs.snapshots import SNAPSHOT_COLUMNS

COMPONENTS = ("a", "b", "c", "a b", "a-b", "x.y", "v:1")
SNAPSHOTS = ("s1", "s2", "s3", "s4", "s5", "s 6", "zfsctl-20261101T000000Z", "-n", "z:z")
BOOKMARKS = ("b1", "b2", "b3", "zfsctl-x-00ff")
TAGS = ("t1", "t2", "zfsctl:x:base", "a tag")
USER_PROPERTIES = ("zfsctl:policy", "zfsctl:reason", "test:x", "org.zfsctl:long_name-1")
NATIVE_VALUES = (
    ("compression", ("lz4", "off", "zstd", "gzip-9", "best")),
    ("readonly", ("on", "off", "maybe")),
    ("atime", ("on", "off")),
    ("canmount", ("on", "off", "noauto")),
    ("recordsize", ("16K", "128K", "1M", "1000", "17")),
    ("quota", ("10G", "none", "0", "1K", "x")),
    ("refquota", ("10G", "none")),
    ("reservation", ("1M", "none")),
    ("sync", ("disabled", "standard")),
    ("copies", ("1", "2", "4")),
    ("exec", ("on", "off")),
    ("primarycache", ("all", "metadata")),
    ("snapdir", ("visible", "hidden")),
    ("mountpoint", ("none", "legacy", "relative/path")),
    ("volsize", ("16M", "32M")),
    ("used", ("1",)),
    ("origin", ("x",)),
    ("nosuch", ("1",)),
    ("Test:upper", ("1",)),
)
INHERITABLE = (
    "compression",
    "readonly",
    "atime",
    "recordsize",
    "quota",
    "canmount",
    "used",
    "nosuch",
    "exec",
    "origin",
)

DATASET_LISTS = (
    ",".join(DATASET_COLUMNS),
    "name,guid,receive_resume_token",
    "name,type,guid,createtxg,origin,mounted,mountpoint,canmount,readonly,inconsistent",
    "name,quota,refquota,reservation,recordsize,compression,volsize,copies,sync,zfsctl:policy",
    "name,encryption,keystatus,encryptionroot,keyformat,keylocation,type,test:x",
)
SNAPSHOT_LISTS = (
    ",".join(SNAPSHOT_COLUMNS),
    "name,guid",
    "name,guid,userrefs,clones",
    "name,guid,createtxg,defer_destroy,userrefs,zfsctl:policy",
    "name,type,creation,used,referenced,written,encryption,mounted,origin,test:x",
)
BOOKMARK_LISTS = ("name,guid,createtxg,creation", "name,type,guid,used,zfsctl:policy")
WRONG_LISTS = ("name,nosuch", "name,,guid", "", "holds")
GETS = (
    "guid,zfsctl:policy,zfsctl:reason",
    "zfsctl:policy",
    "compression,readonly,test:x",
    "origin,clones,userrefs",
    "nosuch",
    "type,mountpoint,canmount,quota",
)
SOURCES = ("local", "local,received", "local,received,none", "inherited,default", "none", "nosuch")

USER_VALUES = ("critical", "", "two words", "a=b,c", "ümläut")
WRONG_DATASETS = (
    "POOL/",
    "POOL//a",
    "POOL/.",
    "POOL/..",
    "POOL/x%y",
    "POOL/ä",
    "/POOL/a",
    "POOL/a@b",
    "POOL/a#b",
    "POOL/" + "l" * 260,
)
WRONG_PARTS = ("", "a@b", "a/b", "a%b", "l" * 256, "+")
HEAD_TYPES = ("filesystem,volume", "filesystem", "volume", "filesystem,volume,snapshot", "all")
GET_TYPES = ("snapshot", "filesystem,volume", "filesystem", "bookmark", "all")
RECEIVED = (
    "readonly=on",
    "canmount=noauto",
    "mountpoint=none",
    "zfsctl:policy=x",
    "test:x=two words",
    "compression=off",
    "quota=10G",
)
WRONGLY_RECEIVED = ("nosuch=1", "used=1", "compression=best", "noequals")
EXCLUDED = ("mountpoint", "compression", "test:x", "canmount", "nosuch")
