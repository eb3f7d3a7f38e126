"""The `keep` rules of one policy: which snapshots each keeps and why, and when each lets go of one.

Everything here is about the candidates of one dataset: its scheduled and adopted snapshots, newest first by createtxg,
without those from the future. They are given by their creation times alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import cast

from zfsctl.errors import ConfigError
from zfsctl.model.policy import KeepRule, Policy
from zfsctl.model.verdicts import Reason, Rule
from zfsctl.planner.periods import LONGEST, Periods, periods_of
from zfsctl.planner.wording import window_text

_SINGLE = (Rule.LAST, Rule.WITHIN)
"""Rules that look at snapshots one by one; the others look at the newest snapshot of each period."""

_MOST_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Ending:
    """When the last of the rules let go of a snapshot."""

    by: int
    """The candidate, as an index newest first, whose arrival pushed it out."""
    rule: KeepRule
    """The rule that kept it until then; the first in the policy's order where several did."""


class Series:
    """The creation times of one dataset's candidates, newest first, and what was worked out about them."""

    __slots__ = ("_civil", "_keys", "_periods", "creations", "endings", "reasons")

    def __init__(self, creations: Sequence[int], periods: Periods) -> None:
        self.creations = creations
        self.reasons: tuple[tuple[Reason, ...], ...] | None = None
        self.endings: tuple[Ending | None, ...] | None = None
        self._periods = periods
        self._civil: list[int] | None = None
        self._keys: dict[Rule, list[int]] = {}

    def keys(self, rule: Rule) -> list[int]:
        """The period of `rule` that each candidate lies in."""
        keys = self._keys.get(rule)
        if keys is None:
            if self._civil is None:
                self._civil = self._periods.civil(self.creations)
            keys = self._keys[rule] = self._periods.keys(rule, self.creations, self._civil)
        return keys


class Keeping:
    """The rules of one policy in one time zone, ready for any number of datasets.

    A number counts; a duration is a window that reaches back from the newest candidate, edge included. The most recent
    periods are those of the newest candidates, so a clock that was wrong for a while does not make old of new.

    Raises:
        ConfigError: There is no rule, or one has neither a count nor a window.
    """

    def __init__(self, keep: Iterable[KeepRule], zone: tzinfo) -> None:
        self.rules = tuple(keep)
        if not self.rules or any((rule.count is None) == (rule.window is None) for rule in self.rules):
            raise ConfigError("nothing can be pruned by a policy without a rule", hint="keep = { daily = 14 }")
        self.zone = zone
        self._periods = periods_of(zone)
        # Millions of reasons are a few thousand different ones, so each is made once.
        self._reasons: tuple[dict[tuple[int, int], Reason], ...] = tuple({} for _ in self.rules)
        self._series: dict[tuple[int, ...], Series] = {}

    def series(self, creations: Iterable[int]) -> Series:
        """The candidates of one dataset, newest first, for the other methods.

        The datasets of a pool that follow one policy are snapshotted by one command, so their series are alike, and
        what was worked out for one is remembered for the next.
        """
        times = tuple(creations)
        series = self._series.get(times)
        if series is None:
            if len(self._series) >= _MOST_REMEMBERED:
                self._series.clear()
            series = self._series[times] = Series(times, self._periods)
        return series

    def reasons(self, series: Series) -> tuple[tuple[Reason, ...], ...]:
        """For each candidate, the reasons to keep it; nothing where no rule does."""
        if series.reasons is None:
            found: list[list[Reason]] = [[] for _ in series.creations]
            for rule, known in zip(self.rules, self._reasons, strict=True):
                if not found:
                    break
                if rule.rule in _SINGLE:
                    self._keep_singly(rule, known, series.creations, found)
                else:
                    self._keep_by_period(rule, known, series, found)
            series.reasons = tuple(map(tuple, found))
        return series.reasons

    def endings(self, series: Series) -> tuple[Ending | None, ...]:
        """For each candidate, when the last rule let go of it; None while one still keeps it."""
        if series.endings is None:
            found: list[Ending | None] = []
            known: dict[tuple[int, int], Ending] = {}
            for pushed in zip(*[self.let_go(rule, series) for rule in self.rules], strict=True):
                if None in pushed:
                    found.append(None)
                    continue
                last = cast(int, min(pushed))
                which = (last, pushed.index(last))
                ending = known.get(which)
                if ending is None:
                    ending = known[which] = Ending(last, self.rules[which[1]])
                found.append(ending)
            series.endings = tuple(found)
        return series.endings

    def is_dated(self, ending: Ending, series: Series, index: int) -> bool:
        """Whether the rule let go of the candidate at `index` when the arrival that pushed it out came, and not before.

        A count goes by what is left. Where other rules thinned out the time between the two, what was destroyed there
        had pushed the candidate out earlier, and nobody knows when.
        """
        rule, creations = ending.rule, series.creations
        if rule.count is None:
            return True
        if rule.rule is Rule.LAST:
            return len(self.rules) == 1
        return creations[ending.by] - creations[index] <= (rule.count + 1) * LONGEST[rule.rule]

    def let_go(self, rule: KeepRule, series: Series) -> list[int | None]:
        """For each candidate, the index of the one whose arrival made `rule` let go of it; None while it keeps it.

        A rule never takes a snapshot back: each newer one can only push older ones out.
        """
        creations = series.creations
        if rule.window is None:
            count = rule.count or 0
            if rule.rule in _SINGLE:
                most = min(count, len(creations))
                return [*[None] * most, *range(len(creations) - most)]
            return _outranked(series.keys(rule.rule), count)
        windows = _pushed_out_of_window(creations, rule.window)
        return windows if rule.rule in _SINGLE else _outdated(series.keys(rule.rule), windows)

    def without_end(self, rule: KeepRule, series: Series) -> list[int]:
        """The candidates that a window rule would keep if its window had no end: all, or the newest of each period."""
        if rule.rule in _SINGLE:
            return list(range(len(series.creations)))
        newest: dict[int, int] = {}
        for index, key in enumerate(series.keys(rule.rule)):
            newest.setdefault(key, index)
        return list(newest.values())

    def _keep_singly(
        self, rule: KeepRule, known: dict[tuple[int, int], Reason], creations: Sequence[int], found: list[list[Reason]]
    ) -> None:
        if rule.window is None:
            for rank in range(min(rule.count or 0, len(creations))):
                reason = known.get((0, rank))
                if reason is None:
                    reason = known[0, rank] = Reason(rule.rule, f"{rank + 1} of {rule.count}")
                found[rank].append(reason)
            return
        edge = creations[0] - rule.window
        reason = known.setdefault((0, 0), Reason(rule.rule, f"within {_text(rule)} of the newest"))
        for index, creation in enumerate(creations):
            if creation >= edge:
                found[index].append(reason)

    def _keep_by_period(
        self, rule: KeepRule, known: dict[tuple[int, int], Reason], series: Series, found: list[list[Reason]]
    ) -> None:
        creations = series.creations
        seen: set[int] = set()
        most = rule.count if rule.count is not None else len(creations)
        edge = creations[0] - rule.window if rule.window is not None else None
        for index, key in enumerate(series.keys(rule.rule)):
            if key in seen or (edge is not None and creations[index] < edge):
                continue
            seen.add(key)
            rank = len(seen)
            found[index].append(known.get((key, rank)) or self._period_reason(rule, known, key, rank))
            if rank == most:
                break

    def _period_reason(self, rule: KeepRule, known: dict[tuple[int, int], Reason], key: int, rank: int) -> Reason:
        place = f"{rank} of {rule.count}" if rule.count is not None else f"within {_text(rule)} of the newest"
        reason = known[key, rank] = Reason(rule.rule, f"{self._periods.label(rule.rule, key)}, {place}")
        return reason


def rule_text(rule: KeepRule) -> str:
    """A rule as the policy file has it, such as `hourly = 48` or `within = "2d"`."""
    return f"{rule.rule} = {rule.count}" if rule.count is not None else f'{rule.rule} = "{_text(rule)}"'


def fingerprint_of_rules(policy: Policy | None, *, adopt: Iterable[str] = (), prefix: str, timezone: str) -> str:
    """A digest of everything that decides what is pruned: what is kept, whose snapshots, and where a day begins.

    The order of rules, the way a window is written, the name of the policy and its schedule do not matter.
    """
    keep = sorted([str(rule.rule), rule.count, rule.window] for rule in policy.keep) if policy is not None else None
    text = json.dumps([keep, sorted(set(adopt)), prefix, timezone])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _outranked(keys: Sequence[int], count: int) -> list[int | None]:
    """For each candidate, what pushed it out: a newer one of its own period, or the first one of the period `count`
    periods later."""
    found: list[int | None] = []
    order: list[int] = []
    oldest: dict[int, int] = {}
    present: int | None = None
    for index, key in enumerate(keys):
        if key == present:
            found.append(index - 1)
            continue
        if present is not None:
            oldest[present] = index - 1
        present = key
        if key in oldest:
            # The period was left and came back: a clock was set, or the day's first minute was repeated.
            found.append(oldest[key])
            continue
        found.append(oldest[order[-count]] if len(order) >= count else None)
        order.append(key)
    return found


def _outdated(keys: Sequence[int], windows: Sequence[int | None]) -> list[int | None]:
    """For each candidate, what pushed it out: a newer one of its own period, or the end of the window."""
    found: list[int | None] = []
    newer: dict[int, int] = {}
    newer_inside: dict[int, int] = {}
    for index, (key, outside) in enumerate(zip(keys, windows, strict=True)):
        if outside is not None:
            found.append(max(outside, newer.get(key, 0)))
        else:
            found.append(newer_inside.get(key))
            newer_inside[key] = index
        newer[key] = index
    return found


def _pushed_out_of_window(creations: Sequence[int], window: int) -> list[int | None]:
    """For each candidate, the first one to arrive more than `window` later, if the newest is that much later too."""
    found: list[int | None] = []
    by = 0
    for index, creation in enumerate(creations):
        edge = creation + window
        if creations[0] <= edge:
            found.append(None)
            continue
        while by + 1 < index and creations[by + 1] > edge:
            by += 1
        while creations[by] <= edge:
            by -= 1
        found.append(by)
    return found


def _text(rule: KeepRule) -> str:
    return rule.text or window_text(rule.window or 0)
