"""`zfs send`: what is asked of it, and what it tells of a resume token."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zfsctl.model.command import Command, Completed
from zfsctl.model.lineage import ResumeToken
from zfsctl.model.names import check_dataset_name, check_snapshot_part
from zfsctl.model.transfer import Send
from zfsctl.zfs.text import text_lines, unreadable

SEND_FLAGS = ("-w", "-L", "-e", "-c")
"""All that zfsctl ever gives to `zfs send`. Never -p, -R or -b: they carry properties that would undo the receiver's
protection (`send -p` wipes readonly, canmount and mountpoint there)."""

_TOKEN = re.compile(r"[0-9]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+")
_WHAT = "the resume token"


def argv_send(dataset: str, send: Send, flags: Sequence[str] = ()) -> Command:
    """Send the snapshots of `send` from `dataset`.

    Raises:
        ValueError: A name or flag that is not allowed, or several snapshots from a bookmark or from nothing.
    """
    check_dataset_name(dataset)
    check_snapshot_part(send.last.name, dataset=dataset)
    _check_flags(flags)
    argv = ["zfs", "send", *flags]
    if send.source:
        argv += ["-I" if send.with_intermediates else "-i", _checked_source(dataset, send)]
    elif send.with_intermediates:
        raise ValueError("a full stream brings one snapshot")
    return Command((*argv, f"{dataset}@{send.last.name}"))


def argv_resume(token: str, flags: Sequence[str] = ()) -> Command:
    """Go on with an interrupted stream.

    Raises:
        ValueError: No resume token.
    """
    _check_flags(flags)
    return Command(("zfs", "send", "-t", check_token(token)))


def argv_describe_token(token: str) -> Command:
    """Ask what a token is about. Answered on any host; the exit code tells whether that host could resume it.

    Raises:
        ValueError: No resume token.
    """
    return Command(("zfs", "send", "-nvP", "-t", check_token(token)))


def parse_token(token: str, described: Completed) -> ResumeToken:
    """What `token` is about. The contents are printed even where the snapshots are not found (exit 255).

    Raises:
        UnreadableOutputError: It does not say what is sent.
    """
    values: dict[str, str] = {}
    for line in text_lines(described.stdout):
        name, equals, value = line.strip().partition(" = ")
        if line.startswith("\t") and equals:
            values.setdefault(name, value)
    to_guid = _guid(values.get("toguid", ""))
    if to_guid is None or "toname" not in values:
        raise unreadable(_WHAT, described.stderr.strip() or described.stdout, "no toguid and toname")
    return ResumeToken(
        text=token,
        to_guid=to_guid,
        to_name=values["toname"],
        from_guid=_guid(values.get("fromguid", "")),
        raw=_guid(values.get("rawok", "")) is not None,
    )


def check_token(token: str) -> str:
    """Return `token` if it has the form of a resume token; else ValueError."""
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"{token[:40]!r} is no resume token")
    return token


def _guid(text: str) -> int | None:
    """A number of a token as 2.1 to 2.4 print it, 0x…; None for none and for zero."""
    try:
        return int(text, 0) or None
    except ValueError:
        return None


def _check_flags(flags: Sequence[str]) -> None:
    wrong = [flag for flag in flags if flag not in SEND_FLAGS]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is never given to zfs send")


def _checked_source(dataset: str, send: Send) -> str:
    if send.source.startswith("#"):
        check_snapshot_part(send.source[1:], dataset=dataset)
        if send.with_intermediates:
            raise ValueError("several snapshots cannot be sent from a bookmark")
        return f"{dataset}{send.source}"
    origin, _, name = send.source.partition("@")
    check_snapshot_part(name, dataset=check_dataset_name(origin or dataset))
    return f"{origin or dataset}@{name}"
