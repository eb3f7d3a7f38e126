"""By which rules a receiver's snapshots are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.planner.notation import at, dataset, keep, policy
from tests.planner.replicating import RULE
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.policy import DatasetRule, HostEntry, Pattern, Policy, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.model.replication import Replication
from zfsctl.planner.pairing import trees_of
from zfsctl.planner.receiving import adopts_of, is_receiver, receivers_of
from zfsctl.planner.selection import Selected

SENDER_POLICY = policy("hourly=48", name="critical")
OWN_POLICY = policy("daily=7", every=None, name="archive")
SCHEDULED = policy("daily=7", every="hourly", name="wrong")


def facts(*on_beta: str) -> Facts:
    def host(name: str, pool: str, names: Sequence[str]) -> HostFacts:
        listed = {one: dataset(one) for one in (pool, *names)}
        return HostFacts(name, at("20T12"), pools=(Pool(pool, 1),), datasets=listed)

    return Facts({"alpha": host("alpha", "tank", ("tank/a",)), "beta": host("beta", "bk", on_beta)})


def selected(host: str, name: str, of: Policy | None, *, adopt: tuple[str, ...] = ()) -> Selected:
    return Selected(host, dataset(name), DatasetRule("zfsctl.toml: datasets.0", (), of.name if of else None), of, adopt)


def adopts_nothing(_host: str, _name: str) -> tuple[str, ...]:
    return ()


def receivers(rule: Replication, *chosen: Selected, on_beta: tuple[str, ...] = ("bk/a",)) -> dict[str, Selected]:
    trees = trees_of(
        PolicyFile(hosts={name: HostEntry(name, name) for name in ("alpha", "beta")}, replications=(rule,))
    )
    found, _ = receivers_of(trees, facts(*on_beta), chosen, adopts_nothing)
    return {f"{one.host}:{one.dataset.name}": one for one in found}


def rules_of(one: Selected) -> str:
    assert one.policy is not None
    assert one.policy.schedule is None, "nobody takes snapshots of a receiver"
    return " ".join(f"{rule.rule}={rule.text}" for rule in one.policy.keep)


KEEP = replace(RULE, keep=keep("monthly=24"))
SENDER = selected("alpha", "tank/a", SENDER_POLICY)
OWN = selected("beta", "bk/a", OWN_POLICY)


@pytest.mark.parametrize(
    ("rule", "chosen", "expected"),
    [
        pytest.param(KEEP, (SENDER,), "monthly=24", id="the-keep-of-its-replication"),
        pytest.param(KEEP, (SENDER, OWN), "monthly=24", id="which-goes-before-a-policy-of-its-own"),
        pytest.param(RULE, (SENDER, OWN), "daily=7", id="else-the-policy-that-selects-it"),
        pytest.param(RULE, (SENDER,), "hourly=48", id="else-the-policy-of-its-sender"),
    ],
)
def test_what_a_receiver_is_kept_by(rule: Replication, chosen: tuple[Selected, ...], expected: str) -> None:
    assert rules_of(receivers(rule, *chosen)["beta:bk/a"]) == expected


def test_the_sender_keeps_its_own_rules() -> None:
    assert receivers(KEEP, SENDER)["alpha:tank/a"] == SENDER


def test_without_any_rule_nothing_of_a_receiver_goes() -> None:
    assert receivers(RULE)["beta:bk/a"].policy is None


def test_nothing_of_a_receiver_goes_where_a_rule_says_none() -> None:
    """Its sender's policy is not asked; the keep of the replication is a word about this very receiver."""
    none = selected("beta", "bk/a", None)

    kept = receivers(RULE, SENDER, none)["beta:bk/a"]
    assert (kept.rule, kept.policy) == (none.rule, None)
    assert rules_of(receivers(KEEP, SENDER, none)["beta:bk/a"]) == "monthly=24"


def test_a_receiver_that_is_not_there_yet_is_kept_by_nothing() -> None:
    assert "beta:bk/a" not in receivers(KEEP, SENDER, on_beta=())


def test_what_only_the_receiver_has_is_kept_by_the_replication_too() -> None:
    assert rules_of(receivers(KEEP, SENDER, on_beta=("bk/a", "bk/a/gone"))["beta:bk/a/gone"]) == "monthly=24"


def _pattern(place: str) -> Pattern:
    host, _, name = place.partition(":")
    return Pattern(place, host, name)


def adopting(*rules: tuple[str, str], replications: tuple[Replication, ...]) -> PolicyFile:
    """A policy whose rules each select one place and adopt one glob."""
    return PolicyFile(
        hosts={name: HostEntry(name, name) for name in ("alpha", "beta", "gamma")},
        policies={"critical": SENDER_POLICY},
        rules=tuple(
            DatasetRule(
                "", (Pattern(place, *place.split(":")),), "critical" if glob else None, adopt=(glob or "never",)
            )
            for place, glob in rules
        ),
        replications=replications,
    )


ONWARD = replace(
    RULE, name="onward", sender=Pattern("beta:bk", "beta", "bk"), receiver_host="gamma", receiver_dataset="vault"
)


@pytest.mark.parametrize(
    ("host", "name", "expected"),
    [
        pytest.param("alpha", "tank/a", {"autosnap_*"}, id="the-sender"),
        pytest.param("alpha", "tank/a/kid", {"autosnap_*"}, id="all-below-it"),
        pytest.param("beta", "bk/a", {"autosnap_*", "mine-*"}, id="a-receiver-with-a-rule-of-its-own"),
        pytest.param("beta", "bk/b", {"mine-*"}, id="a-dataset-beside-it"),
        pytest.param("gamma", "vault/a/kid", {"autosnap_*", "mine-*"}, id="the-end-of-a-chain"),
        pytest.param("gamma", "vault/b", {"mine-*"}, id="what-its-middle-adopts-by-itself"),
        pytest.param("gamma", "elsewhere", set(), id="no-rule"),
        pytest.param("alpha", "tank/out", set(), id="a-rule-that-opts-out-adopts-nothing"),
    ],
)
@pytest.mark.parametrize("replications", [(RULE, ONWARD), (ONWARD, RULE)], ids=["in-order", "the-other-way-round"])
def test_what_counts_as_owned_goes_with_the_snapshots(
    host: str, name: str, expected: set[str], replications: tuple[Replication, ...]
) -> None:
    policy = adopting(
        ("alpha:tank/a", "autosnap_*"), ("beta:bk", "mine-*"), ("alpha:tank/out", ""), replications=replications
    )

    assert set(adopts_of(policy)(host, name)) == expected


def test_a_schedule_on_a_receiver_is_left_out_and_told_once() -> None:
    trees = trees_of(
        PolicyFile(hosts={name: HostEntry(name, name) for name in ("alpha", "beta")}, replications=(RULE,))
    )
    chosen = (SENDER, selected("beta", "bk/a", SCHEDULED), selected("beta", "bk/a/kid", SCHEDULED))
    found, findings = receivers_of(trees, facts("bk/a", "bk/a/kid"), chosen, adopts_nothing)

    assert [rules_of(one) for one in found if one.host == "beta"] == ["daily=7", "daily=7"]
    assert [(one.code, one.host, one.dataset) for one in findings] == [("receiver-snapshots", "beta", "bk/a")]


def test_who_is_a_receiver() -> None:
    trees = trees_of(
        PolicyFile(hosts={name: HostEntry(name, name) for name in ("alpha", "beta")}, replications=(RULE,))
    )
    receives = is_receiver(trees)

    assert [receives("beta", name) for name in ("bk/a", "bk/a/x", "bk/ab", "bk")] == [True, True, False, False]
    assert not receives("alpha", "bk/a")
