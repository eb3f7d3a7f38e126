"""The steps for the pairs of one tree: streams in an order in which each one's needs come first, and their anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zfsctl.model.dataset import DatasetKind, Snapshot
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import REPAIR_MARK, is_at_or_below, pool_of
from zfsctl.model.plan import PlannedDataset, Step
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.replication import Initial
from zfsctl.model.transfer import (
    NOT_TAKEN_YET,
    AbortReceive,
    CreateParents,
    HeldSnapshot,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    Send,
    Transfer,
    send_tag,
)
from zfsctl.planner.anchoring import chain_of, is_begun_by_us, is_settled, notes_of, standing_of
from zfsctl.planner.draft import Draft
from zfsctl.planner.lineage import End
from zfsctl.planner.link_findings import (
    finding_of,
    foreign_receive,
    no_key,
    no_room,
    open_receiver,
    root_was_changed,
    sender_is_repaired,
    too_long,
)
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Tree
from zfsctl.planner.repair_plan import BROKEN, Relate, Repairs, Sending
from zfsctl.planner.sends import bytes_of, sends_from, source_of
from zfsctl.planner.streams import flags_for, has_foreign_root, is_open, origins_first, resumed, sends_raw

CONFLICT_SUFFIX = ".zfsctl-conflict"

_CLOSED = (("readonly", "on"),)
_CLOSED_FILESYSTEM = (*_CLOSED, ("canmount", "noauto"))
"""A copy can be mounted over nothing. canmount on a volume is an error."""

_SENDS = frozenset({LinkState.MISSING, LinkState.PARTIAL, LinkState.CONFLICT, LinkState.BEHIND, LinkState.STUCK})


class TreePlan:
    """The steps for the pairs of one tree."""

    def __init__(self, draft: Draft, tree: Tree, relate: Relate) -> None:
        self._draft = draft
        self._relate = relate
        self._tree = tree
        self._name = tree.replication.name
        self._transfers: dict[str, Transfer] = {}
        """By receiver, what this plan sends there."""
        self._anchors: list[MoveAnchors] = []
        self._held: list[HeldSnapshot] = []
        self._before: list[Step] = []
        self._parents: dict[str, None] = {}
        self._waits_for: list[str] = []
        """Steps that take what is held."""
        self._hold_id = ""
        self._parents_id = ""

    def plan(self, found: Sequence[tuple[Link, End, End]]) -> None:
        """Add the steps, in an order in which each one's needs come before it."""
        draft = self._draft
        self._hold_id = draft.next_id("hold")
        self._parents_id = draft.next_id("parents")
        by_sender = {link.pair.sender: receiver for link, _, receiver in found}
        busy = [link.pair.receiver for link, _, _ in found if link.lineage.state is LinkState.BUSY]
        repairs = Repairs(draft, self._tree, self._relate, busy)
        for link, sender, receiver in origins_first(found):
            self._plan_pair(link, sender, receiver, by_sender, repairs)
        tree = self._tree
        if self._parents:
            draft.steps.append(
                CreateParents(
                    id=self._parents_id,
                    host=tree.receiver_host,
                    why=f"{self._name}: what its copies lie below does not exist yet",
                    replication=self._name,
                    datasets=tuple(self._parents),
                )
            )
        draft.steps += self._before
        draft.steps += repairs.before
        if self._held:
            draft.steps.append(
                HoldSnapshots(
                    id=self._hold_id,
                    host=tree.sender_host,
                    why=f"{self._name}: nobody may destroy what is being sent",
                    replication=self._name,
                    tag=send_tag(self._name),
                    snapshots=tuple(self._held),
                    after=tuple(dict.fromkeys(self._waits_for)),
                )
            )
        draft.steps += self._transfers.values()
        draft.steps += self._anchors
        # What lies below is swapped first: it comes home together with what it lies below.
        draft.steps += sorted(repairs.swaps, key=lambda step: -step.dataset.count("/"))

    def _plan_pair(
        self, link: Link, sender: End, receiver: End, by_sender: Mapping[str, End], repairs: Repairs
    ) -> None:
        found = link.lineage
        if any(host == sender.host.host and is_at_or_below(sender.name, name) for host, name in self._draft.replaced):
            self._draft.findings[sender_is_repaired(link)] = None
            return
        if found.base is not None and found.state in (*_SENDS, LinkState.CURRENT) and is_open(receiver):
            self._draft.findings[open_receiver(link, self._draft.policy)] = None
        if found.state in _SENDS:
            self._send(link, sender, receiver, by_sender)
            return
        if found.state in BROKEN:
            repairs.begin(link, sender, receiver, lambda asked: self._send_into(asked, by_sender))
            return
        if found.state is LinkState.REPAIRING and link.begun is not None:
            repairs.go_on(link, link.begun, sender, receiver, lambda asked: self._send_into(asked, by_sender))
            return
        if found.state is LinkState.CURRENT:
            standing = standing_of(self._name, sender, receiver)
            if not is_settled(self._name, standing, found):
                self._settle(link, sender, receiver, (), (), "cursor and holds are not where they belong")
        finding = finding_of(link)
        if finding is not None:
            self._draft.findings[finding] = None

    def _send_into(self, asked: Sending, by_sender: Mapping[str, End]) -> Sequence[str] | None:
        """Send what a repair needs into what it builds."""
        link, sender, receiver = asked.link, asked.sender, asked.receiver
        found = link.lineage
        if found.state is LinkState.CURRENT:
            standing = standing_of(self._name, sender, receiver)
            if is_settled(self._name, standing, found):
                return ()
            self._settle(link, sender, receiver, (), asked.after, "cursor and holds are not where they belong")
            return (self._anchors[-1].id,)
        if found.state not in _SENDS:
            finding = finding_of(link)
            if finding is not None:
                self._draft.findings[finding] = None
            return None
        self._send(link, sender, receiver, by_sender, asked)
        transfer = self._transfers.get(receiver.name)
        return None if transfer is None else (transfer.id, self._anchors[-1].id)

    def _send(
        self, link: Link, sender: End, receiver: End, by_sender: Mapping[str, End], asked: Sending | None = None
    ) -> None:
        found = link.lineage
        source = sender.dataset
        assert source is not None
        after: list[str] = list(asked.after) if asked is not None else []
        token = found.token.text if found.token is not None else ""
        if found.state is LinkState.STUCK:
            if not self._is_ours(link, sender, receiver):
                self._draft.findings[foreign_receive(link, self._draft.policy)] = None
                return
            after.append(self._abort(link, token, found.why))
            token = ""
        raw = sends_raw(link, sender, receiver)
        if source.encryption != "off" and not raw and source.keystatus == "unavailable":
            self._draft.findings[no_key(link, self._draft.policy)] = None
            return
        if raw and receiver.dataset is not None and has_foreign_root(receiver.dataset):
            self._draft.findings[root_was_changed(link)] = None
            return
        sends, waits_for = self._streams(link, sender, receiver, by_sender, resumes=bool(token))
        after += waits_for
        if not sends:
            return
        if problem := too_long(link, sends, [_moved_to(clash) for clash in found.clashes]):
            self._draft.findings[problem] = None
            return
        after += [self._rename(link, clash) for clash in found.clashes]
        first_copy = found.base is None
        if first_copy:
            parent = self._parent_of(link)
            after += [parent] if parent else []
        size = bytes_of(sends, sender.snapshots, source, after_txg=found.base.createtxg if found.base else None)
        if first_copy and not token and not self._fits(link, receiver, size):
            return
        closed = _CLOSED if source.kind is DatasetKind.VOLUME else _CLOSED_FILESYSTEM
        if asked is not None and asked.mark:
            closed = (*closed, (REPAIR_MARK, asked.mark))
        properties = closed if first_copy and not (token and found.state is LinkState.MISSING) else ()
        replication = link.pair.replication
        self._hold(link.pair.sender, sends)
        transfer = Transfer(
            id=self._draft.next_id("transfer"),
            host=self._tree.receiver_host,
            why=found.why,
            replication=self._name,
            state=found.state,
            sender_host=self._tree.sender_host,
            sender=link.pair.sender,
            sender_guid=source.guid,
            receiver=link.pair.receiver,
            receiver_guid=receiver.dataset.guid if receiver.dataset is not None else None,
            sends=sends,
            token=token,
            flags=flags_for(raw, sender, receiver),
            properties=properties,
            carries=replication.properties if properties else (),
            route=replication.route,
            bandwidth=replication.bandwidth,
            compress=replication.compress and not raw,
            parallel=replication.parallel,
            estimate=size,
            after=(*dict.fromkeys((*after, *self._takers(link.pair.sender, sends))), self._hold_id),
        )
        self._transfers[link.pair.receiver] = transfer
        self._settle(link, sender, receiver, sends, (transfer.id,), "to what has arrived", closed if first_copy else ())
        self._draft.datasets.append(
            PlannedDataset(
                self._tree.sender_host,
                link.pair.sender,
                "",
                len(sender.snapshots),
                receivers=1,
                guid=source.guid,
            )
        )

    def _streams(
        self, link: Link, sender: End, receiver: End, by_sender: Mapping[str, End], *, resumes: bool
    ) -> tuple[tuple[Send, ...], list[str]]:
        """What is sent, and the steps that it waits for because of a clone's origin."""
        found = link.lineage
        history, waiting = sender.snapshots, list(found.waiting)
        if resumes and found.token is not None:
            return resumed(found, history, waiting), []
        source, guid = source_of(found.base)
        after: list[str] = []
        if found.base is None:
            if link.pair.replication.initial is Initial.NEWEST:
                waiting = waiting[-1:]
            source, guid, after = self._origin(sender, by_sender)
        return sends_from(history, waiting, source, guid), after

    def _origin(self, sender: End, by_sender: Mapping[str, End]) -> tuple[str, int | None, list[str]]:
        """The origin of a clone as a source, where the receiver has it or gets it by this plan."""
        origin = sender.dataset.origin if sender.dataset is not None else None
        if origin is None:
            return "", None, []
        name, _, short = origin.partition("@")
        there = by_sender.get(name)
        snapshot = next((one for one in sender.host.snapshots.get(name, ()) if one.name == short), None)
        if there is None or snapshot is None:
            return "", None, []
        if any(one.guid == snapshot.guid for one in there.snapshots):
            return origin, snapshot.guid, []
        transfer = self._transfers.get(there.name)
        brought = transfer is not None and any(
            ref.guid == snapshot.guid for send in transfer.sends for ref in send.snapshots
        )
        return (origin, snapshot.guid, [transfer.id]) if transfer is not None and brought else ("", None, [])

    def _parent_of(self, link: Link) -> str:
        """The id of the step that makes what the receiver lies below; empty where it exists."""
        above = link.pair.receiver.rpartition("/")[0]
        host = self._draft.facts.hosts[self._tree.receiver_host]
        if above in host.datasets:
            return ""
        transfer = self._transfers.get(above)
        if transfer is not None:
            return transfer.id
        missing: list[str] = []
        while above and above not in host.datasets:
            missing.append(above)
            above = above.rpartition("/")[0]
        self._parents.update(dict.fromkeys(reversed(missing)))
        return self._parents_id

    def _fits(self, link: Link, receiver: End, size: int) -> bool:
        """Whether the receiver has room for a first copy, beside those planned before it."""
        host = receiver.host
        above: str = link.pair.receiver
        while above and above not in host.datasets:
            above = above.rpartition("/")[0]
        if not above:
            return True
        place = (host.host, pool_of(above))
        free = host.datasets[above].available - self._draft.promised.get(place, 0)
        if size > free:
            self._draft.findings[no_room(link, size, max(free, 0))] = None
            return False
        self._draft.promised[place] = self._draft.promised.get(place, 0) + size
        return True

    def _is_ours(self, link: Link, sender: End, receiver: End) -> bool:
        """Whether we began the interrupted receive."""
        token = link.lineage.token
        if token is None:
            return False
        return is_begun_by_us(token, standing_of(self._name, sender, receiver), prefix=self._draft.policy.prefix)

    def _abort(self, link: Link, token: str, why: str) -> str:
        step = AbortReceive(
            id=self._draft.next_id("abort"),
            host=self._tree.receiver_host,
            why=why,
            replication=self._name,
            dataset=link.pair.receiver,
            token=token,
        )
        self._before.append(step)
        return step.id

    def _rename(self, link: Link, clash: Snapshot) -> str:
        step = RenameSnapshot(
            id=self._draft.next_id("rename"),
            host=self._tree.receiver_host,
            why="another snapshot of this name is about to arrive",
            replication=self._name,
            dataset=link.pair.receiver,
            snapshot=SnapshotRef(clash.name, clash.guid),
            to=_moved_to(clash),
        )
        self._before.append(step)
        return step.id

    def _takers(self, dataset: str, sends: Sequence[Send]) -> list[str]:
        """The step that takes the newest of what is sent; none when all of it exists."""
        if sends[-1].last.guid != NOT_TAKEN_YET:
            return []
        taker = self._draft.takers[self._tree.sender_host, dataset]
        self._waits_for.append(taker)
        return [taker]

    def _hold(self, dataset: str, sends: Sequence[Send]) -> None:
        """Both ends of every stream: what is sent last, and what it is sent from."""
        refs: dict[int, SnapshotRef] = {}
        for send in sends:
            if send.source.startswith("@") and send.source_guid is not None:
                refs[send.source_guid] = SnapshotRef(send.source[1:], send.source_guid)
            refs[send.last.guid] = send.last
        self._held += [HeldSnapshot(dataset, ref) for ref in refs.values()]

    def _settle(
        self,
        link: Link,
        sender: End,
        receiver: End,
        sends: Sequence[Send],
        after: tuple[str, ...],
        why: str,
        properties: tuple[tuple[str, str], ...] = (),
    ) -> None:
        found = link.lineage
        source = sender.dataset
        assert source is not None
        standing = standing_of(self._name, sender, receiver)
        in_flight = {one.guid: SnapshotRef(one.name, one.guid) for one in standing.in_flight}
        in_flight |= {
            one.snapshot.guid: one.snapshot for one in self._held if sends and one.dataset == link.pair.sender
        }
        self._anchors.append(
            MoveAnchors(
                id=self._draft.next_id("anchors"),
                host=self._tree.receiver_host,
                why=why,
                replication=self._name,
                sender_host=self._tree.sender_host,
                sender=link.pair.sender,
                sender_guid=source.guid,
                receiver=link.pair.receiver,
                chain=chain_of(found, sends),
                bookmarks=tuple(SnapshotRef(one.name, one.guid) for one in standing.cursors),
                held=tuple(SnapshotRef(one.name, one.guid) for one in standing.held),
                in_flight=tuple(in_flight.values()),
                properties=properties,
                notes=notes_of(sends, sender),
                after=after,
            )
        )


def _moved_to(clash: Snapshot) -> str:
    """What a snapshot of the receiver's own is called once another of its name arrives."""
    return f"{clash.name}{CONFLICT_SUFFIX}-{clash.guid:016x}"
