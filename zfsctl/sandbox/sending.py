"""zfs send: which stream is asked for, what it is estimated to hold, and why it cannot be made."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

from zfsctl.sandbox.calls import DATASETS, HEADS, Call, Found, Kinds
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.keys import key_is_missing
from zfsctl.sandbox.lineage import is_ancestor
from zfsctl.sandbox.options import Options, parse_options
from zfsctl.sandbox.resuming import resumed_part
from zfsctl.sandbox.sizes import nice_size
from zfsctl.sandbox.streams import Part, Stream, StreamFlags, part_of

SYNOPSIS = (
    "send [-DLPbcehnpsVvw] [-i|-I snapshot] [-R [-X dataset[,dataset]...]] <snapshot>\n"
    "\tsend [-DnVvPLecw] [-i snapshot|bookmark] <filesystem|volume|snapshot>\n"
    "\tsend [-PnVve] -t <receive_resume_token>"
)
_PACKAGED = ("R", "p", "b", "h", "s", "S", "d", "X")
"""Options of streams that carry whole trees, properties or holds: zfsctl sends none, and none is simulated."""


def zfs_send(call: Call, arguments: Sequence[str]) -> int:
    """Write a stream to standard output, or with -n only say how long it would be."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "i:I:RsX:DpVvnPLehwcbt:Sd:")
    wanted = next((letter for letter in _PACKAGED if letter in options), None)
    if wanted:
        call.stop(f"zfs send -{wanted} is not simulated", 2)
    flags = StreamFlags("L" in options, "e" in options, "c" in options, "w" in options)
    token = options.last("t")
    if token is not None:
        if options.operands:
            call.usage("too many arguments")
        shown = (call.out if "n" in options else call.err) if "v" in options or "P" in options else []
        part, names = resumed_part(call, token, shown, dry="n" in options)
        return _write(call, options, Stream((part,)), [names])
    if not options.operands:
        call.usage("missing snapshot argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    if "i" in options and "I" in options:
        call.usage("invalid flag combination: -i and -I are mutually exclusive")
    if "I" in options:
        return _send_several(call, options, flags)
    return _send_one(call, options, flags)


def _send_one(call: Call, options: Options, flags: StreamFlags) -> int:
    operand = options.operands[0]
    base_name = _typed(call, options.last("i"), operand)
    found = call.open_or_stop(operand, DATASETS)
    action = f"warning: cannot send '{operand}'"
    if found.snapshot is None:
        _stop_in_kernel(
            call, options, action, "target is busy; if a filesystem, it must not be mounted", estimated=errno.EINVAL
        )
    base = None
    if base_name is not None:
        base = call.look_up(base_name) if "#" in base_name else call.open_or_stop(base_name, Kinds.SNAPSHOT)
        if base is None:
            _stop_in_kernel(
                call, options, action, f"incremental source ({base_name}) does not exist", estimated=errno.ESRCH
            )
        if not is_ancestor(base, found):
            why = "not an earlier snapshot from the same fs"
            if base.bookmark:
                _stop_in_kernel(call, options, action, why, estimated=errno.EXDEV)
            call.stop(f"{action}: {why}")
    _check_readable(call, options, action, found.dataset, flags)
    part = _part(found, base, flags)
    return _write(call, options, Stream((part,)), [(base_name or "", operand)])


def _send_several(call: Call, options: Options, flags: StreamFlags) -> int:
    operand = options.operands[0]
    base_name = options.last("I")
    assert base_name is not None
    if "#" in base_name:
        call.stop("Error: multiple snapshots cannot be sent from a bookmark.")
    name, at, last_name = operand.partition("@")
    if not at:
        call.stop("Error: Unsupported flag with filesystem or bookmark.")
    found = call.open_or_stop(name, HEADS)
    dataset = found.dataset
    from_origin = dataset.origin is not None and base_name == str(dataset.origin)
    short = "" if from_origin else _base_of_several(call, dataset, base_name)
    last = call.open_or_stop(f"{name}@{last_name}", Kinds.SNAPSHOT).snapshot
    assert last is not None
    names = list(dataset.snapshots)
    if not from_origin:
        # Only the snapshots from the base to the last one are looked at, so a newer base is one that is not there.
        if names.index(short) > names.index(last.name):
            _not_sent(call, options, operand, f"incremental source ({name}@{short}) does not exist")
        if short == last.name:
            _not_sent(call, options, operand, f"incremental source ({name}@{short}) is not earlier than it")
    _check_readable(call, options, f"warning: cannot send '{operand}'", dataset, flags)
    chain = names[0 if from_origin else names.index(short) : names.index(last.name) + 1]
    pairs: list[tuple[Found, str, SimSnapshot]] = []
    if from_origin and dataset.origin:
        origin = Found(found.pool, dataset.origin.dataset, snapshot=dataset.origin.snapshot)
        pairs.append((origin, "", dataset.snapshots[chain[0]]))
    for older, newer in pairwise(chain):
        of = Found(found.pool, dataset, snapshot=dataset.snapshots[older])
        pairs.append((of, older, dataset.snapshots[newer]))
    parts = [_part(Found(found.pool, dataset, snapshot=to), base, flags) for base, _, to in pairs]
    shown = [(name, f"{dataset.name}@{to.name}") for _, name, to in pairs]
    return _write(call, options, Stream(tuple(parts)), shown)


def _base_of_several(call: Call, dataset: SimDataset, text: str) -> str:
    """The name of a base in the same dataset, which is opened before the last snapshot is."""
    head, at, short = text.partition("@")
    if at and head not in ("", dataset.name):
        call.usage("incremental source must be in same filesystem")
    short = short if at else text
    if at and ("@" in short or "/" in short):
        call.usage("invalid incremental source")
    if not short:
        call.stop(f"cannot send '{dataset.name}': zero-length incremental source")
    call.open_or_stop(f"{dataset.name}@{short}", Kinds.SNAPSHOT)
    return short


def _not_sent(call: Call, options: Options, operand: str, why: str) -> NoReturn:
    if "n" in options:
        _estimate(call, options, (), ())
    call.complain(f"WARNING: could not send {operand}:")
    call.stop(why)


def _typed(call: Call, name: str | None, operand: str) -> str | None:
    """The full name of an incremental source; without @ or # it is taken for a snapshot, with a warning."""
    if name is None:
        return None
    if "@" not in name and "#" not in name:
        call.complain("Warning: incremental source didn't specify type, assuming snapshot. Use '@' or '#' prefix to")
        call.err[-1] += " avoid ambiguity."
        name = f"@{name}"
    return operand.partition("@")[0] + name if name[0] in "@#" else name


def _stop_in_kernel(call: Call, options: Options, action: str, why: str, *, estimated: int) -> NoReturn:
    """An estimate only hands on the words of strerror(3) for what the kernel says (estimate_size)."""
    estimates = "v" in options or "P" in options
    call.stop(f"{action}: {os.strerror(estimated) if estimates else why}")


def _check_readable(call: Call, options: Options, action: str, dataset: SimDataset, flags: StreamFlags) -> None:
    """An estimate needs neither a right nor a key."""
    if "n" in options:
        return
    if "send" in call.machine.denied:
        call.stop(f"{action}: permission denied")
    if key_is_missing(dataset) and not flags.raw:
        call.stop(f"{action}: dataset key must be loaded")


def _part(found: Found, base: Found | None, flags: StreamFlags) -> Part:
    assert found.snapshot is not None
    if base is None:
        return part_of(found.pool, found.dataset, found.snapshot, flags)
    clone = base.snapshot is not None and base.dataset is not found.dataset
    return part_of(found.pool, found.dataset, found.snapshot, flags, base=base.snapshot or base.bookmark, clone=clone)


def _write(call: Call, options: Options, stream: Stream, names: Sequence[tuple[str, str]]) -> int:
    """Say what is sent where asked to, on stderr if the stream itself goes to stdout; then send."""
    _estimate(call, options, stream.parts, names)
    if "n" not in options:
        call.stream_out = stream
    return 0


def _estimate(call: Call, options: Options, parts: Sequence[Part], names: Sequence[tuple[str, str]]) -> None:
    into = call.out if "n" in options else call.err
    total = sum(part.length for part in parts)
    if "P" in options:
        for (base, name), part in zip(names, parts, strict=True):
            into.append("\t".join(["incremental", base, name] if base else ["full", name]) + f"\t{part.length}")
        into.append(f"size\t{total}")
    elif "v" in options:
        for (base, name), part in zip(names, parts, strict=True):
            sign = "" if "@" in base or "#" in base else "@"
            what = f"send from {sign}{base}" if base else "full send"
            joined = f"{what} {'to' if base else 'of'} {name}"
            into.append(f"{joined} estimated size is {nice_size(part.length)}")
        into.append(f"total estimated size is {nice_size(total)}")
