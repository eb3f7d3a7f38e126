"""Schedules: when something was last due, and when it is due next. Cron lines are read as Debian's cron does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from zfsctl.errors import ConfigError
from zfsctl.model.policy import Schedule
from zfsctl.planner.periods import periods_of

_DAY = 86_400


def last_due(schedule: Schedule, *, now: int, zone: tzinfo) -> int | None:
    """The latest instant of the schedule that is not after `now`; None if there was none in 50 years.

    Raises:
        ConfigError: The schedule is no cron line; so do all the others here.
    """
    return _last(schedule.cron, now, zone)


def next_due(schedule: Schedule, *, now: int, zone: tzinfo) -> int | None:
    """The first instant of the schedule after `now`; None if there is none in 50 years."""
    return _next(schedule.cron, now, zone)


def is_due(schedule: Schedule, newest_creation: int | None, *, now: int, zone: tzinfo) -> bool:
    """Whether an instant of the schedule lies after the creation of the newest snapshot and not after `now`.

    So a timer that comes late or early never lets the schedule drift, and what was missed is made up for once.

    Args:
        schedule: When snapshots are to be taken.
        newest_creation: Of the newest scheduled snapshot of ours that is not from the future
            (`ownership.newest_scheduled`); None if there never was one, which is due at once.
        now: The host's own clock, which also dates its snapshots.
        zone: The time zone that the schedule is read in.
    """
    if newest_creation is None:
        return True
    last = last_due(schedule, now=now, zone=zone)
    return last is not None and last > newest_creation


def due_since(schedule: Schedule, newest_creation: int, *, zone: tzinfo) -> int | None:
    """The first instant of the schedule that the newest snapshot does not answer; None if none comes."""
    return next_due(schedule, now=newest_creation, zone=zone)


def upcoming(schedule: Schedule, *, now: int, zone: tzinfo) -> Iterator[int]:
    """The instants of the schedule after `now`, without end unless the schedule has one."""
    return _forward(schedule.cron, now, zone)


@lru_cache(maxsize=512)
def _next(cron: str, now: int, zone: tzinfo) -> int | None:
    return next(_forward(cron, now, zone), None)


def _forward(cron: str, now: int, zone: tzinfo) -> Iterator[int]:
    """The instants after `now`: stretch by stretch of one offset from UTC, in which civil time simply passes."""
    offset_at, fixed = periods_of(zone).offset, _is_fixed(cron)
    latest = reached = now
    offset = offset_at(now)
    civil_start = now + offset
    while True:
        for civil in _civil_matches(cron, civil_start, reverse=False):
            instant = civil - offset
            if offset_at(instant) != offset:
                break
            reached = instant
            if reached > latest and not (fixed and _is_repeated(reached, zone)):
                latest = reached
                yield reached
        else:
            return
        shift = _shift_after(reached, instant, offset_at)
        after = offset_at(shift)
        if fixed and after > offset and shift > latest:
            skipped = next(_civil_matches(cron, shift + offset - 1, reverse=False), None)
            if skipped is not None and skipped < shift + after:
                latest = shift
                yield shift
        reached, offset = shift, after
        civil_start = shift + after - 1


@lru_cache(maxsize=512)
def _last(cron: str, now: int, zone: tzinfo) -> int | None:
    """As _forward, backward from `now`, which may itself be the instant."""
    offset_at, fixed = periods_of(zone).offset, _is_fixed(cron)
    reached = now
    offset = offset_at(now)
    civil_start = now + offset + 1
    while True:
        for civil in _civil_matches(cron, civil_start, reverse=True):
            instant = civil - offset
            if offset_at(instant) != offset:
                break
            reached = instant
            if not (fixed and _is_repeated(reached, zone)):
                return reached
        else:
            return None
        shift = _shift_before(reached, instant, offset_at)
        before_shift = offset_at(shift - 1)
        if fixed and offset > before_shift:
            skipped = next(_civil_matches(cron, shift + offset, reverse=True), None)
            if skipped is not None and skipped >= shift + before_shift:
                return shift
        reached, offset = shift - 1, before_shift
        civil_start = shift + before_shift


def _is_fixed(cron: str) -> bool:
    """Whether a line names its minutes and hours. Debian's cron runs such a job once when civil time repeats, and right
    after the change when its time is skipped; others follow the clock on the wall."""
    minute, hour = cron.split()[:2] if len(cron.split()) > 1 else ("*", "*")
    return not (minute.startswith("*") or hour.startswith("*"))


def _is_repeated(instant: int, zone: tzinfo) -> bool:
    """Whether the clock on the wall shows this time for the second time."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone).fold == 1


def _civil_matches(cron: str, civil: int, *, reverse: bool) -> Iterator[int]:
    """The civil times that a line names after `civil`, or before it, as if they were UTC.

    Only civil time is left to cronsim: near a change of clocks its own reckoning in zones skips instants.
    """
    from cronsim import CronSim, CronSimError

    try:
        matches = CronSim(cron, datetime.fromtimestamp(civil, UTC), reverse=reverse)
    except CronSimError as error:
        raise ConfigError(f"{cron!r} is no schedule", why=str(error), hint='"0 */6 * * *"') from error
    return (int(match.timestamp()) for match in matches)


def _shift_after(instant: int, other: int, offset_at: Callable[[int], int]) -> int:
    """The first instant after `instant` at which the offset is another one, as it is at `other`."""
    offset = offset_at(instant)
    while instant + _DAY < other and offset_at(instant + _DAY) == offset:
        instant += _DAY
    return _between(instant, min(instant + _DAY, other), offset_at)


def _shift_before(instant: int, other: int, offset_at: Callable[[int], int]) -> int:
    """The first instant of the stretch of one offset that `instant` lies in; at `other`, before it, it is another."""
    offset = offset_at(instant)
    while instant - _DAY > other and offset_at(instant - _DAY) == offset:
        instant -= _DAY
    return _between(max(instant - _DAY, other), instant, offset_at)


def _between(before: int, after: int, offset_at: Callable[[int], int]) -> int:
    """The instant of the change between two instants of different offsets."""
    offset = offset_at(before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle) == offset:
            before = middle
        else:
            after = middle
    return after
