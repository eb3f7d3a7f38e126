"""Patterns of the policy file: reading `[HOST:]DATASET`, and judging them before any host is asked."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from zfsctl.model.names import LOCAL, MAX_NAME_BYTES, check_pool_name, pool_of, split_host
from zfsctl.model.policy import Pattern
from zfsctl.planner.matching import ANY_HOST, host_matches

_HOST = re.compile(r"[A-Za-z0-9*]([A-Za-z0-9._*-]*[A-Za-z0-9*])?")
_COMPONENT = re.compile(r"[A-Za-z0-9\-_.: *]+")
_ANY_COMPONENTS = re.compile(r"(?:(?<=/)|^)\*\*/")
_ADOPTION = re.compile(r"[A-Za-z0-9\-_.: *?]+")


def selecting(text: str) -> Pattern:
    """The pattern of a `select` entry; without a host it is about this machine.

    Raises:
        ValueError: No dataset could match it, or OpenZFS allows no such name.
    """
    return _pattern(text, without_host=LOCAL)


def excluding(text: str) -> Pattern:
    """The pattern of an `exclude` entry; without a host it is about every host. Raises like `selecting`."""
    return _pattern(text, without_host=ANY_HOST)


def check_adoption(glob: str) -> str:
    """Return `glob` if it could match a snapshot's name, the part after the @; else ValueError.

    `*` and `?` have their usual meaning; nothing else is special.
    """
    if "@" in glob:
        raise ValueError(f"{glob!r} holds an @: it is about the part after that")
    if not _ADOPTION.fullmatch(glob):
        raise ValueError(f"{glob!r} matches no snapshot: it is empty or holds a character that OpenZFS does not allow")
    if glob != glob.strip():
        raise ValueError(f"{glob!r} begins or ends with a space")
    if len(glob.replace("*", "")) > MAX_NAME_BYTES - len("a@"):
        raise ValueError(f"{glob!r} is longer than any name that OpenZFS allows")
    return glob


def names_a_host(pattern: Pattern, hosts: Collection[str]) -> bool:
    """Whether it is about at least one of `hosts`."""
    return pattern.host in hosts or ("*" in pattern.host and any(host_matches(pattern.host, host) for host in hosts))


def can_exclude(exclude: Pattern, select: Pattern) -> bool:
    """Whether some dataset could be selected by the one, itself or below, and excluded by the other."""
    if not _meet(_tokens(exclude.host), _tokens(select.host)):
        return False
    if exclude.dataset.startswith("**"):
        return True  # below any dataset there is a name that ends as the pattern does
    excluded, selected = _tokens(exclude.dataset), _tokens(select.dataset)
    below = ("/", "**")
    # What is excluded takes along what lies below it, so either of the two may be the higher one.
    return _meet(excluded, selected) or _meet(excluded, selected + below) or _meet(excluded + below, selected)


def _pattern(text: str, *, without_host: str) -> Pattern:
    if text != text.strip():
        raise ValueError(f"{text!r} begins or ends with a space")
    host, dataset = split_host(text)
    if host is not None and not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host name: letters, digits, '.', '_', '-' and * only")
    if host is not None and "**" in host:
        raise ValueError(f"{host!r}: a host name has no slashes to cross, one * is enough")
    _check_dataset_pattern(dataset)
    return Pattern(text, without_host if host is None else host, dataset)


def _check_dataset_pattern(dataset: str) -> None:
    if not dataset:
        raise ValueError("it names no dataset")
    if "@" in dataset or "#" in dataset:
        raise ValueError(f"{dataset!r} names a snapshot or bookmark: datasets are selected, not parts of them")
    if "***" in dataset:
        raise ValueError(f"{dataset!r}: more than two * in a row mean nothing")
    for component in dataset.split("/"):
        if component in ("", ".", ".."):
            raise ValueError(f"{dataset!r}: {component!r} is not allowed between two slashes")
        if not _COMPONENT.fullmatch(component):
            raise ValueError(f"{dataset!r} holds a character that OpenZFS does not allow in a name")
        if component != component.strip():
            raise ValueError(f"{dataset!r}: {component!r} begins or ends with a space")
    if not (dataset[0].isalpha() or dataset[0] == "*"):
        raise ValueError(f"{dataset!r}: a pool name begins with a letter")
    pool = pool_of(dataset)
    if "*" not in pool:
        check_pool_name(pool)
    if len(dataset.replace("*", "")) > MAX_NAME_BYTES:
        raise ValueError(f"{dataset!r} is longer than the {MAX_NAME_BYTES} bytes that OpenZFS allows")


def _tokens(pattern: str) -> tuple[str, ...]:
    """Single characters, `*` and `**`.

    `**/` at the beginning of a component may also stand for nothing; it is taken as `**`, which allows a little more:
    a pattern is called impossible only when it is.
    """
    return tuple(re.findall(r"\*\*|.", _ANY_COMPONENTS.sub("**", pattern), re.DOTALL))


@lru_cache(maxsize=1024)
def _meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether one text matches both. Every pair of places in the two is looked at once."""
    seen: set[tuple[int, int]] = set()
    open_pairs = [(0, 0)]
    while open_pairs:
        pair = open_pairs.pop()
        if pair in seen:
            continue
        seen.add(pair)
        i, j = pair
        if i == len(left) and j == len(right):
            return True
        a, b = left[i] if i < len(left) else "", right[j] if j < len(right) else ""
        if a.startswith("*"):
            open_pairs.append((i + 1, j))
            if _takes(a, b):
                open_pairs.append((i, j + 1))
        if b.startswith("*"):
            open_pairs.append((i, j + 1))
            if _takes(b, a):
                open_pairs.append((i + 1, j))
        if a and a == b:
            open_pairs.append((i + 1, j + 1))
    return False


def _takes(star: str, character: str) -> bool:
    """Whether a star may stand for this one character of the other pattern."""
    return len(character) == 1 and character != "*" and (star == "**" or character != "/")
