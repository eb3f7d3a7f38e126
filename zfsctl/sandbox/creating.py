"""zfs create and zfs clone."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from zfsctl.model.dataset import DatasetKind
from zfsctl.sandbox.accounts import LIMITS, account_for
from zfsctl.sandbox.calls import TEXTS, Call, Exit, Kinds
from zfsctl.sandbox.changing import add_dataset, check_parent, create_ancestors
from zfsctl.sandbox.datasets import Origin
from zfsctl.sandbox.extents import EMPTY_BYTES, METADATA_BYTES, written_since
from zfsctl.sandbox.keys import key_is_missing
from zfsctl.sandbox.naming import NameKind, name_fault, pool_name_fault
from zfsctl.sandbox.options import Options, parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.proplist import add_assignment, check_properties, read_assignments
from zfsctl.sandbox.sizes import read_size

CREATE_SYNOPSIS = (
    "create [-Pnpuv] [-o property=value] ... <filesystem>\n"
    "\tcreate [-Pnpsv] [-b blocksize] [-o property=value] ... -V <size> <volume>"
)
CLONE_SYNOPSIS = "clone [-p] [-o property=value] ... <snapshot> <filesystem|volume>"

_INDIRECT_BYTES = 1 << 17
_BLOCKS_PER_LEVEL = 1024
_DEFAULT_BLOCK = 16384
_SIZES = {"V": ("volsize", "volume size"), "b": ("volblocksize", "volume block size")}
_NEW_BYTES = METADATA_BYTES + EMPTY_BYTES
_DEFAULT_CIPHER = "aes-256-gcm"


def zfs_create(call: Call, arguments: Sequence[str]) -> int:
    """Create a filesystem, or a volume with -V."""
    call.synopsis = CREATE_SYNOPSIS
    options = parse_options(call, arguments, "V:b:nso:puv")
    kind = DatasetKind.VOLUME if "V" in options else DatasetKind.FILESYSTEM
    table = _read_values(call, options)
    if kind is DatasetKind.FILESYSTEM and ("s" in options or "b" in options):
        call.usage("'-s' and '-b' can only be used when creating a volume")
    if kind is DatasetKind.VOLUME and "u" in options:
        call.usage("'-u' can only be used when creating a filesystem")
    if not options.operands:
        call.usage(f"missing {kind} argument")
    if len(options.operands) > 1:
        call.usage("too many arguments")
    name = options.operands[0]
    if kind is DatasetKind.VOLUME:
        if call.pool_of(name) is None:
            pool_name = name.partition("/")[0]
            call.stop(f"cannot open '{pool_name}': {pool_name_fault(pool_name, creating=False) or 'no such pool'}")
        _add_volume_sizes(call, options, table)
    action = f"cannot create '{name}'"
    flavour = Kinds.VOLUME if kind is DatasetKind.VOLUME else Kinds.FILESYSTEM
    # The blocks of a volume depend on its properties, so zfs reads them before it looks at the name.
    if kind is DatasetKind.VOLUME and check_properties(call, action, flavour, table, creating=True) is None:
        return 1
    fault = name_fault(name, NameKind.DATASET)
    if "p" in options and not fault:
        existing = call.look_up(name)
        if existing and existing.dataset.kind is kind:
            return 0
        if not create_ancestors(call, name):
            return 1
    if fault:
        call.stop(f"{action}: {fault}")
    if not check_parent(call, name):
        return 1
    if call.look_up(name):
        call.stop(f"{action}: dataset already exists")
    properties = check_properties(call, action, flavour, table, creating=True)
    if properties is None:
        return 1
    pool = call.machine.pools[name.partition("/")[0]]
    parent = name.rpartition("/")[0]
    cipher = properties.pop("encryption", "")
    if cipher not in ("", "off") and "keyformat" not in properties:
        call.stop(f"{action}: Keyformat required for new encryption root.")
    elif not cipher and "keyformat" in properties and pool.datasets[parent].encryption == "off":
        call.stop(f"{action}: Encryption must be turned on to set encryption properties.")
    refused = call.refusal(pool)
    if not refused and not cipher and key_is_missing(pool.datasets[parent]):
        call.stop(f"{action}: encryption root's key is not loaded or provided")
    refused = refused or _no_room(pool, name, properties, used=_NEW_BYTES, referenced=_NEW_BYTES)
    if refused:
        call.stop(f"{action}: {TEXTS[refused]}")
    if "n" not in options:
        dataset = add_dataset(call, pool, name, kind, properties, mount="u" not in options)
        if cipher == "off":
            dataset.encryption, dataset.encryptionroot, dataset.keystatus = "off", "", ""
        elif cipher:
            dataset.encryption = _DEFAULT_CIPHER if cipher == "on" else cipher
            dataset.encryptionroot, dataset.keystatus = name, "available"
    return 0


def _read_values(call: Call, options: Options) -> dict[str, str]:
    """What -V, -b and -o say, each read where it stands."""
    table: dict[str, str] = {}
    for letter, argument in options.given:
        if letter in _SIZES:
            name, what = _SIZES[letter]
            table[name] = str(_size_of(call, argument, f"bad {what}"))
        elif letter == "o" and not add_assignment(call, table, argument):
            raise Exit(1)
    return table


def _add_volume_sizes(call: Call, options: Options, table: dict[str, str]) -> None:
    block = _size_of(call, table.get("volblocksize", str(_DEFAULT_BLOCK)), "bad volume block size")
    size = -(-int(table["volsize"]) // block) * block
    table["volsize"] = str(size)
    if block != _DEFAULT_BLOCK:
        table["volblocksize"] = str(block)
    if "s" not in options:
        table.setdefault("refreservation", str(volume_reservation(size, block)))


def _size_of(call: Call, text: str, action: str) -> int:
    size = read_size(text)
    if isinstance(size, str):
        call.stop(f"{action} '{text}': {size}")
    return size


def volume_reservation(size: int, block: int = _DEFAULT_BLOCK) -> int:
    """Bytes to set aside for a thick volume, its indirect blocks included (zvol_volsize_to_reservation)."""
    blocks = size // block
    indirect = 7
    while blocks > 1:
        blocks = -(-blocks // _BLOCKS_PER_LEVEL)
        indirect += blocks
    return size + 2 * indirect * _INDIRECT_BYTES


def _no_room(pool: SimPool, name: str, properties: dict[str, str], *, used: int, referenced: int) -> int:
    """The errno for what a new dataset sets aside or is limited to, 0 if that is well; its own bytes count."""
    size = {limit: int(properties.get(limit, "0")) for limit in LIMITS}
    wanted = size["refreservation"] + size["reservation"]
    if wanted and wanted > account_for(pool)[name.rpartition("/")[0]].available:
        return errno.ENOSPC
    for limit, least in (("quota", max(used, size["reservation"])), ("refquota", referenced)):
        if 0 < size[limit] < least:
            return errno.ENOSPC
    return 0


def zfs_clone(call: Call, arguments: Sequence[str]) -> int:
    """Make a writable copy of a snapshot."""
    call.synopsis = CLONE_SYNOPSIS
    options = parse_options(call, arguments, "o:pu")
    table = read_assignments(call, options.all("o"))
    if table is None:
        return 1
    if not options.operands:
        call.usage("missing source dataset argument")
    if len(options.operands) == 1:
        call.usage("missing target dataset argument")
    if len(options.operands) > 2:
        call.usage("too many arguments")
    source, target = options.operands
    found = call.open_or_stop(source, Kinds.SNAPSHOT)
    fault = name_fault(target, NameKind.DATASET)
    if "p" in options and not fault:
        if call.look_up(target):
            return 0
        if not create_ancestors(call, target):
            return 1
    action = f"cannot create '{target}'"
    if fault:
        call.stop(f"{action}: {fault}")
    if not check_parent(call, target):
        return 1
    flavour = Kinds.FILESYSTEM if found.dataset.is_filesystem else Kinds.VOLUME
    properties = check_properties(call, action, flavour, table, creating=True)
    if properties is None:
        return 1
    if call.pool_of(target) is not found.pool:
        call.stop(f"{action}: source and target pools differ")
    assert found.snapshot is not None
    refused = call.refusal(found.pool) or (errno.EEXIST if call.look_up(target) else 0)
    referenced = written_since(found.dataset.extents, 0, found.snapshot.createtxg)
    refused = refused or _no_room(found.pool, target, properties, used=0, referenced=referenced)
    if refused:
        call.stop(f"{action}: {TEXTS[refused]}")
    origin = Origin(found.dataset, found.snapshot)
    add_dataset(call, found.pool, target, found.dataset.kind, properties, origin=origin, mount="u" not in options)
    return 0
