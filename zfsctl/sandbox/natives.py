"""The native properties of datasets: what they apply to, defaults, what may be set (zfsprops(7), zfs_prop.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ON_OFF: Final = ("on", "off")
FS, VOL, SNAP, MARK = "f", "v", "s", "b"


@dataclass(frozen=True, slots=True)
class Native:
    """One native property."""

    name: str
    types: str
    """Any of f v s b: filesystem, volume, snapshot, bookmark."""
    default: str | None = None
    """The value that `-p` prints when nothing is set; None for statistics, which cannot be set."""
    inheritable: bool = True
    choices: tuple[str, ...] = ()
    """The words that may be set; empty when it takes a number or a path."""
    number: bool = False
    """Whether it is sorted and shortened as a number of bytes or things."""
    once: bool = False
    """Set at creation only."""
    words: str = ""
    """How the choices are listed in a complaint, where libzfs shortens them."""

    @property
    def settable(self) -> bool:
        """Whether `zfs set` may change it."""
        return self.default is not None and not self.once


def _statistic(name: str, types: str, *, number: bool = False) -> Native:
    return Native(name, types, number=number)


_COMPRESSION = (
    "on",
    "off",
    "lzjb",
    "gzip",
    *(f"gzip-{level}" for level in range(1, 10)),
    "zle",
    "lz4",
    "zstd",
    "zstd-fast",
    *(f"zstd-{level}" for level in range(1, 20)),
)
_COMPRESSION_WORDS = (
    "on | off | lzjb | gzip | gzip-[1-9] | zle | lz4 | zstd | zstd-[1-19] | zstd-fast | "
    "zstd-fast-[1-10,20,30,40,50,60,70,80,90,100,500,1000]"
)
_CACHE = ("all", "none", "metadata")

_TABLE = (
    _statistic("type", "fvsb"),
    _statistic("creation", "fvsb", number=True),
    _statistic("used", "fvs", number=True),
    _statistic("available", "fv", number=True),
    _statistic("referenced", "fvsb", number=True),
    _statistic("compressratio", "fvs"),
    _statistic("mounted", "f"),
    _statistic("origin", "fv"),
    Native("quota", "f", "0", inheritable=False, number=True),
    Native("reservation", "fv", "0", inheritable=False, number=True),
    Native("volsize", "vs", "0", inheritable=False, number=True),
    Native("volblocksize", "v", "16384", inheritable=False, number=True, once=True),
    Native("recordsize", "f", "131072", number=True),
    Native("mountpoint", "f", "/"),
    Native("sharenfs", "f", "off"),
    Native(
        "checksum",
        "fv",
        "on",
        choices=("on", "off", "fletcher2", "fletcher4", "sha256", "noparity", "sha512", "skein", "edonr", "blake3"),
    ),
    Native("compression", "fv", "on", choices=_COMPRESSION, words=_COMPRESSION_WORDS),
    Native("atime", "f", "on", choices=ON_OFF),
    Native("devices", "fs", "on", choices=ON_OFF),
    Native("exec", "fs", "on", choices=ON_OFF),
    Native("setuid", "fs", "on", choices=ON_OFF),
    Native("readonly", "fv", "off", choices=ON_OFF),
    Native("zoned", "f", "off", choices=ON_OFF),
    Native("snapdir", "f", "hidden", choices=("hidden", "visible", "disabled")),
    _statistic("createtxg", "fvsb", number=True),
    _statistic("name", "fvsb"),
    Native("canmount", "f", "on", inheritable=False, choices=("off", "on", "noauto")),
    Native("xattr", "fs", "sa", choices=("off", "dir", "sa", "on")),
    _statistic("numclones", "s", number=True),
    Native("copies", "fv", "1", choices=("1", "2", "3"), number=True),
    Native("refquota", "f", "0", inheritable=False, number=True),
    Native("refreservation", "fv", "0", inheritable=False, number=True),
    _statistic("guid", "fvsb", number=True),
    Native("primarycache", "fvs", "all", choices=_CACHE),
    Native("secondarycache", "fvs", "all", choices=_CACHE),
    _statistic("usedbysnapshots", "fv", number=True),
    _statistic("usedbydataset", "fv", number=True),
    _statistic("usedbychildren", "fv", number=True),
    _statistic("usedbyrefreservation", "fv", number=True),
    _statistic("userrefs", "s", number=True),
    _statistic("defer_destroy", "s"),
    Native("logbias", "fv", "latency", choices=("latency", "throughput")),
    _statistic("objsetid", "fvs", number=True),
    Native(
        "dedup",
        "fv",
        "off",
        choices=(
            "on",
            "off",
            "verify",
            "sha256",
            "sha256,verify",
            "sha512",
            "sha512,verify",
            "skein",
            "skein,verify",
            "edonr,verify",
            "blake3",
            "blake3,verify",
        ),
    ),
    Native("sync", "fv", "standard", choices=("standard", "always", "disabled")),
    Native("dnodesize", "f", "legacy", choices=("legacy", "auto", "1k", "2k", "4k", "8k", "16k")),
    _statistic("refcompressratio", "fvs"),
    _statistic("written", "fvs", number=True),
    _statistic("clones", "s"),
    _statistic("logicalused", "fv", number=True),
    _statistic("logicalreferenced", "fvsb", number=True),
    _statistic("inconsistent", "fvs", number=True),
    _statistic("prevsnap", "fv"),
    Native("volmode", "fv", "default", choices=("default", "full", "geom", "dev", "none")),
    Native("filesystem_limit", "f", "none", inheritable=False, number=True),
    Native("snapshot_limit", "fv", "none", inheritable=False, number=True),
    _statistic("filesystem_count", "f", number=True),
    _statistic("snapshot_count", "fv", number=True),
    Native("snapdev", "fv", "hidden", choices=("hidden", "visible")),
    Native("acltype", "fs", "off", choices=("off", "nfsv4", "posix")),
    Native("relatime", "f", "on", choices=ON_OFF),
    Native("redundant_metadata", "fv", "all", choices=("all", "most", "some", "none")),
    Native("overlay", "f", "on", choices=ON_OFF),
    _statistic("receive_resume_token", "fv"),
    Native("encryption", "fvs", "off", once=True),
    Native("keylocation", "fv", "none", inheritable=False),
    Native("keyformat", "fv", "none", inheritable=False, once=True),
    _statistic("encryptionroot", "fvs"),
    _statistic("keystatus", "fvs"),
    _statistic("keyguid", "fvs", number=True),
    Native("special_small_blocks", "f", "0", number=True),
    _statistic("ivsetguid", "fvsb", number=True),
    _statistic("redacted", "fvs", number=True),
    _statistic("redact_snaps", "fvsb"),
    _statistic("snapshots_changed", "fv", number=True),
    Native("prefetch", "fvs", "all", choices=("none", "metadata", "all")),
)

NATIVES: Final = {native.name: native for native in _TABLE}

HIDDEN: Final = frozenset(("name", "inconsistent", "prevsnap", "numclones", "redacted", "ivsetguid", "keyguid"))
"""Can be asked for by name, but `zfs get all` leaves them out."""

ALIASES: Final = {
    "avail": "available",
    "refer": "referenced",
    "ratio": "compressratio",
    "refratio": "refcompressratio",
    "reserv": "reservation",
    "refreserv": "refreservation",
    "recsize": "recordsize",
    "volblock": "volblocksize",
    "compress": "compression",
    "rdonly": "readonly",
    "usedsnap": "usedbysnapshots",
    "usedds": "usedbydataset",
    "usedchild": "usedbychildren",
    "usedrefreserv": "usedbyrefreservation",
    "lused": "logicalused",
    "lrefer": "logicalreferenced",
    "enc": "encryption",
    "encroot": "encryptionroot",
    "fslimit": "filesystem_limit",
    "sslimit": "snapshot_limit",
    "fscount": "filesystem_count",
    "sscount": "snapshot_count",
}

_USER_PROPERTY = re.compile(r"[a-z0-9:._-]+")
_WRITTEN = re.compile(r"written[@#].+")


def is_user_property(name: str) -> bool:
    """Whether a name can be that of a user property (zfs_prop_user)."""
    return ":" in name and not name.startswith("-") and _USER_PROPERTY.fullmatch(name) is not None


def is_written_since(name: str) -> bool:
    """Whether a name is `written@snapshot` or `written#bookmark`."""
    return _WRITTEN.fullmatch(name) is not None


def column(name: str) -> str | None:
    """The full name of a property that a listing may show; None if there is no such property."""
    name = ALIASES.get(name, name)
    if name in NATIVES or is_user_property(name) or is_written_since(name):
        return name
    return None
