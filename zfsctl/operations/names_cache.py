"""The names that completion offers: two files in the cache, written after hosts were asked, read on TAB."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from zfsctl.model.facts import Facts
from zfsctl.model.names import LOCAL
from zfsctl.operations.session import Session

DATASETS_FILE = "names"
SNAPSHOTS_FILE = "snapshots"


def save_names(session: Session, facts: Facts) -> None:
    """Write what was seen, `host:` before the names of other machines: the datasets, one to a line, and for each that
    has snapshots a line with their names behind its own, all with tabs between, so that TAB reads few lines.

    A host that was not asked, or did not answer in full, keeps the names it had, and so does a dataset whose snapshots
    were not listed. A cache that cannot be written is no error.
    """
    folder = session.paths.cache_dir
    answered = {name for name, host in facts.hosts.items() if host.complete}
    datasets = {f"{_prefix(name)}{dataset}" for name in answered for dataset in facts.hosts[name].datasets}
    kept = {name for name in _lines(folder / DATASETS_FILE) if _host_of(name) not in answered}
    listed = {
        f"{_prefix(name)}{dataset}": [snapshot.name for snapshot in snapshots]
        for name in answered
        if not facts.hosts[name].newest_only
        for dataset, snapshots in facts.hosts[name].snapshots.items()
    }
    snapshots = {place: f"{place}\t" + "\t".join(names) for place, names in listed.items() if names}
    for line in _lines(folder / SNAPSHOTS_FILE):
        place = line.partition("\t")[0]
        if place not in listed and (place in datasets or _host_of(place) not in answered):
            snapshots[place] = line
    _write(folder / DATASETS_FILE, sorted(datasets | kept))
    _write(folder / SNAPSHOTS_FILE, snapshots.values())


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _write(path: Path, lines: Iterable[str]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        temporary.replace(path)


def _prefix(host: str) -> str:
    return "" if host == LOCAL else f"{host}:"


def _host_of(place: str) -> str:
    head = place.partition("/")[0]
    return head.partition(":")[0] if ":" in head else LOCAL
