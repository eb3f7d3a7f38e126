"""Retention once more, written as the rules are told and as slowly as it likes: what the real one is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from zfsctl.model.dataset import Snapshot
from zfsctl.model.policy import KeepRule
from zfsctl.model.verdicts import Rule


def kept_by_rules(history: Iterable[Snapshot], rules: Sequence[KeepRule], zone: tzinfo) -> set[int]:
    """The guids that the rules keep. All of `history` are candidates and none is from the future."""
    newest_first = sorted(history, key=lambda snapshot: snapshot.createtxg, reverse=True)
    return {snapshot.guid for rule in rules for snapshot in _kept_by(rule, newest_first, zone)}


def _kept_by(rule: KeepRule, newest_first: Sequence[Snapshot], zone: tzinfo) -> list[Snapshot]:
    inside = [
        snapshot
        for snapshot in newest_first
        if rule.window is None or snapshot.creation >= newest_first[0].creation - rule.window
    ]
    if rule.rule in (Rule.LAST, Rule.WITHIN):
        newest_of_each = inside
    else:
        seen: list[object] = []
        newest_of_each = []
        for snapshot in inside:
            period = _period(rule.rule, snapshot.creation, zone)
            if period not in seen:
                seen.append(period)
                newest_of_each.append(snapshot)
    return newest_of_each if rule.count is None else newest_of_each[: rule.count]


def _period(rule: Rule, creation: int, zone: tzinfo) -> object:
    civil = datetime.fromtimestamp(creation, UTC).astimezone(zone)
    match rule:
        case Rule.HOURLY:
            return civil.strftime("%Y-%m-%d %H"), civil.utcoffset() or timedelta()
        case Rule.DAILY:
            return civil.strftime("%Y-%m-%d")
        case Rule.WEEKLY:
            return civil.isocalendar()[:2]
        case Rule.MONTHLY:
            return civil.strftime("%Y-%m")
        case _:
            return civil.year
