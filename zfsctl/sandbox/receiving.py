"""zfs receive: reading a stream part by part (zfs_receive_one in libzfs_sendrecv.c), and -A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.calls import HEADS, TEXTS, Call, Exit, Found, Hang, Kinds
from zfsctl.sandbox.changing import remove_dataset
from zfsctl.sandbox.datasets import Origin
from zfsctl.sandbox.intake import Intake, Unacceptable
from zfsctl.sandbox.lineage import find_guid
from zfsctl.sandbox.naming import NameKind, name_fault
from zfsctl.sandbox.options import Options, parse_options
from zfsctl.sandbox.pools import RECV, SimPool
from zfsctl.sandbox.proplist import add_assignment
from zfsctl.sandbox.receive_apply import take_in
from zfsctl.sandbox.receive_checks import accepts
from zfsctl.sandbox.receive_properties import check_names, checked_properties, refused_names
from zfsctl.sandbox.streams import RECORD_BYTES, Part

SYNOPSIS = (
    "receive [-vMnsFhu] [-o <property>=<value>] ... [-x <property>] ...\n"
    "\t    <filesystem|volume|snapshot>\n"
    "\treceive -A <filesystem|volume>"
)
_NOT_SIMULATED = ("d", "e", "c", "h")


def zfs_receive(call: Call, arguments: Sequence[str]) -> int:
    """Make of a stream the snapshots that it holds; or give up what an unfinished receive left."""
    call.synopsis = SYNOPSIS
    options = parse_options(call, arguments, "o:x:dehMnuvFsAc")
    wanted = next((letter for letter in _NOT_SIMULATED if letter in options), None)
    if wanted:
        call.stop(f"zfs receive -{wanted} is not simulated", 2)
    assigned, named = _read_properties(call, options)
    if not options.operands:
        call.usage("missing snapshot argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    if "A" in options:
        return _abort(call, options.operands[0])
    check_names(call, named)
    stream = call.stream_in
    if stream is None and call.stdin:
        call.stop("cannot receive: invalid stream (bad magic number)")
    if stream is None:
        call.stop("cannot receive: failed to read from stream")
    for part, arrived in stream.arriving():
        if arrived < RECORD_BYTES:
            if stream.stalls:
                raise Hang
            call.stop("cannot receive: failed to read from stream")
        _Receiver(call, options, assigned, part).receive(arrived)
    return 0


def _read_properties(call: Call, options: Options) -> tuple[dict[str, str], list[str]]:
    """What -o sets, and every name of -o and -x in order; none may come twice."""
    assigned: dict[str, str] = {}
    named: dict[str, str] = {}
    for letter, text in options.given:
        if letter not in ("o", "x"):
            continue
        if not add_assignment(call, named, text if letter == "o" else f"{text}="):
            call.usage()
        if letter == "o":
            name = text.partition("=")[0]
            assigned[name] = named[name]
    return assigned, list(named)


def _abort(call: Call, operand: str) -> int:
    hidden = call.look_up(f"{operand}/{RECV}")
    found = hidden or call.open(operand, HEADS)
    if found is None:
        call.usage()
    dataset = found.dataset
    if not dataset.inconsistent or not (hidden or dataset.receive_resume_token):
        call.stop(f"'{operand}' does not have any resumable receive state to abort")
    action = f"cannot destroy '{dataset.name}'"
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.stop(f"{action}: {TEXTS[refused]}")
    if dataset.receiving:
        call.stop(f"{action}: dataset is busy")
    if found.pool.children(dataset.name):
        call.stop(f"{action}: dataset already exists")
    remove_dataset(call, found.pool, dataset)
    return 0


@dataclass(slots=True)
class _Receiver:
    """Receives one part of a stream."""

    call: Call
    options: Options
    assigned: dict[str, str]
    part: Part
    action: str = "cannot receive"

    def receive(self, arrived: int) -> None:
        """Receive what has arrived of the part; ends the command if that cannot be done, or is not all."""
        call, part = self.call, self.part
        name, at, short = self.options.operands[0].partition("@")
        full = f"{name}@{short if at else part.toname.partition('@')[2]}"
        if name_fault(full, NameKind.SNAPSHOT):
            self._stop("invalid name")
        pool = call.pool_of(name)
        origin = self._origin(pool, full) if part.clone else None
        new = (part.fromguid == 0 or part.clone) and not part.resuming
        self.action = "cannot receive " + (
            "new filesystem stream" if new else "resume stream" if part.resuming else "incremental stream"
        )
        found = call.look_up(name)
        if found:
            self._check_existing(found, new=new)
        else:
            self._check_missing(name, new=new)
        assert pool is not None
        if "v" in self.options:
            what = "incremental" if part.fromguid else "full"
            doing = "would receive" if "n" in self.options else "receiving"
            call.say(f"{doing} {what} stream of {part.toname} into {full}")
        local = checked_properties(call, self.action, name, part.kind, self.assigned, self.options.all("x"))
        if "n" in self.options:
            return
        denied = refused_names(call, local)
        intake = Intake(
            pool,
            full,
            part,
            arrived,
            stalled=bool(call.stream_in and call.stream_in.stalls),
            origin=origin,
            properties={word: value for word, value in local.items() if word not in denied},
            resumable="s" in self.options,
            force="F" in self.options,
            mount="u" not in self.options,
        )
        try:
            if accepts(call, intake):
                take_in(call, intake)
        except Unacceptable as refusal:
            line = refusal.line or f"{self.action}: {refusal.why}"
            call.err += line.split("\n")
            raise Exit(1) from None
        for word in denied:
            call.complain(f"cannot receive {word} property on {name}: permission denied")

    def _origin(self, pool: SimPool | None, full: str) -> Origin:
        above = full.partition("@")[0].rpartition("/")[0]
        found = find_guid(pool, above, self.part.fromguid) if pool else None
        if found is None or found.snapshot is None:
            self._stop(f"local origin for clone {full} does not exist")
        return Origin(found.dataset, found.snapshot)

    def _check_existing(self, found: Found, *, new: bool) -> None:
        dataset, raw = found.dataset, self.part.flags.raw
        if new:
            self._check_replaceable(found)
        elif raw and dataset.encryption == "off" and not dataset.inconsistent:
            self._stop("cannot perform raw receive on top of existing unencrypted dataset")
        elif "F" in self.options and self.part.fromguid:
            self.call.stop("zfs receive -F of an increment is not simulated", 2)

    def _check_replaceable(self, found: Found) -> None:
        dataset = found.dataset
        name = dataset.name
        if "F" not in self.options:
            self._stop(f"destination '{name}' exists\nmust specify -F to overwrite it")
        if dataset.snapshots:
            first = next(iter(dataset.snapshots))
            self._stop(f"destination has snapshots (eg. {name}@{first})\nmust destroy them to overwrite it")
        children = found.pool.children(name)
        if self.part.kind is DatasetKind.VOLUME and children:
            self._stop(f"destination has children (eg. {children[0].name})\ncannot overwrite with a ZVOL")
        if dataset.origin:
            self._stop(f"destination '{name}' is a clone\nmust destroy it to overwrite it")
        if self.part.flags.raw or dataset.encryption != "off":
            self._stop(
                "zfs receive -F cannot be used to destroy an encrypted filesystem"
                " or overwrite an unencrypted one with an encrypted one"
            )

    def _check_missing(self, name: str, *, new: bool) -> None:
        above = name.rpartition("/")[0]
        if not (new and above):
            self._stop(f"destination '{name}' does not exist")
        found: Found | None = self.call.open(above, HEADS | Kinds.SNAPSHOT)
        if found is None:
            self._stop("unable to restore to destination")
        if not found.dataset.is_filesystem:
            self._stop(f"parent '{above}' is not a filesystem")

    def _stop(self, why: str) -> NoReturn:
        self.call.err += f"{self.action}: {why}".split("\n")
        raise Exit(1)
