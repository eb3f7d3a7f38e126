"""zfs set and zfs inherit."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.accounts import account_for, setting
from zfsctl.sandbox.calls import DATASETS, TEXTS, Call, Exit, Found, Kinds
from zfsctl.sandbox.datasets import SimDataset
from zfsctl.sandbox.mounts import default_mounted, has_path
from zfsctl.sandbox.natives import ALIASES, NATIVES, is_user_property
from zfsctl.sandbox.options import parse_options
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.proplist import check_properties, read_assignments

SET_SYNOPSIS = "set [-u] <property=value> ... <filesystem|volume|snapshot> ..."
INHERIT_SYNOPSIS = "inherit [-rS] <property> <filesystem|volume|snapshot> ..."

FAILED_TO_SET = 255
"""set_callback hands on the -1 of libzfs."""

_QUOTAS = ("quota", "refquota")
_CLEARED_BY_NONE = ("quota", "reservation", "refquota", "refreservation")


def zfs_set(call: Call, arguments: Sequence[str]) -> int:
    """Set properties of datasets."""
    call.synopsis = SET_SYNOPSIS
    words = list(arguments)
    mount = True
    while words and words[0].startswith("-") and "=" not in words[0]:
        if words[0] != "-u":
            call.usage(f"invalid option '{words[0][1:2]}'")
        mount = False
        words.pop(0)
    if not words:
        call.usage("missing arguments")
    if len(words) == 1:
        call.usage("missing dataset name(s)" if "=" in words[0] else "missing property=value argument(s)")
    count = next((place for place, word in enumerate(words) if "=" not in word), len(words))
    if any("=" in word for word in words[count:]):
        call.usage("invalid argument order")
    if count == len(words):
        call.usage("missing dataset name(s)")
    table = read_assignments(call, words[:count])
    if table is None:
        raise Exit(FAILED_TO_SET)
    opened = [call.open(operand, DATASETS) for operand in words[count:]]
    done = [_set_on(call, found, table, mount=mount) for found in opened if found]
    if not all(done):
        return FAILED_TO_SET
    return int(None in opened)


def _set_on(call: Call, found: Found, table: dict[str, str], *, mount: bool) -> bool:
    action = f"cannot set property for '{found.name}'"
    checked = check_properties(call, action, found.kind, table)
    if checked is None:
        return False
    if "keylocation" in checked and found.dataset.encryptionroot not in ("", found.dataset.name):
        call.complain(f"{action}: keylocation may only be set on encryption roots")
        return False
    refused = call.refusal(found.pool, needs_space=False)
    if not refused and not found.snapshot and "zoned" not in checked:
        problem = _space_problem(found, checked)
        if problem:
            call.complain(f"{action}: {problem}")
            return False
    if refused:
        call.complain(f"{action}: {TEXTS[refused]}")
        return False
    if "volsize" in checked:
        found.dataset.keep_volsize()
    (found.snapshot or found.dataset).properties.update(checked)
    _remount(found, checked, mount=mount)
    found.pool.next_txg()
    call.changed()
    return True


def _space_problem(found: Found, table: dict[str, str]) -> str:
    if not any(name in table for name in _CLEARED_BY_NONE):
        return ""
    pool, dataset = found.pool, found.dataset
    accounts = account_for(pool)
    account = accounts[dataset.name]
    held = {name: setting(dataset, name) for name in _CLEARED_BY_NONE}
    wanted = {name: int(table[name]) for name in _CLEARED_BY_NONE if name in table}
    head = account.space
    least = {
        "quota": max(account.used, held["reservation"]),
        "refquota": max(head.head_referenced, held["refreservation"]),
    }
    if any(0 < wanted.get(name, 0) < least[name] for name in _QUOTAS):
        return "size is less than current used or reserved space"
    parent = accounts.get(dataset.name.rpartition("/")[0], account)
    for name, quota, filled, free in (
        ("reservation", "quota", account.used, parent.free),
        ("refreservation", "refquota", head.head_written, account.free),
    ):
        size = wanted.get(name, 0)
        if max(filled, size) - max(filled, held[name]) > free or 0 < held[quota] < size:
            return "size is greater than available space"
    return ""


def _remount(found: Found, names: dict[str, str] | set[str], *, mount: bool = True) -> None:
    """Mount or unmount what canmount and mountpoint ask for."""
    if found.snapshot or not mount:
        return
    if "canmount" in names and found.dataset.properties.get("canmount", "on") == "off":
        found.dataset.mounted = False
    if "mountpoint" in names:
        for dataset in _inheriting_mountpoint(found.pool, found.dataset):
            remounted = dataset.mounted and has_path(found.pool, dataset)
            dataset.mounted = remounted or default_mounted(found.pool, dataset)


def _inheriting_mountpoint(pool: SimPool, dataset: SimDataset) -> list[SimDataset]:
    """A dataset and all below it that take its mountpoint over (changelist_gather in libzfs)."""
    below = [each for each in pool.children(dataset.name) if "mountpoint" not in {*each.properties, *each.received}]
    return [dataset, *(each for child in below for each in _inheriting_mountpoint(pool, child))]


def zfs_inherit(call: Call, arguments: Sequence[str]) -> int:
    """Take a local value back, so that the parent's, the received or the default one shows."""
    call.synopsis = INHERIT_SYNOPSIS
    options = parse_options(call, arguments, "rS")
    if not options.operands:
        call.usage("missing property argument")
    if len(options.operands) == 1:
        call.usage("missing dataset argument")
    word, *operands = options.operands
    name = ALIASES.get(word, word)
    native = NATIVES.get(name)
    to_received = "S" in options
    if native is None:
        if not is_user_property(word):
            call.usage(f"invalid property '{word}'")
    elif native.default is None or native.once:
        call.stop(f"{word} property is read-only")
    elif not native.inheritable and not to_received:
        call.complain(f"'{word}' property cannot be inherited")
        if name in _CLEARED_BY_NONE:
            call.complain(f"use 'zfs set {word}=none' to clear")
            call.complain(f"use 'zfs inherit -S {word}' to revert to received value")
        return 1
    failed = False
    for operand in operands:
        found = call.open(operand, DATASETS)
        if found is None:
            failed = True
            continue
        for each in _with_all_below(found) if "r" in options and not found.snapshot else [found]:
            failed |= not _inherit_on(call, each, name, to_received=to_received, recursive="r" in options)
    return int(failed)


def _with_all_below(found: Found) -> list[Found]:
    """A dataset and everything below it, snapshots too: `zfs inherit -r` clears theirs as well."""
    below: list[Found] = []
    for dataset in found.pool.tree(found.dataset.name):
        below.append(Found(found.pool, dataset))
        below += [Found(found.pool, dataset, snapshot=snapshot) for snapshot in dataset.snapshots.values()]
    return below


def _inherit_on(call: Call, found: Found, name: str, *, to_received: bool, recursive: bool) -> bool:
    native = NATIVES.get(name)
    letter = {Kinds.FILESYSTEM: "f", Kinds.VOLUME: "v", Kinds.SNAPSHOT: "s"}[found.kind]
    if native and letter not in native.types:
        if recursive:
            return True
        call.complain(f"cannot inherit {name} for '{found.name}': property doesn't apply to datasets of this type")
        return False
    refused = call.refusal(found.pool, needs_space=False)
    if refused:
        call.complain(f"cannot inherit {name} for '{found.name}': {TEXTS[refused]}")
        return False
    target = found.snapshot or found.dataset
    target.properties.pop(name, None)
    if not to_received:
        target.received.pop(name, None)
    _remount(found, {name})
    found.pool.next_txg()
    call.changed()
    return True
