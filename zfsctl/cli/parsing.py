"""Values of options as people write them."""

from __future__ import annotations

from collections.abc import Mapping

from zfsctl.errors import UsageError


def seconds_of(option: str, text: str, *, example: str) -> int:
    """Seconds of the duration that `option` was given.

    Raises:
        UsageError: It is none; says what is expected and the nearest.
    """
    from zfsctl.config.durations import EXPECTED, nearest_duration, parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: nothing was done",
            why=f"{error}; expected {EXPECTED}",
            hint=f"{option} {nearest_duration(text) or example}",
            where=option,
        ) from error


def without(option: str, others: Mapping[str, object]) -> None:
    """Refuse what makes no sense together with `option`.

    Raises:
        UsageError: One of `others` was given; they are named as people know them.
    """
    given = [name for name, value in others.items() if value]
    if given:
        raise UsageError(
            f"{given[0]}: nothing was done", why=f"it makes no sense together with {option}", where=given[0]
        )


def one_of(option: str, text: str, known: tuple[str, ...]) -> str:
    """The word that `option` was given.

    Raises:
        UsageError: It is none of `known`; with the nearest.
    """
    if text in known:
        return text
    from difflib import get_close_matches

    near = get_close_matches(text, known, n=1)
    raise UsageError(
        f"{option}: nothing was done",
        why=f"{text!r} is none of {', '.join(known)}",
        hint=f"{option} {near[0] if near else known[0]}",
        where=option,
    )
