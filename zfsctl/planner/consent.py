"""Whether a repair may be begun: what the policy lets happen, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zfsctl.model.approval import REPAIR, Approval, ApprovalRequest, ApprovalStatus, request_id
from zfsctl.model.dataset import Snapshot
from zfsctl.model.finding import Finding
from zfsctl.model.lineage import LinkState
from zfsctl.model.replication import Repair
from zfsctl.model.transfer import base_tag
from zfsctl.planner.lineage import End
from zfsctl.planner.link_findings import not_repaired
from zfsctl.planner.links import Link
from zfsctl.planner.repairing import asides_of
from zfsctl.planner.wording import counted


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person has said about repairs: on the command line, and by approvals."""

    now: int = 0
    approvals: tuple[Approval, ...] = ()
    adopt: bool = False
    """Receivers that zfsctl never wrote and that share nothing may be set aside."""
    repairs: bool = True


NOBODY_SAID_ANYTHING = Consent()


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a repair may be begun, and what is to be said or asked where it may not."""

    may: bool
    finding: Finding | None = None
    request: ApprovalRequest | None = None


def judge_repair(consent: Consent, link: Link, receiver: End) -> Judged:
    """Whether the repair of `link` may be begun.

    By itself only where the policy says `auto`, the receiver carries our hold, and no older copy of it is still aside;
    or where the receiver is an empty parent of ours, which was never a copy, so that no chain is broken.
    """
    replication = link.pair.replication
    name = replication.name
    ours = any(base_tag(name) in receiver.tags(one) for one in receiver.snapshots)
    if not consent.repairs:
        return Judged(
            False, not_repaired(link, "not repaired, by --no-repair", f"zfsctl replicate {replication.argument}")
        )
    if receiver.is_empty_parent:
        return Judged(True)
    if link.lineage.state is LinkState.UNRELATED and not ours:
        if consent.adopt:
            return Judged(True)
        what = "it was never written by zfsctl, and is left alone"
        return Judged(False, not_repaired(link, what, f"zfsctl replicate {replication.argument} --adopt"))
    if replication.repair is Repair.NEVER:
        return Judged(False, not_repaired(link, 'not repaired, by repair = "never"', f"zfsctl explain {name}"))
    asides = asides_of(receiver.host, receiver.name)
    if replication.repair is Repair.AUTO and ours and not asides:
        return Judged(True)
    request = _request(link, receiver, asides)
    given = frozenset(guid for _, guid in request.snapshots)
    for approval in consent.approvals:
        if approval.covers(
            kind=REPAIR,
            host=request.host,
            dataset_guid=request.dataset_guid,
            guids=given,
            now=consent.now,
            written=request.written,
        ):
            return Judged(True)
    if any(
        one.request.id == request.id and one.status is ApprovalStatus.DENIED and consent.now < one.expires_at
        for one in consent.approvals
    ):
        return Judged(False, not_repaired(link, f"its repair was denied ({request.id})", "zfsctl approvals"), None)
    what = f"its repair waits for approval {request.id}"
    return Judged(False, not_repaired(link, what, f"zfsctl approvals approve {request.id}"), request)


def _request(link: Link, receiver: End, asides: Sequence[str]) -> ApprovalRequest:
    """Bound to the receiver, the base, every snapshot that would be set aside, and how much is in none."""
    dataset = receiver.dataset
    assert dataset is not None
    found = link.lineage
    base = found.base.received if found.base is not None else None
    bound: list[Snapshot] = [
        one for one in receiver.snapshots if base is None or one.createtxg >= base.createtxg or one is base
    ]
    apart = len(bound) - (1 if base is not None else 0)
    why = f"{found.why}; the receiver would be set aside with {counted(apart, 'snapshot')} of its own"
    if asides:
        why += f", beside {asides[-1]}"
    guids = [one.guid for one in bound]
    return ApprovalRequest(
        id=request_id(REPAIR, receiver.host.host, dataset.guid, guids, dataset.written),
        kind=REPAIR,
        host=receiver.host.host,
        dataset=receiver.name,
        dataset_guid=dataset.guid,
        snapshots=tuple((one.name, one.guid) for one in bound),
        why=why,
        written=dataset.written,
    )
