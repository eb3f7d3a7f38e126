"""The newest snapshots of datasets, asked for by name."""

from __future__ import annotations

import pytest

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.dataset import Snapshot
from zfsctl.zfs.heads import Head, argv_list_heads, parse_heads

PLAIN = "tank/a b@s\t7\t12\t1793491200\t4096\t512\t1\t-\t-\t-\t-\n"


def test_each_snapshot_is_named_and_nothing_is_listed_below() -> None:
    argv = argv_list_heads(("tank/a@s", "tank/b@t")).argv

    assert argv[-2:] == ("tank/a@s", "tank/b@t")
    assert not {"-r", "-d"} & set(argv)


@pytest.mark.parametrize("names", [(), ("tank/a",)])
def test_without_a_snapshot_nothing_is_asked(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="by name"):
        argv_list_heads(names)


def test_a_newest_snapshot_is_read_whole() -> None:
    snapshot = Snapshot("tank/a b", "s", guid=7, createtxg=12, creation=1793491200, used=4096, written=512, userrefs=1)

    assert parse_heads(PLAIN) == {"tank/a b": Head(snapshot, ivset=0, marked=False)}


def test_of_an_encrypted_one_the_ivset_guid_is_known() -> None:
    assert parse_heads(PLAIN.replace("-\t-\t-\n", "77\t-\t-\n"))["tank/a b"].ivset == 77


@pytest.mark.parametrize("marks", ["clone far 7 20261120T140000Z\t-", "-\tclone far 7 20261120T140000Z"])
def test_a_mark_on_its_dataset_shows(marks: str) -> None:
    assert parse_heads(PLAIN.replace("-\t-\n", f"{marks}\n"))["tank/a b"].marked


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(PLAIN + PLAIN, "came before", id="a-dataset-that-comes-twice"),
        pytest.param(PLAIN.replace("-\t-\n", "x\ny\t-\n"), "columns", id="a-mark-with-a-newline"),
        pytest.param(PLAIN[:20], "columns", id="cut-in-the-middle"),
        pytest.param("\n", "columns", id="an-empty-line"),
        pytest.param(PLAIN.replace("tank/a b@s", "tank/a b"), "snapshot", id="no-snapshot"),
        pytest.param(PLAIN.replace("\t7\t", "\tx\t"), "number", id="no-guid"),
    ],
)
def test_a_line_that_openzfs_would_not_print_is_named(text: str, why: str) -> None:
    with pytest.raises(UnreadableOutputError, match=why):
        parse_heads(text)
