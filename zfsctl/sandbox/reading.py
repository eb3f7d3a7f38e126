"""Reading a JSON document that a person may have written: numbers may stand for strings, unknown fields are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeGuard

from zfsctl.errors import ConfigError

Json = Mapping[str, object]


def is_table(value: object) -> TypeGuard[Json]:
    """Whether a value of a JSON document is an object."""
    return isinstance(value, dict)


def wrong(path: str, expected: str, found: object) -> ConfigError:
    """The error for a value that is not what it should be."""
    shown = repr(found) if isinstance(found, (str, int, float, bool)) or found is None else type(found).__name__
    return ConfigError(f"{path} is not {expected}", why=f"it is {shown}", where=path)


def table_of(value: object, path: str) -> Json:
    """`value` as an object; an absent one (None) is empty."""
    if value is None:
        return {}
    if not is_table(value):
        raise wrong(path, "an object", value)
    return value


def list_of(value: object, path: str) -> list[object]:
    """`value` as a list; an absent one (None) is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(path, "a list", value)
    return value


def number_of(value: object, path: str, default: int = 0, *, least: int | None = None) -> int:
    """`value` as a whole number, also when it is written as a string; `default` when it is absent (None)."""
    if value is None:
        return default
    if type(value) is int and least is None:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise wrong(path, "a whole number", value)
    try:
        number = int(value)
    except ValueError:
        raise wrong(path, "a whole number", value) from None
    if least is not None and number < least:
        raise wrong(path, f"a whole number from {least} on", value)
    return number


def text_of(value: object, path: str, default: str = "") -> str:
    """`value` as text, also when it is written as a number; `default` when it is absent (None)."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise wrong(path, "a text", value)
    return str(value)


def flag_of(value: object, path: str, default: bool) -> bool:
    """`value` as true or false; `default` when it is absent (None)."""
    if value is None:
        return default
    if not isinstance(value, bool):
        raise wrong(path, "true or false", value)
    return value


def texts_of(value: object, path: str) -> dict[str, str]:
    """`value` as an object of texts; an absent one (None) is empty."""
    return {key: text_of(each, f"{path}.{key}") for key, each in table_of(value, path).items()}


def check_fields(table: Json, path: str, known: Iterable[str]) -> None:
    """Refuse a field that is not known.

    Raises:
        ConfigError: Naming the path, and the nearest field that exists.
    """
    known = set(known)
    for key in table:
        if key in known:
            continue
        from difflib import get_close_matches

        near = get_close_matches(key, known, n=1)
        raise ConfigError(
            f"{path}.{key} is not a known field" if path else f"{key} is not a known field",
            why=f"known are {', '.join(sorted(known))}",
            hint=f"did you mean {near[0]}?" if near else "",
            where=f"{path}.{key}" if path else key,
        )
