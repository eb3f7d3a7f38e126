"""Smaller questions: version, clock, holds, bookmarks, properties, second looks, and how long lists are split."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.errors import UnreadableOutputError
from zfsctl.model.batches import argument_bytes, batches, beside_each_other
from zfsctl.model.command import Command, Condition
from zfsctl.model.dataset import Bookmark
from zfsctl.zfs.about import format_version, parse_clock, parse_version, version_numbers
from zfsctl.zfs.bookmarks import argv_bookmark, argv_destroy_bookmark, argv_list_bookmarks, parse_bookmarks
from zfsctl.zfs.holds import (
    Hold,
    argv_hold,
    argv_hold_tree,
    argv_list_holds,
    argv_release,
    argv_release_tree,
    parse_holds,
)
from zfsctl.zfs.properties import Property, argv_get_properties, check_user_property, parse_properties
from zfsctl.zfs.rereading import (
    SeenDataset,
    SeenSnapshot,
    argv_guids,
    argv_reread_datasets,
    argv_reread_snapshots,
    parse_guids,
    parse_reread_datasets,
    parse_reread_snapshots,
)
from zfsctl.zfs.scope import Scope, scope_of, topmost


@pytest.mark.parametrize(
    ("stdout", "version"),
    [
        pytest.param("zfs-2.3.9-1\nzfs-kmod-2.3.9-1\n", "2.3.9", id="plain"),
        pytest.param("zfs-2.1.11-1+deb12u1\nzfs-kmod-2.3.2-2\n", "2.1.11", id="another-kernel-module"),
        pytest.param("zfs-2.2.2-0ubuntu9.1\n", "2.2.2", id="a-distribution's-suffix"),
        pytest.param("zfs-2.4.0-rc1\nzfs-kmod-2.4.0-rc1\n", "2.4.0", id="a-candidate"),
        pytest.param("zfs-2.4.99-812_gbe7657e3\n", "2.4.99", id="from-git"),
    ],
)
def test_the_version_is_that_of_the_userland(stdout: str, version: str) -> None:
    assert parse_version(stdout) == version


@pytest.mark.parametrize("stdout", ["", "\n", "zfs-kmod-2.3.9-1\n", "2.3.9\n", "zfs-two\n"])
def test_no_version_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the version of OpenZFS"):
        parse_version(stdout)


def test_versions_compare_as_numbers_and_read_back() -> None:
    assert version_numbers("2.3.10") > version_numbers("2.3.9") > version_numbers("2.1.11")
    assert version_numbers("") == ()
    assert parse_version(format_version("2.3.9")) == "2.3.9"


def test_the_clock_is_one_number() -> None:
    assert parse_clock("1793491200\n") == 1793491200


@pytest.mark.parametrize("stdout", ["", "\n", "now\n", "1793491200\n1793491201\n", "-5\n", "%s\n"])
def test_a_clock_that_says_anything_else_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the clock"):
        parse_clock(stdout)


@given(
    names=st.lists(st.text("abc _-", min_size=1, max_size=12)),
    most_bytes=st.integers(1, 60),
    most_names=st.none() | st.integers(1, 5),
)
def test_batches_keep_every_name_in_order_and_stay_small(
    names: list[str], most_bytes: int, most_names: int | None
) -> None:
    parts = list(batches(names, most_bytes=most_bytes, most_names=most_names))

    assert [name for part in parts for name in part] == names
    assert all(len(part) == 1 or argument_bytes(part) <= most_bytes for part in parts)
    assert all(most_names is None or len(part) <= most_names for part in parts)


def test_batches_are_no_more_than_needed() -> None:
    names = [f"tank/vm-{number:04}@zfsctl-20261120T143000Z" for number in range(1000)]

    assert len(list(batches(names, most_bytes=argument_bytes(names)))) == 1
    assert len(list(batches(names, most_bytes=argument_bytes(names) - 1))) == 2


@given(st.lists(st.text(st.sampled_from("ab -:é"), min_size=1, max_size=9)))
def test_argument_bytes_are_enough_for_the_quoted_line(names: list[str]) -> None:
    assert len(shlex.join(names).encode()) <= argument_bytes(names)


TREE = ("tank", "tank/a", "tank/a/x", "tank/a/y", "tank/ab", "tank/b", "usb", "usb/c")


@pytest.mark.parametrize(
    ("wanted", "scope"),
    [
        pytest.param(TREE, Scope(("tank", "usb"), recursive=True), id="everything"),
        pytest.param(("tank/a/x", "tank/a", "tank/a/y"), Scope(("tank/a",), recursive=True), id="a-whole-tree"),
        pytest.param(("tank/ab", "tank/b"), Scope(("tank/ab", "tank/b"), recursive=True), id="leaves"),
        pytest.param(("tank/a", "tank/a/y"), Scope(("tank/a", "tank/a/y"), recursive=False), id="a-child-left-out"),
        pytest.param(("tank",), Scope(("tank",), recursive=False), id="a-root-alone"),
    ],
)
def test_the_scope_reaches_the_wanted_datasets_and_no_others_where_it_can(
    wanted: tuple[str, ...], scope: Scope
) -> None:
    assert scope_of(wanted, TREE) == scope


def test_too_many_arguments_become_the_topmost_and_then_whole_pools() -> None:
    wanted = ("tank/a", "tank/a/x", "tank/b")

    assert scope_of(wanted, TREE, most_bytes=25) == Scope(("tank/a", "tank/b"), recursive=True)
    assert scope_of(wanted, TREE, most_bytes=10) == Scope(("tank",), recursive=True)


@given(st.sets(st.sampled_from(TREE), min_size=1), st.integers(1, 60))
def test_every_wanted_dataset_is_within_the_scope(wanted: set[str], most_bytes: int) -> None:
    scope = scope_of(wanted, TREE, most_bytes=most_bytes)

    for name in wanted:
        assert any(name == top or (scope.recursive and name.startswith(f"{top}/")) for top in scope.operands)
    if scope.recursive:
        assert topmost(scope.operands) == scope.operands


def test_a_second_look_reads_what_decides() -> None:
    stdout = "tank/a@s\t7\t2\ttank/c,tank/a/%recv\ntank/a b@t\t8\t0\t-\n"

    assert parse_reread_snapshots(stdout) == {
        "tank/a@s": SeenSnapshot("tank/a@s", 7, 2, ("tank/c", "tank/a/%recv")),
        "tank/a b@t": SeenSnapshot("tank/a b@t", 8, 0, ()),
    }
    assert parse_reread_datasets("tank/a\t5\t1-ab-cd-ef\ntank/v\t6\t-\n") == {
        "tank/a": SeenDataset("tank/a", 5, "1-ab-cd-ef"),
        "tank/v": SeenDataset("tank/v", 6, None),
    }
    assert parse_guids("tank/a@s\t18446744073709551615\n") == {"tank/a@s": 2**64 - 1}


@pytest.mark.parametrize("stdout", ["tank/a@s\t7\t0\n", "tank/a\t7\t0\t-\n", "tank/a@s\tx\t0\t-\n", "\n"])
def test_a_second_look_that_cannot_be_read_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the second look at snapshots"):
        parse_reread_snapshots(stdout)


@pytest.mark.parametrize("parse", [parse_reread_snapshots, parse_guids, parse_reread_datasets])
def test_a_second_look_at_nothing_found_is_an_answer(parse: object) -> None:
    assert callable(parse)
    assert parse("") == {}


def test_second_looks_ask_for_exactly_what_they_are_given() -> None:
    assert argv_reread_snapshots(("tank/a@s",)).argv[-2:] == ("name,guid,userrefs,clones", "tank/a@s")
    assert argv_reread_datasets(("tank/a",)).argv[-2:] == ("name,guid,receive_resume_token", "tank/a")
    assert argv_guids(("tank/a@s",)).argv[-2:] == ("name,guid", "tank/a@s")
    for argv, names in ((argv_reread_snapshots, ("tank/a",)), (argv_reread_datasets, ("tank/a@s",)), (argv_guids, ())):
        with pytest.raises(ValueError):
            argv(names)


def test_holds_are_read_with_blanks_in_their_tags() -> None:
    stdout = "tank/a@s\ttwo words\tThu Nov 20 14:33 2025\ntank/a@s\tzfsctl:base\tThu Nov 20 14:33 2025\n"

    assert parse_holds(stdout) == (Hold("tank/a@s", "two words"), Hold("tank/a@s", "zfsctl:base"))
    assert parse_holds("") == ()


@pytest.mark.parametrize("stdout", ["tank/a@s\tkeep\n", "tank/a\tkeep\tThu\n", "tank/a@s\ta\tb\tThu\n"])
def test_a_hold_that_cannot_be_read_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of holds"):
        parse_holds(stdout)


def test_holds_are_put_released_and_listed_by_full_name() -> None:
    assert argv_hold("zfsctl:x:base", ("tank/a@s", "tank/b@s")).argv == (
        *("zfs", "hold", "zfsctl:x:base"),
        *("tank/a@s", "tank/b@s"),
    )
    assert argv_release("keep", ("tank/a@s",)).argv == ("zfs", "release", "keep", "tank/a@s")
    assert argv_list_holds(("tank/a@s",)).argv == ("zfs", "holds", "-H", "tank/a@s")


@pytest.mark.parametrize(("change", "verb"), [(argv_hold_tree, "hold"), (argv_release_tree, "release")])
def test_holds_of_a_tree_are_changed_only_while_it_holds_what_was_seen(
    change: Callable[[str, str, Collection[str]], Command], verb: str
) -> None:
    command = change("keep", "tank/a@s", ["tank/a/b", "tank/a", "tank/a/b-c", "tank/a/B"])

    assert command.argv == ("zfs", verb, "-r", "keep", "tank/a@s")
    assert command.only_if == Condition(
        ("zfs", "list", "-H", "-r", "-t", "filesystem,volume", "-o", "name", "tank/a"),
        "tank/a\ntank/a/B\ntank/a/b\ntank/a/b-c",
    )


@pytest.mark.parametrize("tag", ["", ".keep", "-r", "a\tb", "x" * 256])
def test_a_tag_that_openzfs_refuses_is_refused(tag: str) -> None:
    with pytest.raises(ValueError):
        argv_hold(tag, ("tank/a@s",))


def test_a_hold_of_no_snapshot_is_refused() -> None:
    for snapshots in ((), ("tank/a",)):
        with pytest.raises(ValueError):
            argv_hold("keep", snapshots)


def test_bookmarks_are_given_by_dataset_and_oldest_first() -> None:
    stdout = "tank/a#new\t2\t20\t200\ntank/a#old one\t1\t10\t100\n"

    assert parse_bookmarks(stdout) == {
        "tank/a": (Bookmark("tank/a", "old one", 1, 10, 100), Bookmark("tank/a", "new", 2, 20, 200))
    }


@pytest.mark.parametrize("stdout", ["tank/a@s\t1\t1\t1\n", "tank/a#b\t1\t1\n", "tank/a#b\t1\t1\t1\n" * 2])
def test_a_bookmark_that_cannot_be_read_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of bookmarks"):
        parse_bookmarks(stdout)


def test_bookmarks_are_made_and_destroyed_by_full_names() -> None:
    assert argv_bookmark("tank/a", "s", "m").argv == ("zfs", "bookmark", "tank/a@s", "tank/a#m")
    assert argv_destroy_bookmark("tank/a", "m").argv == ("zfs", "destroy", "tank/a#m")
    assert argv_list_bookmarks(Scope(("tank",), recursive=True)).argv[:4] == ("zfs", "list", "-r", "-Hp")
    for argv in (lambda: argv_bookmark("tank/a", "s@t", "m"), lambda: argv_destroy_bookmark("tank/a", "")):
        with pytest.raises(ValueError):
            argv()


def test_properties_are_read_with_their_sources() -> None:
    stdout = "tank/a\tzfsctl:policy\tdaily\tinherited from tank\ntank/a\tcompression\tlz4\tdefault\n"

    assert parse_properties(stdout) == (
        Property("tank/a", "zfsctl:policy", "daily", "inherited from tank"),
        Property("tank/a", "compression", "lz4", "default"),
    )


@pytest.mark.parametrize("stdout", ["tank/a\tx:y\ta\tb\tlocal\n", "tank/a\tx:y\ta\n", "tank/a\tx:y\ta\tlocal\n" * 2])
def test_a_property_that_cannot_be_read_is_named(stdout: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of properties"):
        parse_properties(stdout)


def test_a_question_about_properties_can_be_narrowed_to_sources() -> None:
    assert argv_get_properties(("guid",), ("tank/a",), sources=("local", "received")).argv == (
        *("zfs", "get", "-Hp", "-s", "local,received", "-o", "name,property,value,source", "guid", "tank/a"),
    )
    with pytest.raises(ValueError):
        argv_get_properties((), ("tank/a",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("compression", "on", id="no-colon"),
        pytest.param("zfsctl:Policy", "x", id="a-capital"),
        pytest.param("-zfsctl:x", "x", id="a-leading-dash"),
        pytest.param("zfsctl:" + "x" * 249, "x", id="a-long-name"),
        pytest.param("zfsctl:reason", "x" * 8192, id="a-long-value"),
        pytest.param("zfsctl:reason", "ü" * 4096, id="a-value-of-many-bytes"),
        pytest.param("zfsctl:reason", "a\nb", id="a-newline"),
        pytest.param("zfsctl:reason", "a\tb", id="a-tab"),
    ],
)
def test_a_user_property_that_openzfs_or_a_listing_cannot_hold_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError):
        check_user_property(name, value)


def test_a_user_property_may_hold_any_text_of_one_line() -> None:
    assert check_user_property("zfsctl:reason", "before the upgrade, größer = “besser”") == "zfsctl:reason"


@pytest.mark.parametrize(
    ("number", "sizes"),
    [(0, []), (1, [1]), (8, [1] * 8), (9, [2] * 4 + [1]), (51, [7] * 7 + [2]), (102, [13] * 7 + [11])],
)
def test_what_waits_name_by_name_is_shared_among_as_many_commands_as_run_at_once(number: int, sizes: list[int]) -> None:
    names = [f"tank/a@{place}" for place in range(number)]

    parts = list(beside_each_other(names))

    assert [len(part) for part in parts] == sizes
    assert [name for part in parts for name in part] == names
