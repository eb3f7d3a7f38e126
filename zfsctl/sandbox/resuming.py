"""zfs send -t: going on with a stream that was cut, from the token that its receiver kept."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from zfsctl.sandbox.calls import Call
from zfsctl.sandbox.keys import key_is_missing
from zfsctl.sandbox.lineage import find_guid
from zfsctl.sandbox.resume_token import read_token
from zfsctl.sandbox.streams import Part, StreamFlags, part_of

FAILED_TO_RESUME = 255
"""zfs_do_send hands on the -1 of libzfs."""


def resumed_part(call: Call, text: str, into: list[str], *, dry: bool) -> tuple[Part, tuple[str, str]]:
    """What is left of a stream, and the names of its base (empty for none) and of its snapshot as they are now.

    Args:
        into: Where the token's contents are to be shown.
        dry: Whether it is only estimated, which needs neither a right nor a key.
    """
    token = read_token(text)
    if isinstance(token, str):
        _stop(call, token)
    into += token.lines()
    name = token.toname.partition("@")[0]
    pool = call.pool_of(name)
    found = find_guid(pool, name, token.toguid) if pool and pool.readable else None
    if found is None or found.snapshot is None:
        if call.look_up(token.toname):
            _stop(call, f"'{token.toname}' is no longer the same snapshot used in the initial send")
        _stop(call, f"'{token.toname}' used in the initial send no longer exists")
    base = None
    if token.fromguid:
        base = find_guid(found.pool, name, token.fromguid, bookmarks=True)
        if base is None:
            _stop(call, f"incremental source {token.fromguid:#x} no longer exists")
    flags = StreamFlags(token.large_blocks, token.embedded, token.compressed, token.raw)
    action = f"warning: cannot send '{found.name}'"
    if "send" in call.machine.denied and not dry:
        call.stop(f"{action}: permission denied", FAILED_TO_RESUME)
    if key_is_missing(found.dataset) and not token.raw and not dry:
        call.stop(f"{action}: dataset key must be loaded", FAILED_TO_RESUME)
    part = part_of(
        found.pool,
        found.dataset,
        found.snapshot,
        flags,
        base=(base.snapshot or base.bookmark) if base else None,
        clone=base is not None and base.snapshot is not None and base.dataset is not found.dataset,
    )
    part = replace(part, resuming=True, offset=min(token.bytes, part.size), toname=found.name)
    return part, (base.name if base else "", found.name)


def _stop(call: Call, why: str) -> NoReturn:
    call.stop(f"cannot resume send: {why}", FAILED_TO_RESUME)
