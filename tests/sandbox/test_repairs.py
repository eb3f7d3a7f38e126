"""What repair asks of a host: listings of both ends, and the way of a dataset that is set aside and built anew."""

from __future__ import annotations

import pytest

from zfsctl.errors import HostTimeoutError
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.zfs.snapshots import SNAPSHOT_COLUMNS

MEBIBYTE = 1 << 20


@pytest.fixture
def diverged(pair):
    """A replica with a child, that was written and has snapshots of its own."""
    pair.do("alpha", "zfs create tank/a/kid", "zfs snapshot tank/a/kid@s1", "zfs snapshot tank/a@s2")
    pair.copy("zfs send tank/a@s1", "zfs receive -u -s -o readonly=on -o canmount=noauto bk/a")
    pair.copy("zfs send tank/a/kid@s1", "zfs receive -u -s -o readonly=on -o canmount=noauto bk/a/kid")
    pair.do("vault", "zfs hold zfsctl:x:base bk/a@s1", "zfs set readonly=off zfsctl:note=mine quota=500M bk/a")
    pair.write("vault", "bk/a", MEBIBYTE)
    pair.do("vault", "zfs snapshot bk/a@own", "zfs bookmark bk/a@own '#late'", "zfs bookmark bk/a@s1 '#early'")
    return pair


def lines(pair, host, line):
    done = pair.ask(host, line)
    assert done.clean, done
    return done.stdout.splitlines()


def test_snapshots_and_bookmarks_stand_in_one_listing(diverged):
    columns = ",".join(("name", "type", *SNAPSHOT_COLUMNS[1:], "ivsetguid"))
    rows = [
        row.split("\t") for row in lines(diverged, "vault", f"zfs list -r -Hp -t snapshot,bookmark -o {columns} bk/a")
    ]

    assert [row[:2] for row in rows] == [
        ["bk/a@s1", "snapshot"],
        ["bk/a@own", "snapshot"],
        ["bk/a#early", "bookmark"],
        ["bk/a#late", "bookmark"],
        ["bk/a/kid@s1", "snapshot"],
    ]
    early = rows[2]
    assert early[2:5] == rows[0][2:5]
    assert early[5:] == ["-", "-", "-", "-", "-"]


def test_local_properties_of_many_datasets_are_read_at_once(diverged):
    found = lines(
        diverged,
        "vault",
        "zfs get -Hp -s local -r -t filesystem,volume -o name,property,value "
        "readonly,quota,canmount,zfsctl:note bk/a bk/a/kid",
    )

    assert found == [
        "bk/a\treadonly\toff",
        "bk/a\tquota\t524288000",
        "bk/a\tcanmount\tnoauto",
        "bk/a\tzfsctl:note\tmine",
        "bk/a/kid\treadonly\ton",
        "bk/a/kid\tcanmount\tnoauto",
    ]


def test_holds_of_several_snapshots_are_read_at_once(diverged):
    found = lines(diverged, "vault", "zfs holds -Hp bk/a@s1 bk/a@own bk/a/kid@s1")

    assert found == ["bk/a@s1\tzfsctl:x:base\t1795176000"]


def test_a_diverged_replica_is_built_anew_beside_and_goes_on(diverged):
    diverged.do(
        "vault",
        "zfs clone -o zfsctl:repair=1 -o readonly=on -o canmount=noauto -o quota=500M -o zfsctl:note=mine"
        " bk/a@s1 bk/a.zfsctl-new",
        "zfs promote bk/a.zfsctl-new",
        "zfs rename -u bk/a bk/a.zfsctl-aside",
        "zfs rename -u bk/a.zfsctl-new bk/a",
        "zfs rename -u bk/a.zfsctl-aside/kid bk/a/kid",
    )
    diverged.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/a")

    assert diverged.guids("vault", "bk/a") == diverged.guids("alpha", "tank/a")
    assert lines(diverged, "vault", "zfs list -H -r -t snapshot,bookmark -o name bk") == [
        "bk/a@s1",
        "bk/a@s2",
        "bk/a#early",
        "bk/a.zfsctl-aside@own",
        "bk/a.zfsctl-aside#late",
        "bk/a/kid@s1",
    ]
    assert diverged.value("vault", "origin", "bk/a.zfsctl-aside") == "bk/a@s1"
    assert diverged.value("vault", "quota", "bk/a.zfsctl-aside") == "524288000"
    assert lines(diverged, "vault", "zfs holds -H bk/a@s1")[0].startswith("bk/a@s1\tzfsctl:x:base\t")


def test_what_was_set_aside_goes_one_dataset_at_a_time(diverged):
    test_a_diverged_replica_is_built_anew_beside_and_goes_on(diverged)
    refused = diverged.ask("vault", "zfs destroy bk/a.zfsctl-aside")
    assert refused.exit_code == 1

    diverged.do("vault", "zfs destroy bk/a.zfsctl-aside@own", "zfs destroy bk/a.zfsctl-aside")
    assert diverged.value("vault", "clones", "bk/a@s1") == "-"


def test_a_hold_stops_the_destroy_of_a_tree_after_some_of_it_is_gone(diverged):
    diverged.do("vault", "zfs create bk/tree", "zfs create bk/tree/a", "zfs create bk/tree/b", "zfs create bk/tree/c")
    diverged.do("vault", "zfs snapshot bk/tree/b@s", "zfs hold keep bk/tree/b@s")
    done = diverged.ask("vault", "zfs destroy -r bk/tree")

    assert done.exit_code == 1
    assert lines(diverged, "vault", "zfs list -H -r -o name bk/tree") == ["bk/tree", "bk/tree/b"]


def test_a_replica_without_a_base_is_received_anew_beside(diverged):
    diverged.do("vault", "zfs rename bk/a@s1 bk/a@x", "zfs destroy bk/a/kid@s1", "zfs rollback -r bk/a@x")
    diverged.copy("zfs send tank/a@s1", "zfs receive -u -s -o zfsctl:repair=1 bk/a.zfsctl-new")
    diverged.do(
        "vault",
        "zfs rename -u bk/a bk/a.zfsctl-aside",
        "zfs rename -u bk/a.zfsctl-new bk/a",
        "zfs rename -u bk/a.zfsctl-aside/kid bk/a/kid",
    )
    diverged.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/a")

    assert diverged.guids("vault", "bk/a") == diverged.guids("alpha", "tank/a")


def test_a_shared_bookmark_name_hangs_the_promotion_and_the_pool(diverged):
    diverged.do("vault", "zfs clone bk/a@s1 bk/new", "zfs bookmark bk/a@s1 bk/new#early")

    for line in ("zfs promote bk/new", "zfs snapshot bk@x"):
        with pytest.raises(HostTimeoutError):
            diverged.ask("vault", line)


def test_a_hidden_clone_in_a_copy_that_was_set_aside_pins_the_base(diverged):
    diverged.do("vault", "zfs rollback -r bk/a@s1")
    diverged.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.9)
    diverged.join("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/a")
    assert diverged.value("vault", "clones", "bk/a@s1") == "bk/a/%recv"
    diverged.do(
        "vault",
        "zfs clone bk/a@s1 bk/new",
        "zfs promote bk/new",
        "zfs rename -u bk/a bk/aside",
        "zfs rename -u bk/new bk/a",
    )

    assert diverged.value("vault", "clones", "bk/a@s1") == "bk/aside,bk/aside/%recv"

    diverged.do("vault", "zfs receive -A bk/aside")

    assert diverged.value("vault", "clones", "bk/a@s1") == "bk/aside"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(
            "zfs rename -u bk bk.zfsctl-aside",
            "cannot create 'bk.zfsctl-aside': missing dataset name",
            id="a-pool-root-is-not-set-aside",
        ),
        pytest.param(
            f"zfs rename -u bk/a bk/a{'x' * 246}",
            "cannot rename 'bk/a': dataset name is too long",
            id="no-name-below-may-become-too-long",
        ),
        pytest.param(
            "zfs clone -o canmount=noauto bk/v@s bk/w",
            "cannot create 'bk/w': 'canmount' does not apply to datasets of this type",
            id="volumes-have-no-canmount",
        ),
        pytest.param(
            "zfs rollback bk/a@s1",
            "cannot rollback to 'bk/a@s1': more recent snapshots or bookmarks exist",
            id="a-rollback-without-r",
        ),
        pytest.param(
            "zfs list -Hp -r bk/nothere", "cannot open 'bk/nothere': dataset does not exist", id="nothing-to-list"
        ),
        pytest.param("zfs promote bk/a", "cannot promote 'bk/a': not a cloned filesystem", id="nothing-to-promote"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(diverged, line, said):
    diverged.do("vault", "zfs create -s -V 16M bk/v", "zfs snapshot bk/v@s")
    before = diverged.document("vault")
    done = diverged.ask("vault", line)

    assert (done.exit_code, done.stderr.splitlines()[0]) == (1, said)
    assert diverged.document("vault") == before


def test_a_rollback_takes_newer_snapshots_and_bookmarks_along(diverged):
    diverged.do("vault", "zfs rollback -r bk/a@s1")

    assert lines(diverged, "vault", "zfs list -H -r -t snapshot,bookmark -o name bk/a") == [
        "bk/a@s1",
        "bk/a#early",
        "bk/a/kid@s1",
    ]
    diverged.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/a")


def test_after_a_foreign_snapshot_written_tells_nothing_but_written_since_ours_does(diverged):
    (row,) = lines(diverged, "vault", "zfs list -Hp -o written,written@s1 bk/a")
    since_last, since_ours = map(int, row.split("\t"))

    assert since_last == 0 < since_ours


def test_properties_set_on_a_received_snapshot_do_not_count_as_a_change(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.do("vault", "zfs set zfsctl:reason=x bk/a@s1")
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")
