"""When the kernel refuses to receive (dmu_recv_begin_check and what it calls, in dmu_recv.c)."""

from __future__ import annotations

import errno

from zfsctl.sandbox.calls import TEXTS, Call
from zfsctl.sandbox.datasets import SimDataset, SimSnapshot
from zfsctl.sandbox.extents import written_since
from zfsctl.sandbox.intake import Intake, Unacceptable
from zfsctl.sandbox.keys import ivset_guid, key_guid, key_is_missing
from zfsctl.sandbox.pools import RECV
from zfsctl.sandbox.resume_token import read_token

_KEY_NEEDED = "inherited key must be loaded"


def accepts(call: Call, intake: Intake) -> bool:
    """Whether a part can be received; False for one whose snapshot is there already.

    Raises:
        Unacceptable: It can not.
    """
    if "receive" in call.machine.denied:
        raise Unacceptable(TEXTS[errno.EPERM])
    refused = call.refusal(intake.pool, needs_space=False)
    if refused:
        raise Unacceptable(TEXTS[refused])
    _check_features(intake)
    dataset = intake.dataset
    if intake.part.resuming:
        _check_resuming(intake)
    elif dataset is None or intake.replaces:
        _check_new(intake)
    elif not _check_increment(intake, dataset):
        return False
    _check_keys(intake)
    return True


def is_modified(dataset: SimDataset, since: SimSnapshot) -> bool:
    """Whether anything was written after a snapshot; snapshots without a change do not count."""
    return written_since(dataset.extents, since.createtxg) > 0


def _check_features(intake: Intake) -> None:
    flags, properties = intake.part.flags, intake.pool.properties
    needed = {
        "feature@large_blocks": flags.large_blocks,
        "feature@embedded_data": flags.embedded,
        "feature@lz4_compress": flags.compressed,
    }
    if any(is_needed and properties.get(feature) == "disabled" for feature, is_needed in needed.items()):
        raise Unacceptable("pool must be upgraded to receive this stream.")


def _check_new(intake: Intake) -> None:
    if intake.dataset and intake.pool.unfinished(intake.name):
        raise intake.busy()
    if intake.part.flags.raw:
        return
    like = intake.origin.dataset if intake.origin else intake.pool.datasets[intake.name.rpartition("/")[0]]
    if key_is_missing(like):
        raise Unacceptable(_KEY_NEEDED)
    if like.encryption != "off" and intake.part.flags.embedded:
        raise intake.invalid()


def _check_increment(intake: Intake, dataset: SimDataset) -> bool:
    part = intake.part
    if key_is_missing(dataset) and not part.flags.raw:
        raise Unacceptable(_KEY_NEEDED)
    if intake.pool.unfinished(dataset.name):
        raise intake.busy()
    if intake.snapshot in dataset.snapshots:
        if any(each.guid == part.toguid for each in dataset.snapshots.values()):
            return False
        raise Unacceptable(line=f"cannot restore to {intake.full}: destination already exists")
    if dataset.encryption != "off" and part.flags.embedded:
        raise intake.invalid()
    base = next((each for each in dataset.snapshots.values() if each.guid == part.fromguid), None)
    if base is None:
        raise Unacceptable(f"most recent snapshot of {dataset.name} does not\nmatch incremental source")
    if is_modified(dataset, base) or (part.flags.raw and base is not dataset.newest()):
        raise intake.modified()
    if dataset.large_blocks and not part.flags.large_blocks:
        raise Unacceptable("incremental send stream requires -L (--large-block), to match previous receive.")
    return True


def _check_resuming(intake: Intake) -> None:
    part = intake.part
    unfinished = intake.pool.unfinished(intake.name)
    if unfinished is None:
        raise intake.invalid()
    if key_is_missing(unfinished) and not part.flags.raw:
        raise Unacceptable(_KEY_NEEDED)
    if unfinished.name.endswith(f"/{RECV}") and part.fromguid == 0 and not intake.force:
        raise Unacceptable(f"Resuming recv on existing destination '{intake.name}'\nmust specify -F to overwrite it")
    saved = read_token(unfinished.receive_resume_token)
    if isinstance(saved, str) or saved.toguid != part.toguid:
        raise intake.invalid()
    if unfinished.receiving:
        raise intake.busy()
    if saved.fromguid != part.fromguid:
        raise intake.invalid()


def _check_keys(intake: Intake) -> None:
    """A raw increment fits only onto what its own base was, received raw (dsl_crypto_recv_key_check)."""
    part = intake.part
    onto = intake.origin.dataset if intake.origin else intake.dataset
    base = intake.origin.snapshot if intake.origin else onto.newest() if onto else None
    if not (part.flags.raw and part.fromguid and onto and base):
        return
    if ivset_guid(onto, base) != part.from_ivsetguid:
        raise Unacceptable(
            "IV set guid mismatch. See the 'zfs receive' man page section\n"
            " discussing the limitations of raw encrypted send streams."
        )
    if key_guid(onto) != part.keyguid:
        raise Unacceptable("encryption key does not match existing key")
