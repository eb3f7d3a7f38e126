"""How what a receiver lacks is cut into streams: `-I` over runs of what is to be sent, `-i` across what is not."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.lineage import Base
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import Send


def sends_from(
    history: Sequence[Snapshot], waiting: Sequence[Snapshot], source: str, source_guid: int | None
) -> tuple[Send, ...]:
    """The streams that bring all of `waiting`, oldest first.

    Args:
        history: All snapshots of the sender's dataset, oldest first: what must not be sent lies among them.
        waiting: Those of them that are to be sent, oldest first.
        source: What the receiver has: `@name`, `#name`, the origin of a clone in full, or nothing for a full stream.
        source_guid: Its guid; None for nothing.
    """
    place = {snapshot.guid: index for index, snapshot in enumerate(history)}
    # From a bookmark, an origin or nothing a stream can bring one snapshot only.
    last = place.get(source_guid) if source_guid is not None and source.startswith("@") else None
    sends: list[Send] = []
    run: list[SnapshotRef] = []

    def flush() -> None:
        nonlocal source, source_guid
        if run:
            sends.append(Send(source, source_guid, tuple(run)))
            source, source_guid = f"@{run[-1].name}", run[-1].guid
            run.clear()

    for snapshot in waiting:
        index = place[snapshot.guid]
        follows = last is not None and index == last + 1
        if not follows:
            flush()
        run.append(SnapshotRef(snapshot.name, snapshot.guid))
        if not follows:
            flush()
        last = index
    flush()
    return tuple(sends)


def source_of(base: Base | None) -> tuple[str, int | None]:
    """What an increment from `base` is given as its source, and the guid of that; nothing for a full stream."""
    return ("", None) if base is None else (base.source, base.guid)


def bytes_of(sends: Sequence[Send], history: Sequence[Snapshot], dataset: Dataset, *, after_txg: int | None) -> int:
    """About how much the streams carry, by what was written; no question is asked for it.

    Args:
        sends: The streams.
        history: All snapshots of the sender's dataset.
        dataset: The sender's dataset; a full stream of a later snapshot holds about what it refers to.
        after_txg: The place of the source in the sender's history; None for a full stream.
    """
    place = {snapshot.guid: snapshot.createtxg for snapshot in history}
    brought = [place[ref.guid] for send in sends for ref in send.snapshots if ref.guid in place]
    if not brought:
        return 0
    if after_txg is not None:
        return sum(one.written for one in history if after_txg < one.createtxg <= max(brought))
    first = min(brought)
    increments = sum(one.written for one in history if first < one.createtxg <= max(brought))
    # What the first snapshot holds was written until then; where some of that is gone again, less is left by now.
    until_first = sum(one.written for one in history if one.createtxg <= first)
    if dataset.origin is not None and not sends[0].source:
        return increments + max(until_first, dataset.referenced)  # what it shares with its origin is not written
    is_oldest = history[0].createtxg == first
    return increments + (until_first if is_oldest else min(until_first, dataset.referenced))
