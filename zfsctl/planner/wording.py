"""How the planner writes counts, spans and instants into reasons."""

from __future__ import annotations

from datetime import datetime, tzinfo

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span(seconds: int) -> str:
    """A span of time in its largest fitting unit, rounded down: 12 s, 32 min, 3 h, 5 d."""
    for unit, size, least in (("d", _DAY, 2 * _DAY), ("h", _HOUR, _HOUR), ("min", _MINUTE, _MINUTE)):
        if seconds >= least:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def ago(then: int, now: int) -> str:
    """How long before `now` something was: "3 h ago", or "just now" where the clock says that it is still to come."""
    return f"{span(now - then)} ago" if then < now else "just now"


def window_text(seconds: int) -> str:
    """A window as the policy file would have it: 2d, 12h, 90m, 45s. Weeks stay days."""
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def counted(count: int, one: str) -> str:
    """`count` with its noun: 1 snapshot, 2 snapshots."""
    return f"{count} {one if count == 1 else one + 's'}"


def minute(epoch: int, zone: tzinfo) -> str:
    """An instant in the policy's zone, to the minute: 2026-11-20 14:30."""
    return datetime.fromtimestamp(epoch, zone).strftime("%Y-%m-%d %H:%M")


def time_of_day(epoch: int, zone: tzinfo, *, now: int) -> str:
    """An instant of the same day as `now` as 14:30, any other with its date."""
    text = minute(epoch, zone)
    today = minute(now, zone)[:10]
    return text[11:] if text.startswith(today) else text
