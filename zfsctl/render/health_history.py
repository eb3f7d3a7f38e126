"""Changes of health as text."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.health_change import HealthChange
from zfsctl.render.replications import LINK_STYLES, lag_text
from zfsctl.render.text import Line, Row, Span, Style, line, table
from zfsctl.render.units import instant_utc, minute_utc

_HEADINGS = ("SEEN", "REPLICATION", "FROM", "TO", "LAG", "WHY")


def render_health(changes: Sequence[HealthChange]) -> list[Line]:
    """Changes for a terminal; below each pair's its ends."""
    if not changes:
        return [line("No change of health has been noted yet.")]
    rows: list[tuple[str | Span, ...]] = [tuple(Span(text, Style.QUIET) for text in _HEADINGS)]
    for change in changes:
        old = "-" if change.old is None else Span(change.old.value, LINK_STYLES[change.old])
        rows.append(
            (
                minute_utc(change.at),
                f"  {_ends(change)}" if change.sender is not None else Span(change.replication, Style.STRONG),
                old,
                Span(change.new.value, LINK_STYLES[change.new]),
                lag_text(change.lag),
                change.why,
            )
        )
    return table(rows, right=(4,))


def rows_of_health(changes: Sequence[HealthChange]) -> list[Row]:
    """The same for a pipe: health, when it was seen, replication, sender, receiver, old, new, state, lag, why."""
    return [
        (
            "health",
            instant_utc(change.at),
            change.replication,
            "" if change.sender is None else str(change.sender),
            "" if change.receiver is None else str(change.receiver),
            "" if change.old is None else change.old.value,
            change.new.value,
            "" if change.state is None else change.state.value,
            "" if change.lag is None else str(change.lag),
            change.why,
        )
        for change in changes
    ]


def _ends(change: HealthChange) -> str:
    return f"{change.sender} → {change.receiver}"
