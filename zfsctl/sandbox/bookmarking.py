"""zfs bookmark."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import TEXTS, Call, Found, Kinds
from zfsctl.sandbox.datasets import SimBookmark
from zfsctl.sandbox.lineage import is_in_past
from zfsctl.sandbox.naming import NameKind, name_fault
from zfsctl.sandbox.options import parse_options

SYNOPSIS = "bookmark <snapshot|bookmark> <newbookmark>"


def zfs_bookmark(call: Call, arguments: Sequence[str]) -> int:
    """Make a bookmark of a snapshot, or of another bookmark; either name may leave the dataset out."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "")
    if not options.operands:
        call.usage("missing source argument")
    if len(options.operands) == 1:
        call.usage("missing bookmark argument")
    source, target = options.operands[:2]
    if "@" not in source and "#" not in source:
        call.usage(f"invalid source name '{source}': must contain a '@' or '#'")
    if "#" not in target:
        call.usage(f"invalid bookmark name '{target}': must contain a '#'")
    if source[0] in "@#":
        source = target.partition("#")[0] + source
    elif target[0] == "#":
        target = source.partition("@")[0].partition("#")[0] + target
    found = call.open(source, Kinds.SNAPSHOT | Kinds.BOOKMARK)
    if found is None:
        call.usage()
    why = _make(call, found, target)
    if why:
        call.complain(f"cannot create bookmark '{target}': {why}")
        return 1
    return 0


def _make(call: Call, found: Found, target: str) -> str:
    """Make the bookmark; returns why not, empty when it was made."""
    head, _, name = target.partition("#")
    if call.pool_of(head) is not found.pool:
        return "bookmark is in a different pool" if call.pool_of(head) else "dataset does not exist"
    if name_fault(target, NameKind.BOOKMARK):
        return "invalid argument"
    dataset = found.pool.datasets.get(head)
    if dataset is None:
        return "dataset does not exist"
    if name in dataset.bookmarks:
        return "bookmark exists"
    if not is_in_past(found, dataset):
        return "source is not an ancestor of the new bookmark's dataset"
    refused = call.refusal(found.pool)
    if refused:
        return TEXTS[refused]
    of = found.snapshot or found.bookmark
    assert of is not None
    dataset.bookmarks[name] = SimBookmark(name, of.guid, of.createtxg, of.creation, of.ivsetguid)
    found.pool.next_txg()
    call.changed()
    return ""
