"""Which names a pattern is about (`*` stays inside one name component, `**` crosses slashes), and which never."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from zfsctl.model.facts import HostFacts
from zfsctl.model.names import LOCAL, is_at_or_below
from zfsctl.model.policy import Pattern

ANY_HOST = "*"

_ASIDE = (".zfsctl-aside-", ".zfsctl-new-")
_RECEIVING = "%"
"""A dataset under construction inside OpenZFS, such as tank/a/%recv."""

_TOKEN = re.compile(r"(?:(?<=/)|^)\*\*/|\*\*|\*|[^*]+")


def matches(pattern: str, dataset: str) -> bool:
    """Whether `pattern` is about exactly this dataset."""
    return _expression(pattern).fullmatch(dataset) is not None


def selects(pattern: str, dataset: str) -> bool:
    """Whether `dataset` matches `pattern` or lies below a dataset that does."""
    if "*" not in pattern:
        return is_at_or_below(dataset, pattern)
    return _expression_with_all_below(pattern).fullmatch(dataset) is not None


def host_matches(pattern: str, host: str) -> bool:
    """Whether a host name or host pattern is about `host`."""
    return pattern == host or ("*" in pattern and _expression(pattern).fullmatch(host) is not None)


def selects_host(pattern: Pattern, host: str) -> bool:
    """Whether a `select` entry is about `host`; one without a host is about this machine."""
    return host_matches(pattern.host or LOCAL, host)


def literal_prefix(pattern: str) -> str:
    """What stands before the first wildcard; all of it where there is none."""
    return pattern.partition("*")[0]


def named_by_us(dataset: str) -> bool:
    """Whether it is, or lies below, a copy set aside or being built, as its name tells."""
    return any(part in dataset for part in _ASIDE)


def made_by_us(host: HostFacts) -> Callable[[str], bool]:
    """A function that tells of a dataset's name whether zfsctl (or a running receive) made it for itself.

    So are copies set aside or being built, scratch datasets, and everything below them.
    """
    marked = [name for name, dataset in host.datasets.items() if dataset.mark]

    def is_made_by_us(name: str) -> bool:
        return named_by_us(name) or _RECEIVING in name or any(is_at_or_below(name, above) for above in marked)

    return is_made_by_us


def tree_order(name: str) -> tuple[str, ...]:
    """Sorts datasets so that all that lies below one follows it at once."""
    return tuple(name.split("/"))


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(_source(pattern), re.DOTALL)


@lru_cache(maxsize=4096)
def _expression_with_all_below(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{_source(pattern)})(?:/.*)?", re.DOTALL)


def _source(pattern: str) -> str:
    """`**/` at the beginning of a component is any number of components, none included, as in .gitignore."""
    parts = []
    for token in _TOKEN.findall(pattern):
        if token == "**/":
            parts.append("(?:.*/)?")
        elif token == "**":
            parts.append(".*")
        elif token == "*":
            parts.append("[^/]*")
        else:
            parts.append(re.escape(token))
    return "".join(parts)
