"""One replication called `r`, planned from the facts of both ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.plan import Step
from zfsctl.model.policy import HostEntry, Pattern, PolicyFile
from zfsctl.model.replication import Replication
from zfsctl.model.transfer import AbortReceive, CreateParents, HoldSnapshots, MoveAnchors, RenameSnapshot, Transfer
from zfsctl.model.verdicts import Reason
from zfsctl.planner.consent import Consent
from zfsctl.planner.lineage import End
from zfsctl.planner.pairing import trees_of
from zfsctl.planner.replicating import Replicating, plan_replicating

DAY = 86_400
RULE = Replication("r", "zfsctl.toml: replications.0", Pattern("alpha:tank/a", "alpha", "tank/a"), "beta", "bk/a")
HOSTS = {name: HostEntry(name, name) for name in ("alpha", "beta", "gamma")}


def plan(
    alpha: End | HostFacts,
    beta: End | HostFacts,
    *rules: Replication,
    sends: bool = True,
    taking: Sequence[Step] = (),
    more: Iterable[HostFacts] = (),
    now: int = 0,
) -> Replicating:
    """What is to be done about every pair of `rules` (of `RULE` if there are none)."""
    policy = PolicyFile(hosts=HOSTS, replications=rules or (RULE,))
    hosts = {host.host: host for host in (*(end.host if isinstance(end, End) else end for end in (alpha, beta)), *more)}
    return plan_replicating(
        trees_of(policy),
        Facts(hosts),
        policy=policy,
        adopts=lambda _host, _name: (),
        sends=lambda _: sends,
        taking=taking,
        consent=Consent(now),
    )


def kinds(found: Replicating) -> str:
    """The steps by their kind, in order."""
    words = {
        CreateParents: "parents",
        AbortReceive: "abort",
        RenameSnapshot: "rename",
        HoldSnapshots: "hold",
        Transfer: "transfer",
        MoveAnchors: "anchors",
    }
    return " ".join(words[type(step)] for step in found.steps)


def transfers(found: Replicating) -> tuple[Transfer, ...]:
    return tuple(step for step in found.steps if isinstance(step, Transfer))


def codes(found: Replicating) -> list[str]:
    return [finding.code for finding in found.findings]


def kept(found: Replicating, end: End) -> str:
    """What of an end no prune may take, and why: `20T12 base, 20T13 pending`."""
    reasons: Mapping[int, Reason] = found.anchors.get((end.host.host, end.name), {})
    return ", ".join(
        f"{datetime.fromtimestamp(one.creation, UTC):%dT%H} {reasons[one.guid].rule}"
        for one in end.snapshots
        if one.guid in reasons
    )


def beside(end: End, other: End) -> End:
    """The same end, with another dataset of the same host beside it."""
    host, more = end.host, other.host
    chains, found = host.chains, more.chains
    return replace(
        end,
        host=replace(
            host,
            datasets={**host.datasets, **more.datasets},
            snapshots={**host.snapshots, **more.snapshots},
            chains=replace(
                chains,
                bookmarks={**chains.bookmarks, **found.bookmarks},
                holds={**chains.holds, **found.holds},
                tokens={**chains.tokens, **found.tokens},
            ),
        ),
    )
