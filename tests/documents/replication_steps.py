"""Steps of replication of every kind, as a plan may hold them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.documents.replicating import TOKEN
from zfsctl.model.lineage import LinkState
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import (
    CloneDataset,
    PromoteClone,
    RepairKind,
    RepairMark,
    SwapDatasets,
    aside_name,
    new_name,
)
from zfsctl.model.route import Route
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Send,
    Transfer,
    cursor_name,
    send_tag,
)

parts = st.from_regex(r"[A-Za-z0-9_.:-]{1,12}", fullmatch=True).filter(lambda name: name not in (".", ".."))
below = st.builds(lambda tail: "/".join(("tank", *tail)), st.lists(parts, min_size=1, max_size=2))
guids = st.integers(min_value=1, max_value=2**64 - 1)
refs = st.builds(SnapshotRef, parts, guids)
some_refs = st.lists(refs, max_size=3).map(tuple)
flags = st.lists(st.sampled_from(("-w", "-L", "-e", "-c")), unique=True).map(tuple)
replications = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8)
received = st.fixed_dictionaries(
    {},
    optional={
        "readonly": st.just("on"),
        "canmount": st.sampled_from(("noauto", "off")),
        "compression": values,
        "com.example:owner": values,
        "zfsctl:source-properties": values,
    },
).map(lambda properties: tuple(properties.items()))
notes = st.dictionaries(st.sampled_from(("zfsctl:expires", "zfsctl:reason")), values, min_size=1).map(
    lambda properties: tuple(properties.items())
)


@st.composite
def sends(draw: st.DrawFn) -> tuple[Send, ...]:
    """One that is full or has a base, then those that go on from what the one before brought."""
    base = draw(st.none() | refs)
    if base is None:
        made = [Send("", None, (draw(refs),))]
    elif draw(st.booleans()):
        made = [Send(f"#{base.name}", base.guid, (draw(refs),))]
    else:
        origin = draw(st.just("") | below)
        made = [Send(f"{origin}@{base.name}", base.guid, draw(st.lists(refs, min_size=1, max_size=3).map(tuple)))]
    for snapshots in draw(st.lists(st.lists(refs, min_size=1, max_size=3).map(tuple), max_size=2)):
        made.append(Send(f"@{made[-1].last.name}", made[-1].last.guid, snapshots))
    return tuple(made)


@st.composite
def replication_steps(draw: st.DrawFn, **shared: Any) -> ReplicationStep:
    """One step; `shared` is what every step has, whatever its kind."""
    name = draw(replications)
    shared["replication"] = name
    kinds = (HoldSnapshots, CreateParents, AbortReceive, RenameSnapshot, Transfer, MoveAnchors)
    kind = draw(st.sampled_from((*kinds, CloneDataset, PromoteClone, SwapDatasets)))
    home, mark = draw(below), RepairMark(draw(st.sampled_from(RepairKind)), name, draw(guids), "20261120T143000Z")
    built = new_name(home, mark.stamp)
    if kind is CloneDataset:
        return CloneDataset(**shared, dataset=home, dataset_guid=mark.guid, base=draw(refs), to=built, mark=str(mark))
    if kind is PromoteClone:
        return PromoteClone(**shared, dataset=built, origin=home, base=draw(refs), mark=str(mark))
    if kind is SwapDatasets:
        return SwapDatasets(
            **shared,
            dataset=home,
            dataset_guid=mark.guid,
            built=draw(st.sampled_from((built, home))),
            aside=aside_name(home, mark.stamp),
            mark=str(mark),
        )
    if kind is HoldSnapshots:
        held = st.lists(st.builds(HeldSnapshot, below, refs), min_size=1, max_size=3).map(tuple)
        return HoldSnapshots(**shared, tag=send_tag(name), snapshots=draw(held))
    if kind is CreateParents:
        return CreateParents(**shared, datasets=tuple(draw(st.lists(below, min_size=1, max_size=3))))
    if kind is AbortReceive:
        return AbortReceive(**shared, dataset=draw(below), token=TOKEN)
    if kind is RenameSnapshot:
        return RenameSnapshot(**shared, dataset=draw(below), snapshot=draw(refs), to=draw(parts))
    pair: dict[str, Any] = {
        "sender_host": draw(st.sampled_from(("alpha", "vault"))),
        "sender": draw(below),
        "sender_guid": draw(guids),
        "receiver": draw(below),
        "properties": draw(received),
    }
    if kind is MoveAnchors:
        return MoveAnchors(
            **shared,
            **pair,
            chain=(
                *draw(st.lists(refs.map(lambda ref: SnapshotRef(f"#{ref.name}", ref.guid)), max_size=1)),
                *draw(some_refs),
            ),
            bookmarks=tuple(SnapshotRef(cursor_name(name, guid), guid) for guid in draw(st.lists(guids, max_size=2))),
            held=draw(some_refs),
            in_flight=draw(some_refs),
            notes=draw(st.lists(st.tuples(refs, notes), max_size=2).map(tuple)),
        )
    return Transfer(
        **shared,
        **pair,
        state=draw(st.sampled_from(LinkState)),
        receiver_guid=draw(st.none() | guids),
        sends=draw(sends()),
        token=draw(st.sampled_from(("", TOKEN))),
        flags=draw(flags),
        route=draw(st.sampled_from((Route.RELAY, Route.PUSH, Route.PULL))),
        bandwidth=draw(st.none() | st.integers(1, 2**40)),
        compress=draw(st.booleans()),
        parallel=draw(st.integers(1, 64)),
        estimate=draw(st.none() | st.integers(0, 2**50)),
    )
