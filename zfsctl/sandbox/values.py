"""What every property of a dataset, snapshot or bookmark reads, as `zfs list -p` and `zfs get -p` print it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from zfsctl.sandbox.accounts import Account, account_for
from zfsctl.sandbox.calls import Call, Found
from zfsctl.sandbox.datasets import SimBookmark, SimDataset, SimSnapshot
from zfsctl.sandbox.extents import Space, written_since
from zfsctl.sandbox.inheritance import (
    LOCAL,
    NONE,
    UNSET,
    Setting,
    dataset_setting,
    own_setting,
    snapshot_inherits,
)
from zfsctl.sandbox.keys import ivset_guid, key_format, key_guid
from zfsctl.sandbox.machines import scramble
from zfsctl.sandbox.natives import NATIVES, is_written_since
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.sizes import nice_size

NOT_APPLICABLE = "-"

_ZERO_IS_NONE = ("quota", "reservation", "refquota", "refreservation")
_PLAIN_NUMBERS = frozenset(
    [
        "guid",
        "createtxg",
        "userrefs",
        "objsetid",
        "numclones",
        "inconsistent",
        "redacted",
        "ivsetguid",
        "keyguid",
        "copies",
        "filesystem_count",
        "snapshot_count",
        "filesystem_limit",
        "snapshot_limit",
    ]
)


@dataclass(slots=True)
class Values:
    """Reads properties during one command; what is costly is worked out once."""

    call: Call
    literal: bool = True
    """-p: exact numbers."""
    _accounts: dict[str, dict[str, Account]] = field(default_factory=dict)
    _spaces: dict[int, Space] = field(default_factory=dict)
    _clones: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def setting(self, found: Found, name: str) -> Setting:
        """Value and source of a property of anything that a name stands for; `-` where it does not apply."""
        pool, dataset = found.pool, found.dataset
        if found.snapshot:
            place = list(dataset.snapshots).index(found.snapshot.name)
            return self.snapshot_setting(pool, dataset, name)(found.snapshot, place)
        native = NATIVES.get(name)
        if native is not None and _letter(found) not in native.types:
            return UNSET
        if found.bookmark:
            return Setting(self._of_bookmark(dataset, found.bookmark, name), NONE) if native else UNSET
        if native is not None and native.default is not None:
            value, source = self._set(found, name)
            return Setting(self._shown(name, value), source)
        if native is None and not is_written_since(name):
            return dataset_setting(pool, dataset, name)
        value = self._dataset_statistic(pool, dataset, name)
        source = LOCAL if native is None and value != NOT_APPLICABLE else NONE
        return Setting(self._shown("written" if native is None else name, value), source)

    def value(self, found: Found, name: str) -> str:
        """The value alone."""
        return self.setting(found, name).value

    def snapshot_setting(self, pool: SimPool, dataset: SimDataset, name: str) -> Callable[[SimSnapshot, int], Setting]:
        """A function from a snapshot and its place among its dataset's, oldest first, to a property."""
        native = NATIVES.get(name)
        if native is None and not is_written_since(name):
            inherited = snapshot_inherits(pool, dataset, name)
            return lambda snapshot, place: own_setting(snapshot, name) or inherited
        if native is not None and "s" not in native.types:
            return lambda snapshot, place: UNSET
        if native is not None and native.default is not None:
            return lambda snapshot, place: self._snapshot_set(Found(pool, dataset, snapshot=snapshot), name)
        column = self.snapshot_column(pool, dataset, name)
        source = NONE if native is not None else LOCAL
        return lambda snapshot, place: Setting(column(snapshot, place), source)

    def _snapshot_set(self, found: Found, name: str) -> Setting:
        value, source = self._set(found, name)
        return Setting(self._shown(name, value), source)

    def _set(self, found: Found, name: str) -> tuple[str, str]:
        dataset = found.dataset
        if name == "encryption":
            return dataset.encryption, "default" if dataset.encryption == "off" else NONE
        if found.snapshot:
            if name == "volsize":
                volsize = found.snapshot.volsize or dataset.properties.get("volsize")
                return (NOT_APPLICABLE, NONE) if volsize is None else (volsize, LOCAL)
            got = own_setting(found.snapshot, name) or snapshot_inherits(found.pool, dataset, name)
        else:
            got = dataset_setting(found.pool, dataset, name)
        if dataset.encryption != "off" and not found.snapshot:
            if name == "keyformat":
                return key_format(found.pool, dataset), NONE
            if name == "keylocation" and dataset.encryptionroot == dataset.name:
                return dataset.properties.get(name, "prompt"), LOCAL
        return got.value, got.source

    def _shown(self, name: str, value: str) -> str:
        if self.literal:
            return value
        if name in _ZERO_IS_NONE and value == "0":
            return "none"
        if name == "creation":
            return datetime.fromtimestamp(int(value), UTC).strftime("%a %b %e %k:%M %Y")
        native = NATIVES.get(name)
        if (native is None or native.number) and value.isdigit() and name not in _PLAIN_NUMBERS:
            return nice_size(int(value))
        return f"{value}x" if name.endswith("ratio") else value

    # Statistics

    def _dataset_statistic(self, pool: SimPool, dataset: SimDataset, name: str) -> str:
        account = self.account(pool, dataset)
        match name:
            case "used":
                return str(account.used)
            case "available":
                return str(account.available)
            case "referenced" | "logicalreferenced":
                return str(account.space.head_referenced)
            case "logicalused":
                return str(account.space.head_used + account.space.snapshots_used + account.by_children)
            case "usedbysnapshots":
                return str(account.space.snapshots_used)
            case "usedbydataset":
                return str(account.space.head_used)
            case "usedbychildren":
                return str(account.by_children)
            case "usedbyrefreservation":
                return str(account.by_refreservation)
            case "written":
                return str(account.space.head_written)
            case "mounted":
                return "yes" if dataset.mounted else "no"
            case "origin":
                return str(dataset.origin) if dataset.origin else NOT_APPLICABLE
            case "receive_resume_token":
                unfinished = pool.unfinished(dataset.name)
                return (unfinished.receive_resume_token if unfinished else "") or NOT_APPLICABLE
            case "snapshots_changed":
                return str(dataset.snapshots_changed) if dataset.snapshots_changed else NOT_APPLICABLE
            case "filesystem_count" | "snapshot_count":
                return "none"
            case "inconsistent":
                return str(int(dataset.inconsistent))
            case "prevsnap":
                newest = next(reversed(dataset.snapshots), None)
                if newest is not None:
                    return f"{dataset.name}@{newest}"
                return str(dataset.origin) if dataset.origin else NOT_APPLICABLE
        if is_written_since(name):
            txg = self._txg_of(dataset, name)
            return NOT_APPLICABLE if txg is None else str(written_since(dataset.extents, txg))
        return _shared(
            dataset, dataset.name, dataset.kind.value, dataset.guid, dataset.createtxg, dataset.creation, name
        )

    def snapshot_column(self, pool: SimPool, dataset: SimDataset, name: str) -> Callable[[SimSnapshot, int], str]:
        """A function from a snapshot and its place among its dataset's, oldest first, to a property's value."""
        native = NATIVES.get(name)
        written = is_written_since(name)
        if (native is None and not written) or (native is not None and native.default is not None):
            read = self.snapshot_setting(pool, dataset, name)
            return lambda snapshot, place: read(snapshot, place).value
        if native is not None and "s" not in native.types:
            return lambda snapshot, place: NOT_APPLICABLE
        quick = self._quick_column(pool, dataset, name)
        if quick is not None:
            return quick
        return lambda snapshot, place: self._shown(
            "written" if written else name, self._snapshot_statistic(pool, dataset, snapshot, name)
        )

    def _quick_column(self, pool: SimPool, dataset: SimDataset, name: str) -> Callable[[SimSnapshot, int], str] | None:
        """The columns that listings of many thousand snapshots ask for."""
        match name:
            case "name":
                head = f"{dataset.name}@"
                return lambda snapshot, place: head + snapshot.name
            case "guid":
                return lambda snapshot, place: str(snapshot.guid)
            case "createtxg":
                return lambda snapshot, place: str(snapshot.createtxg)
            case "userrefs":
                return lambda snapshot, place: str(len(snapshot.holds))
            case "clones":
                return lambda snapshot, place: ",".join(self.clones(pool, snapshot)) or NOT_APPLICABLE
            case "creation" if self.literal:
                return lambda snapshot, place: str(snapshot.creation)
            case "used" | "written" | "referenced" | "logicalreferenced":
                space = self.space(dataset)
                sizes = {"used": space.used, "written": space.written}.get(name, space.referenced)
                if self.literal:
                    return lambda snapshot, place: str(sizes[place])
                return lambda snapshot, place: nice_size(sizes[place])
        return None

    def _snapshot_statistic(self, pool: SimPool, dataset: SimDataset, snapshot: SimSnapshot, name: str) -> str:
        match name:
            case "numclones":
                return str(len(self.clones(pool, snapshot)))
            case "defer_destroy":
                return "on" if snapshot.defer_destroy else "off"
            case "inconsistent":
                return "0"
            case "ivsetguid":
                return str(ivset_guid(dataset, snapshot) or NOT_APPLICABLE)
        if is_written_since(name):
            txg = self._txg_of(dataset, name)
            if txg is None:
                return NOT_APPLICABLE
            return str(written_since(dataset.extents, txg, snapshot.createtxg))
        return _shared(
            dataset,
            f"{dataset.name}@{snapshot.name}",
            "snapshot",
            snapshot.guid,
            snapshot.createtxg,
            snapshot.creation,
            name,
        )

    def _of_bookmark(self, dataset: SimDataset, bookmark: SimBookmark, name: str) -> str:
        if name in ("referenced", "logicalreferenced"):
            alive = (
                extent.size
                for extent in dataset.extents
                if extent.birth <= bookmark.createtxg and (extent.death is None or extent.death > bookmark.createtxg)
            )
            return self._shown(name, str(sum(alive)))
        if name == "ivsetguid":
            return str(ivset_guid(dataset, bookmark) or NOT_APPLICABLE)
        full = f"{dataset.name}#{bookmark.name}"
        value = _shared(dataset, full, "bookmark", bookmark.guid, bookmark.createtxg, bookmark.creation, name)
        return self._shown(name, value)

    # What is worked out once

    def account(self, pool: SimPool, dataset: SimDataset) -> Account:
        """The space account of a dataset."""
        if pool.name not in self._accounts:
            self._accounts[pool.name] = account_for(pool)
        return self._accounts[pool.name][dataset.name]

    def space(self, dataset: SimDataset) -> Space:
        """The space of a dataset's snapshots."""
        key = id(dataset)
        if key not in self._spaces:
            self._spaces[key] = dataset.space()
        return self._spaces[key]

    def clones(self, pool: SimPool, snapshot: SimSnapshot) -> list[str]:
        """The names of a snapshot's clones."""
        if pool.name not in self._clones:
            self._clones[pool.name] = pool.clone_names()
        return self._clones[pool.name].get(id(snapshot), [])

    def _txg_of(self, dataset: SimDataset, name: str) -> int | None:
        """The createtxg that `written@snapshot` or `written#bookmark` counts from."""
        reference = name.removeprefix("written")
        full = reference if reference[0] not in "@#" or "/" in reference else dataset.name + reference
        found = self.call.look_up(full)
        if found is None or found.dataset is not dataset:
            return None
        return (found.snapshot or found.bookmark or dataset).createtxg


def _letter(found: Found) -> str:
    if found.snapshot:
        return "s"
    if found.bookmark:
        return "b"
    return "f" if found.dataset.is_filesystem else "v"


def _shared(dataset: SimDataset, full: str, kind: str, guid: int, createtxg: int, creation: int, name: str) -> str:
    """A statistic that datasets, snapshots and bookmarks have alike."""
    match name:
        case "name":
            return full
        case "type":
            return kind
        case "guid":
            return str(guid)
        case "createtxg":
            return str(createtxg)
        case "creation":
            return str(creation)
        case "compressratio" | "refcompressratio":
            return "1.00"
        case "objsetid":
            return str(guid % 100_000 + 50)
        case "redacted":
            return "0"
        case "encryptionroot":
            return dataset.encryptionroot or NOT_APPLICABLE
        case "keystatus":
            return dataset.keystatus or NOT_APPLICABLE
        case "ivsetguid":
            return str(scramble(guid, 1)) if dataset.encryption != "off" else NOT_APPLICABLE
        case "keyguid":
            return str(key_guid(dataset)) if dataset.encryption != "off" else NOT_APPLICABLE
    return NOT_APPLICABLE
