"""Pairs with their evidence, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zfsctl.model.explanation import ExplainedPair
from zfsctl.model.names import Place
from zfsctl.model.replication_status import PairStatus
from zfsctl.model.transfer import Transfer
from zfsctl.render.entries import Entry, Kind, entries_of_step
from zfsctl.render.replications import ends_text, health_span, lag_text, row_of_pair
from zfsctl.render.text import Line, Row, Span, Style, line, table
from zfsctl.render.units import counted, from_now, human_bytes

_SIGN_STYLES = {"+": Style.NEW, ">": Style.SENT, "~": Style.CHANGED}
_MOST_NAMES = 3


def render_pairs(pairs: Sequence[ExplainedPair], *, now: int) -> list[Line]:
    """Each pair with what it rests on, and what the next run would do."""
    lines: list[Line] = []
    for pair in pairs:
        facts = [*_standing(pair.status, now), *_evidence(pair), ("next", pair.status.next)]
        labelled = [("health", health_span(pair.status)), *((label, Span(text)) for label, text in facts if text)]
        lines += [line(), line(Span(ends_text(pair.status), Style.STRONG))]
        lines += table([(Span(label, Style.QUIET), text) for label, text in labelled], indent=2)
        lines += table([_step(entry) for entry in _entries(pair, now)], indent=12)
    return lines


def rows_of_pairs(replication: str, pairs: Sequence[ExplainedPair]) -> list[Row]:
    """The same for a pipe: the pair, then what it rests on and what a run would do, each with the sender.

    pair: as in a status · evidence: sender, label, text · step: sender, sign, what, bytes, why.
    """
    rows: list[Row] = []
    for pair in pairs:
        sender = str(Place(pair.status.sender_host, pair.status.sender))
        rows.append(row_of_pair(replication, pair.status))
        rows += [("evidence", sender, label, text) for label, text in _evidence(pair)]
        rows += [("step", sender, entry.sign, entry.name, _size(entry), entry.why) for entry in _entries(pair, 0)]
    return rows


def _standing(status: PairStatus, now: int) -> Iterator[tuple[str, str]]:
    waits = f", {counted(status.waiting, 'snapshot waits', 'snapshots wait')}" if status.waiting else ""
    yield "state", status.state.value
    yield "lag", f"{lag_text(status.lag)}{waits}"
    if status.base is None or status.base_at is None:
        yield "base", "none"
    else:
        yield "base", f"{status.base}, {from_now(status.base_at, now=now)}"


def _evidence(pair: ExplainedPair) -> Iterator[tuple[str, str]]:
    if pair.base_guid is not None:
        yield "guid", str(pair.base_guid)
    if pair.common is not None:
        yield "both", counted(pair.common, "snapshot")
    if pair.only_sender is not None:
        sent = f", to be sent: {_names(pair.to_send)}" if pair.to_send else ""
        yield "sender", f"{counted(pair.only_sender, 'snapshot')} of its own{sent}"
    if pair.only_receiver is not None:
        own = f", newer than the base: {_names(pair.own)}" if pair.own else ""
        yield "receiver", f"{counted(pair.only_receiver, 'snapshot')} of its own{own}"
    if pair.clashes:
        yield "clashes", f"{_names(pair.clashes)}: another snapshot on the receiver"
    if pair.resumes:
        yield "resumes", pair.resumes
    for number, text in enumerate(pair.kept):
        yield "keeps" if number == 0 else "", text


def _names(names: Sequence[str]) -> str:
    """All of a few names; of many the first and the last."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(f"@{name}" for name in names)
    return f"@{names[0]} to @{names[-1]}"


def _entries(pair: ExplainedPair, now: int) -> list[Entry]:
    """A step may be about other pairs too; only its line about this one is told. What serves a transfer is left out."""
    status = pair.status
    sends = any(isinstance(step, Transfer) for step in pair.steps)
    places = ((status.sender_host, status.sender), (status.receiver_host, status.receiver))
    return [
        entry
        for step in pair.steps
        for entry in entries_of_step(step, at=now)
        if (entry.host, entry.dataset) in places and not (sends and entry.kind in (Kind.HOLD, Kind.ANCHORS))
    ]


def _step(entry: Entry) -> tuple[str | Span, ...]:
    why = f"{entry.why}, about {_size(entry)}" if entry.estimate is not None else entry.why
    return (Span(entry.sign, _SIGN_STYLES.get(entry.sign, Style.PLAIN)), entry.short or entry.name, why)


def _size(entry: Entry) -> str:
    return "" if entry.estimate is None else human_bytes(entry.estimate)
