"""Sizes as people write them: an integer and one of K M G T, or KiB MiB GiB TiB; powers of 1024, as in OpenZFS."""

from __future__ import annotations

import re

BYTES_OF = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}

LARGEST = 2**63 - 1
"""Bytes; no pool of OpenZFS counts further in a signed number."""

EXPECTED = "an integer and one of K M G T or KiB MiB GiB TiB, powers of 1024, such as 50MiB"

_SIZE = re.compile(r"([0-9]+)([KMGT])(iB)?")
_NEAR = re.compile(r"\s*([0-9]+)\s*([kmgt])i?b?\s*", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes of a size such as `50MiB`; at least 1.

    Raises:
        ValueError: It is not one; the message says what it is instead.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no size")
    size = int(found[1]) * BYTES_OF[found[2]] if len(found[1]) <= 18 else LARGEST + 1
    if size > LARGEST:
        raise ValueError(f"{text!r} is larger than any pool")
    if not size:
        raise ValueError(f"{text!r} is nothing at all")
    return size


def size_text(size: int) -> str:
    """`size`, bytes that `parse_size` has read, as it reads them: 50M, 1536K."""
    unit = max((unit for unit, worth in BYTES_OF.items() if size % worth == 0), key=lambda unit: BYTES_OF[unit])
    return f"{size // BYTES_OF[unit]}{unit}"


def nearest_size(text: str) -> str | None:
    """The size that was probably meant by `text`, such as 50M for "50 mb"; None when there is no telling."""
    found = _NEAR.fullmatch(text)
    return f"{found[1]}{found[2].upper()}" if found else None
