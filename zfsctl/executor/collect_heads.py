"""A short look at the ends of replications: of each dataset the newest snapshot alone.

Mostly that is enough to see that nothing is to be done. A list of all snapshots keeps a host busy for longer than
anything else, above all where datasets are not mounted, as no receiver is; and `zfs list` tells with each dataset what
its newest one is called.
"""

from __future__ import annotations

from dataclasses import replace

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.executor.collect_chains import ChainRequest, tags_of
from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.dataset import Dataset
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.names import is_at_or_below, pool_of
from zfsctl.model.repair import home_of
from zfsctl.zfs.bookmarks import argv_list_bookmarks, parse_bookmarks
from zfsctl.zfs.heads import argv_list_heads, parse_heads
from zfsctl.zfs.holds import argv_list_holds
from zfsctl.zfs.pools import argv_pool_features, parse_pool_features
from zfsctl.zfs.scope import scope_of


def collect_heads(host: Host, facts: HostFacts, request: ChainRequest) -> HostFacts | None:
    """`facts` with the newest snapshots, the holds on them, and the bookmarks of what is sent, in one exchange.

    None where it takes more to know how things stand: something is unfinished, a repair is under way, or an answer is
    not clean.

    Args:
        host: The host.
        facts: Its datasets, and nothing yet of what they have.
        request: What is asked about.
    """
    names = [name for name in request.datasets if name in facts.datasets]
    if facts.problems or any(_is_unfinished(facts.datasets[name]) for name in names):
        return None
    newest = [head for name in names if (head := head_of(facts.datasets[name]))]
    pools = sorted({pool_of(name) for name in names})
    sent = [name for name in names if any(is_at_or_below(name, root) for root in request.senders)]
    parts = tuple(batches(newest))
    commands = [*map(argv_list_heads, parts), *map(argv_list_holds, parts)]
    commands += [argv_pool_features(pools)] if pools else []
    commands += [argv_list_bookmarks(scope_of(sent, facts.datasets))] if sent else []
    try:
        answers = host.run_all(commands, timeout=patience(commands))
        if not all(answer.clean for answer in answers):
            return None
        heads = {name: head for answer in answers[: len(parts)] for name, head in parse_heads(answer.stdout).items()}
        holds = {
            name: tags
            for answer in answers[len(parts) : 2 * len(parts)]
            for name, tags in tags_of(answer.stdout).items()
        }
        features = parse_pool_features(answers[2 * len(parts)].stdout) if pools else {}
        bookmarks = parse_bookmarks(answers[-1].stdout) if sent else {}
    except (UnreachableError, HostCommandError):
        return None
    told = {str(head.snapshot) for head in heads.values()}
    if told != set(newest) or any(head.marked for head in heads.values()):
        return None
    ivsets = {str(head.snapshot): head.ivset for head in heads.values() if head.ivset}
    return replace(
        facts,
        snapshots={name: (heads[name].snapshot,) if name in heads else () for name in names},
        chains=Chains(bookmarks=bookmarks, holds=holds, ivsets=ivsets, features=features),
        newest_only=True,
    )


def head_of(dataset: Dataset) -> str:
    """The full name of its newest snapshot; empty where it has none of its own."""
    head = dataset.prevsnap or ""
    return head if head.startswith(f"{dataset.name}@") else ""


def _is_unfinished(dataset: Dataset) -> bool:
    begun = dataset.inconsistent or dataset.receive_resume_token is not None
    return begun or home_of(dataset.name) != dataset.name
