"""Several files as one document, without forgetting which file each part came from.

Arrays of tables add up. The tables `hosts` and `policies` hold named entries, which add up too. Anything else that
two files define is refused, whether or not they agree: which of them counts must never depend on a file's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zfsctl.config.files import TomlFile
from zfsctl.config.problems import Problem

KeyPath = tuple[str | int, ...]
"""Keys and, for arrays, positions counted from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")

NAMED_ENTRIES = ("hosts", "policies")
"""Tables whose entries may come from several files."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One document of all files."""

    files: tuple[str, ...]
    document: dict[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """What two files both define."""
    origins: Mapping[KeyPath, tuple[str, int]] = field(default_factory=dict)
    """For each part that came from one file as a whole: that file, and the parts of the same array before it
    that came from other files."""

    def problem(self, path: KeyPath, message: str, expected: str = "", hint: str = "") -> Problem:
        """A problem at `path` of the document, told in terms of the file that it came from."""
        file, before = self._origin(path)
        shifted = tuple(key - before if index == 1 and isinstance(key, int) else key for index, key in enumerate(path))
        return Problem(file, written(shifted), message, expected, hint)

    def where(self, path: KeyPath) -> str:
        """File and key path of one part, for messages."""
        return self.problem(path, "").where

    def _origin(self, path: KeyPath) -> tuple[str, int]:
        for length in range(len(path), 0, -1):
            found = self.origins.get(path[:length])
            if found:
                return found
        return (self.files[0] if self.files else "", 0)


def merge(files: Sequence[TomlFile]) -> Merged:
    """Merge files in their order. What is defined twice stays as the first file has it, and is a problem."""
    document: dict[str, object] = {}
    origins: dict[KeyPath, tuple[str, int]] = {}
    problems: list[Problem] = []

    def refuse_twice(path: KeyPath, second: str) -> None:
        first = origins[path][0]
        problems.append(
            Problem(
                second,
                written(path),
                f"it is defined in {first} already",
                "a key or table of its own in one file only; neither goes before the other",
                f"remove it from {first} or from {second}",
            )
        )

    for file in files:
        for key, value in file.table.items():
            there = document.get(key)
            if _is_array_of_tables(value) and (there is None or _is_array_of_tables(there)):
                assert isinstance(value, list)
                entries = document.setdefault(key, [])
                assert isinstance(entries, list)
                before = len(entries)
                origins.setdefault((key,), (file.name, 0))
                for offset in range(len(value)):
                    origins[key, before + offset] = (file.name, before)
                entries.extend(value)
            elif key in NAMED_ENTRIES and isinstance(value, dict) and isinstance(there, dict | None):
                table = document.setdefault(key, {})
                assert isinstance(table, dict)
                origins.setdefault((key,), (file.name, 0))
                for name, entry in value.items():
                    if name in table:
                        refuse_twice((key, name), file.name)
                    else:
                        table[name] = entry
                        origins[key, name] = (file.name, 0)
            elif key in document:
                refuse_twice((key,), file.name)
            else:
                document[key] = value
                origins[key,] = (file.name, 0)
    return Merged(tuple(file.name for file in files), document, tuple(problems), origins)


def written(path: KeyPath) -> str:
    """A key path as a person writes it: dotted, quoted where TOML needs it, array entries counted from 1."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key + 1}]"
        else:
            text += ("." if text else "") + (key if _BARE.fullmatch(key) else _quoted(key))
    return text


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _quoted(key: str) -> str:
    import json

    return json.dumps(key, ensure_ascii=False)
