"""What was set on senders: asked of each alone for certain, of many at once to see which may have changed."""

from __future__ import annotations

import pytest

from zfsctl.zfs.source_properties import argv_seeming_properties, parse_seeming_properties, parse_set_properties

A, B = "tank/a", "tank/b"


def printed(*rows: str) -> str:
    """As zfs prints it; | for a TAB."""
    return "".join(f"{row}\n" for row in rows).replace("|", "\t")


def test_many_are_asked_by_one_command() -> None:
    assert argv_seeming_properties([A, B]).argv == (
        *("zfs", "get", "-Hp", "-s", "local,received", "-o", "name,property,value", "all"),
        *(A, B),
    )
    with pytest.raises(ValueError, match="at least one"):
        argv_seeming_properties([])
    with pytest.raises(ValueError, match="not allow"):
        argv_seeming_properties([A, "tank/b@s1"])


@pytest.mark.parametrize(
    ("stdout", "found"),
    [
        pytest.param("", {A: {}, B: {}}, id="nothing-is-set-anywhere"),
        pytest.param(
            printed(f"{A}|compression|lz4", f"{A}|org.site:owner|anna b", f"{B}|quota|1024"),
            {A: {"compression": "lz4", "org.site:owner": "anna b"}, B: {"quota": "1024"}},
            id="each-its-own",
        ),
        pytest.param(
            printed(f"{A}|org.site:text|one", "two", f"{B}|quota|1024"),
            {A: {}, B: {"quota": "1024"}},
            id="a-value-of-two-lines-is-left-out",
        ),
        pytest.param(
            printed(f"{A}|org.site:text|one", f"{B}|quota|1", f"{B}|quota|1024"),
            {A: {"org.site:text": "one"}, B: {}},
            id="a-property-that-comes-twice-is-left-out",
        ),
        pytest.param(
            printed(f"{A}|org.site:text|one", "tank/elsewhere|quota|1"), {A: {}, B: {}}, id="a-dataset-not-asked-about"
        ),
        pytest.param(printed("odd", f"{B}|quota|1"), {A: {}, B: {"quota": "1"}}, id="an-odd-line-before-any-other"),
    ],
)
def test_what_seems_to_be_set(stdout: str, found: dict[str, dict[str, str]]) -> None:
    assert parse_seeming_properties(stdout, [A, B]) == found


@pytest.mark.parametrize("value", ["", "plain", "two\nlines", "ends in one\n", "\n", "looks|like", "one\nquota|5"])
def test_one_dataset_among_many_seems_to_have_what_it_has_alone(value: str) -> None:
    value = value.replace("|", "\t")
    alone = f"compression\tlz4\norg.site:text\t{value}\n"
    among = f"{A}\tcompression\tlz4\n{A}\torg.site:text\t{value}\n{B}\tquota\t7\n"

    assert parse_seeming_properties(among, [A, B])[A] == parse_set_properties(alone)
