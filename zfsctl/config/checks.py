"""What can only be judged with more than one value in hand: names that must exist, selections that must not clash."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from zfsctl.config.merge import KeyPath, Merged
from zfsctl.config.patterns import can_exclude, names_a_host
from zfsctl.config.problems import Problem, near, one_of
from zfsctl.config.validate import Validated
from zfsctl.model.names import LOCAL, check_host_name
from zfsctl.model.policy import Pattern
from zfsctl.planner.matching import host_matches

Entry = TypeVar("Entry")

NO_POLICY = "none"
"""The policy of a rule that opts its datasets out."""

LOCAL_KEYS = ("sudo",)
"""What may be said of this machine, which is not reached through SSH."""


def check_document(merged: Merged, validated: Validated) -> Iterator[Problem]:
    """Everything that is wrong between the values of the file."""
    yield from _check_hosts(merged)
    yield from _check_policies(merged)
    yield from _check_rules(merged, validated)
    yield from _check_duplicates(merged, validated)
    yield from _check_hooks(merged, validated)


def _check_hosts(merged: Merged) -> Iterator[Problem]:
    for name, entry in _entries(merged, "hosts").items():
        path: KeyPath = ("hosts", name)
        if name == LOCAL:
            yield from _check_local(merged, entry)
            continue
        try:
            check_host_name(name)
        except ValueError as error:
            yield merged.problem(path, str(error), "a name that can stand before the colon of a selection")
        if isinstance(entry, dict) and "hostname" not in entry:
            yield merged.problem(path, "`hostname` is missing", 'hostname = "address"')


def _check_local(merged: Merged, entry: object) -> Iterator[Problem]:
    expected = "nothing but `sudo`; this machine always exists and is not reached through SSH"
    if not isinstance(entry, dict):
        yield merged.problem(("hosts", LOCAL), "this machine has no address", expected, "local = { sudo = true }")
        return
    for key in entry:
        if key not in LOCAL_KEYS:
            yield merged.problem(("hosts", LOCAL, key), "this machine does not have it", expected)


def _check_policies(merged: Merged) -> Iterator[Problem]:
    from zfsctl.config.values import POLICY_NAME, POLICY_NAME_EXPECTED

    for name in _entries(merged, "policies"):
        if name == NO_POLICY:
            message = f"`{NO_POLICY}` is reserved"
            yield merged.problem(("policies", name), message, 'another name; policy = "none" opts datasets out')
        elif not POLICY_NAME.fullmatch(name):
            yield merged.problem(("policies", name), f"{name!r} is no name of a policy", POLICY_NAME_EXPECTED)


def _check_rules(merged: Merged, validated: Validated) -> Iterator[Problem]:
    policies = list(dict.fromkeys([*_entries(merged, "policies"), NO_POLICY]))
    hosts = host_names(merged)
    for position, rule in placed(validated, "datasets", validated.document.datasets):
        path: KeyPath = ("datasets", position)
        if rule.policy not in policies:
            yield merged.problem(
                (*path, "policy"), f"there is no policy {rule.policy!r}", one_of(policies), near(rule.policy, policies)
            )
        if rule.policy == NO_POLICY and rule.adopt:
            yield merged.problem((*path, "adopt"), 'policy = "none" destroys nothing', "either a policy, or no adopt")
        yield from _check_pattern_hosts(merged, (*path, "select"), rule.select, hosts)
        yield from _check_pattern_hosts(merged, (*path, "exclude"), rule.exclude, hosts)
        for index, exclude in enumerate(rule.exclude):
            if names_a_host(exclude, hosts) and not any(can_exclude(exclude, select) for select in rule.select):
                yield merged.problem(
                    (*path, "exclude", index),
                    f"{exclude.text!r} excludes nothing: no dataset that this rule selects can match it",
                    "a pattern on the whole name, such as **/tmp; * stays inside one name component",
                )


def _check_duplicates(merged: Merged, validated: Validated) -> Iterator[Problem]:
    """A dataset follows exactly one rule: two rules that say the same of it can only tie."""
    first: dict[tuple[str, str], KeyPath] = {}
    for position, rule in placed(validated, "datasets", validated.document.datasets):
        for index, select in enumerate(rule.select):
            path: KeyPath = ("datasets", position, "select", index)
            earlier = first.setdefault((select.host, select.dataset), path)
            if earlier != path:
                yield merged.problem(
                    path,
                    f"{select.text!r} is selected twice",
                    f"one rule for each dataset; {merged.where(earlier)} has it already",
                    "remove one of the two",
                )


def _check_hooks(merged: Merged, validated: Validated) -> Iterator[Problem]:
    hosts = host_names(merged)
    first: dict[str, KeyPath] = {}
    for position, hook in placed(validated, "hooks", validated.document.hooks):
        path: KeyPath = ("hooks", position)
        earlier = first.setdefault(hook.name, path)
        if earlier != path:
            message = f"there are two hooks called {hook.name!r}"
            yield merged.problem((*path, "name"), message, f"a name of its own; {merged.where(earlier)} has this one")
        if not hook.before and not hook.after:
            yield merged.problem(path, "it runs nothing", 'before = ["PROGRAM", ...], or after, or both')
        yield from _check_pattern_hosts(merged, (*path, "select"), hook.select, hosts)


def _check_pattern_hosts(
    merged: Merged, path: KeyPath, patterns: Sequence[Pattern], hosts: Collection[str]
) -> Iterator[Problem]:
    for index, pattern in enumerate(patterns):
        yield from check_host(merged, (*path, index), pattern.host, pattern.dataset, hosts)


def check_host(merged: Merged, path: KeyPath, host: str, dataset: str, hosts: Collection[str]) -> Iterator[Problem]:
    """That a host, or at least one that its pattern matches, is one of `hosts`."""
    if any(host_matches(host, known) for known in hosts):
        return
    if "*" in host:
        yield merged.problem(path, f"{host!r} matches no host", one_of(hosts))
    else:
        yield merged.problem(
            path,
            f"there is no host {host!r}",
            f"{one_of(hosts)}; a colon in a pool's name needs the host before it, {LOCAL}:{host}:{dataset}",
            near(host, hosts),
        )


def placed(validated: Validated, array: str, entries: Sequence[Entry]) -> Iterator[tuple[int, Entry]]:
    """Each entry with its position in the merged document."""
    return zip(validated.positions.get(array, ()), entries, strict=True)


def _entries(merged: Merged, table: str) -> Mapping[str, object]:
    """A table of named entries as it stands in the files, wrong entries included: their names do exist."""
    found = merged.document.get(table, {})
    return found if isinstance(found, dict) else {}


def host_names(merged: Merged) -> Collection[str]:
    """Every host of the files by name, wrong entries included, this machine first."""
    return dict.fromkeys([LOCAL, *_entries(merged, "hosts")]).keys()
