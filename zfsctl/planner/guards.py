"""The guards: destroys that the rules allow and a person must see first.

Mass destroy
    One dataset's destroys are withheld when more than half of the snapshots of ours (and more than 10) would go.
    A snapshot counts only if no listed host will hold its guid after the plan; so a receiver's first prune passes.
    Nothing counts where the same rules pruned this dataset before (their fingerprint is in the journal); so what piled
    up during an outage goes by itself, and rules that were changed ask.

Window expiry
    A window reaches back from the newest snapshot, so the first snapshot after a long pause would push out everything
    older at once. Destroys by a window are withheld, however few they are,
      - when the two newest snapshots of ours, or the two newest that the rules are about, lie further apart than that
        window, or the newest is dated after its host's now: everything that a window without end would keep;
      - for a day after any such pause: what that window still kept before the pause.
    So a machine that was off for a month loses nothing on its first day, however many snapshots it takes on that day.
    After it the expiries go by themselves. Snapshots that lie further apart than a window because the schedule wants
    them so are no pause: a dataset with daily snapshots and `within = "12h"` is pruned.

Approvals
    What a person approved, snapshot by snapshot, is withheld by neither guard; the rest is judged without it. A plan
    that would lose one snapshot more than was approved loses the approved ones, and asks about the rest if that still
    is a mass of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from zfsctl.model.approval import Approval, ApprovalRequest, ApprovalStatus, request_id
from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.facts import Facts
from zfsctl.model.policy import KeepRule
from zfsctl.model.verdicts import Decision, Reason, Rule, Verdict
from zfsctl.planner.calendar import next_due
from zfsctl.planner.keeping import Keeping
from zfsctl.planner.retention import Judgement, Retention
from zfsctl.planner.wording import span, window_text

MASS_DESTROY = "mass-destroy"
WINDOW_EXPIRY = "window-expiry"

MASS = 10
"""Up to this many destroys of one dataset are no mass."""

FIRST_DAY_SECONDS = 86_400

_NO_GUIDS: frozenset[int] = frozenset()
NO_HOLDERS: Mapping[int, Collection[int]] = {}


@dataclass(frozen=True, slots=True)
class Guarded:
    """The decisions about one dataset after the guards."""

    decisions: tuple[Decision, ...]
    requests: tuple[ApprovalRequest, ...] = ()
    """What was withheld; at most one request."""


def may_be_mass(judgement: Judgement, *, known: bool) -> bool:
    """Whether the mass-destroy guard would withhold this if no other host held any of it.

    Only then is it worth looking for the guids elsewhere.
    """
    return not known and _is_mass(len(judgement.destroys), len(judgement.owned))


def holders_after(
    facts: Facts, doomed: Mapping[tuple[str, str], Collection[int]], guids: Collection[int]
) -> dict[int, set[int]]:
    """By snapshot guid, the guids of the datasets that will still hold it after the plan. One pass over all facts.

    Args:
        facts: Everything that was read; hosts whose listing is not complete say nothing.
        doomed: By host and dataset, the guids that the whole plan would destroy there, withheld or not.
        guids: The snapshots in question.
    """
    holders: dict[int, set[int]] = {}
    for name, host in facts.hosts.items():
        if not host.complete:
            continue
        for dataset, snapshots in host.snapshots.items():
            here = [snapshot.guid for snapshot in snapshots if snapshot.guid in guids]
            holder = host.datasets.get(dataset)
            if not here or holder is None:
                continue
            going = doomed.get((name, dataset), _NO_GUIDS)
            for guid in here:
                if guid not in going:
                    holders.setdefault(guid, set()).add(holder.guid)
    return holders


def guard(
    judgement: Judgement,
    retention: Retention,
    *,
    host: str,
    dataset: Dataset,
    clock: int,
    known: bool,
    holders: Mapping[int, Collection[int]] = NO_HOLDERS,
    approvals: Iterable[Approval] = (),
    now: int,
) -> Guarded:
    """The decisions about one dataset, with the destroys that a person must see first turned into keeps.

    Args:
        judgement: What the rules decided.
        retention: The rules that decided it.
        host: The host it is on.
        dataset: The dataset.
        clock: The host's own now.
        known: Whether the same rules, by their fingerprint, pruned this dataset before.
        holders: Which datasets will still hold what after the plan (`holders_after`). A holder of the dataset's own
            guid is the same dataset, listed under another host's name, and no help.
        approvals: Everything that was ever asked.
        now: The controller's now, by which approvals expire.
    """
    destroys = judgement.destroys
    if not destroys:
        return Guarded(judgement.decisions)
    asked = [one for one in approvals if one.request.host == host and one.request.dataset_guid == dataset.guid]
    approved = _approved(asked, now=now)
    open_destroys = [decision for decision in destroys if decision.guid not in approved]
    left = len(judgement.owned) - (len(destroys) - len(open_destroys))
    counted = (
        []
        if known
        else [decision for decision in open_destroys if not set(holders.get(decision.guid, ())) - {dataset.guid}]
    )
    if _is_mass(len(counted), left):
        why = f"{len(counted)} of {left} snapshots would go for good, by rules that never pruned here before"
        request = _request(MASS_DESTROY, open_destroys, why, asked, host=host, dataset=dataset, now=now)
        return _withhold(judgement, open_destroys, why, request)
    if retention.keeping is None:
        return Guarded(judgement.decisions)
    why = ""
    held_back: set[int] = set()
    for pause in _pauses(judgement, retention, clock=clock):
        expired = _expired_by(pause, judgement, retention.keeping)
        held_back |= expired
        if not why and any(decision.guid in expired for decision in open_destroys):
            why = pause.why
    expiries = [decision for decision in open_destroys if decision.guid in held_back]
    if not expiries:
        return Guarded(judgement.decisions)
    request = _request(WINDOW_EXPIRY, expiries, why, asked, host=host, dataset=dataset, now=now)
    return _withhold(judgement, expiries, why, request)


@dataclass(frozen=True, slots=True)
class _Pause:
    """A reason not to trust one window rule just now."""

    rule: KeepRule
    before: Snapshot | None
    """The last candidate before the pause: what the window still kept then is protected. None: all that it would keep
    if it had no end."""
    why: str


def _pauses(judgement: Judgement, retention: Retention, *, clock: int) -> list[_Pause]:
    """Every reason not to trust a window."""
    found: list[_Pause] = []
    newest_is_future = bool(judgement.owned) and judgement.owned[0].creation > clock
    rules = retention.keeping.rules if retention.keeping is not None else ()
    for rule, window in [(rule, rule.window) for rule in rules if rule.window is not None]:
        if newest_is_future:
            found.append(_Pause(rule, None, "the newest snapshot is dated after its host's now"))
        for series in (judgement.candidates, judgement.owned):
            if len(series) > 1 and _is_pause(series[0], series[1], window, retention):
                found.append(_Pause(rule, None, _pause_text(series[0], series[1], rule, window)))
        for newer, older in pairwise(judgement.candidates):
            if newer.creation <= clock - FIRST_DAY_SECONDS:
                break
            if _is_pause(newer, older, window, retention):
                found.append(_Pause(rule, older, _pause_text(newer, older, rule, window)))
    return found


def _is_pause(newer: Snapshot, older: Snapshot, window: int, retention: Retention) -> bool:
    """Whether two snapshots lie further apart than the window, and not because the schedule wants them so."""
    if newer.creation - older.creation <= window:
        return False
    schedule = retention.policy.schedule if retention.policy is not None else None
    if schedule is None:
        return True
    answered = next_due(schedule, now=older.creation, zone=retention.zone)
    missed = next_due(schedule, now=answered, zone=retention.zone) if answered is not None else None
    return missed is not None and missed <= newer.creation


def _pause_text(newer: Snapshot, older: Snapshot, rule: KeepRule, window: int) -> str:
    apart = span(newer.creation - older.creation)
    return (
        f"{newer.name} came {apart} after the snapshot before it, "
        f'further apart than the window of {rule.rule} = "{rule.text or window_text(window)}"'
    )


def _expired_by(pause: _Pause, judgement: Judgement, keeping: Keeping) -> set[int]:
    """The guids that the window would have kept but for the pause."""
    candidates = judgement.candidates
    if pause.before is not None:
        older = candidates[candidates.index(pause.before) :]
        then = keeping.let_go(pause.rule, keeping.series([snapshot.creation for snapshot in older]))
        return {snapshot.guid for snapshot, by in zip(older, then, strict=True) if by is None}
    series = keeping.series([snapshot.creation for snapshot in candidates])
    return {candidates[index].guid for index in keeping.without_end(pause.rule, series)}


def _is_mass(counted: int, owned: int) -> bool:
    return counted > MASS and counted * 2 > owned


def _approved(asked: Iterable[Approval], *, now: int) -> frozenset[int]:
    """The guids that a person agreed to lose, by whichever guard asked. `asked` is about one dataset."""
    found: set[int] = set()
    for approval in asked:
        request = approval.request
        if request.kind in (MASS_DESTROY, WINDOW_EXPIRY) and approval.covers(
            kind=request.kind, host=request.host, dataset_guid=request.dataset_guid, guids=_NO_GUIDS, now=now
        ):
            found.update(guid for _, guid in request.snapshots)
    return frozenset(found)


def _request(
    kind: str,
    withheld: Sequence[Decision],
    why: str,
    asked: Iterable[Approval],
    *,
    host: str,
    dataset: Dataset,
    now: int,
) -> ApprovalRequest:
    """The request for what is withheld: the one that a person already sees, as long as it speaks of most of it."""
    guids = {decision.guid for decision in withheld}
    for approval in asked:
        about = {guid for _, guid in approval.request.snapshots}
        stands = approval.status in (ApprovalStatus.WAITING, ApprovalStatus.DENIED) and now < approval.expires_at
        if stands and approval.request.kind == kind and about <= guids and len(about) * 2 > len(guids):
            return approval.request
    return ApprovalRequest(
        id=request_id(kind, host, dataset.guid, guids),
        kind=kind,
        host=host,
        dataset=dataset.name,
        dataset_guid=dataset.guid,
        snapshots=tuple((decision.snapshot, decision.guid) for decision in withheld),
        why=why,
    )


def _withhold(judgement: Judgement, withheld: Iterable[Decision], why: str, request: ApprovalRequest) -> Guarded:
    guids = {decision.guid for decision in withheld}
    reasons = (Reason(Rule.WITHHELD, f"{why}; waits for approval {request.id}"),)
    decisions = tuple(
        replace(decision, verdict=Verdict.KEEP, reasons=reasons) if decision.guid in guids else decision
        for decision in judgement.decisions
    )
    return Guarded(decisions, (request,))
