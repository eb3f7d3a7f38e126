"""Snapshots, and what was set on the snapshots themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.errors import InterruptedOutputError, UnreadableOutputError
from zfsctl.model.dataset import Snapshot
from zfsctl.zfs.own_properties import OwnProperties, argv_own_properties, parse_own_properties
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.snapshots import argv_list_snapshots, parse_snapshots, read_snapshots

BIG = 2**64 - 1


def line(name: str, guid: int | str = 1, txg: int | str = 1, *, clones: str = "-", used: str = "0") -> str:
    """One line of the listing."""
    return f"{name}\t{guid}\t{txg}\t1793491200\t{used}\t512\t0\t{clones}"


def own(name: str, guid: int, policy: str = "-", reason: str = "-", expires: str = "-") -> list[str]:
    """The lines of one snapshot, as `zfs get` prints them."""
    values = {"zfsctl:policy": policy, "zfsctl:reason": reason, "zfsctl:expires": expires}
    return [
        f"{name}\tguid\t{guid}\t-",
        *(f"{name}\t{prop}\t{value}\t{'-' if value == '-' else 'local'}" for prop, value in values.items()),
    ]


def test_snapshots_are_given_by_dataset_and_oldest_first() -> None:
    lines = [line("tank/a@late", 3, 30), line("tank/a@early", 2, 20), line("tank/b c@x:y z", BIG, 25)]

    assert parse_snapshots(lines) == {
        "tank/a": (
            Snapshot("tank/a", "early", 2, 20, 1793491200, 0, 512, 0),
            Snapshot("tank/a", "late", 3, 30, 1793491200, 0, 512, 0),
        ),
        "tank/b c": (Snapshot("tank/b c", "x:y z", BIG, 25, 1793491200, 0, 512, 0),),
    }


def test_a_snapshot_read_is_the_same_value_as_one_constructed() -> None:
    (snapshot,) = parse_snapshots([line("tank/a@s", 7, 9)])["tank/a"]
    constructed = Snapshot("tank/a", "s", 7, 9, 1793491200, written=512)

    assert snapshot == constructed
    assert hash(snapshot) == hash(constructed)
    assert repr(snapshot) == repr(constructed)


def test_a_dataset_may_come_back_later_in_the_listing() -> None:
    lines = [line("tank/a@1", 1, 1), line("tank/b@1", 2, 1), line("tank/a@2", 3, 2)]

    assert {name: len(found) for name, found in parse_snapshots(lines).items()} == {"tank/a": 2, "tank/b": 1}


@pytest.mark.parametrize(
    ("column", "clones"),
    [
        pytest.param("-", (), id="none"),
        pytest.param("", (), id="none-as-nothing"),
        pytest.param("tank/c", ("tank/c",), id="one"),
        pytest.param("tank/c d,tank/a/%recv", ("tank/c d", "tank/a/%recv"), id="a-partial-receive-among-them"),
    ],
)
def test_clones_are_read(column: str, clones: tuple[str, ...]) -> None:
    (snapshot,) = parse_snapshots([line("tank/a@s", clones=column)])["tank/a"]

    assert snapshot.clones == clones


def test_no_line_is_no_snapshot() -> None:
    assert parse_snapshots([]) == {}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        pytest.param("tank/a@s\t1\t1\t1\t0\t0\t0", "7 columns instead of 8", id="a-column-missing"),
        pytest.param(line("tank/a@s") + "\tx", "9 columns instead of 8", id="a-column-too-many"),
        pytest.param("", "1 columns instead of 8", id="an-empty-line"),
        pytest.param(line("tank/a"), "no name of a snapshot", id="a-dataset"),
        pytest.param(line("@s"), "no name of a snapshot", id="no-dataset"),
        pytest.param(line("tank/a@"), "no name of a snapshot", id="no-short-name"),
        pytest.param(line("tank/a@größe"), "no name of a snapshot", id="a-letter-that-no-name-holds"),
        pytest.param(line("tank/a@s", "-"), "'-' is no number", id="no-guid"),
        pytest.param(line("tank/a@s", ""), "'' is no number", id="an-empty-guid"),
        pytest.param(line("tank/a@s", "+1"), "'+1' is no number", id="a-sign"),
        pytest.param(line("tank/a@s", " 1"), "' 1' is no number", id="a-blank"),
        pytest.param(line("tank/a@s", 1, "1_0"), "'1_0' is no number", id="an-underscore"),
        pytest.param(line("tank/a@s", used="4.5K"), "'4.5K' is no number", id="a-size-for-people"),
    ],
)
def test_a_line_that_openzfs_would_not_print_is_named(bad: str, why: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the list of snapshots could not be read") as caught:
        parse_snapshots([line("tank/a@before"), bad, line("tank/a@after", 2, 2)])

    assert why in caught.value.why


def test_the_same_name_twice_is_named() -> None:
    with pytest.raises(UnreadableOutputError, match="'tank/a@s'"):
        parse_snapshots([line("tank/a@s", 1, 1), line("tank/a@s", 2, 2)])


def test_what_stood_before_a_cut_is_kept() -> None:
    def cut() -> Iterator[str]:
        yield line("tank/a@1", 1, 1)
        yield line("tank/a@2", 2, 2)
        raise InterruptedOutputError("the connection was cut")

    found: dict[str, list[Snapshot]] = {}
    with pytest.raises(InterruptedOutputError):
        read_snapshots(cut(), {}, found)

    assert [snapshot.name for snapshot in found["tank/a"]] == ["1", "2"]


def test_equal_texts_are_shared_so_that_a_million_fit_into_memory() -> None:
    lines = [line(f"tank/{name}@zfsctl-20261101T000000Z", guid, 1_000_000) for guid, name in enumerate("ab")]

    (one,), (two,) = parse_snapshots(lines).values()

    assert one.name is two.name
    assert one.createtxg is two.createtxg
    assert one.clones is two.clones


def test_own_properties_are_attached() -> None:
    lines = own("tank/a@s", 7, policy="critical") + own("tank/a@m", 8, reason="before", expires="1793491200")
    attached = parse_snapshots([line("tank/a@s", 7, 1), line("tank/a@m", 8, 2)], parse_own_properties(lines))

    scheduled, manual = attached["tank/a"]
    assert (scheduled.policy, scheduled.reason, scheduled.expires) == ("critical", None, None)
    assert (manual.policy, manual.reason, manual.expires) == (None, "before", 1793491200)


def test_a_time_to_expire_is_not_attached_to_a_namesake() -> None:
    properties = parse_own_properties(own("tank/a@m", 8, expires="1793491200"))

    (snapshot,) = parse_snapshots([line("tank/a@m", 9)], properties)["tank/a"]

    assert snapshot.expires is None


def test_a_received_property_counts_and_one_that_is_not_set_does_not() -> None:
    lines = own("tank/a@s", 7)
    lines[1] = "tank/a@s\tzfsctl:policy\tcritical\treceived"

    assert parse_own_properties(lines) == {"tank/a": {"s": OwnProperties(policy="critical")}}
    assert parse_own_properties(own("tank/a@s", 7)) == {"tank/a": {}}
    assert parse_own_properties([]) == {}


def test_a_property_that_is_inherited_is_not_printed_and_so_not_set() -> None:
    assert parse_own_properties(["tank/a@s\tguid\t7\t-", "tank/a@s\tzfsctl:policy\t-\t-"]) == {"tank/a": {}}


def test_a_value_that_reads_like_none_is_a_value_when_it_was_set() -> None:
    lines = ["tank/a@s\tguid\t7\t-", "tank/a@s\tzfsctl:reason\t-\tlocal"]

    assert parse_own_properties(lines) == {"tank/a": {"s": OwnProperties(reason="-")}}


@pytest.mark.parametrize(
    "expires",
    ["tomorrow", "2026-11-20", "-1", "1.5", "", "٣", "9" * 30, "1793491200 "],
)
def test_a_time_that_cannot_be_read_never_expires(expires: str) -> None:
    lines = ["tank/a@m\tguid\t8\t-", f"tank/a@m\tzfsctl:expires\t{expires}\tlocal"]

    assert parse_own_properties(lines)["tank/a"]["m"].expires is None


FORGED = "tank/b@kept\tguid\t5\t-\ntank/b@kept\tzfsctl:expires\t1"
KEPT = own("tank/b@kept", 5, reason="for ever")


@pytest.mark.parametrize(
    ("before", "mine", "after"),
    [
        pytest.param([], {"policy": f"x\tlocal\n{FORGED}"}, KEPT, id="in-the-first-property"),
        pytest.param([], {"expires": f"1\tlocal\n{FORGED}"}, KEPT, id="in-the-last-property-before-its-victim"),
        pytest.param(KEPT, {"expires": f"1\tlocal\n{FORGED}"}, [], id="in-the-last-property-after-its-victim"),
        pytest.param(
            [], {"expires": "1\tlocal\ntank/b@kept\tzfsctl:expires\t1"}, KEPT, id="without-the-guid-of-its-victim"
        ),
        pytest.param(KEPT, {"reason": "two\nlines"}, [], id="just-a-newline"),
        pytest.param(KEPT, {"reason": "two\tcolumns"}, [], id="just-a-tab"),
    ],
)
def test_a_value_cannot_speak_of_another_snapshot(before: list[str], mine: dict[str, str], after: list[str]) -> None:
    output = "\n".join([*before, *own("tank/a@mine", 4, **mine), *after])

    with pytest.raises(UnreadableOutputError):
        parse_own_properties(output.split("\n"))


PIECES = ("\n", "\t", "-", "1", "x", "tank/b@kept", "tank/d@new", "guid", "zfsctl:expires", "zfsctl:policy", "local")


@given(value=st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_a_value_holds_it_sets_nothing_on_another_snapshot(value: str) -> None:
    for prop in ("policy", "reason", "expires"):
        output = "\n".join([*own("tank/a@mine", 4, **{prop: value}), *own("tank/b@kept", 5), *own("tank/c@x", 6)])
        try:
            properties = parse_own_properties(output.split("\n"))
        except UnreadableOutputError:
            continue
        assert "kept" not in properties["tank/b"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param(["tank/a@s\tzfsctl:policy\tx\tlocal"], "other than a snapshot with its guid", id="no-guid-first"),
        pytest.param(["tank/a@s\tguid\tx\t-"], "no number", id="a-guid-that-is-none"),
        pytest.param(["tank/a@s\tguid\t1\tlocal"], "other than a snapshot", id="a-guid-with-a-source"),
        pytest.param(["tank/a\tguid\t1\t-"], "other than a snapshot", id="a-dataset"),
        pytest.param(own("tank/a@s", 1) * 2, "does not belong there", id="a-snapshot-twice-at-once"),
        pytest.param([*own("tank/a@s", 1), *own("tank/a@t", 2), *own("tank/a@s", 1)], "came before", id="twice"),
        pytest.param(
            [*own("tank/a@s", 1), *own("tank/b@s", 2), *own("tank/a@t", 1)], "came before", id="dataset-twice"
        ),
        pytest.param([*own("tank/a@s", 1), "tank/a@s\tother:x\ty\tlocal"], "does not belong there", id="not-asked-for"),
        pytest.param([*own("tank/a@s", 1), "tank/a@s\tzfsctl:policy\ty\tlent"], "no source", id="an-unknown-source"),
        pytest.param(
            ["tank/a@s\tguid\t1\t-", *["tank/a@s\tzfsctl:policy\ty\tlocal"] * 2], "came before", id="property-twice"
        ),
    ],
)
def test_lines_that_do_not_belong_where_they_stand_are_named(lines: list[str], why: str) -> None:
    with pytest.raises(UnreadableOutputError, match="the properties of the snapshots could not be read") as caught:
        parse_own_properties(lines)

    assert why in caught.value.why


def test_questions_name_the_datasets_and_nothing_more() -> None:
    assert argv_list_snapshots(Scope(("tank/a",), recursive=False)).argv == (
        *("zfs", "list", "-d", "1", "-Hp", "-t", "snapshot", "-o"),
        *("name,guid,createtxg,creation,used,written,userrefs,clones", "tank/a"),
    )
    assert argv_own_properties(Scope(("tank",), recursive=True)).argv == (
        *("zfs", "get", "-r", "-Hp", "-t", "snapshot", "-s", "local,received,none", "-o", "name,property,value,source"),
        *("guid,zfsctl:policy,zfsctl:reason,zfsctl:expires", "tank"),
    )


def test_a_question_about_no_dataset_is_refused_because_it_would_be_about_all() -> None:
    nothing = Scope((), recursive=True)

    with pytest.raises(ValueError):
        argv_list_snapshots(nothing)
    with pytest.raises(ValueError):
        argv_own_properties(nothing)
