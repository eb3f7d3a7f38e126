"""What the environment may set: where zfsctl keeps its own files, and how it prints. Never hosts, never retention.

This is read by hand and not by pydantic-settings: `status --cached` and completion need these paths within a few
milliseconds, and importing pydantic-settings alone costs more than they may take in all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zfsctl.errors import ConfigError

STATE_NAME = "state.db"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where zfsctl keeps its own files on this machine. Nothing is created by asking."""

    state_file: Path
    """The journal; deleting it costs the history, and questions are asked again."""
    lock_dir: Path
    cache_dir: Path
    """May be emptied at any time."""

    @classmethod
    def inside(cls, folder: Path) -> Paths:
        """All of them in `folder`, as for a sandbox, whatever the environment says."""
        return cls(folder / STATE_NAME, folder / "locks", folder / "cache")


def paths_for(environ: Mapping[str, str], *, uid: int | None = None) -> Paths:
    """The paths of this user: system folders for root, XDG folders below the home folder for others.

    ZFSCTL_STATE_DIR, ZFSCTL_RUNTIME_DIR and ZFSCTL_CACHE_DIR go before both. The locks of an ordinary user lie
    beside the state and not in XDG_RUNTIME_DIR: a cron job does not have that variable, and a job and a shell that
    lock in different folders do not see each other.

    Args:
        environ: The environment.
        uid: The user's number; None for that of this process.

    Raises:
        ConfigError: A variable holds a relative path, or there is no home folder to start from.
    """
    root = (os.getuid() if uid is None else uid) == 0
    state = _folder(environ, "ZFSCTL_STATE_DIR")
    runtime = _folder(environ, "ZFSCTL_RUNTIME_DIR")
    cache = _folder(environ, "ZFSCTL_CACHE_DIR")
    state = state or (Path("/var/lib/zfsctl") if root else _xdg(environ, "XDG_STATE_HOME", ".local/state"))
    runtime = runtime or (Path("/run/zfsctl") if root else state / "locks")
    cache = cache or (Path("/var/cache/zfsctl") if root else _xdg(environ, "XDG_CACHE_HOME", ".cache"))
    return Paths(state / STATE_NAME, runtime, cache)


def colour_refused(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for plain text: NO_COLOR holds anything (no-color.org), or the terminal is dumb."""
    return bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "")
    if not text:
        return None
    folder = Path(text)
    if not folder.is_absolute():
        raise ConfigError(
            f"environment: {name}: {text!r} is no absolute path",
            why="a timer and a shell start in different folders and must find the same files",
            hint=f"export {name}=/an/absolute/folder",
            where=f"environment: {name}",
        )
    return folder


def _xdg(environ: Mapping[str, str], name: str, below_home: str) -> Path:
    """The XDG folder, and zfsctl in it. The XDG specification says that a relative path counts as unset."""
    text = environ.get(name, "")
    if text.startswith("/"):
        return Path(text) / "zfsctl"
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise ConfigError(
            "environment: HOME: it is not set, so there is no folder for the state file",
            why="zfsctl keeps its journal below the home folder of a user who is not root",
            hint="export ZFSCTL_STATE_DIR=/path/to/a/folder",
            where="environment: HOME",
        )
    return Path(home) / below_home / "zfsctl"
