"""What `[HOST:]DATASET` on the command line means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from zfsctl.errors import HostCommandError, UnknownNameError, UnreachableError, UsageError
from zfsctl.model.dataset import Dataset
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.names import LOCAL, Place, is_at_or_below, split_host
from zfsctl.model.policy import PolicyFile
from zfsctl.planner.matching import host_matches, made_by_us, matches, tree_order

_MOST_SHOWN = 3


def hosts_of_selection(texts: Iterable[str], policy: PolicyFile) -> tuple[str, ...]:
    """The hosts that a selection is about, in the order of the policy file; wildcards as in the policy file.

    Raises:
        UnknownNameError: A host that the policy does not have; `hint` holds the nearest names.
        UsageError: A text that names no dataset.
    """
    named: set[str] = set()
    for text in texts:
        named.update(_hosts_of(text, policy))
    return tuple(name for name in policy.hosts if name in named)


def wanted_by_selection(
    texts: Sequence[str], policy: PolicyFile, host: str, *, recursive: bool
) -> Callable[[HostFacts], Sequence[str]]:
    """A function that, given the datasets of `host`, names those of the selection; none for what does not exist."""

    def wanted(facts: HostFacts) -> Sequence[str]:
        found: dict[str, None] = {}
        for text in texts:
            if host in _hosts_of(text, policy):
                found.update(dict.fromkeys(_named_on(facts, text, recursive=recursive)))
        return sorted(found, key=tree_order)

    return wanted


def resolve_selection(
    texts: Sequence[str], *, recursive: bool, policy: PolicyFile, facts: Facts
) -> tuple[tuple[str, Dataset], ...]:
    """The datasets that a selection names, each once, by host and name.

    A text names that dataset alone, `recursive` adds all below. Hosts and datasets may hold wildcards. What zfsctl
    made for itself is outside every selection, also where it is named in full.

    Raises:
        UnknownNameError: A text that names nothing on a host that answered in full; `hint` holds the nearest names.
        UnreachableError: A dataset cannot be looked up, because its host did not answer.
        HostCommandError: A dataset cannot be looked up, because its host's listing is not complete.
        UsageError: A text that names no dataset, or a dataset that zfsctl made for itself.
    """
    found: dict[tuple[str, str], Dataset] = {}
    for text in texts:
        hosts = [facts.hosts[name] for name in _hosts_of(text, policy) if name in facts.hosts]
        named = [(host, name) for host in hosts for name in _named_on(host, text, recursive=recursive)]
        if not named:
            raise _why_nothing(text, hosts)
        for host, name in named:
            found[host.host, name] = host.datasets[name]
    order = sorted(found, key=lambda place: (place[0], tree_order(place[1])))
    return tuple((host, found[host, name]) for host, name in order)


def _named_on(host: HostFacts, text: str, *, recursive: bool) -> list[str]:
    _, dataset = split_host(text)
    outside = made_by_us(host)
    exact = [name for name in host.datasets if matches(dataset, name) and not outside(name)]
    if not recursive:
        return exact
    return [name for name in host.datasets if not outside(name) and any(is_at_or_below(name, above) for above in exact)]


def _hosts_of(text: str, policy: PolicyFile) -> tuple[str, ...]:
    host, dataset = split_host(text)
    if not dataset or "@" in dataset or "#" in dataset:
        raise UsageError(
            f"{text}: nothing was done, this is no dataset",
            why="a selection names datasets; a snapshot or bookmark is part of one" if dataset else "the name is empty",
            hint=dataset.partition("@")[0].partition("#")[0] or "zfsctl status",
            where=text,
        )
    if host is None:
        return (LOCAL,)
    names = tuple(name for name in policy.hosts if host_matches(host, name))
    if not names:
        raise UnknownNameError(
            f"{text}: nothing was done, the policy has no host {host}",
            why=f"it has {', '.join(policy.hosts)}",
            hint=_nearest(host, policy.hosts),
            where=text,
        )
    return names


def _why_nothing(text: str, hosts: Sequence[HostFacts]) -> Exception:
    _, dataset = split_host(text)
    for host in hosts:
        if not host.reached:
            why = "; ".join(host.problems)
            return UnreachableError(f"{text}: not looked up, {host.host} did not answer", why=why, where=host.host)
        if not host.complete:
            why = "; ".join(host.problems)
            return HostCommandError(
                f"{text}: not found, but the listing of {host.host} is not complete", why=why, where=host.host
            )
        if unseen := host.why_unseen(dataset):
            return HostCommandError(f"{text}: not looked up on {host.host}", why=unseen, where=host.host)
        if dataset in host.datasets:
            return UsageError(
                f"{text}: left alone, zfsctl made it for itself",
                why="copies set aside or being built and scratch datasets are outside every selection",
                hint="zfsctl doctor",
                where=text,
            )
    from difflib import get_close_matches

    known = {str(Place(host.host, name)): name for host in hosts for name in host.datasets}
    near = get_close_matches(dataset, known.values(), n=_MOST_SHOWN)
    places = [place for place, name in known.items() if name in near]
    return UnknownNameError(
        f"{text}: nothing was done, there is no such dataset",
        why=f"{', '.join(host.host for host in hosts) or 'no host that was asked'} answered and does not have it",
        hint=f"did you mean {' or '.join(places[:_MOST_SHOWN])}?" if places else "zfsctl status",
        where=text,
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=_MOST_SHOWN)
    return f"did you mean {' or '.join(near)}?" if near else "zfsctl config check"
