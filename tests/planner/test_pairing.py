"""Which dataset of which host is copied where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.planner.notation import at, dataset
from tests.planner.replicating import RULE
from zfsctl.model.facts import HostFacts
from zfsctl.model.policy import HostEntry, Pattern, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.model.replication import Replication
from zfsctl.planner.pairing import hosts_of, pairs_of, receivers_on, trees_of, upstream_first, wanted_by_trees


def host(name: str, *datasets: str, marked: str = "") -> HostFacts:
    listed = {one: replace(dataset(one), mark="aside" if one == marked else "") for one in datasets}
    return HostFacts(name, at("20T12"), pools=(Pool(datasets[0], 1),) if datasets else (), datasets=listed)


def rule(name: str, sender: str, receiver: str) -> Replication:
    host, _, of = sender.partition(":")
    where, _, to = receiver.partition(":")
    return replace(RULE, name=name, sender=Pattern(sender, host, of), receiver_host=where, receiver_dataset=to)


def policy(*rules: Replication, hosts: str = "local alpha beta node01 node02") -> PolicyFile:
    return PolicyFile(hosts={name: HostEntry(name, name) for name in hosts.split()}, replications=rules)


NODES = rule("nodes", "node*:rpool/vm", "beta:bk/{host}/vm")
ONE = rule("one", "alpha:tank/a", "beta:bk/a")


@pytest.mark.parametrize(
    ("rules", "only", "expected"),
    [
        pytest.param((ONE,), None, ["one alpha:tank/a beta:bk/a"], id="one"),
        pytest.param(
            (NODES,), None, ["nodes node01:rpool/vm beta:bk/node01/vm", "nodes node02:rpool/vm beta:bk/node02/vm"],
            id="one-tree-for-each-host",
        ),
        pytest.param((NODES, ONE), ["one"], ["one alpha:tank/a beta:bk/a"], id="only-those-that-are-named"),
        pytest.param((NODES, ONE), [], [], id="none-are-named"),
        pytest.param((rule("far", "elsewhere:tank", "beta:bk"),), None, [], id="a-host-that-the-policy-does-not-have"),
        pytest.param((rule("here", ":tank/a", "beta:bk/a"),), None, ["here local:tank/a beta:bk/a"], id="this-machine"),
    ],
)  # fmt: skip
def test_trees(rules: tuple[Replication, ...], only: list[str] | None, expected: list[str]) -> None:
    found = trees_of(policy(*rules), only)

    assert [
        f"{one.replication.name} {one.sender_host}:{one.sender} {one.receiver_host}:{one.receiver}" for one in found
    ] == expected


def test_each_host_at_an_end_is_asked_once() -> None:
    assert hosts_of(trees_of(policy(NODES, ONE))) == ("node01", "beta", "node02", "alpha")


def test_each_hop_of_a_chain_comes_after_the_one_before_it() -> None:
    last, middle, first = (
        rule("last", "gamma:vault/a/b", "delta:far/b"),
        rule("middle", "beta:bk", "gamma:vault"),
        rule("first", "alpha:tank/a", "beta:bk/a"),
    )
    trees = trees_of(policy(last, ONE, middle, first, hosts="alpha beta gamma delta"))

    found = [one.replication.name for one in upstream_first(trees)]

    assert found.index("first") < found.index("middle") < found.index("last")
    assert sorted(found) == ["first", "last", "middle", "one"]
    assert upstream_first(trees_of(policy(NODES, ONE))) == trees_of(policy(NODES, ONE)), "all else stays as it is"


def pairs(sender: HostFacts | None, receiver: HostFacts | None) -> list[str]:
    (tree,) = trees_of(policy(ONE))
    facts = {one.host: one for one in (sender, receiver) if one is not None}
    return [f"{one.sender} {one.receiver}" for one in pairs_of(tree, facts)]


@pytest.mark.parametrize(
    ("sender", "receiver", "expected"),
    [
        pytest.param(host("alpha", "tank", "tank/a"), host("beta", "bk"), ["tank/a bk/a"], id="no-copy-yet"),
        pytest.param(host("alpha", "tank"), host("beta", "bk"), ["tank/a bk/a"], id="neither-exists"),
        pytest.param(None, host("beta", "bk"), ["tank/a bk/a"], id="a-host-that-was-not-asked"),
        pytest.param(
            host("alpha", "tank", "tank/a", "tank/a/x", "tank/a/x/y"), host("beta", "bk", "bk/a"),
            ["tank/a bk/a", "tank/a/x bk/a/x", "tank/a/x/y bk/a/x/y"],
            id="parents-first",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a", "tank/ab", "tank/b"), host("beta", "bk", "bk/ab"), ["tank/a bk/a"],
            id="names-that-only-begin-alike",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a"), host("beta", "bk", "bk/a", "bk/a/gone"),
            ["tank/a bk/a", "tank/a/gone bk/a/gone"],
            id="what-only-the-receiver-has",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a", "tank/a-b", "tank/a/b", "tank/a/b c"), None,
            ["tank/a bk/a", "tank/a/b bk/a/b", "tank/a/b c bk/a/b c"],
            id="the-sender-alone",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a"),
            host("beta", "bk", "bk/a", "bk/a/x.zfsctl-aside-20261120T000000Z", "bk/a/x.zfsctl-new-20261120T000000Z"),
            ["tank/a bk/a"],
            id="what-a-repair-set-aside-is-no-copy",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a", "tank/a/scratch", "tank/a/scratch/x", marked="tank/a/scratch"), None,
            ["tank/a bk/a"],
            id="nor-is-what-zfsctl-made-for-itself-sent",
        ),
        pytest.param(
            host("alpha", "tank", "tank/a"), host("beta", "bk", "bk/a", "bk/a/%recv"), ["tank/a bk/a"],
            id="nor-what-a-running-receive-hides",
        ),
    ],
)  # fmt: skip
def test_pairs(sender: HostFacts | None, receiver: HostFacts | None, expected: list[str]) -> None:
    assert pairs(sender, receiver) == expected


def test_what_is_read_of_a_host_is_what_takes_part_at_either_end() -> None:
    trees = trees_of(policy(ONE, rule("on", "beta:bk/a", "alpha:tank/back")))
    alpha = host("alpha", "tank", "tank/a", "tank/a/x", "tank/back", "tank/other")
    beta = host("beta", "bk", "bk/a", "bk/b")

    assert list(wanted_by_trees(trees, "alpha")(alpha)) == ["tank/a", "tank/a/x", "tank/back"]
    assert list(wanted_by_trees(trees, "beta")(beta)) == ["bk/a"]
    assert receivers_on(trees, "beta") == ("bk/a",)
    assert receivers_on(trees, "alpha") == ("tank/back",)
