"""Simulated hosts as text, from their document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zfsctl.render.text import Line, Row, Span, Style, line, table
from zfsctl.render.units import counted

Fleet = Mapping[str, Any]
"""What fleet.json holds: `now` and `hosts`."""


def render_sandbox(fleet: Fleet) -> list[Line]:
    """The clock, and each host with its pools and datasets, for a terminal."""
    lines = [line(Span("now", Style.QUIET), f"  {fleet.get('now', '')}")]
    for host, machine in _tables(fleet, "hosts"):
        lines.append(line(Span(host, Style.STRONG), f"  OpenZFS {machine.get('version', '')}", *_unreachable(machine)))
        for pool, settings in _tables(machine, "pools"):
            rows: list[tuple[str | Span, ...]] = [
                (name, counted(len(dataset.get("snapshots") or ()), "snapshot"), _notes(dataset))
                for name, dataset in _tables(settings, "datasets")
            ]
            lines.append(line(f"  {pool}  {settings.get('health', 'ONLINE')}"))
            lines += table(rows, indent=4)
    return lines


def rows_of_sandbox(fleet: Fleet) -> list[Row]:
    """The same for a pipe: rows begin with now, host, pool or dataset."""
    rows: list[Row] = [("now", str(fleet.get("now", "")))]
    for host, machine in _tables(fleet, "hosts"):
        state = "reachable" if machine.get("reachable", True) else "unreachable"
        rows.append(("host", host, str(machine.get("version", "")), state))
        for pool, settings in _tables(machine, "pools"):
            rows.append(("pool", f"{host}:{pool}", str(settings.get("health", "ONLINE"))))
            rows += [
                ("dataset", f"{host}:{name}", str(len(dataset.get("snapshots") or ())), _notes(dataset))
                for name, dataset in _tables(settings, "datasets")
            ]
    return rows


def _tables(parent: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, value) for name, value in (parent.get(key) or {}).items() if isinstance(value, Mapping))


def _unreachable(machine: Mapping[str, Any]) -> tuple[Span, ...]:
    return () if machine.get("reachable", True) else (Span("  unreachable", Style.CRITICAL),)


def _notes(dataset: Mapping[str, Any]) -> str:
    notes = [str(dataset["type"])] if dataset.get("type", "filesystem") != "filesystem" else []
    notes += [f"clone of {dataset['origin']}"] if dataset.get("origin") else []
    return ", ".join(notes)
