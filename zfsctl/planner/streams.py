"""In which form a pair is sent: raw or plain, with which flags, and in which order clones go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.lineage import Lineage
from zfsctl.model.names import pool_of
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.replication import Raw
from zfsctl.model.transfer import Send
from zfsctl.planner.lineage import End
from zfsctl.planner.links import Link
from zfsctl.planner.sends import sends_from, source_of


def is_raw_chain(sender: End, receiver: End) -> bool:
    """Whether both ends hold the same ciphertext: some snapshot or bookmark has one ivset guid on both."""
    sent = {
        guid
        for one in (*sender.snapshots, *sender.bookmarks)
        if (guid := sender.host.chains.ivsets.get(str(one))) is not None
    }
    return any(receiver.host.chains.ivsets.get(str(one)) in sent for one in reversed(receiver.snapshots))


def sends_raw(link: Link, sender: End, receiver: End) -> bool:
    """Raw is decided by the first copy; later the chain stays what it is."""
    source, found = sender.dataset, link.lineage
    if source is None or source.encryption == "off":
        return False
    if found.token is not None:
        return found.token.raw
    if found.base is None:
        return link.pair.replication.raw is not Raw.NEVER
    base = found.base
    names = [str(one) for one in (base.sent, base.bookmark) if one is not None]
    sent = {guid for name in names if (guid := sender.host.chains.ivsets.get(name)) is not None}
    return receiver.host.chains.ivsets.get(str(base.received)) in sent


def has_foreign_root(receiver: Dataset) -> bool:
    """Whether a raw increment would leave the receiver with a key that does not fit (openzfs #12614): each copy
    arrives as its own encryption root, and must still be that."""
    return receiver.encryption != "off" and receiver.encryptionroot not in (None, receiver.name)


def is_open(receiver: End) -> bool:
    """Whether the next who mounts a copy could write to it, which ends its chain."""
    return receiver.dataset is not None and not receiver.dataset.readonly


def flags_for(raw: bool, sender: End, receiver: End) -> tuple[str, ...]:
    if raw:
        return ("-w",)
    both = sender.host.chains.features.get(pool_of(sender.name), frozenset()) & receiver.host.chains.features.get(
        pool_of(receiver.name), frozenset()
    )
    above = receiver.name
    while above and above not in receiver.host.datasets:
        above = above.rpartition("/")[0]
    encrypted = bool(above) and receiver.host.datasets[above].encryption != "off"
    source_encrypted = sender.dataset is not None and sender.dataset.encryption != "off"
    flags = ["-L"] if "large_blocks" in both else []
    if "embedded_data" in both and not encrypted:
        flags.append("-e")
    if {"lz4_compress", "zstd_compress"} <= both and not source_encrypted:
        flags.append("-c")
    return tuple(flags)


def resumed(found: Lineage, history: Sequence[Snapshot], waiting: Sequence[Snapshot]) -> tuple[Send, ...]:
    """The stream that the token goes on with, then what comes after it."""
    token = found.token
    assert token is not None
    to = next(one for one in history if one.guid == token.to_guid)
    source, guid = source_of(found.base)
    first = Send(source, guid, (SnapshotRef(to.name, to.guid),))
    later = [one for one in waiting if one.createtxg > to.createtxg]
    return (first, *sends_from(history, later, f"@{to.name}", to.guid))


def origins_first(found: Sequence[tuple[Link, End, End]]) -> Iterable[tuple[Link, End, End]]:
    """Parents before children, as given, and the origin of a clone before the clone."""
    by_name = {link.pair.sender: (link, sender, receiver) for link, sender, receiver in found}
    done: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> Iterable[tuple[Link, End, End]]:
        if name in done or name in above or name not in by_name:
            return
        entry = by_name[name]
        dataset = entry[1].host.datasets.get(name)
        if dataset is not None and dataset.origin is not None:
            yield from visit(dataset.origin.partition("@")[0], above | {name})
        if name not in done:
            done[name] = None
            yield entry

    for link, _, _ in found:
        yield from visit(link.pair.sender, frozenset())
