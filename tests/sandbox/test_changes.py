"""What commands change: snapshots, holds, bookmarks, clones, names, properties."""

from __future__ import annotations

import pytest

from zfsctl.sandbox.workload import write


def test_snapshots_of_one_command_share_a_txg_and_have_guids_of_their_own(desk):
    desk.do("zfs create tank/a", "zfs snapshot -o zfsctl:policy=critical tank@s tank/a@s")

    rows = desk.rows("zfs list -Hp -r -t snapshot -o name,guid,createtxg,creation,zfsctl:policy tank")

    assert [row[0] for row in rows] == ["tank@s", "tank/a@s"]
    assert len({row[1] for row in rows}) == 2
    assert len({row[2] for row in rows}) == 1
    assert {"1795176000"} == {row[3] for row in rows}
    assert {"critical"} == {row[4] for row in rows}


def test_a_recursive_snapshot_leaves_a_half_received_dataset_out(desk):
    desk.do("zfs create tank/a", "zfs create tank/b")
    desk.dataset("tank/b").inconsistent = True

    desk.do("zfs snapshot -r tank@s")

    assert desk.column("zfs list -Hp -r -t snapshot -o name tank") == ["tank@s", "tank/a@s"]


def test_a_dataset_never_takes_two_snapshots_in_one_txg(desk):
    desk.do(*(f"zfs snapshot tank@s{number}" for number in range(5)))

    txgs = [int(row[0]) for row in desk.rows("zfs list -Hp -t snapshot -o createtxg tank")]

    assert sorted(set(txgs)) == txgs


def test_destroying_names_that_are_gone_beside_one_that_is_there_is_no_error(desk):
    desk.do("zfs snapshot tank@a", "zfs snapshot tank@b", "zfs destroy tank@gone,b")

    assert desk.column("zfs list -Hp -t snapshot -o name tank") == ["tank@a"]


def test_a_range_goes_from_the_older_to_the_newer_end_and_a_reversed_one_is_empty(desk):
    desk.do(*(f"zfs snapshot tank@{name}" for name in "abcde"))

    assert desk.ask("zfs destroy tank@d%b").exit_code == 1

    desk.do("zfs destroy tank@b%d")

    assert desk.column("zfs list -Hp -t snapshot -o name tank") == ["tank@a", "tank@e"]


def test_one_held_member_keeps_the_whole_list(desk):
    desk.do("zfs snapshot tank@a", "zfs snapshot tank@b", "zfs hold x tank@b")

    desk.ask("zfs destroy tank@a,b")

    assert desk.column("zfs list -Hp -t snapshot -o name tank") == ["tank@a", "tank@b"]


def test_a_deferred_destroy_waits_for_the_last_hold(desk):
    desk.do("zfs snapshot tank@a", "zfs hold x tank@a", "zfs destroy -d tank@a")

    assert desk.rows("zfs list -Hp -t snapshot -o name,defer_destroy,userrefs tank") == [["tank@a", "on", "1"]]

    desk.do("zfs release x tank@a")

    assert desk.rows("zfs list -Hp -t snapshot -o name tank") == []


def test_a_deferred_destroy_waits_for_the_last_clone(desk):
    desk.do("zfs snapshot tank@a", "zfs clone tank@a tank/c", "zfs destroy -d tank@a")

    assert desk.column("zfs list -Hp -t snapshot -o name tank") == ["tank@a"]

    desk.do("zfs destroy tank/c")

    assert desk.rows("zfs list -Hp -t snapshot -o name tank") == []


def test_holds_are_listed_with_the_time_they_were_put_on(desk):
    desk.do("zfs snapshot tank@a", "zfs snapshot tank@b", "zfs hold 'a tag' tank@b")

    assert desk.rows("zfs holds -Hp tank@a tank@b") == [["tank@b", "a tag", "1795176000"]]


def test_a_bookmark_remembers_the_snapshot_after_it_is_gone(desk):
    desk.do("zfs snapshot tank@a")
    (snapshot,) = desk.rows("zfs list -Hp -t snapshot -o guid,createtxg,creation tank")

    desk.do("zfs bookmark tank@a '#m'", "zfs destroy tank@a")

    assert [snapshot] == desk.rows("zfs list -Hp -t bookmark -o guid,createtxg,creation tank")


def test_a_clone_names_its_origin_and_the_origin_its_clones(desk):
    desk.do("zfs snapshot tank@a", "zfs clone -o test:x=1 tank@a tank/c", "zfs clone tank@a tank/d")

    assert desk.rows("zfs list -Hp -o name,origin,test:x tank/c") == [["tank/c", "tank@a", "1"]]
    assert desk.rows("zfs list -Hp -t snapshot -o name,clones tank@a") == [["tank@a", "tank/c,tank/d"]]


def test_a_promotion_takes_snapshots_bookmarks_holds_and_other_clones_along(desk):
    desk.do(
        *("zfs create tank/a", "zfs snapshot tank/a@s1", "zfs hold x tank/a@s1", "zfs bookmark tank/a@s1 tank/a#m1"),
        *("zfs snapshot tank/a@s2", "zfs clone tank/a@s2 tank/c", "zfs clone tank/a@s1 tank/other"),
        *("zfs snapshot tank/a@s3", "zfs bookmark tank/a@s3 tank/a#m3", "zfs promote tank/c"),
    )

    rows = desk.rows("zfs list -Hp -r -t all -o name,origin,clones,userrefs tank")

    assert rows == [
        ["tank", "-", "-", "-"],
        ["tank/a", "tank/c@s2", "-", "-"],
        ["tank/a@s3", "-", "-", "0"],
        ["tank/a#m3", "-", "-", "-"],
        ["tank/c", "-", "-", "-"],
        ["tank/c@s1", "-", "tank/other", "1"],
        ["tank/c@s2", "-", "tank/a", "0"],
        ["tank/c#m1", "-", "-", "-"],
        ["tank/other", "tank/c@s1", "-", "-"],
    ]


def test_promoting_twice_is_as_if_nothing_had_happened(desk):
    desk.do("zfs create tank/a", "zfs snapshot tank/a@s1", "zfs snapshot tank/a@s2", "zfs clone tank/a@s1 tank/c")
    write(desk.state, "local", "tank/c", 1 << 20)
    listing = "zfs list -Hp -r -t all -o name,guid,used,referenced,written,origin tank"
    before = desk.rows(listing)

    desk.do("zfs promote tank/c")

    assert before != desk.rows(listing)

    desk.do("zfs promote tank/a")

    assert before == desk.rows(listing)


def test_a_snapshot_name_that_the_clone_has_too_stops_a_promotion(desk):
    desk.do("zfs snapshot tank@s1", "zfs clone tank@s1 tank/c", "zfs snapshot tank/c@s1")

    assert desk.refusal("zfs promote tank/c") == (
        1,
        ["cannot promote 'tank/c': conflicting snapshot 's1' from parent 'tank@s1'"],
    )


def test_renaming_a_dataset_takes_everything_below_and_clones_along(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs snapshot tank/a/b@s", "zfs clone tank/a/b@s tank/c")

    desk.do("zfs rename tank/a tank/z")

    assert desk.column("zfs list -Hp -r -o name tank") == ["tank", "tank/c", "tank/z", "tank/z/b"]
    assert desk.rows("zfs list -Hp -o origin tank/c") == [["tank/z/b@s"]]


@pytest.mark.parametrize("target", ["tank/a@new", "@new", "new"])
def test_a_snapshot_can_be_renamed_by_its_full_or_its_short_name(desk, target):
    desk.do(
        "zfs create tank/a", "zfs snapshot tank/a@one", "zfs snapshot tank/a@two", f"zfs rename tank/a@one {target}"
    )

    assert desk.column("zfs list -Hp -t snapshot -o name tank/a") == ["tank/a@new", "tank/a@two"]


def test_a_recursive_snapshot_rename_is_all_or_nothing(desk):
    desk.do("zfs create tank/a", "zfs snapshot -r tank@one", "zfs snapshot tank/a@two")

    code, words = desk.refusal("zfs rename -r tank@one tank@two")

    assert (code, words) == (1, ["cannot rename 'tank@one': a child dataset already has a snapshot with the new name"])
    assert desk.column("zfs list -Hp -r -t snapshot -o name tank") == ["tank@one", "tank/a@one", "tank/a@two"]


def test_a_rollback_takes_newer_snapshots_and_bookmarks_with_it(desk):
    write(desk.state, "local", "tank", path="note", text="first")
    desk.do("zfs snapshot tank@s1")
    write(desk.state, "local", "tank", path="note", text="second")
    desk.do("zfs snapshot tank@s2", "zfs bookmark tank@s2 tank#m2", "zfs bookmark tank@s1 tank#m1")

    desk.do("zfs rollback -r tank@s1")

    assert desk.column("zfs list -Hp -r -t snapshot,bookmark -o name tank") == ["tank@s1", "tank#m1"]
    assert desk.dataset("tank").content == {"note": "first"}
    assert desk.rows("zfs list -Hp -o written tank") == [["0"]]


def test_a_rollback_past_a_held_snapshot_fails_after_the_others_are_gone(desk):
    desk.do(*(f"zfs snapshot tank@s{number}" for number in (1, 2, 3)), "zfs hold x tank@s2")

    assert desk.refusal("zfs rollback -r tank@s1") == (1, ["cannot destroy 'tank@s2': dataset is busy"])
    assert desk.column("zfs list -Hp -t snapshot -o name tank") == ["tank@s1", "tank@s2"]


def test_a_recursive_destroy_goes_on_past_what_is_held(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs create tank/a/c", "zfs snapshot -r tank/a@s")
    desk.do("zfs hold x tank/a/b@s")

    assert desk.ask("zfs destroy -r tank/a").exit_code == 1
    assert desk.column("zfs list -Hp -r -t all -o name tank/a") == ["tank/a", "tank/a/b", "tank/a/b@s"]


def test_a_recursive_destroy_passes_over_a_clone_that_it_has_destroyed_already(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/x", "zfs snapshot tank/a/x@s", "zfs clone tank/a/x@s tank/a/y")

    assert desk.ask("zfs destroy -r -v tank/a").stdout.splitlines() == [
        f"will destroy tank/a{name}" for name in ("/y", "/x@s", "/x", "")
    ]
    assert desk.column("zfs list -Hp -o name -r tank") == ["tank"]


def test_a_recursive_destroy_misses_a_clone_that_went_as_the_child_of_another(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs snapshot tank/a/b@s1", "zfs snapshot tank/a/b@s2")
    desk.do("zfs clone tank/a/b@s1 tank/a/c", "zfs clone tank/a/b@s2 tank/a/c/d")

    done = desk.ask("zfs destroy -r tank/a")

    assert (done.exit_code, done.stderr) == (0, "cannot open 'tank/a/c/d': dataset does not exist\n")
    assert desk.column("zfs list -Hp -o name -r tank") == ["tank"]


def test_a_snapshot_shows_what_its_dataset_has_and_says_where_from(desk):
    desk.do("zfs create tank/a", "zfs set zfsctl:policy=daily tank", "zfs snapshot tank/a@plain")
    desk.do("zfs snapshot -o zfsctl:policy=manual tank/a@own", "zfs set test:x=1 tank/a")

    rows = desk.rows("zfs get -Hp -r -o name,property,value,source zfsctl:policy,test:x tank/a")

    assert rows == [
        ["tank/a", "zfsctl:policy", "daily", "inherited from tank"],
        ["tank/a", "test:x", "1", "local"],
        ["tank/a@plain", "zfsctl:policy", "daily", "inherited from tank"],
        ["tank/a@plain", "test:x", "1", "inherited from tank/a"],
        ["tank/a@own", "zfsctl:policy", "manual", "local"],
        ["tank/a@own", "test:x", "1", "inherited from tank/a"],
    ]


def test_inherit_takes_a_local_value_back(desk):
    desk.do("zfs create tank/a", "zfs set compression=lz4 tank", "zfs set compression=off tank/a")
    desk.do("zfs inherit compression tank/a")

    assert desk.rows("zfs get -Hp -o value,source compression tank/a") == [["lz4", "inherited from tank"]]


def test_inherit_with_r_clears_what_snapshots_set_themselves_too(desk):
    desk.do("zfs create tank/a", "zfs snapshot -r -o zfsctl:policy=daily tank@s", "zfs inherit -r zfsctl:policy tank")

    assert desk.rows("zfs get -Hp -r -t snapshot -o value zfsctl:policy tank") == [["-"], ["-"]]


def test_a_received_value_shows_until_a_local_one_is_set(desk):
    desk.dataset("tank").received["quota"] = "4096000"

    assert desk.rows("zfs get -Hp -o value,source quota tank") == [["4096000", "received"]]

    desk.do("zfs set quota=1G tank")

    assert desk.rows("zfs get -Hp -o value,source quota tank") == [["1073741824", "local"]]

    desk.do("zfs inherit -S quota tank")

    assert desk.rows("zfs get -Hp -o value,source quota tank") == [["4096000", "received"]]


def test_mountpoints_are_inherited_with_the_rest_of_the_path(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs set mountpoint=/srv tank/a")

    rows = desk.rows("zfs list -Hp -r -o name,mountpoint,mounted tank")

    assert rows == [["tank", "/tank", "yes"], ["tank/a", "/srv", "yes"], ["tank/a/b", "/srv/b", "yes"]]


def test_a_thick_volume_sets_its_space_aside(desk):
    desk.do("zfs create -V 100M tank/thick", "zfs create -s -V 100M tank/thin")

    thick, thin = desk.rows("zfs list -Hp -o refreservation,used tank/thick tank/thin")

    assert int(thick[0]) > 100 << 20
    assert int(thick[1]) >= int(thick[0])
    assert thin[0] == "0"
    assert int(thin[1]) < 1 << 20


def test_a_volume_has_the_size_again_that_it_had_at_the_snapshot(desk):
    desk.do(
        "zfs create -s -V 8M tank/v", "zfs snapshot tank/v@s", "zfs set volsize=16M tank/v", "zfs snapshot tank/v@t"
    )
    desk.do("zfs clone tank/v@s tank/c")

    shown = "zfs list -Hp -t volume,snapshot -o name,volsize tank/v tank/v@s tank/v@t tank/c"
    small, large = str(8 << 20), str(16 << 20)
    assert desk.rows(shown) == [["tank/c", small], ["tank/v", large], ["tank/v@s", small], ["tank/v@t", large]]

    desk.do("zfs rollback -r tank/v@s")

    assert desk.rows("zfs list -Hp -o name,volsize tank/v tank/c") == [["tank/c", small], ["tank/v", small]]
