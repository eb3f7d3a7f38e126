"""Numbers and times as operators read them elsewhere: sizes as `zfs list` prints them, ages short."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_UNITS = ("B", "K", "M", "G", "T", "P", "E")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def human_bytes(count: int) -> str:
    """`count` bytes just as `zfs list` prints them, at most five characters: 0B, 512B, 96K, 1.50M, 14.2M, 1024K.

    The rules are those of zfs_nicebytes() in OpenZFS's lib/libzutil/zutil_nicenum.c: powers of 1024, no decimals
    for a whole multiple, else as many of two as fit.
    """
    index = 0
    rest = count
    while rest >= 1024 and index < len(_UNITS) - 1:
        rest //= 1024
        index += 1
    unit = 1024**index
    if count % unit == 0:
        return f"{rest}{_UNITS[index]}"
    texts = [f"{count / unit:.{digits}f}{_UNITS[index]}" for digits in (2, 1, 0)]
    return next((text for text in texts if len(text) <= 5), texts[-1])


def short_duration(seconds: int) -> str:
    """A span of time in its largest fitting unit, rounded down: 12 s, 32 min, 3 h, 5 d."""
    for unit, size, least in (("d", _DAY, 2 * _DAY), ("h", _HOUR, _HOUR), ("min", _MINUTE, _MINUTE)):
        if seconds >= least:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def from_now(then: int, *, now: int) -> str:
    """How far `then` lies from `now`, both epoch seconds: "3 h ago", "in 28 min", "now"."""
    if then == now:
        return "now"
    return f"{short_duration(now - then)} ago" if then < now else f"in {short_duration(then - now)}"


def minute_utc(epoch: int) -> str:
    """An instant for people, to the minute: 2026-11-20 14:30 UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M UTC")


@lru_cache(maxsize=4096)  # what is taken together has the same creation: a fleet's status repeats a few instants
def instant_utc(epoch: int | None) -> str:
    """An instant for pipes, ISO 8601: 2026-11-20T14:30:00Z; "-" for None."""
    return "-" if epoch is None else datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted(count: int, one: str, several: str = "") -> str:
    """`count` with its noun: 1 snapshot, 2 snapshots."""
    return f"{count} {one if count == 1 else several or one + 's'}"
