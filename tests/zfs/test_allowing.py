"""Rights that were granted on one dataset are granted again on another, and nothing else."""

from __future__ import annotations

import pytest

from zfsctl.errors import UnreadableOutputError
from zfsctl.zfs.allowing import argv_grant, argv_list_grants, parse_grants

PRINTED = """\
---- Permissions on bk/copies/a --------------------------------------
Permission sets:
\t@mine create,mount
Create time permissions:
\tdestroy
Local permissions:
\tuser anna snapshot
\tgroup staff hold,release
Descendent permissions:
\teveryone diff
Local+Descendent permissions:
\tuser zfsadmin @mine,receive
---- Permissions on bk -----------------------------------------------
Local+Descendent permissions:
\tuser root2 destroy
"""


def test_what_was_granted_on_the_dataset_itself_is_granted_again() -> None:
    grants = parse_grants(PRINTED, "bk/copies/a")

    assert [" ".join(argv_grant(grant, "bk/x").argv) for grant in grants] == [
        "zfs allow -s @mine create,mount bk/x",
        "zfs allow -c destroy bk/x",
        "zfs allow -l -u anna snapshot bk/x",
        "zfs allow -l -g staff hold,release bk/x",
        "zfs allow -d -e diff bk/x",
        "zfs allow -u zfsadmin @mine,receive bk/x",
    ]


@pytest.mark.parametrize("name", ["bk/" + "x" * 80, "bk/a-", "bk/a b -", "bk/a"])
def test_a_heading_of_any_length_names_its_dataset(name: str) -> None:
    heading = f"---- Permissions on {name} ".ljust(70, "-")

    grants = parse_grants(f"{heading}\nLocal permissions:\n\tuser anna snapshot\n{PRINTED}", name)

    assert [grant.whom for grant in grants] == [("-u", "anna")]


def test_what_was_granted_above_is_inherited_anyway() -> None:
    assert parse_grants(PRINTED, "bk/copies") == ()
    assert parse_grants("", "bk/copies/a") == ()
    assert argv_list_grants("bk/a b").argv == ("zfs", "allow", "bk/a b")


@pytest.mark.parametrize(
    "text",
    [
        "\tuser anna snapshot\n",
        "---- Permissions on bk ----\n\tuser anna snapshot\n",
        "---- Permissions on bk ----\nLocal permissions:\nuser anna snapshot\n",
        "---- Permissions on bk ----\nLocal permissions:\n\tuser anna\n",
        "---- Permissions on bk ----\nLocal permissions:\n\tuser anna snap;shot\n",
        "---- Permissions on bk ----\nSome permissions:\n\tuser anna snapshot\n",
    ],
)
def test_anything_else_is_no_list_of_rights(text: str) -> None:
    with pytest.raises(UnreadableOutputError):
        parse_grants(text, "bk")
