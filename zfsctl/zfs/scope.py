"""Which operands a listing of snapshots needs so that the wanted datasets are in it, and few others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from zfsctl.model.batches import MOST_ARGUMENT_BYTES, argument_bytes
from zfsctl.model.names import pool_of


@dataclass(frozen=True, slots=True)
class Scope:
    """Operands of one listing of snapshots."""

    operands: tuple[str, ...]
    recursive: bool
    """With everything below each operand; otherwise the operands' own snapshots alone."""


def scope_of(wanted: Iterable[str], known: Collection[str], *, most_bytes: int = MOST_ARGUMENT_BYTES) -> Scope:
    """The cheapest single question about the snapshots of `wanted`, all of which are in `known`.

    Where all that exists below the topmost wanted datasets is wanted too, these topmost ones, recursively.
    Otherwise (thousands of excluded container layers, say) each wanted dataset by itself. Where that is longer
    than `most_bytes`, the topmost ones again, and where even they are, whole pools.
    """
    names = sorted(set(wanted))
    tops = topmost(names)
    recursively = Scope(tops, recursive=True)
    if sum(covered(name, frozenset(tops)) for name in known) == len(names):
        fitting = recursively
    else:
        fitting = Scope(tuple(names), recursive=False)
    for scope in (fitting, recursively):
        if argument_bytes(scope.operands) <= most_bytes:
            return scope
    return Scope(tuple(sorted({pool_of(name) for name in names})), recursive=True)


def topmost(names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that lie below no other of them, sorted."""
    every = frozenset(names)
    return tuple(sorted(name for name in every if not any(above in every for above in ancestors(name))))


def covered(name: str, tops: Collection[str]) -> bool:
    """Whether `name` is one of `tops` or lies below one."""
    return name in tops or any(above in tops for above in ancestors(name))


def ancestors(name: str) -> Iterable[str]:
    """The datasets above `name`, nearest first; nothing for a pool's root."""
    end = name.rfind("/")
    while end > 0:
        yield name[:end]
        end = name.rfind("/", 0, end)
