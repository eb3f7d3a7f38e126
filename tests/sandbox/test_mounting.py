"""Filesystems are mounted and unmounted, which restore needs."""

from __future__ import annotations

import pytest

from zfsctl.errors import InterruptedOutputError
from zfsctl.sandbox.faults import is_change
from zfsctl.sandbox.stream_faults import StreamEnd


def test_what_is_unmounted_takes_all_below_it_along_and_can_be_mounted_again(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs unmount tank/a")

    assert desk.rows("zfs list -H -r -o name,mounted tank") == [["tank", "yes"], ["tank/a", "no"], ["tank/a/b", "no"]]

    desk.do("zfs mount tank/a")

    assert desk.rows("zfs list -H -o mounted tank/a") == [["yes"]]
    assert is_change(("zfs", "mount", "tank/a"))


def test_a_filesystem_without_a_path_after_a_rename_is_unmounted_for_good(desk):
    desk.do("zfs create -o mountpoint=none tank/none", "zfs create tank/a", "zfs create tank/a/b")

    desk.do("zfs rename tank/a tank/none/a")

    assert desk.rows("zfs list -H -r -o mounted tank/none") == [["no"], ["no"], ["no"]]

    desk.do("zfs rename tank/none/a tank/a")

    assert desk.rows("zfs list -H -r -o mounted tank/a") == [["no"], ["no"]]


def test_a_new_mountpoint_mounts_all_that_take_it_over(desk):
    desk.do("zfs create tank/a", "zfs create tank/a/b", "zfs create -o canmount=noauto tank/a/c")
    desk.do("zfs create -o mountpoint=/own tank/a/d", "zfs create tank/a/d/e", "zfs unmount tank/a/d/e")
    mounted = "zfs list -H -r -o name,mounted tank/a"

    desk.do("zfs set mountpoint=none tank/a")

    assert {row[0] for row in desk.rows(mounted) if row[1] == "yes"} == {"tank/a/d"}

    desk.do("zfs set mountpoint=/elsewhere tank/a", "zfs mount tank/a/c", "zfs inherit mountpoint tank/a")

    assert {row[0] for row in desk.rows(mounted) if row[1] == "no"} == {"tank/a/d/e"}


@pytest.mark.parametrize(
    ("properties", "line", "said"),
    [
        ("", "zfs mount tank/a", ["cannot mount 'tank/a': filesystem already mounted"]),
        ("-o mountpoint=none", "zfs mount tank/a", ["cannot mount 'tank/a': no mountpoint set"]),
        (
            "-o mountpoint=legacy",
            "zfs mount tank/a",
            ["cannot mount 'tank/a': legacy mountpoint", "use mount(8) to mount this filesystem"],
        ),
        ("-o canmount=off", "zfs mount tank/a", ["cannot mount 'tank/a': 'canmount' property is set to 'off'"]),
        ("-o canmount=noauto", "zfs unmount tank/a", ["cannot unmount 'tank/a': not currently mounted"]),
        ("-s -V 16M", "zfs mount tank/a", ["cannot open 'tank/a': operation not applicable to datasets of this type"]),
    ],
)
def test_what_cannot_be_mounted_or_unmounted_is_refused(desk, properties, line, said):
    desk.do(f"zfs create {properties} tank/a")

    assert desk.refusal(line) == (1, said)


def test_without_its_key_a_copy_is_not_mounted(pair):
    pair.do("alpha", "zfs create -o encryption=on -o keyformat=passphrase tank/e", "zfs snapshot tank/e@s")
    pair.copy("zfs send -w tank/e@s", "zfs receive bk/e")

    assert pair.value("vault", "mounted", "bk/e") == "no"
    assert pair.ask("vault", "zfs mount bk/e").stderr == "cannot mount 'bk/e': encryption key not loaded\n"


def test_an_unfinished_first_copy_is_not_mounted(pair):
    pair.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    with pytest.raises(InterruptedOutputError):
        pair.join("zfs send tank/a@s1", "zfs receive -s bk/a")

    assert pair.ask("vault", "zfs mount bk/a").stderr == (
        "cannot mount 'bk/a': Contains partially-completed state from \"zfs receive -s\", "
        'which can be resumed with "zfs send -t"\n'
    )


def test_a_restore_in_place_ends_with_the_old_data_mounted_and_the_new_data_kept(pair):
    pair.write("alpha", "tank/a", 1 << 20, path="notes", text="two")
    pair.do(
        "alpha",
        "zfs create tank/a/kid",
        "zfs snapshot tank/a@s2",
        "zfs unmount tank/a",
        "zfs set canmount=noauto tank/a",
        "zfs rename -u tank/a tank/a.aside",
        "zfs clone -o canmount=noauto tank/a.aside@s1 tank/a",
        "zfs promote tank/a",
        "zfs rename -u tank/a.aside/kid tank/a/kid",
        "zfs set canmount=on tank/a",
        "zfs mount tank/a",
        "zfs mount tank/a/kid",
    )

    assert pair.dataset("alpha", "tank/a").content == {"notes": "one"}
    assert pair.dataset("alpha", "tank/a.aside").content == {"notes": "two"}
    assert pair.value("alpha", "mounted", "tank/a") == pair.value("alpha", "mounted", "tank/a/kid") == "yes"
    assert len(pair.guids("alpha", "tank/a")) == len(pair.guids("alpha", "tank/a.aside")) == 1
