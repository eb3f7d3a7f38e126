"""Durations as people write them: an integer and one of s m h d w; m is minutes."""

from __future__ import annotations

import re

SECONDS_OF = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""What each unit is worth. There is no month and no year: they have no fixed length."""

LONGEST = 1000 * 366 * 86_400
"""Seconds. Beyond a thousand years a date leaves the calendar, and nobody meant it."""

EXPECTED = "an integer and one of s m h d w, such as 30d (m is minutes)"

_DURATION = re.compile(r"([0-9]+)([smhdw])")
_NEAR = re.compile(r"\s*([0-9]+)\s*([a-z]+)\.?\s*", re.IGNORECASE)
_LONG_UNITS = {
    "second": "s",
    "sec": "s",
    "minute": "m",
    "min": "m",
    "hour": "h",
    "hr": "h",
    "day": "d",
    "week": "w",
    "wk": "w",
}
_CALENDAR_UNITS = {"mo": 30, "mon": 30, "month": 30, "y": 365, "yr": 365, "year": 365}


def parse_duration(text: str) -> int:
    """Seconds of a duration such as `30d`; at least 1.

    Raises:
        ValueError: It is not one; the message says what it is instead.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no duration")
    # A long row of digits is refused before int() is asked to read it, which Python limits to 4,300 of them.
    seconds = int(found[1]) * SECONDS_OF[found[2]] if len(found[1]) <= 15 else LONGEST + 1
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is longer than a thousand years")
    if not seconds:
        raise ValueError(f"{text!r} is no time at all")
    return seconds


def nearest_duration(text: str) -> str | None:
    """The duration that was probably meant by `text`, such as 10m for "10 min"; None when there is no telling."""
    found = _NEAR.fullmatch(text)
    meant = _meant(found[1], found[2].lower()) if found else None
    if meant is None:
        return None
    try:
        parse_duration(meant)
    except ValueError:
        return None
    return meant


def _meant(number: str, unit: str) -> str | None:
    singular = unit[:-1] if unit.endswith("s") and len(unit) > 1 else unit
    if singular in SECONDS_OF:
        return f"{number}{singular}"
    if singular in _LONG_UNITS:
        return f"{number}{_LONG_UNITS[singular]}"
    if singular in _CALENDAR_UNITS:
        return f"{int(number[:6]) * _CALENDAR_UNITS[singular]}d"
    return None
