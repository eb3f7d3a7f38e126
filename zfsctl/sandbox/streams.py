"""What `zfs send` writes and `zfs receive` reads, as a value: no byte of it exists, only its length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.datasets import NO_CONTENT, SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.extents import DISTANT, written_since
from zfsctl.sandbox.inheritance import dataset_setting
from zfsctl.sandbox.keys import ivset_guid, key_format, key_guid
from zfsctl.sandbox.machines import scramble
from zfsctl.sandbox.pools import SimPool

RECORD_BYTES = 312
"""One record of a stream without its data (dmu_replay_record_t)."""
LARGE_BLOCK = 131072
"""Blocks above this size need -L."""

_CARRIED = ("volsize", "volblocksize")


@dataclass(frozen=True, slots=True)
class StreamFlags:
    """The options of `zfs send` that decide what a stream is made of."""

    large_blocks: bool = False
    embedded: bool = False
    compressed: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One snapshot in a stream, from its BEGIN record to its END record."""

    kind: DatasetKind
    toname: str
    """The snapshot's full name on the sender."""
    toguid: int
    creation: int
    size: int
    """Bytes of the whole part, as if it were not resumed."""
    flags: StreamFlags
    fromguid: int = 0
    """0 for a full one."""
    clone: bool = False
    """Whether it starts from a snapshot of another dataset, its origin."""
    resuming: bool = False
    offset: int = 0
    """How many bytes of it the receiver has already."""
    blocks: tuple[tuple[int, int], ...] = ()
    """Everything that the snapshot refers to: what tells one block from another everywhere, and its bytes."""
    content: Mapping[str, str] = field(default_factory=lambda: NO_CONTENT)
    properties: Mapping[str, str] = field(default_factory=dict)
    """The sizes of a volume."""
    encryption: str = "off"
    """What a raw part is encrypted with."""
    keyformat: str = ""
    keyguid: int = 0
    ivsetguid: int = 0
    from_ivsetguid: int = 0

    @property
    def length(self) -> int:
        """Bytes that are still to be sent, two records at least."""
        return max(self.size - self.offset, 2 * RECORD_BYTES)


@dataclass(frozen=True, slots=True)
class Stream:
    """What one `zfs send` writes."""

    parts: tuple[Part, ...]
    end: int | None = None
    """After how many bytes it was cut; None when it is whole."""
    stalls: bool = False
    """Whether a cut one does not end: its receiver waits for more."""

    @property
    def size(self) -> int:
        """Bytes of the whole stream."""
        return sum(part.length for part in self.parts)

    @property
    def length(self) -> int:
        """Bytes that arrive."""
        return self.size if self.end is None else min(self.end, self.size)

    def cut(self, end: int, *, stalls: bool = False) -> Stream:
        """The same stream, cut after `end` bytes."""
        return replace(self, end=min(end, self.length), stalls=stalls)

    def arriving(self) -> Iterator[tuple[Part, int]]:
        """Each part with how many of its bytes arrive; the last one may be cut, and may be cut to nothing."""
        left = self.length
        for part in self.parts:
            yield part, min(left, part.length)
            if left < part.length:
                return
            left -= part.length


def part_of(
    pool: SimPool,
    dataset: SimDataset,
    snapshot: SimSnapshot,
    flags: StreamFlags,
    *,
    base: SimSnapshot | SimBookmark | None = None,
    clone: bool = False,
) -> Part:
    """The part that brings a snapshot to a receiver that has nothing, or that has `base`."""
    at = snapshot.createtxg
    flags = _effective(dataset, at, flags)
    alive = [e for e in dataset.extents if e.birth <= at and (e.death is None or e.death > at)]
    since = base.createtxg if base else 0
    carried = {name: dataset.properties[name] for name in _CARRIED if name in dataset.properties}
    return Part(
        dataset.kind,
        f"{dataset.name}@{snapshot.name}",
        snapshot.guid,
        snapshot.creation,
        wire_bytes(block_size(pool, dataset), written_since(dataset.extents, since, at)),
        flags,
        fromguid=base.guid if base else 0,
        clone=clone,
        blocks=tuple((everywhere(extent.key, pool), extent.size) for extent in alive),
        content=snapshot.content,
        properties=carried,
        encryption=dataset.encryption if flags.raw else "off",
        keyformat=key_format(pool, dataset) if flags.raw else "",
        keyguid=key_guid(dataset),
        ivsetguid=ivset_guid(dataset, snapshot),
        from_ivsetguid=ivset_guid(dataset, base) if base else 0,
    )


def block_size(pool: SimPool, dataset: SimDataset) -> int:
    """The size of a full block, bytes."""
    return int(dataset_setting(pool, dataset, "recordsize" if dataset.is_filesystem else "volblocksize").value)


def wire_bytes(block: int, size: int) -> int:
    """How long a stream is that carries `size` bytes of data: two records around it, and one for each block."""
    return size + (2 + -(-size // block)) * RECORD_BYTES


def everywhere(key: int, pool: SimPool) -> int:
    """What tells an extent from every other one in every pool: that of the pool where its bytes were first written."""
    if abs(key) >= DISTANT:
        return key
    distant = DISTANT | scramble(pool.guid, abs(key)) >> 2
    return -distant if key < 0 else distant


def _effective(dataset: SimDataset, at: int, flags: StreamFlags) -> StreamFlags:
    """What the options come to for a dataset (dmu_send_impl): -w sends ciphertext only where there is any."""
    encrypted = dataset.encryption != "off"
    large = 0 < dataset.large_blocks <= at
    return StreamFlags(
        large_blocks=large and (flags.large_blocks or flags.raw),
        embedded=(flags.embedded or flags.raw) and not encrypted,
        compressed=flags.compressed or flags.raw,
        raw=flags.raw and encrypted,
    )
