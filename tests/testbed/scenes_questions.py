"""The very questions that zfsctl asks, on the trees that scenes_datasets built."""

from __future__ import annotations

from typing import Final

from tests.testbed.capture import Camera
from zfsctl.zfs.about import argv_clock, argv_version
from zfsctl.zfs.bookmarks import argv_list_bookmarks
from zfsctl.zfs.datasets import argv_list_datasets
from zfsctl.zfs.destroying import argv_destroy_estimate
from zfsctl.zfs.holds import argv_list_holds
from zfsctl.zfs.own_properties import argv_own_properties
from zfsctl.zfs.pools import argv_list_pools
from zfsctl.zfs.properties import argv_get_properties
from zfsctl.zfs.rereading import argv_guids, argv_reread_datasets, argv_reread_snapshots
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.snapshots import argv_list_snapshots

PHOTOS: Final = ("tank/photos@inherits", "tank/photos@with space", "tank/photos@odd")
TANK: Final = Scope(("tank",), recursive=True)
BOTH: Final = Scope(("bk", "tank"), recursive=True)
SOME: Final = Scope(("tank/photos", "tank/ro", "tank/vol", "tank/with space"), recursive=False)
NONE: Final = Scope(("tank/ro",), recursive=True)


def ask(camera: Camera) -> None:
    """Everything that a run reads, and the second looks."""
    take = camera.take
    take("asked-version", argv_version().argv)
    take("asked-clock", argv_clock().argv)
    take("asked-pools", argv_list_pools().argv)
    take("asked-datasets", argv_list_datasets().argv)
    take("asked-snapshots", argv_list_snapshots(BOTH).argv)
    take("asked-snapshots-of-some", argv_list_snapshots(SOME).argv)
    take("asked-snapshots-of-none", argv_list_snapshots(NONE).argv)
    take("asked-snapshots-of-missing", argv_list_snapshots(Scope(("tank/gone", "tank/photos"), recursive=True)).argv)
    take("asked-own-properties", argv_own_properties(BOTH).argv)
    take("asked-own-properties-of-some", argv_own_properties(SOME).argv)
    take("asked-own-properties-of-none", argv_own_properties(NONE).argv)
    camera.do("zfs inherit zfsctl:reason tank/photos@odd")
    take("asked-own-properties-readable", argv_own_properties(TANK).argv)
    take("asked-bookmarks", argv_list_bookmarks(BOTH).argv)
    take("asked-holds", argv_list_holds(PHOTOS).argv)
    take("asked-properties", argv_get_properties(("zfsctl:policy", "compression"), ("tank/photos", "tank/ro")).argv)
    take("asked-again-snapshots", argv_reread_snapshots((*PHOTOS, "tank/photos@gone", "tank/gone@s")).argv)
    take("asked-again-datasets", argv_reread_datasets(("tank/photos", "tank/vol", "tank/gone", "bk/photos")).argv)
    take("asked-guids", argv_guids(PHOTOS).argv)
    take("asked-estimate", argv_destroy_estimate("tank/photos", ("-dash", "inherits", "gone")).argv)


SCENES: Final = (ask,)
