"""What was set on senders: asked of many at once, and of each alone where a value may look like lines of others."""

from __future__ import annotations

import pytest

from zfsctl.zfs.source_properties import argv_set_everywhere, parse_set_everywhere, parse_set_properties

A, B = "tank/a", "tank/b"

Properties = dict[str, dict[str, str]]


def printed(*rows: str) -> str:
    """As zfs prints it; | for a TAB."""
    return "".join(f"{row}\n" for row in rows).replace("|", "\t")


def answers(properties: Properties) -> tuple[str, str]:
    """What zfs prints without values, and with them."""
    rows = [(name, key, value) for name, here in properties.items() for key, value in here.items()]
    return printed(*(f"{name}|{key}" for name, key, _ in rows)), printed(*("|".join(row) for row in rows))


def test_many_are_asked_by_two_commands() -> None:
    get = ("zfs", "get", "-Hp", "-s", "local,received", "-o")

    assert [command.argv for command in argv_set_everywhere([A, B])] == [
        (*get, "name,property", "all", A, B),
        (*get, "name,property,value", "all", A, B),
    ]
    with pytest.raises(ValueError, match="at least one"):
        argv_set_everywhere([])
    with pytest.raises(ValueError, match="not allow"):
        argv_set_everywhere([A, "tank/b@s1"])


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({A: {}, B: {}}, id="nothing-is-set-anywhere"),
        pytest.param(
            {A: {"compression": "lz4", "org.site:owner": "anna b"}, B: {"quota": "1024"}}, id="each-has-its-own"
        ),
        pytest.param({A: {"org.site:text": ""}, B: {"org.site:text": "a\tb"}}, id="empty-and-with-a-tab"),
        pytest.param({A: {"org.site:text": "tank/b\tquota\t5"}, B: {"quota": "7"}}, id="like-a-line-of-another"),
    ],
)
def test_what_is_set_where_no_value_has_two_lines(found: Properties) -> None:
    assert parse_set_everywhere(*answers(found), [A, B]) == found


TEXT = "org.site:text"
FORGED = {A: {TEXT: "one\ntank/b\tquota\t5"}, B: {"quota": "7"}}


@pytest.mark.parametrize(
    ("names", "values"),
    [
        pytest.param(*answers({A: {TEXT: "one\ntwo"}, B: {}}), id="a-value-of-two-lines"),
        pytest.param(*answers({A: {TEXT: "one\n"}, B: {}}), id="a-value-that-ends-a-line"),
        pytest.param(*answers(FORGED), id="a-value-that-looks-like-a-line-of-another"),
        pytest.param(answers({A: {TEXT: "1", "org.site:u": "2"}})[0], answers(FORGED)[1], id="changed-meanwhile"),
        pytest.param(printed(f"{A}|quota", f"{B}|quota"), printed(f"{A}|quota|5"), id="one-is-gone-meanwhile"),
        pytest.param(printed(f"{A}|quota"), printed(f"{B}|quota|5"), id="another-dataset"),
        pytest.param(printed(f"{A}|quota"), printed(f"{A}|quotas|5"), id="another-property"),
        pytest.param(printed(f"{A}|quota", f"{A}|quota"), printed(f"{A}|quota|5", f"{A}|quota|6"), id="twice"),
        pytest.param(printed("tank/c|quota"), printed("tank/c|quota|5"), id="a-dataset-that-was-not-asked"),
        pytest.param(printed("odd"), printed("odd"), id="odd-lines"),
        pytest.param(printed(A), printed(f"{A}|quota|5"), id="a-dataset-without-a-property"),
    ],
)
def test_what_is_not_certain(names: str, values: str) -> None:
    assert parse_set_everywhere(names, values, [A, B]) is None


@pytest.mark.parametrize("value", ["", "plain", "7"])
def test_one_dataset_among_many_has_what_it_has_alone(value: str) -> None:
    properties = {A: {"compression": "lz4", TEXT: value}, B: {"quota": "7"}}
    found = parse_set_everywhere(*answers(properties), [A, B])

    assert found is not None
    assert found[A] == parse_set_properties(f"compression\tlz4\n{TEXT}\t{value}\n")


@pytest.mark.parametrize(
    ("stdout", "found"),
    [
        pytest.param(printed(f"{TEXT}|one", "two", "quota|1024"), {"quota": "1024"}, id="a-value-of-two-lines"),
        pytest.param(printed(f"{TEXT}|one", "quota|1", "quota|1024"), {TEXT: "one"}, id="a-property-that-comes-twice"),
        pytest.param(printed("odd", "quota|1"), {"quota": "1"}, id="an-odd-line-before-any-other"),
    ],
)
def test_of_one_dataset_alone_what_is_doubtful_is_left_out(stdout: str, found: dict[str, str]) -> None:
    assert parse_set_properties(stdout) == found
