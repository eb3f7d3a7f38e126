"""What zfs list, zfs get and zpool list print."""

from __future__ import annotations

import pytest


@pytest.fixture
def tree(desk):
    desk.do(*(f"zfs create tank/{name}" for name in ("a", "a/x", "a-b", "b")), "zfs create -s -V 8M tank/vol")
    desk.do("zfs snapshot -r tank@one", "zfs snapshot tank/a@two", "zfs bookmark tank/a@one tank/a#mark")
    return desk


def test_the_order_is_by_name_with_snapshots_by_txg_under_their_dataset(tree):
    assert tree.column("zfs list -Hp -r -t all -o name tank") == [
        "tank",
        "tank@one",
        "tank/a",
        "tank/a@one",
        "tank/a@two",
        "tank/a#mark",
        "tank/a-b",
        "tank/a-b@one",
        "tank/a/x",
        "tank/a/x@one",
        "tank/b",
        "tank/b@one",
        "tank/vol",
        "tank/vol@one",
    ]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param("-t snapshot tank/a", ["tank/a@one", "tank/a@two"], id="own-snapshots"),
        pytest.param("-t snapshot -d 1 tank/a", ["tank/a@one", "tank/a@two"], id="depth-1-snapshots"),
        pytest.param("-t snapshot -r tank/a", ["tank/a@one", "tank/a@two", "tank/a/x@one"], id="recursive-snapshots"),
        pytest.param("-t snap tank/a@two tank/b@one", ["tank/a@two", "tank/b@one"], id="named-snapshots"),
        pytest.param("tank/a", ["tank/a"], id="no-type-no-recursion"),
        pytest.param("-r tank/a", ["tank/a", "tank/a/x"], id="heads-only-without-type"),
        pytest.param("-d 1 tank", ["tank", "tank/a", "tank/a-b", "tank/b", "tank/vol"], id="depth-1"),
        pytest.param("-r -t volume tank", ["tank/vol"], id="volumes"),
        pytest.param("-t bookmark tank/a", ["tank/a#mark"], id="own-bookmarks"),
        pytest.param("-S name -d 1 -t filesystem tank", ["tank/b", "tank/a-b", "tank/a", "tank"], id="reversed"),
        pytest.param("-S createtxg -t snapshot tank/a", ["tank/a@two", "tank/a@one"], id="newest-first"),
        pytest.param("tank/a tank/a", ["tank/a"], id="each-once"),
    ],
)
def test_what_is_listed_depends_on_types_and_depth(tree, options, names):
    assert names == tree.column(f"zfs list -Hp -o name {options}")


def test_a_missing_operand_costs_only_itself(tree):
    done = tree.ask("zfs list -Hp -o name tank/a tank/none tank/b")

    assert done.exit_code == 1
    assert done.stdout == "tank/a\ntank/b\n"
    assert done.stderr == "cannot open 'tank/none': dataset does not exist\n"


def test_where_a_property_does_not_apply_there_is_a_dash(tree):
    assert tree.rows("zfs list -Hp -d 1 -t filesystem,snapshot,bookmark -o name,userrefs,clones,mounted,origin tank/a")[
        :4
    ] == [
        ["tank/a", "-", "-", "yes", "-"],
        ["tank/a@one", "0", "-", "-", "-"],
        ["tank/a@two", "0", "-", "-", "-"],
        ["tank/a#mark", "-", "-", "-", "-"],
    ]


def test_a_listing_of_nothing_is_empty_and_no_error(tree):
    done = tree.ask("zfs list -Hp -t bookmark -o name tank/b")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_get_keeps_only_the_sources_that_are_asked_for(tree):
    tree.do("zfs set test:x=1 tank/a")

    assert tree.rows("zfs get -Hp -r -t filesystem -s local -o name,property test:x,atime tank") == [
        ["tank/a", "test:x"]
    ]


def test_people_get_headings_and_sizes_with_units(tree):
    done = tree.ask("zfs list -o name,refer,quota tank/a")

    assert done.stdout.splitlines() == ["NAME    REFER  QUOTA", "tank/a    24K   none"]


def test_a_value_may_hold_tabs_and_newlines_and_nothing_is_quoted(desk):
    desk.state.hosts["local"].pools["tank"].root.properties["test:x"] = "one\ttwo\nthree"

    assert desk.ask("zfs list -Hp -o name,test:x tank").stdout == "tank\tone\ttwo\nthree\n"


def test_pools_are_listed_with_sizes_that_add_up(desk):
    ((size, allocated, free, capacity, health, readonly),) = desk.rows(
        "zpool list -Hp -o size,allocated,free,capacity,health,readonly tank"
    )

    assert int(size) == int(allocated) + int(free)
    assert [capacity, health, readonly] == ["0", "ONLINE", "off"]


def test_the_host_says_its_version_and_its_own_time(desk):
    desk.state.hosts["local"].clock_offset = -3600

    assert desk.ask("zfs version").stdout == "zfs-2.3.9\nzfs-kmod-2.3.9\n"
    assert desk.ask("date +%s").stdout == "1795172400\n"


@pytest.mark.parametrize(
    "line",
    [
        "sudo -n zfs list -Hp -o name tank",
        "env LC_ALL=C.UTF-8 TZ=UTC /usr/sbin/zfs list -Hp -o name tank",
        "sh -c 'zfs list -Hp -o name tank'",
    ],
)
def test_wrappers_around_a_command_change_nothing(desk, line):
    assert desk.ask(line).stdout == "tank\n"


def test_a_mounted_filesystem_can_be_asked_for_by_its_path(desk):
    desk.do("zfs create tank/a", "zfs create -o mountpoint=/srv/b tank/b")

    assert desk.column("zfs list -Hp -o name /tank/a /srv/b") == ["tank/a", "tank/b"]
