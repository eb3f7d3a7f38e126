"""Streams from one dataset of the pool into another: whole ones, cut ones and resumed ones, right and wrong.

A receive that runs while something else happens is left to tests of its own: which of the two comes first is a
question of time. So is how a sender ends whose receiver has refused its stream (comparing.py).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from tests.differential import words
from tests.differential.choosing import Argv, Chooser
from zfsctl.sandbox.accounts import account_for
from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.extents import written_since
from zfsctl.sandbox.inheritance import dataset_setting
from zfsctl.sandbox.keys import key_is_missing

WRITE = "write"
"""Not a program: what a person does to a filesystem. See writing.py."""
WRITTEN_BYTES = 262_144
LONGEST_CUT = 100_000
"""Less than what one write makes a stream hold, so that the cut falls inside it on both sides."""
KEY_FILE = "/tmp/zfsctl-differential.key"
ROOM = 16 << 20
"""A write is never one that might not fit."""

Common = tuple[SimDataset, SimDataset, SimSnapshot | SimBookmark, str]
"""Sender, receiver, and what the sender has of a snapshot of the receiver's, with its short name."""


def write(choose: Chooser) -> Argv:
    """Some new bytes in a filesystem."""
    accounts = account_for(choose.pool)
    able = [
        each.name
        for each in choose.every_dataset()
        if each.is_filesystem
        and accounts[each.name].available > ROOM
        and dataset_setting(choose.pool, each, "readonly").value == "off"
        and not each.inconsistent
        and not key_is_missing(each)
    ]
    if not able:
        return ("zfs", "snapshot", choose.a_new_snapshot())
    return (WRITE, choose.pick(able), str(WRITTEN_BYTES))


def create_encrypted(choose: Chooser) -> Argv:
    """An encryption root, whose key is loaded."""
    options = ("-o", "encryption=on", "-o", "keyformat=raw", "-o", f"keylocation=file://{KEY_FILE}")
    create = shlex.join(("zfs", "create", *options, choose.a_new_dataset()))
    return ("sh", "-c", f"head -c 32 /dev/zero > {KEY_FILE}; {create}")


def first_copy(choose: Chooser) -> Argv:
    """A whole snapshot into what is mostly a new dataset."""
    snapshot = choose.a_snapshot()
    target = choose.a_new_dataset() if choose.chance(0.85) else choose.a_dataset()
    if choose.chance(0.1):
        target += f"@{choose.pick(words.SNAPSHOTS)}"
    head, _, name = snapshot.partition("@")
    dataset = choose.pool.datasets.get(head)
    taken = dataset.snapshots.get(name) if dataset else None
    cut = dataset is not None and taken is not None and _is_long(dataset, 0, taken)
    return _joined(choose, ("zfs", "send", *_send_flags(choose), snapshot), _receive(choose, target), cut=cut)


def increment(choose: Chooser) -> Argv:
    """From what both ends have to something newer; now and then from and to anything."""
    pairs = _common(choose)
    if not pairs or choose.chance(0.1):
        return _any_increment(choose)
    going_on = [pair for pair in pairs if _goes_on(*pair)]
    sender, receiver, base, name = choose.pick(going_on if going_on and choose.chance(0.7) else pairs)
    newer = [each for each in sender.snapshots.values() if each.createtxg > base.createtxg]
    if not newer:
        return ("zfs", "snapshot", f"{sender.name}@{choose.pick(words.SNAPSHOTS)}")
    to = choose.pick(newer)
    several = isinstance(base, SimSnapshot) and choose.chance(0.4)
    source = f"{sender.name if choose.chance(0.5) else ''}{name}"
    send = ("zfs", "send", *_send_flags(choose), "-I" if several else "-i", source, f"{sender.name}@{to.name}")
    first = newer[0] if several else to
    cut = _is_long(sender, base.createtxg, first)
    return _joined(choose, send, _receive(choose, receiver.name), cut=cut)


def resume(choose: Chooser) -> Argv:
    """Go on with what was cut."""
    unfinished = [each for each in choose.every_dataset() if _token_of(choose, each)]
    if not unfinished:
        return increment(choose)
    target = choose.pick(unfinished)
    ask = shlex.join(("zfs", "get", "-H", "-o", "value", "receive_resume_token", target.name))
    receive = ("zfs", "receive", *(("-s",) if choose.chance(0.85) else ()), "-u", target.name)
    return ("sh", "-c", f"zfs send -t $({ask}) | {shlex.join(receive)}")


def abort(choose: Chooser) -> Argv:
    """Give up what was cut; sometimes where nothing was."""
    unfinished = [each.name for each in choose.every_dataset() if _token_of(choose, each)]
    name = choose.pick(unfinished) if unfinished and choose.chance(0.7) else choose.a_dataset()
    return ("zfs", "receive", "-A", name)


def estimate(choose: Chooser) -> Argv:
    """How long a stream would be."""
    snapshot = choose.a_snapshot()
    base = choose.pick((choose.a_snapshot(), choose.a_bookmark(), f"@{choose.pick(words.SNAPSHOTS)}"))
    options = choose.pick(((), ("-i", base), ("-I", base)))
    return ("zfs", "send", "-nP", *_send_flags(choose), *options, snapshot)


def list_unfinished(choose: Chooser) -> Argv:
    """What receives left, as zfsctl asks for it."""
    columns = "name,receive_resume_token,inconsistent,type,origin"
    return ("zfs", "list", "-r", "-Hp", "-t", "filesystem,volume", "-o", columns, choose.pool.name)


TRANSFERS: tuple[tuple[Callable[[Chooser], Argv], int], ...] = (
    (write, 6),
    (create_encrypted, 1),
    (first_copy, 6),
    (increment, 9),
    (resume, 3),
    (abort, 2),
    (estimate, 3),
    (list_unfinished, 1),
)


def _joined(choose: Chooser, send: Argv, receive: Argv, *, cut: bool) -> Argv:
    middle = ""
    if cut and choose.chance(0.4):
        middle = f"head -c {choose.pick((0, 100, 20_000, LONGEST_CUT))} | "
    return ("sh", "-c", f"{shlex.join(send)} | {middle}{shlex.join(receive)}")


def _send_flags(choose: Chooser) -> Argv:
    return ("-Lec",) if choose.chance(0.6) else choose.flags("-L", "-e", "-c", "-w")


def _receive(choose: Chooser, target: str) -> Argv:
    options: tuple[str, ...] = ("-s",) if choose.chance(0.7) else ()
    options += ("-n",) if choose.chance(0.05) else ()
    for _ in range(choose.pick((0, 0, 1, 2))):
        options += ("-o", choose.pick(words.RECEIVED if choose.chance(0.95) else words.WRONGLY_RECEIVED))
    if choose.chance(0.1):
        options += ("-x", choose.pick(words.EXCLUDED))
    return ("zfs", "receive", "-u", *options, target)


def _any_increment(choose: Chooser) -> Argv:
    base = choose.a_snapshot() if choose.chance(0.7) else choose.a_bookmark()
    send = ("zfs", "send", *_send_flags(choose), choose.pick(("-i", "-I")), base, choose.a_snapshot())
    return _joined(choose, send, _receive(choose, choose.a_dataset()), cut=False)


def _common(choose: Chooser) -> list[Common]:
    """Every two datasets of which one could be sent on into the other."""
    found: list[Common] = []
    every = choose.every_dataset()
    for receiver in every:
        guids = {each.guid for each in receiver.snapshots.values()}
        for sender in every:
            if sender is not receiver:
                found += [
                    (sender, receiver, each, f"@{each.name}")
                    for each in sender.snapshots.values()
                    if each.guid in guids
                ]
                found += [
                    (sender, receiver, each, f"#{each.name}")
                    for each in sender.bookmarks.values()
                    if each.guid in guids
                ]
    return found


def _goes_on(sender: SimDataset, receiver: SimDataset, base: SimSnapshot | SimBookmark, _: str) -> bool:
    """Whether the receiver's newest snapshot is the base, and the sender has a newer one."""
    held, newest = receiver.newest(), sender.newest()
    return held is not None and held.guid == base.guid and newest is not None and newest.createtxg > base.createtxg


def _is_long(dataset: SimDataset, since: int, to: SimSnapshot) -> bool:
    return written_since(dataset.extents, since, to.createtxg) > WRITTEN_BYTES


def _token_of(choose: Chooser, dataset: SimDataset) -> bool:
    unfinished = choose.pool.unfinished(dataset.name)
    return unfinished is not None and bool(unfinished.receive_resume_token)
