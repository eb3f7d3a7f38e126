"""The names that completion offers: one file in the cache, written after hosts were asked, read on TAB."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from zfsctl.model.facts import Facts
from zfsctl.model.names import LOCAL
from zfsctl.operations.session import Session

FILE = "names"


def save_names(session: Session, facts: Facts) -> None:
    """Write the datasets that were seen, one to a line, `host:` before those of other machines.

    A host that was not asked, or did not answer in full, keeps the names it had. A cache that cannot be written is no
    error.
    """
    folder = session.paths.cache_dir
    path = folder / FILE
    kept: list[str] = []
    answered = {name for name, host in facts.hosts.items() if host.complete}
    with contextlib.suppress(OSError):
        kept = [name for name in path.read_text(encoding="utf-8").splitlines() if _host_of(name) not in answered]
    names = sorted({*kept, *_names(facts, answered)})
    temporary = folder / f".{FILE}.{os.getpid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        temporary.replace(path)


def _names(facts: Facts, answered: set[str]) -> Iterable[str]:
    for name, host in facts.hosts.items():
        if name in answered:
            yield from (dataset if name == LOCAL else f"{name}:{dataset}" for dataset in host.datasets)


def _host_of(name: str) -> str:
    head = name.partition("/")[0]
    return head.partition(":")[0] if ":" in head else LOCAL
