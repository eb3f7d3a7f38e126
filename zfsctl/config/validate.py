"""The merged document through pydantic-settings: every single value checked, every error with file and key path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from zfsctl.config.merge import KeyPath, Merged
from zfsctl.config.problems import Problem, near, one_of
from zfsctl.config.shape import (
    DatasetsTable,
    HookTable,
    HostTable,
    KeepTable,
    PolicyDocument,
    PolicyTable,
    ReplicationTable,
    SshTable,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LATER_TABLES = ("verifications", "pools", "archives", "notify")
"""Tables of the policy language that this version cannot act on. To pass over them would be to promise in vain."""

_ARRAYS: Mapping[str, type[BaseModel]] = {
    "datasets": DatasetsTable,
    "hooks": HookTable,
    "replications": ReplicationTable,
}
_TABLES_OF_ENTRIES: Mapping[str, type[BaseModel]] = {"hosts": HostTable, "policies": PolicyTable}

_ABSENT = object()

_EXPECTED = {
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "string_type": "text in quotes",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
}


@dataclass(frozen=True, slots=True)
class Validated:
    """What of the document is right by itself."""

    document: PolicyDocument
    positions: Mapping[str, Sequence[int]]
    """For each array of tables, the position in the merged document of each entry that is left."""
    problems: tuple[Problem, ...]


def validate(merged: Merged) -> Validated:
    """Check every key and value by itself. Entries that are wrong are left out of what is returned, with a problem."""
    known = {key: value for key, value in merged.document.items() if key in PolicyDocument.model_fields}
    problems = [_unknown_top(merged, key) for key in merged.document if key not in known]
    positions = {key: range(len(entries)) for key in _ARRAYS if isinstance(entries := known.get(key, []), list)}
    try:
        # The one dict is the only source of the settings model.
        return Validated(PolicyDocument(**known), positions, tuple(problems))  # type: ignore[arg-type]
    except ValidationError as error:
        found = [(_path(known, detail), detail) for detail in error.errors(include_url=False)]
    problems.extend(_problem(merged, path, detail) for path, detail in found)
    rest, left = _without(known, [path for path, _ in found])
    return Validated(PolicyDocument(**rest), left, tuple(problems))  # type: ignore[arg-type]


def _unknown_top(merged: Merged, key: str) -> Problem:
    tables = tuple(PolicyDocument.model_fields)
    if key in LATER_TABLES:
        return merged.problem(
            (key,), "this version of zfsctl does not know this table", one_of(tables), "remove it, or update zfsctl"
        )
    return merged.problem((key,), "unknown key", one_of(tables), near(key, tables))


def _path(document: Mapping[str, object], detail: ErrorDetails) -> KeyPath:
    """The part of pydantic's location that stands in the file; for what is missing, the table it is missing in."""
    path: list[str | int] = []
    here: object = document
    for key in detail["loc"]:
        if isinstance(here, dict):
            here = here.get(key, _ABSENT)
        elif isinstance(here, list) and isinstance(key, int):
            here = here[key]
        else:
            here = _ABSENT
        if here is _ABSENT:
            break
        path.append(key)
    return tuple(path)


def _problem(merged: Merged, path: KeyPath, detail: ErrorDetails) -> Problem:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "zfsctl":
        return merged.problem(path, context["message"], context["expected"], context["hint"])
    if kind == "extra_forbidden":
        known = _keys_of(path[:-1])
        return merged.problem(path, "unknown key", one_of(known), near(str(path[-1]), known))
    if kind == "missing":
        key = str(detail["loc"][-1])
        return merged.problem(path, f"`{key}` is missing", _EXAMPLES.get(key, ""))
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].split(" or ")]
        return merged.problem(path, f"{value!r} is not known", one_of(choices), near(str(value), choices))
    if kind in ("greater_than_equal", "less_than_equal"):
        return merged.problem(path, f"{value} is out of range", "1 to 65535")
    if kind == "list_type" and path[-1] in _ARRAYS:
        return merged.problem(path, "it is not an array of tables", f"[[{path[-1]}]], in two pairs of brackets")
    expected = _EXPECTED.get(kind, detail["msg"])
    return merged.problem(path, f"{_shown(value)} is not what stands here", expected)


_EXAMPLES = {
    "keep": "at least one rule, such as keep = { daily = 14 }",
    "select": 'at least one [HOST:]DATASET, such as select = ["tank/data"]',
    "policy": 'the name of a policy, or "none"',
    "name": 'a name of its own, such as name = "nightly"',
    "sender": '[HOST:]DATASET, such as sender = "alpha:tank/vm"',
    "receiver": '[HOST:]DATASET, such as receiver = "vault:bk/{host}/vm"',
}


def _keys_of(path: KeyPath) -> tuple[str, ...]:
    """The keys that the table at `path` may have."""
    match path:
        case ("ssh",):
            model: type[BaseModel] = SshTable
        case (str(table), _) if table in _TABLES_OF_ENTRIES:
            model = _TABLES_OF_ENTRIES[table]
        case (str(array), int()) if array in _ARRAYS:
            model = _ARRAYS[array]
        case ("policies" | "replications", _, "keep"):
            model = KeepTable
        case _:
            return ()
    return tuple(model.model_fields)


def _without(
    document: Mapping[str, object], paths: Sequence[KeyPath]
) -> tuple[dict[str, object], dict[str, list[int]]]:
    """The document without the entries that hold `paths`, and where what is left of each array stood."""
    gone = {path[:2] for path in paths}
    rest: dict[str, object] = {}
    positions: dict[str, list[int]] = {key: [] for key in _ARRAYS}
    for key, value in document.items():
        if (key,) in gone:
            continue
        if isinstance(value, dict):
            rest[key] = {name: entry for name, entry in value.items() if (key, name) not in gone}
        elif isinstance(value, list):
            left = [position for position in range(len(value)) if (key, position) not in gone]
            rest[key] = [value[position] for position in left]
            positions[key] = left
        else:
            rest[key] = value
    return rest, positions


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return str(value)
