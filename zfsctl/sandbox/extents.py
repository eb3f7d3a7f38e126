"""The space that a dataset and its snapshots hold, as blocks that are born in one txg and die in another.

OpenZFS frees a block when the last snapshot between its birth and its death goes, and charges it to the one snapshot
that holds it alone (dsl_deadlist.c). The same two numbers on every extent give `used`, `written`, `referenced` and
what a destroy reclaims; nothing is kept per snapshot, so destroying one moves bytes to its neighbours by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

METADATA_BYTES = 12288
"""What every write rewrites besides the data: dnodes and indirect blocks of a small filesystem."""

EMPTY_BYTES = 12288
"""What an empty dataset refers to besides that."""

DISTANT = 1 << 62
"""Keys from here on were given in another pool, and came with a stream."""


@dataclass(slots=True)
class Extent:
    """Some bytes of one dataset. Alive in its head while `death` is None; a snapshot taken at txg t holds it if
    birth <= t < death.
    """

    birth: int
    death: int | None
    size: int
    key: int
    """The same in an origin and its clones, so that a promotion can tell what they share; negative for metadata."""


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes, one entry per snapshot, oldest first, and those of the head."""

    used: tuple[int, ...]
    written: tuple[int, ...]
    referenced: tuple[int, ...]
    head_referenced: int
    head_written: int
    head_used: int
    """What the head holds and its origin does not."""
    snapshots_used: int
    """What would be free if all snapshots went."""


def measure(extents: Sequence[Extent], txgs: Sequence[int], floor: int = 0) -> Space:
    """The space of a dataset whose snapshots were taken at `txgs`, ascending.

    Args:
        extents: Every extent that the head or a snapshot refers to.
        txgs: The createtxg of each snapshot.
        floor: The createtxg of the origin of a clone: what was born by then is charged to the origin's dataset.
    """
    count = len(txgs)
    used = [0] * count
    written = [0] * count
    steps = [0] * (count + 1)
    head_referenced = head_written = head_used = snapshots_used = 0
    for extent in extents:
        size, own = extent.size, extent.birth > floor
        first = bisect_left(txgs, extent.birth)
        if extent.death is None:
            last = count
            head_referenced += size
            if own:
                head_used += size
                if first == count:
                    head_written += size
        else:
            last = bisect_left(txgs, extent.death)
            if own:
                snapshots_used += size
            if own and last == first + 1:
                used[first] += size
        if first < last:
            steps[first] += size
            steps[last] -= size
            if own:
                written[first] += size
    referenced = []
    running = 0
    for step in steps[:count]:
        running += step
        referenced.append(running)
    return Space(
        tuple(used),
        tuple(written),
        tuple(referenced),
        head_referenced,
        head_written,
        head_used,
        snapshots_used,
    )


def range_space(extents: Sequence[Extent], txgs: Sequence[int], first: int, last: int, floor: int = 0) -> int:
    """Bytes that destroying the snapshots `first` to `last`, both included, would free (lzc_snaprange_space)."""
    before = txgs[first - 1] if first else floor
    after = txgs[last + 1] if last + 1 < len(txgs) else None
    return sum(
        extent.size
        for extent in extents
        if extent.birth > before
        and extent.death is not None
        and bisect_left(txgs, extent.birth) < bisect_left(txgs, extent.death)
        and (after is None or extent.death <= after)
    )


def written_since(extents: Sequence[Extent], txg: int, upto: int | None = None) -> int:
    """Bytes born after `txg` that the head, or the snapshot taken at `upto`, refers to: `written@…`."""
    if upto is None:
        return sum(extent.size for extent in extents if extent.birth > txg and extent.death is None)
    return sum(
        extent.size
        for extent in extents
        if txg < extent.birth <= upto and (extent.death is None or extent.death > upto)
    )


def unreferenced_removed(extents: Sequence[Extent], txgs: Sequence[int]) -> list[Extent]:
    """`extents` without those that neither the head nor a snapshot taken at one of `txgs` refers to."""
    return [
        extent
        for extent in extents
        if extent.death is None or bisect_left(txgs, extent.birth) < bisect_left(txgs, extent.death)
    ]


def kill(extents: list[Extent], size: int, txg: int, *, newest: bool = False) -> int:
    """Let up to `size` bytes of data die at `txg`, oldest or newest first; returns how many did.

    An extent is cut if need be.
    """
    left = size
    alive = [extent for extent in extents if extent.death is None and extent.key >= 0]
    for extent in sorted(alive, key=lambda extent: extent.birth, reverse=newest):
        if not left:
            break
        if extent.size > left:
            extents.append(Extent(extent.birth, txg, left, extent.key))
            extent.size -= left
            left = 0
        else:
            extent.death = txg
            left -= extent.size
    return size - left
