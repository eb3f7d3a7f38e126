"""Commands on which the sandbox and a real host once parted. POOL stands for the pool's name.

One sequence each, played from an empty pool; what is wrong goes as well as what is right.
"""

from __future__ import annotations

from collections.abc import Mapping

SEQUENCES: Mapping[str, tuple[str, ...]] = {
    "zfs-set-ends-with-255": (
        "zfs set used=1 POOL",
        "zfs set nosuch=1 POOL",
        "zfs set quota=1K POOL",
        "zfs set zfsctl:policy=x POOL/none",
        "zfs set used=1 POOL POOL/none",
    ),
    "native-properties-of-snapshots": (
        "zfs snapshot POOL@s",
        "zfs set used=1 POOL@s",
        "zfs set compression=lz4 POOL@s",
        "zfs set zfsctl:policy=x POOL@s",
        "zfs inherit compression POOL@s",
        "zfs snapshot -o compression=lz4 POOL@t",
    ),
    "a-snapshot-without-clones-shows-a-dash": (
        "zfs snapshot POOL@s",
        "zfs list -Hp -t snapshot -o name,clones,numclones POOL",
        "zfs get -Hp -o name,property,value,source clones,numclones POOL@s",
        "zfs clone POOL@s POOL/c",
        "zfs list -Hp -t snapshot -o name,clones,numclones POOL",
    ),
    "sizes-that-are-none": (
        "zfs create -s -V 0x POOL/v",
        "zfs create -s -V x POOL/v",
        "zfs create -s -V 1.5KiB POOL/v",
        "zfs create -s -V 8BB POOL/w",
        "zfs set quota=x POOL",
        "zfs set quota=10Q POOL",
        "zfs set quota=99999999999999999999 POOL",
        "zfs set recordsize=1000 POOL",
    ),
    "names-that-are-none": (
        "zfs create POOL/x%y",
        "zfs create POOL/ä",
        "zfs create POOL/",
        "zfs create POOL//a",
        "zfs create POOL/..",
        "zfs create /POOL/a",
        "zfs create POOL/a@b",
        "zfs create POOL/a#b",
        "zfs list -Hp POOL@",
        "zfs list -Hp POOL//a",
        "zfs snapshot POOL@",
        "zfs snapshot POOL@a/b",
        "zfs snapshot POOL@a%b",
        "zfs snapshot POOL@a@b",
        "zfs snapshot POOL@+",
        "zfs snapshot POOL",
        "zfs bookmark POOL@none POOL#b",
        "zfs rename POOL other",
        "zfs rename POOL POOL/below",
    ),
    "everything-a-clone-can-meet": (
        "zfs create POOL/a",
        "zfs snapshot POOL/a@s1",
        "zfs bookmark POOL/a@s1 POOL/a#m1",
        "zfs snapshot POOL/a@s2",
        "zfs hold x POOL/a@s2",
        "zfs clone -o test:x=1 POOL/a@s2 POOL/c",
        "zfs snapshot POOL/c@s1",
        "zfs promote POOL/c",
        "zfs destroy POOL/c@s1",
        "zfs promote POOL/c",
        "zfs destroy POOL/c@s2",
        "zfs destroy -r POOL/c",
        "zfs bookmark POOL/c@s1 POOL/a#m2",
        "zfs rollback POOL/c@s1",
        "zfs rollback -r POOL/c@s1",
        "zfs destroy POOL/a",
        "zfs rollback -r POOL/c@s1",
        "zfs release x POOL/c@s2",
        "zfs rollback -r POOL/c@s1",
        "zfs destroy -r POOL/c",
    ),
}
