"""Broken chains between two real hosts: repaired beside the receiver, with every byte and every snapshot kept."""

from __future__ import annotations

import signal

import pytest

from tests.real.links import NAMES, Link
from tests.real.operators import LIMIT
from tests.real.zfs import do, guids, scheduled, snapshots, take

pytestmark = pytest.mark.zfs

BELOW = ("home", "home/anna b")


def writes(link: Link, name: str, *, snapshot: str = "") -> None:
    """Somebody writes to a receiver."""
    do(
        link.target.host,
        f"zfs set readonly=off '{name}'; d=$(mktemp -d); mount -t zfs -o zfsutil '{name}' $d",
        "echo mine >$d/mine; sync; umount $d; rmdir $d",
        f"zfs set readonly=on '{name}'",
        *([f"zfs snapshot '{name}@{snapshot}'"] if snapshot else []),
    )


def content(link: Link, name: str) -> str:
    """The checksums of the files of a receiver's head."""
    return do(
        link.target.host,
        f"d=$(mktemp -d); mount -t zfs -o ro,zfsutil '{name}' $d",
        "cd $d; find . -type f -exec sha256sum {} + | sort -k2; cd /; umount $d; rmdir $d",
    )


def datasets(link: Link, part: str) -> list[str]:
    names = do(link.target.host, f"zfs list -H -r -t filesystem,volume -o name {link.target}").splitlines()
    return [name for name in names if part in name]


def replicated(link: Link, *, repair: str = "auto", below: tuple[str, ...] = BELOW) -> None:
    """The tree and its copy, and on the sender one snapshot more."""
    link.fills(*below)
    link.writes_policy(f'repair = "{repair}"')
    assert link.operator.zfsctl("replicate").code == 0
    names = [link.sender, *(f"{link.sender}/{name}" for name in below)]
    link.adds("later", names)
    do(link.source.host, *take(names, [scheduled(4)]))


def is_whole(link: Link, before: dict[str, str], *below: str) -> None:
    """The receiver is current and like the sender, nothing that was there is missing, nothing is half done."""
    link.is_same(scheduled(4), *below)
    assert set(before.values()) <= set(guids(link.target).values())
    assert datasets(link, ".zfsctl-new-") == []
    assert do(link.target.host, f"zfs get -H -r -s local -o name zfsctl:repair {link.target}") == ""
    assert link.operator.zfsctl("replicate").steps == []


def test_receivers_that_went_their_own_way_are_set_aside(link: Link) -> None:
    replicated(link)
    below = f"{link.receiver}/home/anna b"
    writes(link, link.receiver, snapshot="own")
    writes(link, below, snapshot="own")
    theirs = content(link, link.receiver)
    before = guids(link.target)
    do(
        link.target.host,
        f"zfs allow -u zfsadmin mount,hold {link.receiver}; zfs allow -l -e diff {link.receiver}",
        f"zfs set compression=lz4 org.site:owner='anna b' {link.receiver}",
    )

    plan = link.operator.zfsctl("replicate", "--dry-run")
    run = link.operator.zfsctl("replicate")

    assert [step for step in plan.steps if step in ("clone-dataset", "promote-clone", "swap-datasets")] == [
        *("clone-dataset", "promote-clone") * 2,
        *("swap-datasets",) * 2,
    ]
    assert (run.code, set(run.results)) == (0, {"done"}), run.data["errors"]
    is_whole(link, before, *BELOW)
    (aside,) = [name for name in datasets(link, "data.zfsctl-aside-") if name.count("/") == 2]
    assert content(link, aside) == theirs
    assert snapshots(link.target)[aside] == ["own"]
    closed = do(link.target.host, f"zfs get -H -o value readonly,canmount,mounted,origin {link.receiver}").split()
    assert closed == ["on", "noauto", "no", "-"]
    assert do(link.target.host, f"zfs get -H -s local -o property zfsctl:aside {aside}").strip() == "zfsctl:aside"
    kept = do(link.target.host, f"zfs get -H -s local -o value compression,org.site:owner {link.receiver}")
    assert kept.splitlines() == ["lz4", "anna b"]
    granted = do(link.target.host, f"zfs allow {link.receiver}")
    assert "user zfsadmin hold,mount" in granted
    assert "everyone diff" in granted


def test_a_receiver_that_was_only_written_to_keeps_what_was_written(link: Link) -> None:
    replicated(link, below=("home",))
    writes(link, f"{link.receiver}/home")
    theirs = content(link, f"{link.receiver}/home")
    before = guids(link.target)

    run = link.operator.zfsctl("replicate")

    assert (run.code, set(run.results)) == (0, {"done"}), run.data["errors"]
    is_whole(link, before, "home")
    (aside,) = datasets(link, ".zfsctl-aside-")
    assert content(link, aside) == theirs


def test_a_sender_that_was_made_anew_is_copied_anew_beside(link: Link) -> None:
    replicated(link, below=("home",))
    before = guids(link.target)
    do(link.source.host, f"zfs destroy -r {link.sender}")
    for name in ("", "/home"):
        do(link.source.host, f"zfs create {link.sender}{name}", f"echo new >/{link.sender}{name}/new")
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], [scheduled(4)]))

    run = link.operator.zfsctl("replicate")

    assert (run.code, set(run.results)) == (0, {"done"}), run.data["errors"]
    is_whole(link, before, "home")
    kept = [name for name in datasets(link, ".zfsctl-aside-") if NAMES[0] in snapshots(link.target).get(name, [])]
    assert len(kept) == 2


def test_a_raw_copy_is_repaired_with_its_key_unloaded(link: Link) -> None:
    do(
        link.source.host,
        "head -c 32 /dev/urandom >/root/key",
        f"zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///root/key {link.sender}",
        f"zfs create {link.sender}/home; echo secret >/{link.sender}/home/secret",
        *take([link.sender, f"{link.sender}/home"], NAMES[:1]),
    )
    link.writes_policy('repair = "auto"')
    assert link.operator.zfsctl("replicate").code == 0
    do(link.target.host, f"zfs snapshot {link.receiver}@own {link.receiver}/home@own")
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], NAMES[1:2]))
    before = guids(link.target)

    run = link.operator.zfsctl("replicate")
    do(link.source.host, *take([link.sender, f"{link.sender}/home"], NAMES[2:]))
    later = link.operator.zfsctl("replicate")

    assert (run.code, set(run.results)) == (0, {"done"}), run.data["errors"]
    assert set(before.values()) <= set(guids(link.target).values())
    assert (later.code, set(later.steps)) == (0, {"hold-snapshots", "transfer", "move-anchors"})
    assert snapshots(link.target)[f"{link.receiver}/home"] == NAMES


def test_a_volume_is_repaired_and_one_in_use_is_left_alone(link: Link) -> None:
    names = [f"{link.sender}/{name}" for name in ("used", "written")]
    do(link.source.host, f"zfs create {link.sender}", *(f"zfs create -s -V 8M {name}" for name in names))
    do(link.source.host, *take([link.sender, *names], NAMES[:1]))
    link.writes_policy('repair = "auto"')
    assert link.operator.zfsctl("replicate").code == 0
    do(link.source.host, *take([link.sender, *names], NAMES[1:2]))
    for name in ("used", "written"):
        do(
            link.target.host,
            f"zfs set readonly=off {link.receiver}/{name}; udevadm settle",
            f"dd if=/dev/urandom of=/dev/zvol/{link.receiver}/{name} bs=64K count=4 conv=fsync 2>/dev/null",
        )
    do(link.target.host, f"zfs set readonly=on {link.receiver}/written")
    before = guids(link.target)

    run = link.operator.zfsctl("replicate")

    assert ("taken-over", "beta", f"{link.receiver}/used") in run.findings
    assert snapshots(link.target)[f"{link.receiver}/used"] == NAMES[:1]
    assert snapshots(link.target)[f"{link.receiver}/written"] == NAMES[:2]
    assert set(before.values()) <= set(guids(link.target).values())
    assert do(link.target.host, f"zfs get -H -o value readonly {link.receiver}/used").strip() == "off"


def test_an_approval_lets_a_repair_happen_and_the_second_asks_again(link: Link) -> None:
    replicated(link, repair="ask", below=())
    writes(link, link.receiver, snapshot="own")
    waits = link.operator.zfsctl("replicate")
    (first,) = waits.data["approvals"]
    link.operator.zfsctl("approvals", "approve", first["id"])
    run = link.operator.zfsctl("replicate")
    writes(link, link.receiver, snapshot="own2")
    link.writes_policy('repair = "auto"')
    asks = link.operator.zfsctl("replicate")
    (second,) = asks.data["approvals"]
    link.operator.zfsctl("approvals", "approve", second["id"])
    before = guids(link.target)
    again = link.operator.zfsctl("replicate")

    assert (waits.code, run.code, asks.code, again.code) == (5, 0, 5, 0)
    assert len(datasets(link, ".zfsctl-aside-")) == 2
    is_whole(link, before)


@pytest.mark.parametrize("count", [2, 3, 8], ids=["at-the-clone", "at-the-promotion", "at-the-swap"])
def test_a_repair_that_was_killed_is_finished(link: Link, count: int) -> None:
    replicated(link, below=("home",))
    writes(link, link.receiver, snapshot="own")
    before = guids(link.target)
    operator = link.operator

    with operator.started_python(
        "-m", "tests.real.dying", str(operator.config), "StepStarted", str(count), "0.3"
    ) as run:
        _, complaints = run.communicate(timeout=LIMIT)
    assert run.returncode == -signal.SIGKILL, complaints
    assert set(before.values()) <= set(guids(link.target).values())
    finished = [operator.zfsctl("run").code for _ in range(2)]

    assert finished == [0, 0]
    is_whole(link, before, "home")


def test_a_bookmark_that_both_have_is_never_promoted_over(link: Link) -> None:
    """The kernel would hang the whole pool."""
    replicated(link, below=())
    writes(link, link.receiver, snapshot="own")
    do(link.target.host, f"zfs bookmark {link.receiver}@{NAMES[0]} {link.receiver}#mine")
    with link.operator.started_python(
        "-m", "tests.real.dying", str(link.operator.config), "StepFinished", "1", "0"
    ) as run:
        run.communicate(timeout=LIMIT)
    (built,) = datasets(link, ".zfsctl-new-")
    do(link.target.host, f"zfs snapshot {built}@there; zfs bookmark {built}@there {built}#mine")

    refused = link.operator.zfsctl("replicate")

    promote = next(one for one in refused.data["outcomes"] if one["step"].startswith("promote"))
    assert (promote["result"], promote["code"]) == ("failed", "bookmark-conflict")
    assert refused.code != 0
    assert do(link.target.host, f"zfs list -H -o name {link.receiver}").strip() == link.receiver
