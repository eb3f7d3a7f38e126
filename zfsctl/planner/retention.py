"""What becomes of each snapshot of one dataset, by the rules alone; the guards come after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import tzinfo
from typing import cast

from zfsctl.model.dataset import Snapshot
from zfsctl.model.policy import Policy
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.planner.keeping import Keeping, Series
from zfsctl.planner.ownership import FUTURE_SECONDS, Owners, Standing, newest_first
from zfsctl.planner.wording import ago, minute

NO_ANCHORS: Mapping[int, Reason] = {}

_FOREIGN = (Reason(Rule.NOT_OURS, "its name is not one of ours, and no adopt pattern matches it"),)
_FOR_EVER = Reason(Rule.MANUAL, "taken by hand, kept for ever")
_NEWEST = Reason(Rule.NEWEST, "the newest of ours")
_HELD = Reason(Rule.HELD, "1 hold")
_NO_POLICY = Reason(Rule.NO_POLICY, "no rule of the policy file selects its dataset")

(
    _set_host,
    _set_dataset,
    _set_snapshot,
    _set_guid,
    _set_creation,
    _set_used,
    _set_verdict,
    _set_reasons,
) = (cast(Callable[[Decision, object], None], getattr(Decision, field.name).__set__) for field in fields(Decision))


class Retention:
    """The rules of one policy for datasets with the same adopt patterns, ready for any number of them.

    Args:
        policy: None for datasets that no rule of the policy file is about: only what was taken by hand may expire.
        adopt: Globs on the names of others' snapshots that the rules may destroy.
        prefix: What our names begin with.
        zone: The time zone in which a day begins.

    Raises:
        ConfigError: The policy keeps nothing.
    """

    def __init__(self, policy: Policy | None, *, adopt: Sequence[str] = (), prefix: str, zone: tzinfo) -> None:
        self.policy = policy
        self.zone = zone
        self.keeping = Keeping(policy.keep, zone) if policy is not None else None
        self.owners = Owners(prefix, adopt if policy is not None else ())
        self._no_rule: dict[str, tuple[Reason]] = {}
        self._manual: dict[int, Reason] = {}

    def no_rule(self, ended: str) -> tuple[Reason]:
        """The reason of a destroy."""
        reasons = self._no_rule.get(ended)
        if reasons is None:
            detail = f"no rule keeps it; {ended}" if ended else "no rule keeps it"
            reasons = self._no_rule[ended] = (Reason(Rule.NO_RULE, detail),)
        return reasons

    def manual(self, expires: int | None, clock: int) -> Reason:
        """The reason to keep a snapshot that was taken by hand, at `clock`."""
        if expires is None:
            return _FOR_EVER
        if expires <= clock:
            return Reason(
                Rule.MANUAL, f"taken by hand, expired {ago(expires, clock)}; kept until the clock was right for a day"
            )
        known = self._manual.get(expires)
        if known is None:
            known = self._manual[expires] = Reason(Rule.MANUAL, f"taken by hand, expires {_day(expires, self.zone)}")
        return known


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decisions about one dataset's snapshots, and what the guards want to know besides."""

    decisions: tuple[Decision, ...]
    """One per snapshot, newest first."""
    owned: tuple[Snapshot, ...]
    """Every snapshot of ours, scheduled, adopted or taken by hand, newest first."""
    candidates: tuple[Snapshot, ...]
    """Those that the rules are about and that are not from the future, newest first."""

    @property
    def destroys(self) -> tuple[Decision, ...]:
        """The decisions to destroy, newest first."""
        return tuple(decision for decision in self.decisions if decision.verdict is Verdict.DESTROY)


def plan_retention(
    host: str,
    snapshots: Sequence[Snapshot],
    retention: Retention,
    *,
    clock: int,
    now: int | None = None,
    witness: int | None = None,
    unknown: str = "",
    read_only: str = "",
    anchors: Mapping[int, Reason] = NO_ANCHORS,
) -> Judgement:
    """Keep or destroy, for every snapshot of one dataset, newest first, each with at least one reason.

    Args:
        host: The host they are on.
        snapshots: All of one dataset's, in any order; not modified.
        retention: The rules.
        clock: The host's own now.
        now: The controller's. What was taken by hand expires when both say so, since one of them may be wrong.
        witness: Until when snapshots bear the clocks out (`witness_of`), since both may be wrong together. None where
            nothing can.
        unknown: Why the host's listing is not complete; then everything is kept. Empty when it is complete.
        read_only: Why nothing can be destroyed there. Empty when it can.
        anchors: By guid, why a snapshot must stay whatever the rules say: a replication rests on it.
    """
    ordered = newest_first(snapshots)
    if unknown:
        return Judgement(keep_all(host, ordered, Reason(Rule.UNKNOWN, unknown)), (), ())
    sorting = _sort(ordered, retention, clock)
    given: list[tuple[Reason, ...]] = [_FOREIGN] * len(ordered)
    protected = _protections(ordered, sorting, anchors)
    for index in sorting.future:
        given[index] = (_future(ordered[index], retention.zone), *protected.get(index, ()))

    expiry_clock = min(clock, clock if now is None else now, clock if witness is None else witness)
    doomed: set[int] = set()
    for index in sorting.manual:
        expires = ordered[index].expires
        expired = expires is not None and expires <= expiry_clock
        given[index] = (*(() if expired else (retention.manual(expires, clock),)), *protected.get(index, ()))
        if not given[index]:
            doomed.add(index)
            given[index] = (Reason(Rule.EXPIRED, f"taken by hand, expired {ago(expires or 0, clock)}"),)

    if retention.keeping is None:
        for index in sorting.candidates:
            given[index] = (_NO_POLICY, *protected.get(index, ()))
    else:
        series = retention.keeping.series([ordered[index].creation for index in sorting.candidates])
        lost = []
        for index, reasons in zip(sorting.candidates, retention.keeping.reasons(series), strict=True):
            if index in protected:
                given[index] = (*reasons, *protected[index])
            elif reasons:
                given[index] = reasons
            else:
                lost.append(index)
                given[index] = ()
        if lost:
            _explain(given, ordered, retention, sorting.candidates, retention.keeping, series, clock)
            doomed.update(lost)
    if read_only:
        for index in doomed:
            given[index] = (Reason(Rule.READ_ONLY, read_only),)
        doomed.clear()
    return Judgement(
        _decisions(host, ordered, given, doomed),
        tuple(sorting.owned),
        tuple([ordered[index] for index in sorting.candidates]),
    )


def keep_all(host: str, snapshots: Sequence[Snapshot], reason: Reason) -> tuple[Decision, ...]:
    """A decision to keep, for this one reason, for each snapshot of a dataset, newest first."""
    reasons = (reason,)
    return tuple(
        Decision(host, one.dataset, one.name, one.guid, one.creation, one.used, Verdict.KEEP, reasons)
        for one in newest_first(snapshots)
    )


@dataclass(frozen=True, slots=True)
class _Sorting:
    """The snapshots of one dataset, newest first, sorted by what they are; indices but for `owned`."""

    owned: list[Snapshot]
    candidates: list[int]
    manual: list[int]
    future: list[int]
    guarded: list[int]
    """Those that something outside the rules may protect."""


def _sort(ordered: Sequence[Snapshot], retention: Retention, clock: int) -> _Sorting:
    found = _Sorting([], [], [], [], [])
    owned, candidates = found.owned, found.candidates
    standing_of = retention.owners.standing
    newest = True
    latest = clock + FUTURE_SECONDS
    for index, snapshot in enumerate(ordered):
        standing = standing_of(snapshot.name)
        if standing is Standing.FOREIGN:
            continue
        owned.append(snapshot)
        if standing is Standing.MANUAL:
            found.manual.append(index)
        elif snapshot.creation > latest:
            found.future.append(index)
        else:
            candidates.append(index)
        if newest or snapshot.userrefs or snapshot.clones:
            found.guarded.append(index)
            newest = False
    return found


def _protections(
    ordered: Sequence[Snapshot], sorting: _Sorting, anchors: Mapping[int, Reason]
) -> dict[int, list[Reason]]:
    """By index, the reasons to keep a snapshot of ours that stand beside the rules."""
    found: dict[int, list[Reason]] = {}
    newest = {sorting.guarded[0]} if sorting.guarded else set()
    newest.update(sorting.candidates[:1])
    anchored = (
        [index for index, snapshot in enumerate(ordered) if snapshot.guid in anchors and index not in newest]
        if anchors
        else []
    )
    for index in sorted({*newest, *sorting.guarded, *anchored}):
        snapshot = ordered[index]
        reasons = found[index] = []
        if index in newest:
            reasons.append(_NEWEST)
        if snapshot.userrefs:
            reasons.append(_HELD if snapshot.userrefs == 1 else Reason(Rule.HELD, f"{snapshot.userrefs} holds"))
        if snapshot.clones:
            shown = ", ".join(snapshot.clones[:3]) + (" …" if len(snapshot.clones) > 3 else "")
            reasons.append(Reason(Rule.CLONES, f"origin of {shown}"))
        if snapshot.guid in anchors:
            reasons.append(anchors[snapshot.guid])
    return found


def _explain(
    given: list[tuple[Reason, ...]],
    ordered: Sequence[Snapshot],
    retention: Retention,
    candidates: Sequence[int],
    keeping: Keeping,
    series: Series,
    clock: int,
) -> None:
    """Say of each candidate that nothing keeps which rule let go of it and, where that is known, when."""
    known: dict[tuple[int, Rule, bool], tuple[Reason]] = {}
    for place, (index, ending) in enumerate(zip(candidates, keeping.endings(series), strict=True)):
        if given[index] or ending is None:
            continue
        rule, dated = ending.rule.rule, keeping.is_dated(ending, series, place)
        reason = known.get((ending.by, rule, dated))
        if reason is None:
            when = ago(ordered[candidates[ending.by]].creation, clock)
            ended = f"{rule} ended {when}" if dated else f"{rule} has ended"
            reason = known[ending.by, rule, dated] = retention.no_rule(ended)
        given[index] = reason


def _decisions(
    host: str, ordered: Sequence[Snapshot], given: Sequence[tuple[Reason, ...]], doomed: Collection[int]
) -> tuple[Decision, ...]:
    """The decisions. Made without the __init__ of a frozen dataclass, which takes three times as long: there may be
    a million of them."""
    decisions = []
    keep, destroy, new = Verdict.KEEP, Verdict.DESTROY, object.__new__
    for index, snapshot in enumerate(ordered):
        decision = new(Decision)
        _set_host(decision, host)
        _set_dataset(decision, snapshot.dataset)
        _set_snapshot(decision, snapshot.name)
        _set_guid(decision, snapshot.guid)
        _set_creation(decision, snapshot.creation)
        _set_used(decision, snapshot.used)
        _set_verdict(decision, destroy if index in doomed else keep)
        _set_reasons(decision, given[index])
        decisions.append(decision)
    return tuple(decisions)


def _future(snapshot: Snapshot, zone: tzinfo) -> Reason:
    return Reason(Rule.FUTURE, f"dated {_day(snapshot.creation, zone)}, after its host's now")


def _day(epoch: int, zone: tzinfo) -> str:
    """A day for people, also where a clock or a property names a year that the calendar does not have."""
    try:
        return minute(epoch, zone)
    except (OverflowError, ValueError, OSError):
        return f"{epoch} s after 1970"
