"""The history of health: a row when that of a replication, or of one pair of it, is not what it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from zfsctl.model.health_change import HealthChange
from zfsctl.model.link_state import LinkState
from zfsctl.model.names import Place
from zfsctl.model.replication_status import LinkHealth, ReplicationStatus
from zfsctl.state.recording import storable

if TYPE_CHECKING:
    from sqlite_utils import Database

_PLACE = "replication, sender_host, sender, receiver_host, receiver"
_WHOLE = ("", "", "", "")
"""Stands for both ends where it is about a replication as a whole."""


def note_health(db: Database, replications: Iterable[ReplicationStatus], at: int) -> None:
    """Write down what has changed since it was last written down."""
    # SQLite takes `new` from the row that has the maximum.
    last = db.execute(f"SELECT {_PLACE}, new, max(seq) FROM replication_health GROUP BY {_PLACE}")
    known = {tuple(row[:5]): row[5] for row in last.fetchall()}
    for replication in replications:
        for ends, new, state, lag, why in _standing(replication):
            place = (replication.name, *(storable(end) for end in ends))
            if known.get(place) == new:
                continue
            db.execute(
                f"INSERT INTO replication_health (at, {_PLACE}, old, new, state, lag, why) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (at, *place, known.get(place, ""), new, state, lag, storable(why)),
            )


def _standing(replication: ReplicationStatus) -> Iterator[tuple[tuple[str, ...], str, str, int | None, str]]:
    """Ends, health, state, lag and why, of the whole first."""
    worst = next(iter(replication.worst_first), None)
    why = "" if worst is None or worst.health is LinkHealth.HEALTHY else worst.why
    yield _WHOLE, replication.health.value, "", replication.lag, why
    for pair in replication.pairs:
        yield pair.place, pair.health.value, pair.state.value, pair.lag, pair.why


def read_health(db: Database, replication: str | None, limit: int) -> tuple[HealthChange, ...]:
    """The newest changes, newest first: of all replications as a whole, or of one and its pairs."""
    chosen = "sender_host = ''" if replication is None else "replication = :name"
    rows = db.execute(
        f"SELECT at, {_PLACE}, old, new, state, lag, why FROM replication_health "
        f"WHERE {chosen} ORDER BY seq DESC LIMIT :limit",
        {"name": replication, "limit": max(limit, 0)},
    ).fetchall()
    return tuple(_change(row) for row in rows)


def _change(row: Sequence[Any]) -> HealthChange:
    at, replication, sender_host, sender, receiver_host, receiver, old, new, state, lag, why = row
    return HealthChange(
        at=at,
        replication=replication,
        sender=Place(sender_host, sender) if sender_host else None,
        receiver=Place(receiver_host, receiver) if receiver_host else None,
        old=LinkHealth(old) if old else None,
        new=LinkHealth(new),
        state=LinkState(state) if state else None,
        lag=lag,
        why=why,
    )
