"""What OpenZFS says of a name (zfs_validate_name in libzfs_dataset.c, zfs_namecheck.c). Pure."""

from __future__ import annotations

import re
from enum import Enum

MAX_NAME_BYTES = 255

_GOOD = re.compile(r"[A-Za-z0-9\-_.:% ]+(?:/[A-Za-z0-9\-_.:% ]+)*(?:[@#][A-Za-z0-9\-_.:% ]+)?")
_DOTS = re.compile(r"(?:^|[/@#])\.\.?(?:$|/)")
_CHARACTERS = re.compile(r"[A-Za-z0-9\-_.: ]")
_RESERVED = ("mirror", "raidz", "draid", "spare", "log")


class NameKind(Enum):
    """What a name may be the name of."""

    DATASET = "dataset"
    SNAPSHOT = "snapshot"
    BOOKMARK = "bookmark"
    DATASET_OR_SNAPSHOT = "dataset or snapshot"
    DATASET_OR_BOOKMARK = "dataset or bookmark"
    ANY = "any"


_SNAPSHOT_KINDS = (NameKind.SNAPSHOT, NameKind.DATASET_OR_SNAPSHOT, NameKind.ANY)
_BOOKMARK_KINDS = (NameKind.BOOKMARK, NameKind.DATASET_OR_BOOKMARK, NameKind.ANY)


def name_fault(name: str, kind: NameKind, *, modifying: bool = True) -> str:
    """What is wrong with a name, in libzfs's words; empty if nothing is.

    Args:
        modifying: Whether something is to be created under that name; `%` is refused only then.
    """
    if kind not in _SNAPSHOT_KINDS and "@" in name:
        return "snapshot delimiter '@' is not expected here"
    if kind is NameKind.SNAPSHOT and "@" not in name:
        return "missing '@' delimiter in snapshot name"
    if kind not in _BOOKMARK_KINDS and "#" in name:
        return "bookmark delimiter '#' is not expected here"
    if kind is NameKind.BOOKMARK and "#" not in name:
        return "missing '#' delimiter in bookmark name"
    if modifying and "%" in name:
        return "invalid character % in name"
    return _entity_fault(name)


def _entity_fault(name: str) -> str:
    if len(name.encode()) > MAX_NAME_BYTES:
        return "name is too long"
    if _GOOD.fullmatch(name) and not _DOTS.search(name):
        return ""
    if name.startswith("/"):
        return "leading slash in name"
    if not name:
        return "empty component or misplaced '@' or '#' delimiter in name"
    found = ""
    rest = name
    while True:
        end = next((index for index, character in enumerate(rest) if character in "/@#"), len(rest))
        component, delimiter = rest[:end], rest[end : end + 1]
        if not component:
            return "empty component or misplaced '@' or '#' delimiter in name"
        bad = next((each for each in component if not _CHARACTERS.match(each) and each != "%"), "")
        if bad:
            first = bad.encode(errors="surrogateescape")[:1].decode(errors="surrogateescape")
            return f"invalid character '{first}' in name"
        if component == "." and delimiter in ("", "/"):
            return "self reference, '.' is found in name"
        if component == ".." and delimiter in ("", "/"):
            return "parent reference, '..' is found in name"
        if not delimiter:
            return ""
        if delimiter in "@#":
            if found:
                return "multiple '@' and/or '#' delimiters in name"
            found = delimiter
        elif found:
            return "trailing slash in name"
        rest = rest[end + 1 :]
        if delimiter == "/" and not rest:
            return "trailing slash in name"


def pool_name_fault(name: str, *, creating: bool = True) -> str:
    """What is wrong with a pool's name; empty if nothing is.

    Args:
        creating: Whether a pool is to be made under that name; reserved ones are refused only then.
    """
    if not name[:1].isalpha():
        return "name must begin with a letter"
    if creating and (name.startswith(_RESERVED[:3]) or name in _RESERVED):
        return "name is reserved"
    return _entity_fault(name)
