"""What a received part changes: a new snapshot, or an unfinished receive that may be gone on with."""

from __future__ import annotations

from collections import Counter

from zfsctl.sandbox.accounts import account_for, fits
from zfsctl.sandbox.calls import Call, Hang
from zfsctl.sandbox.changing import add_dataset, remove_dataset
from zfsctl.sandbox.datasets import Origin, SimDataset, SimSnapshot
from zfsctl.sandbox.extents import Extent
from zfsctl.sandbox.intake import Intake, Unacceptable
from zfsctl.sandbox.mounts import default_mounted
from zfsctl.sandbox.pools import RECV
from zfsctl.sandbox.receive_checks import is_modified
from zfsctl.sandbox.resume_token import ResumeToken, read_token
from zfsctl.sandbox.streams import LARGE_BLOCK, Part, everywhere

_DATA_OBJECT = 3
"""The first object of a filesystem that may be a file."""


def take_in(call: Call, intake: Intake) -> None:
    """Receive what has arrived of a part that can be received.

    Raises:
        Unacceptable: Not all of it arrived, it does not fit, or the dataset changed since the receive began.
        Hang: It waits for more.
    """
    pool, part = intake.pool, intake.part
    dataset = intake.dataset
    if dataset is None:
        dataset = _begin(call, intake)
    if part.resuming and not _goes_on(intake):
        _lay_down(call, intake, dataset)
        raise intake.invalid()
    whole = sum(_missing(intake, dataset).values())
    room = whole if fits(pool, intake.name, whole) else account_for(pool)[intake.name].available
    room += _saved_bytes(intake)
    fitting = part.size if room >= whole else part.size * room // whole
    reached = min(part.offset + intake.arrived, fitting)
    if reached < part.size or intake.arrived < part.length:
        full = fitting < part.offset + intake.arrived
        if intake.resumable or intake.stalled:
            _save(call, intake, dataset, max(reached, part.offset), whole)
        _lay_down(call, intake, dataset)
        if intake.stalled and not full:
            raise Hang
        raise Unacceptable(_no_room(intake, whole) if full else _cut(intake))
    if part.resuming and not dataset.inconsistent:
        _check_unchanged(call, intake, dataset, whole)
    _finish(call, intake, dataset)


def _begin(call: Call, intake: Intake) -> SimDataset:
    """Make the dataset of a first copy. Its properties are set before any data comes, so a resume need not repeat
    them.
    """
    part = intake.part
    properties = {**part.properties, **intake.properties}
    dataset = add_dataset(call, intake.pool, intake.name, part.kind, properties, origin=intake.origin, mount=False)
    dataset.inconsistent = True
    if intake.origin is None:
        dataset.extents = []
        if part.flags.raw:
            dataset.encryption, dataset.keyguid = part.encryption, part.keyguid
            dataset.encryptionroot, dataset.keystatus = dataset.name, "unavailable"
            dataset.properties["keyformat"] = part.keyformat
    return dataset


def _goes_on(intake: Intake) -> bool:
    """Whether a resumed stream begins where what was kept ends (resume_check)."""
    unfinished = intake.pool.unfinished(intake.name)
    saved = read_token(unfinished.receive_resume_token) if unfinished else ""
    return not isinstance(saved, str) and saved.bytes == intake.part.offset


def _lay_down(call: Call, intake: Intake, dataset: SimDataset) -> None:
    """A receive that failed: without -s all that it made goes, and all that it had gone on with."""
    if intake.resumable or intake.stalled:
        return
    if dataset.inconsistent:
        remove_dataset(call, intake.pool, dataset)
    else:
        _drop_hidden(call, intake)


def _missing(intake: Intake, dataset: SimDataset) -> Counter[int]:
    """The blocks of the part that the dataset has not, with their bytes."""
    wanted = Counter[int]()
    for key, size in intake.part.blocks:
        wanted[key] += size
    for extent in _head(intake, dataset):
        wanted[everywhere(extent.key, intake.pool)] -= extent.size
    return +wanted


def _head(intake: Intake, dataset: SimDataset) -> list[Extent]:
    """What the receive builds on: the head, or nothing but its origin's blocks for a first copy."""
    if intake.replaces:
        return []
    alive = [extent for extent in dataset.extents if extent.death is None]
    if dataset.inconsistent:
        return [extent for extent in alive if extent.birth <= dataset.floor]
    return alive


def _saved_bytes(intake: Intake) -> int:
    unfinished = intake.pool.unfinished(intake.name)
    return unfinished.space().head_used if unfinished else 0


def _no_room(intake: Intake, size: int) -> str:
    if size > account_for(intake.pool)[intake.pool.name].available:
        return "out of space"
    return f"destination {intake.name} space quota exceeded."


def _cut(intake: Intake) -> str:
    unfinished = intake.pool.unfinished(intake.name)
    if not intake.resumable or unfinished is None:
        return "incomplete stream"
    return (
        "checksum mismatch or incomplete stream.\n"
        "Partially received snapshot is saved.\n"
        "A resuming stream can be generated on the sending system by running:\n"
        f"    zfs send -t {unfinished.receive_resume_token}"
    )


def _save(call: Call, intake: Intake, dataset: SimDataset, reached: int, whole: int) -> None:
    """Keep what arrived: in the dataset of a first copy, else in a hidden clone of its newest snapshot."""
    pool, part = intake.pool, intake.part
    txg = pool.next_txg()
    holder = dataset if dataset.inconsistent else _hidden(call, intake, dataset)
    base = [extent for extent in holder.extents if extent.birth <= holder.floor]
    holder.extents = [*base, Extent(txg, None, whole * reached // part.size, pool.next_key())]
    if intake.resumable:
        flags = part.flags
        holder.receive_resume_token = str(
            ResumeToken(
                part.toguid,
                part.toname,
                part.fromguid,
                reached,
                flags.large_blocks,
                flags.embedded,
                flags.compressed,
                flags.raw,
                object=_DATA_OBJECT,
                offset=reached - reached % LARGE_BLOCK,
            )
        )
    holder.receiving = intake.stalled
    call.changed()


def _hidden(call: Call, intake: Intake, dataset: SimDataset) -> SimDataset:
    pool = intake.pool
    found = pool.datasets.get(f"{dataset.name}/{RECV}")
    if found:
        return found
    newest = dataset.newest()
    origin = Origin(dataset, newest) if newest and not intake.replaces else None
    hidden = add_dataset(call, pool, f"{dataset.name}/{RECV}", dataset.kind, {}, origin=origin, mount=False)
    hidden.inconsistent = True
    return hidden


def _drop_hidden(call: Call, intake: Intake) -> None:
    hidden = intake.pool.datasets.get(f"{intake.name}/{RECV}")
    if hidden:
        remove_dataset(call, intake.pool, hidden)


def _check_unchanged(call: Call, intake: Intake, dataset: SimDataset, whole: int) -> None:
    """The clone takes the place of the head only if nothing came in between (dsl_dataset_clone_swap_check_impl)."""
    hidden = intake.pool.datasets[f"{dataset.name}/{RECV}"]
    newest = dataset.newest()
    why: Unacceptable | None = None
    if intake.replaces:
        if any(each.holds or intake.pool.clones_of(dataset, each) for each in dataset.snapshots.values()):
            why = Unacceptable("dataset is busy")
    elif newest is None or hidden.origin is None or hidden.origin.snapshot is not newest:
        why = intake.invalid()
    elif is_modified(dataset, newest):
        why = intake.modified()
    elif intake.snapshot in dataset.snapshots:
        why = Unacceptable(line=f"cannot restore to {intake.full}: destination already exists")
    if why:
        if intake.resumable:
            _save(call, intake, dataset, intake.part.size, whole)
        _lay_down(call, intake, dataset)
        raise why


def _finish(call: Call, intake: Intake, dataset: SimDataset) -> None:
    pool, part = intake.pool, intake.part
    fresh, replaced = dataset.inconsistent, intake.replaces
    missing = _missing(intake, dataset)
    if fresh:
        dataset.extents = _head(intake, dataset)
        dataset.inconsistent, dataset.receiving, dataset.receive_resume_token = False, False, ""
    else:
        _drop_hidden(call, intake)
        if intake.replaces:
            _clear(dataset, part)
        dataset.properties.update(intake.properties)
        dataset.properties.update(part.properties)
    txg = pool.next_txg()
    _let_die(intake, dataset, txg)
    dataset.extents += [Extent(txg, None, size, key) for key, size in missing.items()]
    if part.flags.large_blocks and any(size > LARGE_BLOCK for size in missing.values()):
        dataset.large_blocks = dataset.large_blocks or txg
    dataset.content = part.content
    dataset.snapshots[intake.snapshot] = SimSnapshot(
        intake.snapshot,
        part.toguid,
        txg,
        part.creation,
        content=part.content,
        ivsetguid=_ivset(call, intake, dataset),
    )
    dataset.drop_unreferenced()
    dataset.snapshots_changed = call.now
    if fresh or replaced:
        dataset.mounted = intake.mount and default_mounted(pool, dataset)
    pool.next_txg()
    call.changed()


def _clear(dataset: SimDataset, part: Part) -> None:
    """Make room for a first copy in a dataset that was there. Snapshots that came during a resumed one go too."""
    dataset.snapshots.clear()
    dataset.extents = []
    dataset.kind = part.kind
    dataset.mounted = False


def _ivset(call: Call, intake: Intake, dataset: SimDataset) -> int:
    """A raw part brings its own; what is encrypted here anew has one that no other snapshot has."""
    if intake.part.flags.raw:
        return intake.part.ivsetguid
    return call.fleet.next_guid() if dataset.encryption != "off" else 0


def _let_die(intake: Intake, dataset: SimDataset, txg: int) -> None:
    """Let what the part has not die; an extent of which it has a piece is cut."""
    wanted = Counter[int]()
    for key, size in intake.part.blocks:
        wanted[key] += size
    rest: list[Extent] = []
    for extent in [extent for extent in dataset.extents if extent.death is None]:
        key = everywhere(extent.key, intake.pool)
        stays = min(extent.size, max(0, wanted[key]))
        wanted[key] -= stays
        if stays == 0:
            extent.death = txg
        elif stays < extent.size:
            rest.append(Extent(extent.birth, txg, extent.size - stays, extent.key))
            extent.size = stays
    dataset.extents += rest
