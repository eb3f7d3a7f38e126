"""Which properties a first copy may set on its receiver."""

from __future__ import annotations

SOURCE_PROPERTIES = "zfsctl:source-properties"
"""The sender's local properties as JSON, for restores."""

PROTECTING = {"readonly": ("on",), "canmount": ("noauto", "off"), "mountpoint": ("none",)}
"""What keeps a receiver from being written to or mounted over what its host has, with the only values it gets."""

_CARRIED_TEXT = """
aclinherit aclmode acltype atime checksum compression context copies dedup defcontext devices direct dnodesize
exec filesystem_limit fscontext logbias longname nbmand overlay prefetch primarycache quota recordsize
redundant_metadata refquota refreservation relatime reservation rootcontext secondarycache setuid sharenfs
sharesmb snapdev snapdir snapshot_limit special_small_blocks sync volmode volthreading vscan xattr zoned
"""
CARRIED = tuple(_CARRIED_TEXT.split())
"""The properties of zfsprops(7) that `receive -o` takes and that mean the same on another host."""
