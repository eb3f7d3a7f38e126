"""A tiny notation for histories and rules.

`20T14` is 2026-11-20 14:00 UTC, `20T14:30`, `11-20T14` and `2025-11-20T14` say more. A history is a line of such
stamps in createtxg order, so a clock that went backwards can be written down. Letters after a stamp say what is
special about the snapshot:

    20T14m   taken by hand, kept for ever        20T14m>21T14   … until 21T14
    20T14f   another tool's                      20T14a         another tool's that `autosnap_*` adopts
    20T14h   held                                20T14c         has a clone
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from zfsctl.model.dataset import Dataset, DatasetKind, Snapshot
from zfsctl.model.facts import HostFacts
from zfsctl.model.names import manual_name, scheduled_name
from zfsctl.model.policy import SCHEDULE_WORDS, KeepRule, Policy, Schedule
from zfsctl.model.pool import Pool
from zfsctl.model.verdicts import Decision, Rule, Verdict

_TOKEN = re.compile(r"(?P<stamp>[^a-z>]+)(?P<flags>[a-z]*)(?:>(?P<expires>.+))?")
_STAMP = re.compile(r"(?:(?:(\d{4})-)?(\d\d)-)?(\d\d)T(\d\d)(?::(\d\d)(?::(\d\d))?)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def at(stamp: str) -> int:
    """The epoch seconds of a stamp."""
    found = _STAMP.fullmatch(stamp)
    assert found is not None, stamp
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    assert day is not None
    assert hour is not None
    when = datetime(year or 2026, month or 11, day, hour, minute or 0, second or 0, tzinfo=UTC)
    return int(when.timestamp())


def snapshots(line: str, *, dataset: str = "tank/a", guid: int = 0) -> tuple[Snapshot, ...]:
    """The history that a line tells, oldest first. Guids count from `guid` + 1."""
    return tuple(_snapshot(token, dataset, guid + number, number) for number, token in enumerate(line.split(), 1))


def _snapshot(token: str, dataset: str, guid: int, createtxg: int) -> Snapshot:
    found = _TOKEN.fullmatch(token)
    assert found is not None, token
    creation, flags = at(found["stamp"]), found["flags"]
    if "m" in flags:
        name = manual_name("zfsctl", creation)
    elif "a" in flags:
        name = f"autosnap_{createtxg}"
    elif "f" in flags:
        name = f"auto-{createtxg}"
    else:
        name = scheduled_name("zfsctl", creation)
    return Snapshot(
        dataset=dataset,
        name=name,
        guid=guid,
        createtxg=createtxg,
        creation=creation,
        userrefs=flags.count("h"),
        clones=("tank/clone",) if "c" in flags else (),
        expires=at(found["expires"]) if found["expires"] else None,
    )


def keep(text: str) -> tuple[KeepRule, ...]:
    """The rules of `last=2 daily=7 within=2d`."""
    rules = []
    for entry in text.split():
        name, _, value = entry.partition("=")
        if value.isdigit():
            rules.append(KeepRule(Rule(name), count=int(value), text=value))
        else:
            rules.append(KeepRule(Rule(name), window=int(value[:-1]) * _SECONDS[value[-1]], text=value))
    return tuple(rules)


def schedule(text: str) -> Schedule:
    """A word or a cron line."""
    return Schedule(text, SCHEDULE_WORDS.get(text, text))


def policy(keep_text: str, *, every: str | None = "hourly", skip_empty: bool = False, name: str = "critical") -> Policy:
    """A policy."""
    return Policy(name, keep(keep_text), schedule(every) if every is not None else None, skip_empty)


def dataset(name: str = "tank/a", *, guid: int = 1000, written: int = 0, inconsistent: bool = False) -> Dataset:
    """A filesystem."""
    return Dataset(name, DatasetKind.FILESYSTEM, guid, written=written, inconsistent=inconsistent)


def host(
    *histories: str | tuple[Dataset, Sequence[Snapshot]],
    name: str = "local",
    clock: str = "30T00",
    problems: Iterable[str] = (),
    pool: Pool | None = None,
) -> HostFacts:
    """A host with the pool tank and a dataset for each history: tank/a, tank/b …, guids of 1000, 2000 …"""
    listed: list[tuple[Dataset, Sequence[Snapshot]]] = []
    for number, history in enumerate(histories):
        if isinstance(history, str):
            of = dataset(f"tank/{chr(ord('a') + number)}", guid=1000 * (number + 1))
            listed.append((of, snapshots(history, dataset=of.name, guid=of.guid)))
        else:
            listed.append(history)
    return HostFacts(
        name,
        at(clock),
        pools=(pool or Pool("tank", 1),),
        datasets={of.name: of for of, _ in listed},
        snapshots={of.name: tuple(history) for of, history in listed},
        problems=tuple(problems),
    )


def line_of(history: Iterable[Snapshot], guids: Iterable[int]) -> str:
    """The stamps of those snapshots of a history whose guids are given, in the history's order: `20T14 20T15`."""
    wanted = set(guids)
    return " ".join(
        datetime.fromtimestamp(snapshot.creation, UTC).strftime("%dT%H")
        for snapshot in history
        if snapshot.guid in wanted
    )


def destroyed(decisions: Iterable[Decision]) -> set[int]:
    """The guids of what is to be destroyed."""
    return {decision.guid for decision in decisions if decision.verdict is Verdict.DESTROY}


def rules_of(decision: Decision) -> list[Rule]:
    """The rules that a decision rests on."""
    return [reason.rule for reason in decision.reasons]
