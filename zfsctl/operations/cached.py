"""`status --cached`: what was seen when hosts were last asked. Asks no host, reads no policy, and must be quick."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zfsctl.config.settings import Paths, paths_for
from zfsctl.documents.status import status_from_document
from zfsctl.errors import StateError
from zfsctl.model.status import Status
from zfsctl.state.cached import read_cached_status


@dataclass(frozen=True, slots=True)
class CachedView:
    """A status of the past, and the clock by which its age is told."""

    status: Status
    now: int


def cached_status(environ: Mapping[str, str], sandbox: Path | None = None) -> CachedView:
    """The status that was kept last.

    Raises:
        StateError: There is none, or it cannot be read.
    """
    paths = Paths.inside(sandbox) if sandbox else paths_for(environ)
    kept = read_cached_status(paths.state_file)
    if kept is None:
        raise StateError(
            "no status shown, none was kept yet",
            why=f"{paths.state_file} has none, or cannot be read",
            hint="zfsctl status",
            where=str(paths.state_file),
        )
    try:
        status = status_from_document(json.loads(kept.document))
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            "no status shown, the one that was kept cannot be read",
            why=f"{paths.state_file}: {error!r}",
            hint="zfsctl status",
            where=str(paths.state_file),
        ) from error
    return CachedView(status, _sandbox_now(sandbox) if sandbox else int(time.time()))


def _sandbox_now(folder: Path) -> int:
    """The simulated clock, read from the document itself: loading the whole fleet takes longer than all the rest."""
    from datetime import datetime

    try:
        now = json.loads((folder / "fleet.json").read_bytes())["now"]
        return int(datetime.fromisoformat(now).timestamp()) if now.endswith("Z") else _loaded_now(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _loaded_now(folder)


def _loaded_now(folder: Path) -> int:
    from zfsctl.sandbox.fleet import open_sandbox

    return open_sandbox(folder).now()
