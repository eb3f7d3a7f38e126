"""Schedules: when something was last due, and when it is due next. Cron lines are read as Debian's cron does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import lru_cache

from zfsctl.model.policy import Schedule

_NEAR_CHANGE = 4 * 3600
"""Clocks change by less than this. Within it a cron line is followed from farther away; see _start."""


def last_due(schedule: Schedule, *, now: int, zone: tzinfo) -> int | None:
    """The latest instant of the schedule that is not after `now`; None if there was none in 50 years."""
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
    from cronsim import CronSim

    latest = now
    for instant in CronSim(cron, _start(now, zone, -1)):
        epoch = int(instant.timestamp())
        if epoch > latest:
            latest = epoch
            yield epoch


@lru_cache(maxsize=512)
def _last(cron: str, now: int, zone: tzinfo) -> int | None:
    from cronsim import CronSim

    # cronsim leaves out its start, which may be the very instant that is looked for.
    for instant in CronSim(cron, _start(now + 1, zone, +1), reverse=True):
        epoch = int(instant.timestamp())
        if epoch <= now:
            return epoch
    return None


def _start(now: int, zone: tzinfo, direction: int) -> datetime:
    """Where to begin: at `now`, or well before (-1) or after (+1) it when clocks change near it.

    For a line with a fixed hour cronsim reckons in civil time and takes a repeated hour for its first pass, so near a
    change it may step over the instant in question. What it then finds on the wrong side of `now` is passed over.
    """
    before, after = (datetime.fromtimestamp(now + side * _NEAR_CHANGE, zone) for side in (-1, 1))
    if before.utcoffset() == after.utcoffset():
        return datetime.fromtimestamp(now, zone)
    return before if direction < 0 else after
