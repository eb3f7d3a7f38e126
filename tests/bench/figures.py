"""Figures of a benchmark: what was measured round by round, and the bound that the median has to keep."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """The side on which the median of a figure has to stay."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:.3g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; a figure that could not be measured has no values."""

    what: str
    values: Sequence[float]
    bound: Bound | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the bound is kept; empty for a figure without one."""
        if self.bound is None:
            return ""
        if not self.values:
            return "NOT MEASURED"
        return "held" if self.bound.holds(statistics.median(self.values)) else "MISSED"

    def row(self) -> tuple[str, ...]:
        """Its cells, as `print_table` heads them."""
        spread = ("-", "-", "-")
        if self.values:
            spread = (_short(statistics.median(self.values)), _short(min(self.values)), _short(max(self.values)))
        return (self.what, str(len(self.values)), *spread, str(self.bound or ""), self.verdict, self.note)


HEAD = ("figure", "n", "median", "min", "max", "bound", "", "")


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Of the rounds that both have."""
    return [ours[number] / theirs[number] for number in ours if number in theirs]


def print_table(figures: Sequence[Figure]) -> bool:
    """Print all rows; whether no bound is missed. What could not be measured misses nothing, but is told."""
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        first, *middle, note = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([first, *middle, note]).rstrip())
    return all(figure.verdict != "MISSED" for figure in figures)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
