"""Copies from one real host to the other: what arrives, what it rests on, and what a prune must leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.links import NAMES, Link
from tests.real.zfs import commands, do, guids, scheduled, snapshots, take

pytestmark = pytest.mark.zfs


def test_a_first_copy_an_increment_and_nothing_to_do(link: Link) -> None:
    link.fills("home", "home/anna b")
    link.writes_policy()
    below = ("home", "home/anna b")

    plan = link.operator.zfsctl("replicate", "--dry-run")
    first = link.operator.zfsctl("replicate")
    again = link.operator.zfsctl("replicate")

    assert [step for step in plan.steps if step == "transfer"] == ["transfer"] * 3
    assert (first.code, set(first.results)) == (0, {"done"})
    link.is_same(NAMES[-1], *below)
    copied = {
        name.replace(str(link.source), f"{link.target}/copies"): guid for name, guid in guids(link.source).items()
    }
    assert guids(link.target) == copied
    closed = do(link.target.host, f"zfs get -H -o value readonly,canmount,mounted {link.receiver}").split()
    assert closed == ["on", "noauto", "no"]
    assert (again.code, again.steps) == (0, [])
    held = {f"{link.receiver}{name}@{NAMES[-1]}": "zfsctl:copy:base" for name in ("", *(f"/{one}" for one in below))}
    assert link.holds(link.target) == held
    assert link.holds(link.source) == {}
    moved = [*commands(link.target, "hold"), *commands(link.source, "hold"), *commands(link.source, "release")]
    assert {" ".join(line.split()[1:4]) for line in moved} == {
        "hold -r zfsctl:copy:base",
        "hold -r zfsctl:copy:send",
        "release -r zfsctl:copy:send",
    }, "those of a whole tree at once"
    assert len(link.cursors()) == 3

    names = [link.sender, f"{link.sender}/home"]
    link.adds("later", names)
    do(link.source.host, *take(names, [scheduled(4), scheduled(5)]))
    increment = link.operator.zfsctl("replicate")

    assert (increment.code, set(increment.results)) == (0, {"done"})
    assert [step["why"] for step in increment.data["steps"] if step["kind"] == "transfer"] == [
        "BEHIND by 2 snapshots"
    ] * 2
    link.is_same(scheduled(5), "home")
    assert link.holds(link.target)[f"{link.receiver}@{scheduled(5)}"] == "zfsctl:copy:base"
    assert f"{link.receiver}@{NAMES[-1]}" not in link.holds(link.target)
    assert len(link.cursors()) == 3
    assert link.operator.zfsctl("replicate").steps == []


def test_a_prune_on_both_ends_leaves_a_base(link: Link) -> None:
    link.fills()
    link.writes_policy("keep = { last = 1 }", keep="last = 1")
    first = link.operator.zfsctl("run")
    left_at_first = (snapshots(link.source), snapshots(link.target))
    do(link.source.host, f"head -c 1M /dev/urandom >/{link.sender}/more", *take([link.sender], [scheduled(9)]))
    second = link.operator.zfsctl("run")
    third = link.operator.zfsctl("run")

    # What waits for the receiver is pending and stays, whatever the rules say; the next run lets it go.
    assert (first.code, left_at_first[0], left_at_first[1]) == (
        0,
        {link.sender: NAMES},
        {link.receiver: NAMES},
    )
    assert (second.code, third.code) == (0, 0)
    assert snapshots(link.source) == {link.sender: [scheduled(9)]}
    assert snapshots(link.target) == {link.receiver: [scheduled(9)]}
    link.is_same(scheduled(9))


def test_an_increment_goes_on_from_the_cursor_when_the_snapshot_is_gone(link: Link) -> None:
    link.fills()
    link.writes_policy()
    link.operator.zfsctl("replicate")
    do(link.source.host, f"zfs destroy {link.sender}@{','.join(NAMES)}", f"echo new >/{link.sender}/new")
    do(link.source.host, *take([link.sender], [scheduled(6), scheduled(7)]))

    plan = link.operator.zfsctl("replicate", "--dry-run")
    run = link.operator.zfsctl("replicate")

    sends = next(step["sends"] for step in plan.data["steps"] if step["kind"] == "transfer")
    assert sends[0]["source"].startswith("#zfsctl-copy-")
    assert (run.code, set(run.results)) == (0, {"done"})
    assert snapshots(link.target) == {link.receiver: [*NAMES, scheduled(6), scheduled(7)]}
    link.is_same(scheduled(7))


def test_what_is_in_the_way_on_the_receiver_is_never_destroyed(link: Link) -> None:
    link.fills()
    link.writes_policy()
    link.operator.zfsctl("replicate")
    do(
        link.target.host,
        f"zfs set readonly=off {link.receiver}; mount -t zfs -o zfsutil {link.receiver} /mnt",
        "echo mine >/mnt/mine; sync; umount /mnt",
        f"zfs snapshot {link.receiver}@own; zfs set readonly=on {link.receiver}",
    )
    do(link.source.host, *take([link.sender], [scheduled(8)]))
    before = guids(link.target)

    run = link.operator.zfsctl("replicate")

    assert ("diverged", "beta", link.receiver) in run.findings
    assert run.code != 0
    assert guids(link.target) == before


def test_names_that_clash_are_moved_away(link: Link) -> None:
    link.fills()
    link.writes_policy()
    link.operator.zfsctl("replicate")
    do(link.target.host, f"zfs snapshot {link.receiver}@{scheduled(8)}")
    do(link.source.host, f"echo x >/{link.sender}/x", *take([link.sender], [scheduled(8)]))

    run = link.operator.zfsctl("replicate")

    assert (run.code, set(run.results)) == (0, {"done"})
    names = snapshots(link.target)[link.receiver]
    assert scheduled(8) in names
    assert [name for name in names if "conflict" in name]
    link.is_same(scheduled(8))


def test_a_clone_arrives_as_a_clone_of_what_its_origin_became(link: Link) -> None:
    link.fills("home")
    clone = f"{link.sender}/before home"
    do(link.source.host, f"zfs clone {link.sender}/home@{NAMES[0]} '{clone}'")
    link.adds("own", [clone])
    do(link.source.host, *take([clone], [NAMES[-1]]))
    link.writes_policy()

    first = link.operator.zfsctl("replicate")
    link.adds("later", [link.sender, clone])
    do(link.source.host, *take([link.sender, clone], [scheduled(8)]))
    increment = link.operator.zfsctl("replicate")

    assert (first.code, set(first.results)) == (0, {"done"})
    assert (increment.code, set(increment.results)) == (0, {"done"})
    origin = do(link.target.host, f"zfs get -H -o value origin '{link.receiver}/before home'").strip()
    assert origin == f"{link.receiver}/home@{NAMES[0]}"
    link.is_same(scheduled(8), "before home")
    assert link.operator.zfsctl("replicate").steps == []


def test_a_volume_is_copied_like_a_filesystem(link: Link) -> None:
    volume = f"{link.sender}/disk"
    do(link.source.host, f"zfs create {link.sender}", f"zfs create -s -V 8M -o volblocksize=16K {volume}")
    do(link.source.host, f"udevadm settle; head -c 2M /dev/urandom | dd of=/dev/zvol/{volume} bs=64K 2>/dev/null")
    do(link.source.host, *take([link.sender, volume], NAMES[:1]))
    link.writes_policy()

    run = link.operator.zfsctl("replicate")

    assert (run.code, set(run.results)) == (0, {"done"})
    copy = f"{link.receiver}/disk"
    assert do(link.target.host, f"zfs get -H -o value readonly {copy}").strip() == "on"
    sent = do(link.source.host, f"dd if=/dev/zvol/{volume} bs=64K 2>/dev/null | sha256sum")
    assert do(link.target.host, f"udevadm settle; dd if=/dev/zvol/{copy} bs=64K 2>/dev/null | sha256sum") == sent


def test_an_encrypted_tree_is_sent_raw_with_its_key_unloaded(link: Link, tmp_path: Path) -> None:
    do(
        link.source.host,
        "head -c 32 /dev/urandom >/root/key",
        f"zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///root/key {link.sender}",
        f"echo secret >/{link.sender}/secret",
        *take([link.sender], NAMES[:1]),
    )
    link.writes_policy()
    first = link.operator.zfsctl("replicate")
    do(link.source.host, f"echo more >/{link.sender}/more", *take([link.sender], NAMES[1:2]))
    do(link.source.host, f"zfs unmount {link.sender}; zfs unload-key {link.sender}")
    increment = link.operator.zfsctl("replicate")

    assert (first.code, increment.code) == (0, 0)
    state = do(link.target.host, f"zfs get -H -o value encryption,keystatus {link.receiver}").split()
    assert state == ["aes-256-gcm", "unavailable"]
    assert snapshots(link.target) == {link.receiver: NAMES[:2]}
    flags = [step["flags"] for step in increment.data["steps"] if step["kind"] == "transfer"]
    assert flags == [["-w"]]
