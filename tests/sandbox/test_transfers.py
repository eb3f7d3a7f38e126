"""Send and receive: what arrives, and what does not."""

from __future__ import annotations

import pytest

from zfsctl.errors import UnreachableError, UsageError
from zfsctl.model.command import Command
from zfsctl.model.replication import Route
from zfsctl.sandbox.building import add_host
from zfsctl.sandbox.workload import discard, overwrite

MEBIBYTE = 1 << 20


def command(line):
    return Command(tuple(line.split()))


def test_a_first_copy_brings_guid_creation_data_and_content(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u -s bk/a")

    for name in ("guid", "creation", "referenced", "written"):
        assert pair.value("alpha", name, "tank/a@s1") == pair.value("vault", name, "bk/a@s1")
    assert pair.dataset("vault", "bk/a").content == {"notes": "one"}
    assert pair.value("vault", "written", "bk/a") == "0"
    assert pair.value("vault", "mounted", "bk/a") == "no"
    assert pair.value("vault", "receive_resume_token", "bk/a") == "-"


def test_without_u_a_first_copy_is_mounted(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive bk/a")

    assert pair.value("vault", "mounted", "bk/a") == "yes"


def test_the_dataset_and_its_snapshot_have_a_createtxg_of_their_own_pool(pair):
    pair.do("vault", *(f"zfs snapshot bk@{name}" for name in "abcdefgh"))
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")

    assert int(pair.value("vault", "createtxg", "bk/a@s1")) > int(pair.value("vault", "createtxg", "bk@h"))
    assert pair.value("vault", "guid", "bk/a") != pair.value("alpha", "guid", "tank/a")


def test_an_increment_brings_what_was_written_and_takes_what_was_deleted(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    overwrite(pair.state, "alpha", "tank/a", MEBIBYTE)
    discard(pair.state, "alpha", "tank/a", 2 * MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    for name in ("s1", "s2"):
        for column in ("guid", "referenced", "written", "used"):
            assert pair.value("alpha", column, f"tank/a@{name}") == pair.value("vault", column, f"bk/a@{name}")
    assert pair.value("vault", "used", "bk/a") == pair.value("alpha", "used", "tank/a")


def test_one_stream_brings_all_snapshots_in_between(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    for number in (2, 3, 4):
        pair.write("alpha", "tank/a", MEBIBYTE)
        pair.do("alpha", f"zfs snapshot tank/a@s{number}")
    pair.copy("zfs send -I @s1 tank/a@s4", "zfs receive -u -s bk/a")

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")


def test_an_increment_may_begin_at_a_bookmark_whose_snapshot_is_gone(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.do("alpha", "zfs bookmark tank/a@s1 '#m'", "zfs destroy tank/a@s1")
    overwrite(pair.state, "alpha", "tank/a", MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -i '#m' tank/a@s2", "zfs receive -u bk/a")

    assert pair.value("vault", "referenced", "bk/a@s2") == pair.value("alpha", "referenced", "tank/a@s2")


def test_volumes_travel_with_their_size_and_without_their_reservation(pair):
    pair.do("alpha", "zfs create -V 64M -b 8K tank/v", "zfs snapshot tank/v@s1")
    pair.copy("zfs send tank/v@s1", "zfs receive -u bk/v")

    for name, value in {"type": "volume", "volsize": str(64 << 20), "volblocksize": "8192"}.items():
        assert pair.value("vault", name, "bk/v") == value
    assert pair.value("vault", "refreservation", "bk/v") == "0"


def test_plain_streams_carry_no_properties_no_holds_and_no_bookmarks(pair):
    pair.do("alpha", "zfs set zfsctl:x=1 tank/a", "zfs set zfsctl:y=2 tank/a@s1", "zfs hold keep tank/a@s1")
    pair.do("alpha", "zfs bookmark tank/a@s1 '#m'")
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")

    assert pair.value("vault", "zfsctl:x", "bk/a@s1") == "-"
    assert pair.value("vault", "zfsctl:y", "bk/a@s1") == "-"
    assert pair.value("vault", "userrefs", "bk/a@s1") == "0"
    assert pair.ask("vault", "zfs list -H -t bookmark bk/a").stdout == ""


def test_properties_given_to_receive_are_local(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u -o readonly=on -o canmount=noauto -o zfsctl:source=x bk/a")

    done = pair.ask("vault", "zfs get -Hp -s local -o property,value readonly,canmount,zfsctl:source bk/a")
    assert done.stdout.splitlines() == ["readonly\ton", "canmount\tnoauto", "zfsctl:source\tx"]


def test_an_increment_sets_its_properties_again(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u -o readonly=on bk/a")
    pair.do("vault", "zfs set readonly=off bk/a")
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u -o readonly=on bk/a")

    assert pair.value("vault", "readonly", "bk/a") == "on"


def test_a_property_without_the_right_to_it_is_left_out_with_exit_code_0(pair):
    pair.state.hosts["vault"].denied = frozenset(("readonly", "canmount"))
    done = pair.join("zfs send tank/a@s1", "zfs receive -u -o readonly=on -o canmount=noauto -o zfsctl:x=1 bk/a")

    assert done.receiver.exit_code == 0
    assert done.receiver.stderr.splitlines() == [
        "cannot receive readonly property on bk/a: permission denied",
        "cannot receive canmount property on bk/a: permission denied",
    ]
    assert pair.value("vault", "readonly", "bk/a") == "off"
    assert pair.value("vault", "zfsctl:x", "bk/a") == "1"


def test_excluding_what_a_volume_does_not_have_is_a_warning(pair):
    pair.do("alpha", "zfs create -s -V 64M tank/v", "zfs snapshot tank/v@s1")
    done = pair.join("zfs send tank/v@s1", "zfs receive -u -x canmount bk/v")

    assert (done.receiver.exit_code, done.receiver.stderr) == (
        0,
        "Warning: bk/v: property 'canmount' does not apply to datasets of this type\n",
    )


def test_a_clone_arrives_as_a_clone_of_its_origin(pair):
    pair.do("alpha", "zfs clone tank/a@s1 tank/c")
    pair.write("alpha", "tank/c", MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/c@c1")
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.copy("zfs send -i tank/a@s1 tank/c@c1", "zfs receive -u bk/c")

    assert pair.value("vault", "origin", "bk/c") == "bk/a@s1"
    for name in ("guid", "referenced", "written"):
        assert pair.value("vault", name, "bk/c@c1") == pair.value("alpha", name, "tank/c@c1")
    assert pair.value("vault", "used", "bk/c") == pair.value("alpha", "used", "tank/c")


def test_a_snapshot_that_is_there_already_is_passed_over(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.do("alpha", "zfs snapshot tank/a@s2")
    for _ in range(2):
        pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")


def test_empty_snapshots_of_the_receiver_are_no_hindrance_to_a_plain_increment(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.do("vault", "zfs snapshot bk/a@own")
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    names = pair.ask("vault", "zfs list -H -t snapshot -o name bk/a").stdout.split()
    assert names == ["bk/a@s1", "bk/a@own", "bk/a@s2"]


def test_what_comes_back_from_a_replica_is_what_was_sent(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    pair.write("vault", "bk/a", MEBIBYTE)
    pair.do("vault", "zfs snapshot bk/a@s2")
    back = pair.ask("alpha", "zfs list -H -o referenced -p tank/a").stdout
    done = pair.fleet.pipe(
        "vault",
        command("zfs send -i @s1 bk/a@s2"),
        "alpha",
        command("zfs receive -u tank/a"),
    )

    assert done.receiver.exit_code == 0, done
    assert pair.value("alpha", "written", "tank/a@s2") == pair.value("vault", "written", "bk/a@s2")
    assert pair.value("alpha", "referenced", "tank/a") > back


@pytest.mark.parametrize("route", list(Route))
def test_every_route_joins_both_ends(pair, route):
    if route is Route.LOCAL:
        with pytest.raises(UsageError):
            pair.join("zfs send tank/a@s1", "zfs receive -u bk/a", route=route)
        return
    told = []
    done = pair.join("zfs send tank/a@s1", "zfs receive -u bk/a", route=route, on_bytes=told.append)

    assert (done.sender.exit_code, done.receiver.exit_code) == (0, 0)
    assert bool(told) == (route is Route.RELAY) == (done.bytes_sent is not None)
    assert told == sorted(told)


@pytest.mark.parametrize("route", list(Route))
def test_a_stream_may_stay_on_one_host(pair, route):
    send, receive = command("zfs send tank/a@s1"), command("zfs receive -u tank/b")
    done = pair.fleet.pipe("alpha", send, "alpha", receive, route=route)

    assert done.receiver.exit_code == 0
    assert (done.bytes_sent is None) == (route is not Route.RELAY)
    assert pair.guids("alpha", "tank/b") == pair.guids("alpha", "tank/a")


def test_only_the_relay_keeps_to_a_bandwidth(pair):
    pair.join("zfs send tank/a@s1", "zfs receive -u bk/a", bandwidth=1 << 20, compress=True)

    with pytest.raises(UsageError, match="no stream from alpha to vault was begun"):
        pair.join("zfs send tank/a@s1", "zfs receive -u bk/b", route=Route.PUSH, bandwidth=1 << 20)


@pytest.mark.parametrize(
    ("sender", "receiver", "route", "relayed"),
    [
        ("local", "vault", Route.PUSH, True),
        ("alpha", "local", Route.PULL, True),
        ("local", "vault", Route.PULL, None),
        ("alpha", "local", Route.PUSH, None),
    ],
)
def test_this_machine_dials_and_is_not_dialled(pair, sender, receiver, route, relayed):
    add_host(pair.state, "local")
    way = (sender, command("true"), receiver, command("true"))
    if relayed:
        assert pair.fleet.pipe(*way, route=route).bytes_sent == 0
    else:
        with pytest.raises(UsageError):
            pair.fleet.pipe(*way, route=route)


def test_hosts_that_do_not_reach_each_other_may_both_be_reached_from_here(pair):
    pair.fleet.faults.break_link("vault", dialled_from="alpha")

    with pytest.raises(UnreachableError, match="vault was not reached from alpha"):
        pair.join("zfs send tank/a@s1", "zfs receive -u bk/a", route=Route.PUSH)
    assert pair.join("zfs send tank/a@s1", "zfs receive -u bk/a", route=Route.PULL).receiver.exit_code == 0
    assert pair.join("zfs send tank/a@s1", "zfs receive -u bk/b").receiver.exit_code == 0
