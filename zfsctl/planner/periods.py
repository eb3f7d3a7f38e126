"""The civil periods that `keep` counts: hours, days, ISO weeks, months and years of one time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from zfsctl.model.verdicts import Rule

_HOUR, _DAY = 3600, 86_400
_BLOCK = 6 * _HOUR

LONGEST = {
    Rule.HOURLY: _HOUR,
    Rule.DAILY: _DAY + _HOUR,
    Rule.WEEKLY: 7 * _DAY + _HOUR,
    Rule.MONTHLY: 31 * _DAY + _HOUR,
    Rule.YEARLY: 366 * _DAY + _HOUR,
}
"""Seconds that a period of each rule may last, the hour of a DST change included."""
_SHIFTS = 1 << 20
"""Marks a block in which the zone's offset shifts; no offset is as large."""
_OFFSET_BITS = 17
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MONDAY = 3
"""1970-01-01 was a Thursday: three days after a Monday."""


class Periods:
    """Names the period that an instant lies in, as one integer per period.

    Two instants share an hour if their civil hour and their offset from UTC are the same. So the hour that a change
    to winter time repeats is two hours, also where clocks change by half an hour or at one minute past midnight.
    Days, ISO weeks, months and years go by the civil date alone.

    Offsets are looked up once for every six hours of history, since a million snapshots are of few hours.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._offsets: dict[int, int] = {}
        self._months = _Months()
        self._labels: dict[tuple[Rule, int], str] = {}

    def offset(self, instant: int) -> int:
        """The zone's offset from UTC at `instant`, in seconds."""
        offset = self._offsets.get(instant // _BLOCK, _SHIFTS)
        return self._offset_at(instant) if offset == _SHIFTS else offset

    def civil(self, instants: Sequence[int]) -> list[int]:
        """Civil time of each instant: epoch seconds plus the zone's offset."""
        offsets = self._offsets
        found = []
        for instant in instants:
            offset = offsets.get(instant // _BLOCK, _SHIFTS)
            if offset == _SHIFTS:
                offset = self._offset_at(instant)
            found.append(instant + offset)
        return found

    def keys(self, rule: Rule, instants: Sequence[int], civil: Sequence[int]) -> list[int]:
        """The period of `rule` that each instant lies in; `civil` is what `civil(instants)` returned.

        Raises:
            ValueError: `rule` does not count periods.
        """
        match rule:
            case Rule.HOURLY:
                return [
                    (local // _HOUR << _OFFSET_BITS) + local - instant
                    for instant, local in zip(instants, civil, strict=True)
                ]
            case Rule.DAILY:
                return [local // _DAY for local in civil]
            case Rule.WEEKLY:
                return [(local // _DAY + _MONDAY) // 7 for local in civil]
            case Rule.MONTHLY:
                months = self._months
                return [months[local // _DAY] for local in civil]
            case Rule.YEARLY:
                months = self._months
                return [months[local // _DAY] // 12 for local in civil]
            case _:
                raise ValueError(f"{rule} does not count periods")

    def label(self, rule: Rule, key: int) -> str:
        """A period for people: "hour 14:00", "day 2026-11-20", "week 2026-W47", "month 2026-11", "year 2026"."""
        label = self._labels.get((rule, key))
        if label is None:
            label = self._labels[rule, key] = self._make_label(rule, key)
        return label

    def _make_label(self, rule: Rule, key: int) -> str:
        match rule:
            case Rule.HOURLY:
                return self._hour_label(key)
            case Rule.DAILY:
                return f"day {_date_of(key).isoformat()}"
            case Rule.WEEKLY:
                year, week, _ = _date_of(key * 7 - _MONDAY).isocalendar()
                return f"week {year}-W{week:02}"
            case Rule.MONTHLY:
                return f"month {key // 12:04}-{key % 12 + 1:02}"
            case Rule.YEARLY:
                return f"year {key}"
            case _:
                raise ValueError(f"{rule} does not count periods")

    def _hour_label(self, key: int) -> str:
        hour = (key + (1 << _OFFSET_BITS - 1)) >> _OFFSET_BITS
        offset = key - (hour << _OFFSET_BITS)
        text = f"hour {hour % 24:02}:00"
        first = datetime.combine(_date_of(hour // 24), datetime.min.time(), self._zone) + timedelta(hours=hour % 24)
        if first.utcoffset() == first.replace(fold=1).utcoffset():
            return text
        sign, size = ("-", -offset) if offset < 0 else ("+", offset)
        return f"{text} {sign}{size // _HOUR:02}:{size % _HOUR // 60:02}"

    def _offset_at(self, instant: int) -> int:
        """The offset at `instant`; remembered for its six hours unless the clocks change within them."""
        block = instant // _BLOCK
        first, last = self._ask(block * _BLOCK), self._ask((block + 1) * _BLOCK - 1)
        if first != last:
            return self._ask(instant)
        self._offsets[block] = first
        return first

    def _ask(self, instant: int) -> int:
        try:
            offset = datetime.fromtimestamp(instant, UTC).astimezone(self._zone).utcoffset()
        except (OverflowError, ValueError, OSError):
            # A clock that says year 10000 has no civil time; its periods are those of UTC.
            return 0
        return round(offset.total_seconds()) if offset is not None else 0


class _Months(dict[int, int]):
    """The month of each day since 1970, counted from the year 0, worked out once."""

    def __missing__(self, day: int) -> int:
        when = _date_of(day)
        month = self[day] = when.year * 12 + when.month - 1
        return month


@lru_cache(maxsize=16)
def periods_of(zone: tzinfo) -> Periods:
    """The periods of `zone`, always the same object for the same zone, so that its memory serves all datasets."""
    return Periods(zone)


def _date_of(day: int) -> date:
    """The date `day` days after 1970-01-01, as near as the calendar comes."""
    return date.fromordinal(min(max(day + _EPOCH_ORDINAL, 1), date.max.toordinal()))
