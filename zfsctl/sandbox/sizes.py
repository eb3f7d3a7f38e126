"""Sizes as zfs takes and prints them (zfs_nicestrtonum, zfs_nicenum_format)."""

from __future__ import annotations

import re

_UNITS = "BKMGTPEZ"
_NUMBER = re.compile(r"(\d*)(\.\d*)?")
_SUFFIX = re.compile(r"(?:([KMGTPEZ])(?:i?B)?|B)?", re.IGNORECASE)


def read_size(text: str) -> int | str:
    """Bytes that a text such as 10G or 1.5TiB means, or what libzfs says is wrong with it."""
    if not text[:1].isdigit() and text[:1] != ".":
        return f"bad numeric value '{text}'"
    found = _NUMBER.match(text)
    assert found is not None
    suffix = text[found.end() :]
    unit = _SUFFIX.fullmatch(suffix)
    if unit is None:
        return f"invalid numeric suffix '{suffix}'"
    shift = 10 * _UNITS.index(unit.group(1).upper()) if unit.group(1) else 0
    size = int(float(found.group() or "0") * 2**shift) if found.group(2) else int(found.group()) << shift
    return "numeric value is too large" if size >= 1 << 64 else size


def nice_size(size: int, *, bytes_unit: bool = True) -> str:
    """A size in at most five characters, such as 4.10M; whole bytes end in B where `bytes_unit`."""
    index = 0
    value = size
    while value >= 1024 and index < len(_UNITS) - 1:
        value //= 1024
        index += 1
    unit = _UNITS[index] if index or bytes_unit else ""
    if index == 0 or size % (1024**index) == 0:
        return f"{value}{unit}"
    exact = size / 1024**index
    for digits in (2, 1, 0):
        text = f"{exact:.{digits}f}{unit}"
        if len(text) <= 5:
            return text
    return f"{exact:.0f}{unit}"
