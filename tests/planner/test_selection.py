"""Which rule a dataset follows, and what a selection on the command line means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.planner.notation import at, dataset, policy
from zfsctl.errors import ConfigError, HostCommandError, UnknownNameError, UnreachableError, UsageError
from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.policy import DatasetRule, HostEntry, Pattern, PolicyFile
from zfsctl.model.pool import Pool
from zfsctl.planner.selection import (
    hosts_in_use,
    hosts_of_selection,
    resolve_selection,
    restrict,
    select_datasets,
    wanted_by_selection,
    wanted_snapshots,
)

HOSTS = ("local", "alpha", "node01", "node02", "vault")


def pattern(text: str, *, without_host: str) -> Pattern:
    host, colon, name = text.partition(":")
    return Pattern(text, host, name) if colon else Pattern(text, without_host, text)


def rule(select: str, name: str | None = "critical", *, exclude: str = "", adopt: str = "") -> DatasetRule:
    """A rule written in one line; patterns are separated by blanks."""
    return DatasetRule(
        f"zfsctl.toml: {select}",
        tuple(pattern(text, without_host="local") for text in select.split()),
        name,
        tuple(pattern(text, without_host="*") for text in exclude.split()),
        tuple(adopt.split()),
    )


def file_of(*rules: DatasetRule) -> PolicyFile:
    return PolicyFile(
        hosts={name: HostEntry(name, "" if name == "local" else f"{name}.lan") for name in HOSTS},
        policies={name: policy("last=1", name=name) for name in ("critical", "media")},
        rules=rules,
    )


def host_with(names: str, *, host: str = "local", problems: Sequence[str] = (), reached: bool = True) -> HostFacts:
    return HostFacts(
        host,
        at("20T00"),
        datasets={name: dataset(name, guid=number) for number, name in enumerate(names.split(), 1)},
        problems=tuple(problems),
        reached=reached,
    )


def facts_of(*hosts: HostFacts) -> Facts:
    return Facts({one.host: one for one in hosts})


def selected(rules: Sequence[DatasetRule], *hosts: HostFacts) -> list[str]:
    """`host:dataset=policy` of each dataset that a rule is about; `=` where the rule says none."""
    found = select_datasets(file_of(*rules), facts_of(*hosts)).datasets
    return [f"{one.host}:{one.dataset.name}={one.policy.name if one.policy else ''}" for one in found]


TANK = "tank tank/photos tank/photos/2025 tank/photos/tmp tank/photos/2025/tmp tank/vm tank/vm/a tank/vm-old"


@pytest.mark.parametrize(
    ("rules", "names", "expected"),
    [
        pytest.param([], TANK, [], id="no-rule-selects-nothing"),
        pytest.param([rule("tank/vm")], TANK, ["tank/vm=critical", "tank/vm/a=critical"], id="itself-and-all-below"),
        pytest.param([rule("tank/*")], "tank tank/a tank/a/b", ["tank/a=critical", "tank/a/b=critical"], id="one-star"),
        pytest.param([rule("tank/*/b")], "tank/a/b tank/a/c/b", ["tank/a/b=critical"], id="a-star-crosses-no-slash"),
        pytest.param(
            [rule("tank/**/b")],
            "tank/b tank/a/b tank/a/c/b tank/ab",
            ["tank/a/b=critical", "tank/a/c/b=critical", "tank/b=critical"],
            id="two-stars-cross-slashes",
        ),
        pytest.param(
            [rule("t*k/v*")], "tank/vm tank/x task/v", ["tank/vm=critical", "task/v=critical"], id="stars-in-the-middle"
        ),
        pytest.param([rule("tank/a.b")], "tank/a.b tank/axb", ["tank/a.b=critical"], id="a-dot-is-a-dot"),
        pytest.param([rule("tank/my_vm")], "tank/my_vm", ["tank/my_vm=critical"], id="an-underscore"),
        pytest.param(
            [rule("tank/photos", exclude="**/tmp")],
            TANK,
            ["tank/photos=critical", "tank/photos/2025=critical"],
            id="an-exclusion-at-any-depth",
        ),
        pytest.param(
            [rule("tank/a", exclude="tank/a/b")],
            "tank/a tank/a/b tank/a/b/c",
            ["tank/a=critical"],
            id="an-exclusion-takes-all-below",
        ),
        pytest.param(
            [rule("tank/a", exclude="alpha:**/b")],
            "tank/a tank/a/b",
            ["tank/a=critical", "tank/a/b=critical"],
            id="an-exclusion-for-another-host",
        ),
        pytest.param(
            [rule("tank"), rule("tank/vm", "media")],
            "tank tank/vm tank/vm/a",
            ["tank=critical", "tank/vm=media", "tank/vm/a=media"],
            id="the-longest-literal-prefix-wins",
        ),
        pytest.param(
            [rule("tank/vm", "media"), rule("tank")],
            "tank tank/vm",
            ["tank=critical", "tank/vm=media"],
            id="in-whatever-order",
        ),
        pytest.param(
            [rule("tank/*", "media"), rule("tank")],
            "tank tank/vm",
            ["tank=critical", "tank/vm=media"],
            id="a-pattern-with-a-longer-prefix",
        ),
        pytest.param(
            [rule("tank/vm", None), rule("tank")], "tank tank/vm", ["tank=critical", "tank/vm="], id="none-opts-out"
        ),
        pytest.param(
            [rule("tank tank/vm/a"), rule("tank/vm", "media")],
            "tank tank/vm tank/vm/a",
            ["tank=critical", "tank/vm=media", "tank/vm/a=critical"],
            id="the-best-pattern-of-a-rule-counts",
        ),
        pytest.param(
            [rule("tank/vm", "media", exclude="**/a"), rule("tank")],
            "tank/vm tank/vm/a",
            ["tank/vm=media", "tank/vm/a=critical"],
            id="what-one-rule-excludes-follows-the-next",
        ),
        pytest.param(
            [rule("tank")],
            "tank tank/a.zfsctl-aside-20261120T000000Z tank/a.zfsctl-aside-20261120T000000Z/b",
            ["tank=critical"],
            id="copies-set-aside-are-outside",
        ),
        pytest.param(
            [rule("tank")],
            "tank tank/a.zfsctl-new-20261120T000000Z",
            ["tank=critical"],
            id="copies-being-built-are-outside",
        ),
        pytest.param([rule("tank")], "tank tank/a/%recv", ["tank=critical"], id="a-running-receive-is-outside"),
        pytest.param(
            [rule("tank")],
            "tank tank/b-c tank/b tank/b/c",
            ["tank=critical", "tank/b=critical", "tank/b/c=critical", "tank/b-c=critical"],
            id="ordered-as-a-tree",
        ),
    ],
)
def test_the_rule_of_each_dataset(rules: list[DatasetRule], names: str, expected: list[str]) -> None:
    assert selected(rules, host_with(names)) == [f"local:{one}" for one in expected]


def test_what_zfsctl_marked_as_its_own_is_outside_with_everything_below() -> None:
    host = host_with("tank tank/scratch tank/scratch/a tank/scratch-not")
    marked = replace(host.datasets["tank/scratch"], mark="scratch")
    host = replace(host, datasets={**host.datasets, "tank/scratch": marked})

    assert selected([rule("tank")], host) == ["local:tank=critical", "local:tank/scratch-not=critical"]


def test_host_patterns_select_on_every_host_of_such_a_name() -> None:
    hosts = [host_with("rpool/vm", host=name) for name in ("node02", "node01", "alpha", "local")]

    assert selected([rule("node*:rpool/vm")], *hosts) == ["node01:rpool/vm=critical", "node02:rpool/vm=critical"]
    assert selected([rule("rpool/vm")], *hosts) == ["local:rpool/vm=critical"]
    assert selected([rule("*:rpool/vm", exclude="node*:rpool")], *hosts) == [
        "alpha:rpool/vm=critical",
        "local:rpool/vm=critical",
    ]


def test_between_equal_prefixes_the_more_precise_host_wins() -> None:
    rules = [rule("*:rpool/vm"), rule("node*:rpool/vm", "media"), rule("node01:rpool/vm", None)]
    hosts = [host_with("rpool/vm", host=name) for name in ("alpha", "node01", "node02")]

    assert selected(rules, *hosts) == ["alpha:rpool/vm=critical", "node01:rpool/vm=", "node02:rpool/vm=media"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("tank/vm", "tank/vm", id="the-same-dataset-twice"),
        pytest.param("tank/*m", "tank/**", id="equal-prefixes-before-the-first-star"),
        pytest.param("loc*:tank/vm", "loc*:tank/vm", id="equal-hosts"),
    ],
)
def test_a_tie_is_refused_naming_both_places(first: str, second: str) -> None:
    rules = (rule(first), rule(second, "media"))

    with pytest.raises(ConfigError) as raised:
        select_datasets(file_of(*rules), facts_of(host_with("tank/vm")))
    assert all(one.where in raised.value.where and one.where in raised.value.why for one in rules)


def test_a_tie_is_no_tie_where_an_exclusion_settles_it() -> None:
    rules = [rule("tank/vm", exclude="tank/vm"), rule("tank/vm", "media")]

    assert selected(rules, host_with("tank/vm")) == ["local:tank/vm=media"]


def test_a_tie_of_two_is_no_tie_where_a_third_is_more_precise() -> None:
    rules = [rule("tank"), rule("tank", "media"), rule("tank/vm", "media")]

    assert selected(rules, host_with("tank/vm")) == ["local:tank/vm=media"]


def test_patterns_that_select_nothing_are_told_where_the_host_answered_in_full() -> None:
    rules = (rule("tank/vm tank/typo"), rule("node*:tank/vm tent:tank"))
    facts = facts_of(
        host_with("tank/vm"),
        host_with("tank/photos", host="node01"),
        host_with("tank/photos", host="node02", problems=["stderr: I/O error"]),
    )

    found = select_datasets(file_of(*rules), facts).unmatched

    assert [(one.pattern.text, one.host) for one in found] == [
        ("tank/typo", "local"),
        ("node*:tank/vm", "node01"),
        ("tent:tank", "tent"),
    ]
    assert found[0].rule is rules[0]


def test_a_pattern_that_selects_nothing_is_told_with_its_key_and_the_nearest_that_would() -> None:
    rules = (rule("tank/vm tank/phtos"), rule("node*:tank/vm"), rule("node01:tank/phots"))
    facts = facts_of(host_with("tank/vm tank/photos"), host_with("tank/photos", host="node01"))

    found = select_datasets(file_of(*rules), facts).findings((), hint="zfs list")

    assert [(one.message, one.hint) for one in found] == [
        (
            'zfsctl.toml: tank/vm tank/phtos.select[2]: "tank/phtos" selects nothing on local',
            "did you mean tank/photos?",
        ),
        ('zfsctl.toml: node*:tank/vm.select[1]: "node*:tank/vm" selects nothing on node01', "zfs list"),
        (
            'zfsctl.toml: node01:tank/phots.select[1]: "node01:tank/phots" selects nothing on node01',
            "did you mean node01:tank/photos?",
        ),
    ]


def test_a_pattern_that_lost_all_its_datasets_to_others_still_selects() -> None:
    rules = [rule("tank"), rule("tank/a", "media")]

    assert select_datasets(file_of(*rules), facts_of(host_with("tank/a"))).unmatched == ()


def test_an_adopt_pattern_counts_only_where_a_policy_does() -> None:
    rules = [rule("tank", adopt="autosnap_* hourly.*"), rule("tank/vm", None, adopt="autosnap_*")]
    found = select_datasets(file_of(*rules), facts_of(host_with("tank tank/vm"))).datasets

    assert [one.adopt for one in found] == [("autosnap_*", "hourly.*"), ()]


def test_snapshots_are_wanted_of_what_a_policy_rules() -> None:
    file = file_of(rule("tank", exclude="**/tmp"), rule("tank/vm", None), rule("node*:rpool"))

    assert wanted_snapshots(file, "local")(host_with("tank tank/vm tank/tmp tank/a usb")) == ["tank", "tank/a"]
    assert wanted_snapshots(file, "node01")(host_with("rpool tank", host="node01")) == ["rpool"]
    assert wanted_snapshots(file, "vault")(host_with("tank", host="vault")) == []


def test_hosts_are_in_use_where_a_rule_has_a_policy() -> None:
    assert hosts_in_use(file_of(rule("node*:rpool"), rule("tank"), rule("vault:bk", None))) == (
        "local",
        "node01",
        "node02",
    )
    assert hosts_in_use(file_of()) == ()


def test_a_selection_is_restricted_to_places_with_or_without_a_rule() -> None:
    facts = facts_of(host_with("tank tank/vm usb"))
    file = file_of(rule("tank"), rule("tank/vm", None))
    places = [("local", facts.hosts["local"].datasets[name]) for name in ("usb", "tank/vm", "tank")]

    found = restrict(select_datasets(file, facts), places)

    assert [(one.dataset.name, one.rule is not None, one.policy is not None) for one in found] == [
        ("usb", False, False),
        ("tank/vm", True, False),
        ("tank", True, True),
    ]


NODES = facts_of(
    host_with("tank tank/photos tank/photos/2025 tank/vm"),
    host_with("rpool rpool/vm rpool/vm/1", host="node01"),
    host_with("rpool rpool/vm", host="node02"),
)


@pytest.mark.parametrize(
    ("texts", "recursive", "expected"),
    [
        pytest.param(["tank/photos"], False, ["local:tank/photos"], id="that-dataset-alone"),
        pytest.param(["tank/photos"], True, ["local:tank/photos", "local:tank/photos/2025"], id="with-all-below"),
        pytest.param(["local:tank"], False, ["local:tank"], id="this-machine-by-name"),
        pytest.param(["node01:rpool/vm"], False, ["node01:rpool/vm"], id="another-host"),
        pytest.param(["node*:rpool/vm"], False, ["node01:rpool/vm", "node02:rpool/vm"], id="a-host-pattern"),
        pytest.param(["node*:rpool/vm/1"], False, ["node01:rpool/vm/1"], id="on-those-that-have-it"),
        pytest.param(["tank/*"], False, ["local:tank/photos", "local:tank/vm"], id="a-pattern-selects-no-children"),
        pytest.param(
            ["**"],
            False,
            ["local:tank", "local:tank/photos", "local:tank/photos/2025", "local:tank/vm"],
            id="everything",
        ),
        pytest.param(["tank/vm", "tank", "tank/vm"], False, ["local:tank", "local:tank/vm"], id="each-once-in-order"),
    ],
)
def test_a_selection_names_datasets(texts: list[str], recursive: bool, expected: list[str]) -> None:
    file = file_of()
    found = resolve_selection(texts, recursive=recursive, policy=file, facts=NODES)
    wanted = {
        (name, one)
        for name in hosts_of_selection(texts, file)
        for one in wanted_by_selection(texts, file, name, recursive=recursive)(NODES.hosts[name])
    }

    assert [f"{host}:{one.name}" for host, one in found] == expected
    assert {(host, one.name) for host, one in found} == wanted


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        pytest.param("tank/fotos", UnknownNameError, "tank/photos", id="the-nearest-dataset"),
        pytest.param("node1:rpool", UnknownNameError, "node01", id="the-nearest-host"),
        pytest.param("node01:rpool/wm", UnknownNameError, "node01:rpool/vm", id="with-its-host"),
        pytest.param("zzz", UnknownNameError, "zfsctl status", id="nothing-near"),
        pytest.param("tank/none*", UnknownNameError, "zfsctl status", id="a-pattern-that-selects-nothing"),
        pytest.param("tank/vm@now", UsageError, "tank/vm", id="a-snapshot"),
        pytest.param("tank/vm#mark", UsageError, "tank/vm", id="a-bookmark"),
        pytest.param("", UsageError, "zfsctl status", id="nothing-at-all"),
        pytest.param("node01:", UsageError, "zfsctl status", id="a-host-alone"),
    ],
)
def test_a_selection_that_names_nothing_is_an_error_with_something_to_try(
    text: str, kind: type[UsageError], said: str
) -> None:
    with pytest.raises(kind) as raised:
        resolve_selection([text], recursive=False, policy=file_of(), facts=NODES)
    assert said in raised.value.hint
    assert type(raised.value) is kind


def test_what_cannot_be_looked_up_is_not_called_absent() -> None:
    facts = facts_of(
        host_with("", host="node01", problems=["connection refused"], reached=False),
        host_with("rpool", host="node02", problems=["stderr: I/O error"]),
    )

    with pytest.raises(UnreachableError):
        resolve_selection(["node01:rpool"], recursive=False, policy=file_of(), facts=facts)
    with pytest.raises(HostCommandError):
        resolve_selection(["node02:rpool/vm"], recursive=False, policy=file_of(), facts=facts)
    assert len(resolve_selection(["node02:rpool"], recursive=False, policy=file_of(), facts=facts)) == 1


def test_what_zfsctl_made_for_itself_is_refused_also_by_its_full_name() -> None:
    aside = "tank/a.zfsctl-aside-20261120T000000Z"
    facts = facts_of(host_with(f"tank tank/a {aside}"))

    with pytest.raises(UsageError) as raised:
        resolve_selection([aside], recursive=False, policy=file_of(), facts=facts)
    assert "made it for itself" in raised.value.message
    assert [one.name for _, one in resolve_selection(["tank"], recursive=True, policy=file_of(), facts=facts)] == [
        "tank",
        "tank/a",
    ]


def test_what_is_named_on_a_pool_that_cannot_be_looked_into_is_not_said_to_be_absent() -> None:
    sick = replace(host_with("tank tank/a"), pools=(Pool("media", 1, health="FAULTED"),))

    with pytest.raises(HostCommandError) as caught:
        resolve_selection(["media/films"], recursive=False, policy=file_of(), facts=Facts({"local": sick}))

    assert "pool media is FAULTED" in caught.value.why
