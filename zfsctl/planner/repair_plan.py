"""The steps of the repairs of one tree: build beside, send what is missing, swap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from zfsctl.model.dataset import Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.lineage import Lineage, LinkState
from zfsctl.model.names import is_at_or_below, stamp
from zfsctl.model.plan import Step
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairKind, RepairMark, SwapDatasets, new_name
from zfsctl.model.transfer import AbortReceive
from zfsctl.planner.anchoring import is_begun_by_us, standing_of
from zfsctl.planner.consent import judge_repair
from zfsctl.planner.draft import Draft
from zfsctl.planner.lineage import End, taken_over
from zfsctl.planner.link_findings import foreign_receive, not_repaired
from zfsctl.planner.links import Link
from zfsctl.planner.pairing import Pair, Tree
from zfsctl.planner.pasting import line_for
from zfsctl.planner.repairing import Begun, as_promoted, end_of, nameless_of, origin_of, why_not_set_aside
from zfsctl.planner.streams import sends_raw

Relate = Callable[[Pair, End, End], Lineage]
"""How a sender and any receiver stand to each other, by the rules of a pair."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a repair asks to be sent into what it builds."""

    link: Link
    sender: End
    receiver: End
    after: tuple[str, ...]
    mark: str
    """For a first copy, which carries it from its beginning."""


Send = Callable[[Sending], Sequence[str] | None]
"""Plans it; the ids of the steps to wait for, none where nothing is missing, None where it cannot be sent."""


class Repairs:
    """The repairs of one tree."""

    def __init__(self, draft: Draft, tree: Tree, relate: Relate, busy: Sequence[str]) -> None:
        self._draft = draft
        self._tree = tree
        self._relate = relate
        self._busy = busy
        """Receivers into which somebody receives just now."""
        self.before: list[Step] = []
        """To be done before anything is sent."""
        self.swaps: list[SwapDatasets] = []
        """Topmost first; to be done in the other order."""

    def begin(self, link: Link, sender: End, receiver: End, send: Send) -> None:
        """Plan the repair of a chain that is broken, where that is allowed."""
        judged = judge_repair(self._draft.consent, link, receiver)
        if judged.finding is not None:
            self._draft.findings[judged.finding] = None
        if judged.request is not None:
            self._draft.requests[judged.request] = None
        if not judged.may:
            return
        dataset = receiver.dataset
        assert dataset is not None
        if problem := (
            why_not_set_aside(receiver.host, receiver.name)
            or self._why_not_now(receiver.name)
            or _why_its_key_would_be_missed(link, sender, receiver)
        ):
            self._refuse(link, problem)
            return
        base = link.lineage.base
        # A clone of a clone's snapshot cannot be promoted safely (openzfs #17389): that is copied anew.
        kind = RepairKind.FULL if base is None or dataset.origin is not None else RepairKind.CLONE
        mark = RepairMark(kind, self._tree.replication.name, dataset.guid, stamp(self._draft.consent.now))
        begun = Begun(receiver.name, new_name(receiver.name, mark.stamp), mark)
        if nameless := nameless_of(receiver.host, receiver.name):
            why = f"not repaired now, {nameless} is there already and does not say whose repair it is"
            self._draft.findings[not_repaired(link, why, "zfsctl doctor")] = None
            return
        if begun.built in receiver.host.datasets or begun.aside in receiver.host.datasets:
            self._refuse(link, f"{begun.built} or {begun.aside} is there already")
            return
        first: list[Step] = []
        if receiver.token is not None:
            standing = standing_of(mark.replication, sender, receiver)
            if not is_begun_by_us(receiver.token, standing, prefix=self._draft.policy.prefix):
                self._draft.findings[foreign_receive(link, self._draft.policy)] = None
                return
            first.append(self._abort(receiver, receiver.token.text))
        built = End(receiver.host, begun.built)
        if base is not None and kind is RepairKind.CLONE:
            built = End(as_promoted(receiver.host, receiver.name, base.received, begun.built), begun.built)
            first.append(self._clone(begun, base.received, first))
            first.append(self._promote(begun, receiver.name, base.received, first))
        self._finish(link, begun, sender, built, first, send)

    def go_on(self, link: Link, begun: Begun, sender: End, receiver: End, send: Send) -> None:
        """Plan what is left of a repair that was begun."""
        if not self._draft.consent.repairs:
            hint = f"zfsctl replicate {self._tree.replication.argument}"
            self._draft.findings[not_repaired(link, "not finished, by --no-repair", hint)] = None
            return
        host = receiver.host
        former = host.datasets.get(begun.receiver)
        if problem := self._why_not_now(begun.receiver):
            self._refuse(link, problem)
            return
        if not begun.is_home and former is not None and (used := taken_over(former)):
            self._refuse(link, used)
            return
        if not begun.is_home and (wanted := _to_be_set(begun, host)):
            why = f"not repaired now, {begun.built} came without {wanted}, which its account may not set"
            hint = line_for(self._draft.policy, host.host, "zfs", "set", wanted, begun.built)
            self._draft.findings[not_repaired(link, why, hint)] = None
            return
        first: list[Step] = []
        origin = origin_of(host, begun.built) if begun.mark.kind is RepairKind.CLONE else None
        if origin is not None:
            first.append(self._promote(begun, origin[0], origin[1], first))
        self._finish(link, begun, sender, end_of(host, begun), first, send)

    def _finish(self, link: Link, begun: Begun, sender: End, built: End, first: list[Step], send: Send) -> None:
        """Send what is missing and swap. Where it cannot be sent nothing takes the receiver's place; what is below one
        that did so already comes home all the same, and so does what was built for a place that is empty.
        """
        waits = tuple(step.id for step in first)
        if begun.is_torn(built.host):
            sent: Sequence[str] = ()
        else:
            pair = replace(link.pair, receiver=begun.built)
            found = self._relate(pair, sender, built)
            inner = Link(pair, found, sender, built, link.candidates)
            planned = send(Sending(inner, sender, built, waits[-1:], str(begun.mark) if not begun.is_home else ""))
            if planned is None and not begun.is_home:
                return
            sent = planned or ()
        self.before += first
        self.swaps.append(
            SwapDatasets(
                id=self._draft.next_id("swap"),
                host=self._tree.receiver_host,
                why="all that is below comes home" if begun.is_home else "what was built takes its place",
                replication=begun.mark.replication,
                dataset=begun.receiver,
                dataset_guid=begun.mark.guid,
                built=begun.built,
                aside=begun.aside,
                mark=str(begun.mark),
                after=(*waits, *sent),
            )
        )

    def _why_not_now(self, receiver: str) -> str:
        busy = next((name for name in self._busy if is_at_or_below(name, receiver)), "")
        return f"a receive into {busy} is running, and a rename would end it" if busy else ""

    def _refuse(self, link: Link, why: str) -> None:
        self._draft.findings[not_repaired(link, f"not repaired now, {why}", "")] = None

    def _clone(self, begun: Begun, base: Snapshot, first: Sequence[Step]) -> CloneDataset:
        return CloneDataset(
            id=self._draft.next_id("clone"),
            host=self._tree.receiver_host,
            why=f"{begun.receiver} as it was at @{base.name}",
            replication=begun.mark.replication,
            dataset=begun.receiver,
            dataset_guid=begun.mark.guid,
            base=SnapshotRef(base.name, base.guid),
            to=begun.built,
            mark=str(begun.mark),
            after=tuple(step.id for step in first),
        )

    def _promote(self, begun: Begun, origin: str, base: Snapshot, first: Sequence[Step]) -> PromoteClone:
        return PromoteClone(
            id=self._draft.next_id("promote"),
            host=self._tree.receiver_host,
            why="it gets the history that both ends share",
            replication=begun.mark.replication,
            dataset=begun.built,
            origin=origin,
            base=SnapshotRef(base.name, base.guid),
            mark=str(begun.mark),
            after=tuple(step.id for step in first),
        )

    def _abort(self, receiver: End, token: str) -> AbortReceive:
        return AbortReceive(
            id=self._draft.next_id("abort"),
            host=self._tree.receiver_host,
            why="an interrupted receive would hold on to what is set aside",
            replication=self._tree.replication.name,
            dataset=receiver.name,
            token=token,
        )


def _why_its_key_would_be_missed(link: Link, sender: End, receiver: End) -> str:
    """An encryption root that takes plain streams cannot be replaced by itself: promoting a clone of it unloads its key
    (seen on 2.3.9), which plain streams need, and a first copy beside it would not be encrypted by it.
    """
    dataset = receiver.dataset
    if dataset is None or dataset.encryption == "off" or dataset.encryptionroot != receiver.name:
        return ""
    if sends_raw(link, sender, receiver):
        return ""
    return "it is an encryption root of its own that takes plain streams: what takes its place would not have its key"


def _to_be_set(begun: Begun, host: HostFacts) -> str:
    """What a first copy that was built lacks of what protects it: receive can exit 0 without its properties.

    A clone got those of the receiver that it replaces, in the command that made it.
    """
    built = host.datasets.get(begun.built)
    if built is None or built.inconsistent or begun.mark.kind is not RepairKind.FULL:
        return ""
    if not built.readonly:
        return "readonly=on"
    return "canmount=noauto" if built.canmount == "on" else ""


BROKEN = frozenset({LinkState.UNRELATED, LinkState.DIVERGED, LinkState.MODIFIED})
"""States that a repair is for."""
