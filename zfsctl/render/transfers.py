"""What a transfer sends, in half a line."""

from __future__ import annotations

import re
from collections.abc import Callable

from zfsctl.model.names import stamp
from zfsctl.model.transfer import Transfer

Shown = Callable[[str], str]
"""From the name of a snapshot or bookmark, the part after the delimiter, to what is shown of it."""

_STAMPED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*-(\d{8})(T\d{6}Z)")


def shortened(at: int, replication: str) -> Shown:
    """How a line about `replication` shows names on a terminal, in a plan made at `at`.

    Of a scheduled snapshot the stamp is left, and of that the time when it is of the day of the plan; of a cursor the
    guid. Every other name is whole.
    """
    today = stamp(at)[:8]
    cursor = f"zfsctl-{replication}-"

    def shown(name: str) -> str:
        if stamped := _STAMPED.fullmatch(name):
            day, time = stamped.groups()
            return f"…{time}" if day == today else f"…{day}{time}"
        return f"…{name.removeprefix(cursor)}" if name.startswith(cursor) else name

    return shown


def in_full(name: str) -> str:
    """How a pipe shows names."""
    return name


def sends_text(step: Transfer, shown: Shown, *, most: int | None = None) -> str:
    """The sends in their order: "-I …T133000Z → …T143000Z", "full …T100000Z, -I → …T143000Z", "resume …T143000Z".

    Of more than `most` only the first and the last are told.
    """
    said = []
    before = ""
    for number, send in enumerate(step.sends):
        last = shown(send.last.name)
        if step.token and number == 0:
            said.append(f"resume {last}")
        elif not send.source:
            said.append(f"full {last}")
        else:
            flag = "-I" if send.with_intermediates else "-i"
            source = "" if send.source == before else f"{_source_text(send.source, shown)} "
            said.append(f"{flag} {source}→ {last}")
        before = f"@{send.last.name}"
    if most is not None and len(said) > most:
        said = [said[0], f"{len(said) - 2} more", said[-1]]
    return ", ".join(said)


def _source_text(source: str, shown: Shown) -> str:
    """A snapshot of the same dataset by its name alone; a bookmark, or another dataset's snapshot, with its mark."""
    if source.startswith("#"):
        return f"#{shown(source[1:])}"
    dataset, _, name = source.rpartition("@")
    return f"{dataset}@{shown(name)}" if dataset else shown(name)
