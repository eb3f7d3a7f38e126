"""Which files make up the policy, and reading each of them as TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zfsctl.config.problems import Problem
from zfsctl.errors import ConfigError

DEFAULT_POLICY = Path("/etc/zfsctl/zfsctl.toml")

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """One file of the policy, read."""

    name: str
    table: Mapping[str, object]


def policy_path(path: Path | None, *, environ: Mapping[str, str]) -> Path:
    """The policy file that counts: `path`, else ZFSCTL_CONFIG, else /etc/zfsctl/zfsctl.toml. It need not exist."""
    named = environ.get("ZFSCTL_CONFIG", "")
    return path or (Path(named) if named else DEFAULT_POLICY)


def policy_files(path: Path) -> tuple[Path, ...]:
    """The policy file and, sorted by name, `conf.d/*.toml` beside it; hidden files (editors' copies) are left out.

    Raises:
        ConfigError: There is no such file, or conf.d cannot be listed.
    """
    folder = path.parent / "conf.d"
    try:
        if not path.exists():
            raise ConfigError(
                f"{path}: no policy was read, there is no such file",
                why="zfsctl does nothing without a policy file",
                hint="zfsctl config init",
                where=str(path),
            )
        parts = sorted(part for part in folder.iterdir() if _is_part(part)) if folder.is_dir() else []
    except OSError as error:
        raise _unreadable(Path(str(error.filename or path)), error) from error
    return (path, *parts)


def read_toml(path: Path) -> TomlFile:
    """Read one file.

    Raises:
        ConfigError: It cannot be read, is not UTF-8, or is not TOML; with line and column.
    """
    import tomllib

    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problem(
            str(path), f"line {line}", "it is not UTF-8 text", "TOML files are UTF-8", f"file {path}"
        ).error() from error
    try:
        return TomlFile(str(path), tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from error
    except RecursionError as error:
        raise Problem(str(path), "", "its lists are nested too deeply", "TOML as people write it").error() from error


def _is_part(path: Path) -> bool:
    return path.suffix == ".toml" and not path.name.startswith(".")


def _not_toml(path: Path, text: str, message: str) -> ConfigError:
    """tomllib tells the position only within its message."""
    found = _POSITION.search(message)
    what = message[: found.start()] if found else message
    line, column = (found[1], found[2]) if found and found[1] else (str(text.count("\n") + 1), "")
    place = f"line {line}, column {column}" if column else f"line {line}, the end of the file"
    lines = text.splitlines()
    shown = lines[int(line) - 1].strip() if int(line) <= len(lines) else ""
    expected = f"the line reads: {shown}" if shown else "TOML 1.0 (toml.io)"
    return Problem(str(path), place, f"it is not TOML: {what[:1].lower()}{what[1:]}", expected).error()


def _unreadable(path: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or str(error)).lower()
    return ConfigError(f"{path}: no policy was read, {reason}", hint=f"ls -ld {path}", where=str(path))
