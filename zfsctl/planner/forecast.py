"""What the rules will do: when each snapshot goes, and what is kept on each of the coming days.

The future is simulated as the schedule has it: a snapshot at each instant (even where the policy would skip it as
empty), a prune right after, rules as they are.
A rule never takes back a snapshot that it let go of, so one look at the whole series, past and to come, tells when
each rule lets go of each snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice, takewhile

from zfsctl.model.dataset import Snapshot
from zfsctl.model.explanation import KeptOn, Outlook
from zfsctl.model.policy import KeepRule, Policy
from zfsctl.model.verdicts import Decision, Rule
from zfsctl.planner.calendar import upcoming
from zfsctl.planner.keeping import Keeping, rule_text
from zfsctl.planner.ownership import Owners, Standing, is_future, newest_first
from zfsctl.planner.wording import minute

MOST_INSTANTS = 50_000
"""A schedule that comes more often than this is foretold for fewer days."""

_DAY = 86_400
_OF_THE_RULES = frozenset(
    (Rule.LAST, Rule.WITHIN, Rule.HOURLY, Rule.DAILY, Rule.WEEKLY, Rule.MONTHLY, Rule.YEARLY, Rule.NEWEST)
)
_FOLLOWED = frozenset((Rule.NO_RULE, Rule.EXPIRED, Rule.MANUAL))
"""What the forecast follows by itself."""


@dataclass(frozen=True, slots=True)
class RuleEnd:
    """When one rule lets go of one snapshot."""

    rule: KeepRule
    ends_at: int | None
    """Epoch seconds; None if not within the days looked at, or if it let go already (`ended`)."""
    ended: bool


@dataclass(frozen=True, slots=True)
class SnapshotForecast:
    """What becomes of one snapshot."""

    snapshot: str
    guid: int
    rules: tuple[RuleEnd, ...]
    """In the policy's order; empty for a snapshot that the rules are not about."""
    outlook: Outlook | None
    """None where nothing can be foretold: not ours, or no policy."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of a dataset's snapshots."""

    snapshots: tuple[SnapshotForecast, ...]
    """Newest first."""
    kept: tuple[KeptOn, ...]
    """One for each day, at this time of day."""
    until: int
    """How far it looks, epoch seconds."""


def forecast(
    snapshots: Sequence[Snapshot],
    decisions: Sequence[Decision] = (),
    *,
    policy: Policy,
    adopt: Sequence[str] = (),
    prefix: str,
    zone: tzinfo,
    clock: int,
    days: int = 90,
) -> Forecast:
    """Foretell what becomes of one dataset's snapshots, and what its policy keeps on each of the coming days.

    Args:
        snapshots: All that the dataset has, in any order; none to see the policy at work from nothing.
        decisions: What is decided about them now. What else keeps a snapshot (a hold, a clone) is taken to stay.
        policy: Its policy. Without a schedule no snapshot is added.
        adopt: Globs on the names of others' snapshots that the rules may destroy.
        prefix: What our names begin with.
        zone: The time zone in which a day begins.
        clock: The host's own now.
        days: How far to look.

    Raises:
        ConfigError: The policy keeps nothing.
    """
    until = clock + days * _DAY
    to_come, until = _to_come(policy, zone, clock, until)
    owners = Owners(prefix, adopt)
    ordered = newest_first(snapshots)
    standings = {snapshot.guid: owners.standing(snapshot.name) for snapshot in ordered}
    present = [
        snapshot
        for snapshot in ordered
        if standings[snapshot.guid] in (Standing.SCHEDULED, Standing.ADOPTED) and not is_future(snapshot, clock)
    ]
    creations = [*reversed(to_come), *[snapshot.creation for snapshot in present]]
    keeping = Keeping(policy.keep, zone)
    series = keeping.series(creations)
    by_rule = [keeping.let_go(rule, series) for rule in keeping.rules]
    protected = _protected(decisions)

    ends: list[int | None] = []
    details: dict[int, tuple[tuple[RuleEnd, ...], Outlook]] = {}
    for index, pushed in enumerate(zip(*by_rule, strict=True)):
        place = index - len(to_come)
        at = None if None in pushed else max(creations[by] for by in pushed if by is not None)
        if place < 0:
            ends.append(at)
            continue
        rules = tuple(
            _rule_end(rule, by, creations, len(to_come)) for rule, by in zip(keeping.rules, pushed, strict=True)
        )
        outlook = _outlook(rules, protected.get(present[place].guid), clock, zone)
        details[present[place].guid] = rules, outlook
        ends.append(outlook.goes_at)
    return Forecast(
        tuple(_snapshot_forecast(snapshot, standings, details, protected, clock, until, zone) for snapshot in ordered),
        _kept_on(creations, ends, clock=clock, until=until),
        until,
    )


def _to_come(policy: Policy, zone: tzinfo, clock: int, until: int) -> tuple[list[int], int]:
    """The instants of the schedule, and how far they reach."""
    if policy.schedule is None:
        return [], until
    instants = takewhile(lambda instant: instant <= until, upcoming(policy.schedule, now=clock, zone=zone))
    found = list(islice(instants, MOST_INSTANTS))
    return found, found[-1] if len(found) == MOST_INSTANTS else until


def _protected(decisions: Sequence[Decision]) -> Mapping[int, str]:
    """By guid, what keeps a snapshot besides the rules of the policy."""
    found: dict[int, str] = {}
    for decision in decisions:
        beside = [reason for reason in decision.reasons if reason.rule not in _OF_THE_RULES | _FOLLOWED]
        if beside:
            found[decision.guid] = f"{beside[0].rule}: {beside[0].detail}"
    return found


def _rule_end(rule: KeepRule, by: int | None, creations: Sequence[int], to_come: int) -> RuleEnd:
    if by is None:
        return RuleEnd(rule, None, ended=False)
    return RuleEnd(rule, creations[by], ended=False) if by < to_come else RuleEnd(rule, None, ended=True)


def _outlook(rules: Sequence[RuleEnd], protection: str | None, clock: int, zone: tzinfo) -> Outlook:
    keeping = [end for end in rules if not end.ended]
    if protection is not None:
        return Outlook(None, f"kept as long as this lasts: {protection}")
    if not keeping:
        return Outlook(clock, "no rule keeps it, it goes with the next prune")
    lasting = [end for end in keeping if end.ends_at is None]
    if lasting:
        return Outlook(None, f"{rule_text(lasting[0].rule)} keeps it")
    last = max(keeping, key=lambda end: end.ends_at or 0)
    assert last.ends_at is not None
    return Outlook(last.ends_at, f"{rule_text(last.rule)} lets go of it on {minute(last.ends_at, zone)}")


def _snapshot_forecast(
    snapshot: Snapshot,
    standings: Mapping[int, Standing],
    details: Mapping[int, tuple[tuple[RuleEnd, ...], Outlook]],
    protected: Mapping[int, str],
    clock: int,
    until: int,
    zone: tzinfo,
) -> SnapshotForecast:
    rules: tuple[RuleEnd, ...] = ()
    outlook: Outlook | None = None
    if snapshot.guid in details:
        rules, outlook = details[snapshot.guid]
    elif snapshot.guid in protected and standings[snapshot.guid] is not Standing.FOREIGN:
        outlook = Outlook(None, f"kept as long as this lasts: {protected[snapshot.guid]}")
    elif standings[snapshot.guid] is Standing.MANUAL:
        outlook = _manual_outlook(snapshot.expires, clock, until, zone)
    elif standings[snapshot.guid] is not Standing.FOREIGN:
        outlook = Outlook(None, "dated after its host's now, kept until that date has come")
    return SnapshotForecast(snapshot.name, snapshot.guid, rules, outlook)


def _manual_outlook(expires: int | None, clock: int, until: int, zone: tzinfo) -> Outlook:
    if expires is None:
        return Outlook(None, "taken by hand, kept for ever")
    if expires > until:
        return Outlook(None, "taken by hand, expires later than the days looked at")
    return Outlook(max(expires, clock), f"taken by hand, expires on {minute(expires, zone)}")


def _kept_on(creations: Sequence[int], ends: Sequence[int | None], *, clock: int, until: int) -> tuple[KeptOn, ...]:
    """How many of the series are there on each day. `ends` None: they outlive all days."""
    kept: list[KeptOn] = []
    lives = list(zip(creations, ends, strict=True))[::-1]
    for at in range(clock + _DAY, until + 1, _DAY):
        lives = [(born, gone) for born, gone in lives if gone is None or gone > at]
        there = [born for born, _ in lives if born <= at]
        if there:
            kept.append(KeptOn(at, len(there), min(there)))
    return tuple(kept)
