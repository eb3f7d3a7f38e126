"""Sizes as zfs takes and prints them (zfs_nicestrtonum, zfs_nicenum_format)."""

from __future__ import annotations

import re

_UNITS = "BKMGTPEZ"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([BKMGTPEZ]?)(i?B)?", re.IGNORECASE)


def read_size(text: str) -> int | None:
    """Bytes that a text such as 10G or 1.5T means; None if it means none."""
    found = _SIZE.fullmatch(text)
    if not found:
        return None
    number, unit, _ = found.groups()
    factor: int = 1024 ** _UNITS.index(unit.upper()) if unit else 1
    if "." in number:
        return int(float(number) * factor)
    return int(number) * factor


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
