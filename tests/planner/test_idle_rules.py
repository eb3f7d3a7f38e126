"""What the policy file says without effect is told, where every host that it is about was seen."""

from __future__ import annotations

import pytest

from tests.planner.test_selection import facts_of, file_of, host_with, rule
from zfsctl.model.facts import HostFacts
from zfsctl.model.finding import Severity
from zfsctl.model.policy import DatasetRule
from zfsctl.planner.idle_rules import idle_findings
from zfsctl.planner.selection import select_datasets

TREE = host_with("tank tank/vm tank/tmp")
NODE = host_with("tank", host="node01")
NOT_SEEN = host_with("tank", host="node02", problems=["stderr: I/O error"])
FOLLOWED_BY_NONE = "no dataset follows it, all that it selects are excluded or follow a more precise rule"


def told(rules: list[DatasetRule], *hosts: HostFacts) -> list[str]:
    file, facts = file_of(*rules), facts_of(*hosts)
    found = idle_findings(file, facts, select_datasets(file, facts))
    assert all(finding.severity is Severity.WARNING and finding.hint for finding in found)
    return [finding.message.removeprefix("zfsctl.toml: ") for finding in found]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([rule("tank")], [], id="a-rule-that-is-followed"),
        pytest.param([rule("tank", exclude="**/tmp")], [], id="an-exclusion-that-excludes"),
        pytest.param([rule("tank"), rule("tank/vm", None)], [], id="a-dataset-that-opts-out-follows-its-rule"),
        pytest.param(
            [rule("tank", exclude="**/tmp **/cache")],
            ['tank.exclude[2]: "**/cache" excludes nothing that this rule selects'],
            id="an-exclusion-of-nothing",
        ),
        pytest.param(
            [rule("tank/vm", exclude="**/tmp"), rule("tank")],
            ['tank/vm.exclude[1]: "**/tmp" excludes nothing that this rule selects'],
            id="an-exclusion-of-what-another-rule-selects",
        ),
        pytest.param([rule("tank/*"), rule("tank/vm"), rule("tank/tmp")], [f"tank/*: {FOLLOWED_BY_NONE}"], id="shadow"),
        pytest.param([rule("tank", exclude="**")], [f"tank: {FOLLOWED_BY_NONE}"], id="all-excluded"),
        pytest.param([rule("tank/typo", exclude="**/tmp")], [], id="a-rule-that-matches-nothing-is-told-already"),
        pytest.param([rule("node*:tank", exclude="**/tmp")], [], id="a-host-that-was-not-seen-may-have-it"),
        pytest.param([rule("vault:tank", exclude="**/tmp")], [], id="a-host-that-was-not-asked-may-have-it"),
        pytest.param(
            [rule("node01:tank", exclude="local:tank/tmp")],
            ['node01:tank.exclude[1]: "local:tank/tmp" excludes nothing that this rule selects'],
            id="an-exclusion-on-another-host",
        ),
    ],
)
def test_what_has_no_effect_is_told(rules: list[DatasetRule], expected: list[str]) -> None:
    assert told(rules, TREE, NODE, NOT_SEEN) == expected
