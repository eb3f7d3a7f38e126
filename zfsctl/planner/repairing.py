"""How far a repair has come, from names, marks and guids alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.names import MAX_NAME_BYTES, REPAIR_MARK, is_at_or_below
from zfsctl.model.repair import (
    ASIDE_BYTES,
    RepairKind,
    RepairMark,
    aside_name,
    is_aside_of,
    is_new_of,
    parse_repair_mark,
)
from zfsctl.model.transfer import NOT_TAKEN_YET
from zfsctl.planner.lineage import End, why_busy


@dataclass(frozen=True, slots=True)
class Begun:
    """A repair that is half done."""

    receiver: str
    built: str
    """What is built, where it is now; the receiver's own name once it is home."""
    mark: RepairMark

    @property
    def aside(self) -> str:
        """Where the former receiver goes, or is."""
        return aside_name(self.receiver, self.mark.stamp)

    @property
    def is_home(self) -> bool:
        """Whether what is built has taken the receiver's place."""
        return self.built == self.receiver

    def is_torn(self, host: HostFacts) -> bool:
        """Whether the swap was cut off between its two renames, so that nothing is in the receiver's place.

        What is aside has to be the very receiver, and what was built to be whole: names alone prove nothing.
        """
        if self.is_home or self.receiver in host.datasets:
            return False
        aside, built = host.datasets.get(self.aside), host.datasets.get(self.built)
        if aside is None or aside.guid != self.mark.guid or built is None:
            return False
        is_clone = self.mark.kind is RepairKind.CLONE and built.origin is not None
        return not (is_clone or built.inconsistent or built.receive_resume_token) and not why_busy(
            End(host, self.built), built
        )

    def comes_home(self, host: HostFacts) -> bool:
        """Whether only renames are left, which ask nothing of the sender."""
        return self.is_home or self.is_torn(host)

    @property
    def why(self) -> str:
        """One line for people."""
        if self.is_home:
            return f"what lies below {self.aside} is not all home yet"
        return f"{self.built} is being made to take the place of {self.receiver}"


def begun_repair(replication: str, host: HostFacts, receiver: str) -> Begun | None:
    """The repair of `receiver` that was begun and not finished; None where there is none.

    What has the name and not the mark, or the mark of another dataset's repair, is nobody's repair.
    """
    mark = _mark(host, receiver)
    if mark is not None and mark.replication == replication:
        return Begun(receiver, receiver, mark)
    former = host.datasets.get(receiver)
    for name in sorted((name for name in host.datasets if is_new_of(name, receiver)), reverse=True):
        mark = _mark(host, name)
        if mark is not None and mark.replication == replication and former in (None, _with_guid(former, mark.guid)):
            return Begun(receiver, name, mark)
    return None


def nameless_of(host: HostFacts, receiver: str) -> str:
    """What is called as if it were built for `receiver` and carries no mark; empty for nothing.

    A first copy comes without its mark where the account may not set it: beside that no other is begun.
    """
    return next((name for name in host.datasets if is_new_of(name, receiver) and _mark(host, name) is None), "")


def _mark(host: HostFacts, name: str) -> RepairMark | None:
    return parse_repair_mark(host.chains.marks.get(name, {}).get(REPAIR_MARK, ""))


def _with_guid(dataset: Dataset | None, guid: int) -> Dataset | None:
    return dataset if dataset is not None and dataset.guid == guid else None


def origin_of(host: HostFacts, built: str) -> tuple[str, Snapshot] | None:
    """The dataset and snapshot that `built` is still a clone of; None when it has its history."""
    dataset = host.datasets.get(built)
    if dataset is None or dataset.origin is None:
        return None
    former, _, short = dataset.origin.partition("@")
    base = next((one for one in host.snapshots.get(former, ()) if one.name == short), None)
    return None if base is None else (former, base)


def end_of(host: HostFacts, begun: Begun) -> End:
    """What is built as a receiver: as it is, or as it will be once it is promoted."""
    former = origin_of(host, begun.built) if begun.mark.kind is RepairKind.CLONE else None
    if former is None:
        return End(host, begun.built)
    return End(as_promoted(host, former[0], former[1], begun.built), begun.built)


def as_promoted(host: HostFacts, receiver: str, base: Snapshot, built: str) -> HostFacts:
    """`host` as it will be when a clone of `base` called `built` has been promoted."""
    moving = [one for one in host.snapshots[receiver] if one.createtxg <= base.createtxg]
    former = host.datasets[receiver]
    dataset = replace(
        former,
        name=built,
        guid=NOT_TAKEN_YET,
        written=0,
        origin=None,
        mounted=False,
        readonly=True,
        receive_resume_token=None,
        encryptionroot=built if former.encryptionroot == receiver else former.encryptionroot,
    )
    chains = host.chains
    holds, ivsets, tokens = dict(chains.holds), dict(chains.ivsets), dict(chains.tokens)
    tokens.pop(built, None)
    for one in moving:
        name = f"{built}@{one.name}"
        if str(one) in holds:
            holds[name] = holds[str(one)]
        if str(one) in ivsets:
            ivsets[name] = ivsets[str(one)]
    return replace(
        host,
        datasets={**host.datasets, built: dataset},
        snapshots={**host.snapshots, built: tuple(replace(one, dataset=built, clones=()) for one in moving)},
        chains=replace(chains, holds=holds, ivsets=ivsets, tokens=tokens),
    )


def asides_of(host: HostFacts, receiver: str) -> tuple[str, ...]:
    """The copies of `receiver` that were set aside and not released, oldest first."""
    return tuple(sorted(name for name in host.datasets if is_aside_of(name, receiver)))


def why_not_set_aside(host: HostFacts, receiver: str) -> str:
    """Why OpenZFS would refuse to give it another name; empty where nothing is known to speak against it."""
    if "/" not in receiver:
        return f"{receiver} is the root of a pool, which cannot be set aside"
    names = [name for name in host.datasets if is_at_or_below(name, receiver)]
    full = [*names, *(str(one) for name in names for one in host.snapshots.get(name, ()))]
    longest = max((len(name.encode()) for name in full), default=0)
    if longest + ASIDE_BYTES > MAX_NAME_BYTES:
        return f"a name below {receiver} would have more than {MAX_NAME_BYTES} bytes"
    return ""
