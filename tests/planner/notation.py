"""A tiny notation for histories and rules.

`20T14` is 2026-11-20 14:00 UTC, `20T14:30`, `11-20T14` and `2025-11-20T14` say more. A history is a line of such
stamps in createtxg order, so a clock that went backwards can be written down. Letters after a stamp say what is
special about the snapshot:

    20T14m   taken by hand, kept for ever        20T14m>21T14   … until 21T14
    20T14f   another tool's                      20T14a         another tool's that `autosnap_*` adopts
    20T14h   held                                20T14c         has a clone

One end of a replication called `r` is such a line too. There the same stamp is the same snapshot on both ends:

    20T14x   another snapshot of that name       20T14w         something was written in it
    20T14k   carries the receiver's hold         20T14s         carries the hold in flight
    20T14b   has its cursor                      #20T14         only its cursor is left (#20T14f: another's bookmark)
    20T14r   a receive that runs goes on from it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from zfsctl.model.dataset import Bookmark, Dataset, DatasetKind, Snapshot
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.lineage import ResumeToken
from zfsctl.model.names import manual_name, pool_of, scheduled_name
from zfsctl.model.policy import SCHEDULE_WORDS, KeepRule, Policy, Schedule
from zfsctl.model.pool import Pool
from zfsctl.model.transfer import base_tag, cursor_name, send_tag
from zfsctl.model.verdicts import Decision, Rule, Verdict
from zfsctl.planner.lineage import End

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


REPLICATION = "r"
_END = re.compile(r"(?P<only>#?)(?P<stamp>[^a-z>#]+)(?P<flags>[a-z]*)(?:>(?P<expires>.+))?")


def guid_of(stamp: str) -> int:
    """The guid that the snapshot of a stamp has on both ends."""
    return at(stamp)


def sender(line: str | None, *, token: str = "", clock: str = "30T00", **changes: Any) -> End:
    """alpha:tank/a as the sender of `r`; `changes` are those of the dataset. None: it does not exist."""
    return _end("alpha", "tank/a", line, token, clock, 1, changes)


def receiver(line: str | None, *, token: str = "", clock: str = "30T00", **changes: Any) -> End:
    """beta:bk/a as the receiver of `r`, read-only. Its transaction groups are another pool's."""
    return _end("beta", "bk/a", line, token, clock, 100, {"readonly": True, **changes})


def token_of(text: str, *, raw: bool = False) -> ResumeToken:
    """The token of a receive that goes on `20T14>20T15`, from the one to the other; `>20T15` for a full stream."""
    source, _, target = text.partition(">")
    to = _end_snapshot("tank/a", target, 1)
    return ResumeToken(f"1-{text}", to.guid, str(to), _end_snapshot("tank/a", source, 1).guid if source else None, raw)


def _end(host: str, name: str, line: str | None, token: str, clock: str, txg: int, changes: dict[str, Any]) -> End:
    pool = pool_of(name)
    datasets = {pool: replace(dataset(pool, guid=1), available=1 << 40)}
    listed: dict[str, tuple[Snapshot, ...]] = {pool: ()}
    bookmarks: list[Bookmark] = []
    holds: dict[str, tuple[str, ...]] = {}
    tokens: dict[str, ResumeToken] = {}
    if line is not None:
        datasets[name] = replace(dataset(name, guid=2), receive_resume_token=f"1-{token}" if token else None, **changes)
        history: list[Snapshot] = []
        for place, word in enumerate(line.split(), txg):
            found = _END.fullmatch(word)
            assert found is not None, word
            snapshot = _end_snapshot(name, word.lstrip("#"), place)
            if found["only"]:
                short = snapshot.name if "f" in found["flags"] else cursor_name(REPLICATION, snapshot.guid)
                bookmarks.append(Bookmark(name, short, snapshot.guid, place, snapshot.creation))
                continue
            history.append(snapshot)
            if "b" in found["flags"]:
                short = cursor_name(REPLICATION, snapshot.guid)
                bookmarks.append(Bookmark(name, short, snapshot.guid, place, snapshot.creation))
            tags = {"h": "legal", "k": base_tag(REPLICATION), "s": send_tag(REPLICATION)}
            if own := tuple(tag for flag, tag in tags.items() if flag in found["flags"]):
                holds[str(snapshot)] = own
        listed[name] = tuple(history)
        if token:
            tokens[name] = token_of(token)
    chains = Chains(bookmarks={name: tuple(bookmarks)}, holds=holds, tokens=tokens)
    return End(
        HostFacts(host, at(clock), pools=(Pool(pool, 1),), datasets=datasets, snapshots=listed, chains=chains), name
    )


def _end_snapshot(name: str, word: str, createtxg: int) -> Snapshot:
    found = _END.fullmatch(word)
    assert found is not None, word
    (plain,) = snapshots(f"{found['stamp']}{''.join(flag for flag in found['flags'] if flag == 'm')}", dataset=name)
    flags = found["flags"]
    short = f"auto-{found['stamp'].replace(':', '-')}" if "f" in flags else plain.name
    return replace(
        plain,
        name=f"autosnap_{found['stamp'].replace(':', '-')}" if "a" in flags else short,
        guid=plain.creation + flags.count("x"),
        createtxg=createtxg,
        written=4096 * flags.count("w"),
        userrefs=sum(flags.count(flag) for flag in "hks"),
        clones=(f"{name}/%recv",) if "r" in flags else (),
        expires=at(found["expires"]) if found["expires"] else None,
    )


def stamps(history: Iterable[Snapshot]) -> str:
    """The stamps of snapshots, in their order: `20T14 20T15`."""
    return " ".join(datetime.fromtimestamp(one.creation, UTC).strftime("%dT%H") for one in history)


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
