"""How replications stand, as text."""

from __future__ import annotations

from collections.abc import Iterable

from zfsctl.model.names import Place
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.render.text import Line, Row, Span, Style, table
from zfsctl.render.units import counted, from_now, instant_utc, short_duration

MOST_PAIRS = 10
"""So many pairs of a replication that are not healthy are shown in a status; `explain` shows every one."""

LINK_STYLES = {
    LinkHealth.HEALTHY: Style.GOOD,
    LinkHealth.AWAY: Style.QUIET,
    LinkHealth.REPAIRING: Style.CHANGED,
    LinkHealth.WARNING: Style.WARNING,
    LinkHealth.UNKNOWN: Style.CRITICAL,
    LinkHealth.TAKEN_OVER: Style.CRITICAL,
    LinkHealth.BROKEN: Style.CRITICAL,
}
_HEADINGS = ("REPLICATION", "LAG", "BASE", "HEALTH")


def render_replications(replications: Iterable[ReplicationStatus], *, now: int, every: bool) -> list[Line]:
    """A line for each replication, and below it its pairs: those that are not healthy, or with `every` all."""
    rows: list[tuple[str | Span, ...]] = []
    for replication in replications:
        rows += _replication(replication, now, every=every)
    if not rows:
        return []
    return table([tuple(Span(text, Style.QUIET) for text in _HEADINGS), *rows], right=(1,))


def rows_of_replications(replications: Iterable[ReplicationStatus]) -> list[Row]:
    """The same for a pipe, all pairs of it; lags are seconds.

    replication: name, health, lag, warn_after, max_delay · pair: replication, sender, receiver, health, state, lag,
    snapshots that wait, base, when that was taken, why, what comes next.
    """
    rows: list[Row] = []
    for one in replications:
        rows.append(
            ("replication", one.name, one.health.value, _seconds(one.lag), f"{one.warn_after}", f"{one.max_delay}")
        )
        rows += [row_of_pair(one.name, pair) for pair in one.pairs]
    return rows


def lag_text(lag: int | None) -> str:
    """How far behind, for people."""
    if lag is None:
        return "?"
    return short_duration(lag) if lag else "none"


def base_text(pair: PairStatus, now: int) -> str:
    """When the newest that both ends know was taken."""
    return "none" if pair.base_at is None else from_now(pair.base_at, now=now)


def ends_text(pair: PairStatus) -> str:
    """Both ends of a pair."""
    return f"{Place(pair.sender_host, pair.sender)} → {Place(pair.receiver_host, pair.receiver)}"


def health_span(pair: PairStatus) -> Span:
    """How a pair stands, and why."""
    said = f"{pair.health.value}: {pair.why}" if pair.why else pair.health.value
    return Span(said, LINK_STYLES[pair.health])


def _replication(replication: ReplicationStatus, now: int, *, every: bool) -> Iterable[tuple[str | Span, ...]]:
    pairs = replication.pairs
    health = replication.health
    said = health.value
    if health is not LinkHealth.HEALTHY and len(pairs) > 1:
        said += f": {replication.count(health)} of {counted(len(pairs), 'pair')}"
    title = replication.name if len(pairs) == 1 else f"{replication.name}  ({counted(len(pairs), 'pair')})"
    base = base_text(pairs[0], now) if len(pairs) == 1 else ""
    yield (Span(title, Style.STRONG), lag_text(replication.lag), base, Span(said, LINK_STYLES[health]))
    ordered = replication.worst_first
    shown = ordered if every else [pair for pair in ordered if pair.health is not LinkHealth.HEALTHY]
    for pair in shown if every else shown[:MOST_PAIRS]:
        yield (f"  {ends_text(pair)}", lag_text(pair.lag), base_text(pair, now), health_span(pair))
        if pair.next:
            yield ("", "", "", Span(f"  next: {pair.next}", Style.QUIET))
    more = 0 if every else len(shown) - MOST_PAIRS
    if more > 0:
        yield ("", "", "", Span(f"… and {more} more: zfsctl explain {replication.name}", Style.QUIET, pastes=True))


def row_of_pair(replication: str, pair: PairStatus) -> Row:
    """One pair for a pipe, as `rows_of_replications` has it."""
    return (
        "pair",
        replication,
        str(Place(pair.sender_host, pair.sender)),
        str(Place(pair.receiver_host, pair.receiver)),
        pair.health.value,
        pair.state.value,
        _seconds(pair.lag),
        str(pair.waiting),
        pair.base or "",
        instant_utc(pair.base_at),
        pair.why,
        pair.next,
    )


def _seconds(lag: int | None) -> str:
    return "" if lag is None else str(lag)
