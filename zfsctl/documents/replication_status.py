"""How replications stand as JSON, both ways. Must import nothing heavy: `status --cached` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zfsctl.model.link_state import LinkState
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus

if TYPE_CHECKING:
    from zfsctl.documents.view_types import PairStatusDocument, ReplicationStatusDocument


def document_of_replication(replication: ReplicationStatus) -> ReplicationStatusDocument:
    """One entry of `replications`."""
    return {
        "name": replication.name,
        "health": replication.health.value,
        "lag": replication.lag,
        "warn_after": replication.warn_after,
        "max_delay": replication.max_delay,
        "pairs": [document_of_pair(pair) for pair in replication.pairs],
    }


def document_of_pair(pair: PairStatus) -> PairStatusDocument:
    """One entry of `pairs`."""
    return {
        "sender": {"host": pair.sender_host, "dataset": pair.sender},
        "receiver": {"host": pair.receiver_host, "dataset": pair.receiver},
        "health": pair.health.value,
        "state": pair.state.value,
        "why": pair.why,
        "lag": pair.lag,
        "waiting": pair.waiting,
        "base": pair.base,
        "base_at": pair.base_at,
        "next": pair.next,
    }


def replication_from_document(document: ReplicationStatusDocument) -> ReplicationStatus:
    """The replication that `document` was made from; KeyError, TypeError or ValueError if it is none."""
    return ReplicationStatus(
        name=document["name"],
        warn_after=document["warn_after"],
        max_delay=document["max_delay"],
        pairs=tuple(_pair_from(pair) for pair in document["pairs"]),
    )


def _pair_from(document: PairStatusDocument) -> PairStatus:
    return PairStatus(
        sender_host=document["sender"]["host"],
        sender=document["sender"]["dataset"],
        receiver_host=document["receiver"]["host"],
        receiver=document["receiver"]["dataset"],
        health=LinkHealth(document["health"]),
        state=LinkState(document["state"]),
        why=document["why"],
        lag=document["lag"],
        waiting=document["waiting"],
        base=document["base"],
        base_at=document["base_at"],
        next=document["next"],
    )
