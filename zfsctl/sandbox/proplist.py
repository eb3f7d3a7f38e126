"""Properties that a command is to set: read from `name=value`, checked in libzfs's words (zfs_valid_proplist)."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.sandbox.calls import Call, Kinds
from zfsctl.sandbox.natives import ALIASES, NATIVES, Native, is_user_property
from zfsctl.sandbox.sizes import read_size

MAX_NAME = 255
MAX_VALUE = 8191

_LETTERS = {Kinds.FILESYSTEM: "f", Kinds.VOLUME: "v", Kinds.SNAPSHOT: "s"}


def read_assignments(call: Call, texts: Sequence[str]) -> dict[str, str] | None:
    """`name=value` texts as a table; None after a complaint."""
    table: dict[str, str] = {}
    return table if all(add_assignment(call, table, text) for text in texts) else None


def add_assignment(call: Call, table: dict[str, str], text: str) -> bool:
    """Put one `name=value` into a table; False after a complaint."""
    name, sign, value = text.partition("=")
    if not sign:
        call.complain("missing '=' for property=value argument")
        return False
    if name in table:
        call.complain(f"property '{name}' specified multiple times")
        return False
    table[name] = value
    return True


def check_properties(
    call: Call, action: str, kind: Kinds, table: dict[str, str], *, creating: bool = False
) -> dict[str, str] | None:
    """The properties under their full names and with values as `-p` prints them; None after a complaint.

    Args:
        action: What the complaint begins with, such as "cannot create 'tank/a'".
        creating: Whether what can be set only at creation is allowed.
    """
    checked: dict[str, str] = {}
    for word, text in table.items():
        name = ALIASES.get(word, word)
        native = NATIVES.get(name)
        if native is None and is_user_property(word):
            fault = _user_fault(word, text)
            value = text
        else:
            fault, value = _native(native, word, text, kind, creating=creating)
        if fault:
            call.complain(f"{action}: {fault}")
            return None
        checked[name] = value
    return checked


def _user_fault(name: str, value: str) -> str:
    if len(name.encode()) > MAX_NAME:
        return f"property name '{name}' is too long"
    if len(value.encode(errors="surrogateescape")) > MAX_VALUE:
        return "property value too long"
    return ""


def _native(native: Native | None, word: str, text: str, kind: Kinds, *, creating: bool) -> tuple[str, str]:
    """What is wrong (empty for nothing), and the value to store."""
    if kind is Kinds.SNAPSHOT:
        return "this property can not be modified for snapshots", ""
    if native is None:
        return f"invalid property '{word}'", ""
    if _LETTERS[kind] not in native.types:
        return f"'{native.name}' does not apply to datasets of this type", ""
    if native.default is None or (native.once and not creating):
        return f"'{native.name}' is readonly", ""
    if native.choices:
        if text in native.choices:
            return "", text
        return f"'{native.name}' must be one of '{native.words or ' | '.join(native.choices)}'", ""
    if native.name == "mountpoint":
        if text in ("none", "legacy") or text.startswith("/"):
            return "", text.rstrip("/") or "/"
        return "'mountpoint' must be an absolute path, 'none', or 'legacy'", ""
    if native.number:
        return _number(native, text)
    return "", text


def _number(native: Native, text: str) -> tuple[str, str]:
    if text == "none" and native.default in ("0", "none"):
        return "", native.default
    size = read_size(text)
    if isinstance(size, str):
        return size, ""
    if native.name in ("quota", "refquota") and size == 0:
        return "use 'none' to disable quota/refquota", ""
    if native.name == "recordsize" and not (512 <= size <= 16 << 20 and size & (size - 1) == 0):
        return "'recordsize' must be power of 2 from 512B to 16M", ""
    return "", str(size)
