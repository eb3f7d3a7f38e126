"""Receives that were cut: what stays, how they are gone on with or given up, and what they stand in the way of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zfsctl.errors import InterruptedOutputError
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.resume_token import read_token
from zfsctl.sandbox.store import FleetStore
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance, write

MEBIBYTE = 1 << 20
CAPTURED = Path(__file__).parents[1] / "zfs" / "captured" / "2.3"

FULL = "zfs send tank/a@s1"
INCREMENT = "zfs send -i @s1 tank/a@s2"
RECEIVE = "zfs receive -u -s bk/a"


def cut(pair, send, receive=RECEIVE, *, after=0.5, end=StreamEnd.CUT):
    pair.fleet.faults.end_stream(end, after)
    with pytest.raises(InterruptedOutputError):
        pair.join(send, receive)


def second(pair):
    """Bring the first snapshot over and take a second one."""
    pair.copy(FULL, "zfs receive -u bk/a")
    pair.write("alpha", "tank/a", 2 * MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@s2")


def token_of(pair):
    return pair.value("vault", "receive_resume_token", "bk/a")


def test_tokens_of_real_openzfs_are_read_and_written_again_as_they_were():
    listing = (CAPTURED / "list-datasets-received.txt").read_text()
    tokens = re.findall(r"\t(1-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+)\t", listing)
    shown = (CAPTURED / "send-estimate-resumed.txt").read_text().splitlines()

    assert len(tokens) == 2
    for text in tokens:
        assert str(read_token(text)) == text
    begin = shown.index("resume token contents:")
    assert read_token(tokens[1]).lines() == shown[begin : begin + 8]


def test_a_token_names_what_the_receiver_wants(pair):
    cut(pair, "zfs send -w -L -e -c tank/a@s1")
    token = read_token(token_of(pair))

    assert (token.toname, str(token.toguid)) == ("tank/a@s1", pair.value("alpha", "guid", "tank/a@s1"))
    assert token.fromguid == 0
    assert token.bytes == 4229800 // 2
    assert (token.compressed, token.embedded, token.raw) == (True, True, False)


def test_a_cut_first_copy_leaves_a_dataset_that_is_not_whole(pair):
    cut(pair, FULL, "zfs receive -u -s -o readonly=on bk/a")

    assert pair.value("vault", "inconsistent", "bk/a") == "1"
    assert pair.value("vault", "readonly", "bk/a") == "on"
    assert pair.guids("vault", "bk/a") == []
    assert 2 * MEBIBYTE < int(pair.value("vault", "used", "bk/a")) < 3 * MEBIBYTE

    done = pair.ask("vault", "zfs snapshot bk/a@x")

    assert done.stderr == "cannot create snapshot 'bk/a@x': dataset is busy\n"


def test_a_resumed_first_copy_ends_as_one_that_was_not_cut(pair):
    cut(pair, FULL, "zfs receive -u -s -o readonly=on bk/a")
    left = pair.ask("alpha", f"zfs send -nvP -t {token_of(pair)}").stdout.splitlines()

    assert left[0] == "resume token contents:"
    assert left[-2:] == [f"full\ttank/a@s1\t{4229800 // 2}", f"size\t{4229800 // 2}"]

    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")
    assert pair.value("vault", "referenced", "bk/a@s1") == pair.value("alpha", "referenced", "tank/a@s1")
    assert (token_of(pair), pair.value("vault", "inconsistent", "bk/a")) == ("-", "0")
    assert pair.value("vault", "readonly", "bk/a") == "on"


def test_a_cut_increment_is_kept_in_a_hidden_clone_of_the_base(pair):
    second(pair)
    before = int(pair.value("vault", "used", "bk/a"))
    cut(pair, INCREMENT)

    assert token_of(pair) != "-"
    assert pair.value("vault", "inconsistent", "bk/a") == "0"
    assert pair.value("vault", "clones", "bk/a@s1") == "bk/a/%recv"
    assert pair.value("vault", "written", "bk/a") == "0"
    assert int(pair.value("vault", "used", "bk/a")) > before + MEBIBYTE
    assert pair.ask("vault", "zfs list -H -r -o name bk").stdout.split() == ["bk", "bk/a"]

    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")
    assert pair.value("vault", "used", "bk/a") == pair.value("alpha", "used", "tank/a")
    assert pair.value("vault", "clones", "bk/a@s1") == "-"


def test_a_resumed_stream_may_be_cut_again(pair):
    second(pair)
    cut(pair, INCREMENT, after=0.25)
    first = read_token(token_of(pair)).bytes
    cut(pair, f"zfs send -t {token_of(pair)}", after=0.5)

    assert read_token(token_of(pair)).bytes > first

    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")


def test_of_several_snapshots_those_that_came_whole_stay(pair):
    second(pair)
    pair.write("alpha", "tank/a", 2 * MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@s3")
    cut(pair, "zfs send -I @s1 tank/a@s3", after=0.75)

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")[:2]
    assert read_token(token_of(pair)).toname == "tank/a@s3"


def test_without_s_nothing_stays(pair):
    second(pair)
    before = pair.dataset("vault", "bk/a").space()
    pair.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5, text="warning: cannot send 'tank/a@s2': I/O error")
    done = pair.join(INCREMENT, "zfs receive -u bk/a")

    assert (done.sender.exit_code, done.sender.stderr) == (1, "warning: cannot send 'tank/a@s2': I/O error\n")
    assert (done.receiver.exit_code, done.receiver.stderr) == (
        1,
        "cannot receive incremental stream: incomplete stream\n",
    )
    assert (token_of(pair), pair.dataset("vault", "bk/a").space()) == ("-", before)


def test_with_s_the_receiver_says_how_to_go_on(pair):
    second(pair)
    pair.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
    done = pair.join(INCREMENT, RECEIVE)

    assert done.receiver.stderr.splitlines() == [
        "cannot receive incremental stream: checksum mismatch or incomplete stream.",
        "Partially received snapshot is saved.",
        "A resuming stream can be generated on the sending system by running:",
        f"    zfs send -t {token_of(pair)}",
    ]


def test_a_stream_that_is_cut_before_it_began_leaves_nothing(pair):
    pair.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 100)
    done = pair.join(FULL, RECEIVE)

    assert done.receiver.stderr == "cannot receive: failed to read from stream\n"
    assert pair.ask("vault", "zfs list -H bk/a").exit_code == 1


def test_a_full_pool_leaves_what_came_with_s(pair):
    pair.write("alpha", "tank/a", 500 * MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@big")
    pair.write("vault", "bk", 600 * MEBIBYTE)
    done = pair.join("zfs send tank/a@big", RECEIVE)

    assert done.receiver.stderr == "cannot receive new filesystem stream: out of space\n"
    assert read_token(token_of(pair)).bytes > 200 * MEBIBYTE
    assert int(pair.value("vault", "available", "bk")) < MEBIBYTE


def test_a_quota_leaves_what_came_with_s_and_a_larger_one_lets_it_go_on(pair):
    pair.do("vault", "zfs create -o quota=1M bk/q")
    done = pair.join(FULL, "zfs receive -u -s bk/q/a")

    assert done.receiver.stderr == ("cannot receive new filesystem stream: destination bk/q/a space quota exceeded.\n")

    pair.do("vault", "zfs set quota=10M bk/q")
    token = pair.value("vault", "receive_resume_token", "bk/q/a")
    pair.copy(f"zfs send -t {token}", "zfs receive -u -s bk/q/a")


def test_while_something_is_kept_no_other_stream_is_received(pair):
    second(pair)
    cut(pair, INCREMENT)
    done = pair.join(INCREMENT, RECEIVE)

    assert done.receiver.exit_code == 1
    assert done.receiver.stderr == (
        'cannot receive incremental stream: destination bk/a contains partially-complete state from "zfs receive -s".\n'
    )


def test_while_something_is_kept_its_base_cannot_be_destroyed(pair):
    second(pair)
    cut(pair, INCREMENT)
    done = pair.ask("vault", "zfs destroy bk/a@s1")

    assert done.stderr.splitlines() == [
        "cannot destroy 'bk/a@s1': snapshot has dependent clones",
        "use '-R' to destroy the following datasets:",
        "bk/a/%recv",
    ]


def test_giving_up_an_increment_leaves_the_dataset_as_it_was(pair):
    second(pair)
    space = pair.dataset("vault", "bk/a").space()
    cut(pair, INCREMENT)
    pair.do("vault", "zfs receive -A bk/a", "zfs destroy -n bk/a@s1")

    assert (token_of(pair), pair.dataset("vault", "bk/a").space()) == ("-", space)

    pair.copy(INCREMENT, RECEIVE)


def test_giving_up_a_first_copy_takes_the_dataset_away(pair):
    cut(pair, FULL)
    pair.do("vault", "zfs receive -A bk/a")

    assert pair.ask("vault", "zfs list -H bk/a").exit_code == 1


def test_giving_up_a_first_copy_with_children_below_it_fails(pair):
    cut(pair, FULL)
    pair.do("vault", "zfs create bk/child", "zfs rename -u bk/child bk/a/child")
    done = pair.ask("vault", "zfs receive -A bk/a")

    assert (done.exit_code, done.stderr) == (1, "cannot destroy 'bk/a': dataset already exists\n")


def test_destroying_a_dataset_takes_what_is_hidden_below_it_along(pair):
    second(pair)
    cut(pair, INCREMENT)
    pair.do("vault", "zfs destroy -r bk/a")

    assert pair.ask("vault", "zfs list -H -r -o name bk").stdout == "bk\n"
    assert list(pair.state.hosts["vault"].pools["bk"].datasets) == ["bk"]


def test_what_is_hidden_goes_where_its_dataset_goes(pair):
    second(pair)
    cut(pair, INCREMENT)
    pair.do("vault", "zfs rename -u bk/a bk/b")
    token = pair.value("vault", "receive_resume_token", "bk/b")
    pair.copy(f"zfs send -t {token}", "zfs receive -u -s bk/b")

    assert pair.guids("vault", "bk/b") == pair.guids("alpha", "tank/a")


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        pytest.param(
            ("zfs snapshot bk/a@own",),
            "cannot receive resume stream: kernel modules must be upgraded to receive this stream.\n",
            id="an-own-snapshot-even-an-empty-one",
        ),
        pytest.param(
            (),
            "cannot receive resume stream: destination bk/a has been modified\nsince most recent snapshot\n",
            id="a-write",
        ),
    ],
)
def test_a_receiver_that_changed_meanwhile_takes_every_byte_and_refuses(pair, meanwhile, said):
    second(pair)
    cut(pair, INCREMENT)
    if meanwhile:
        pair.do("vault", *meanwhile)
    else:
        pair.write("vault", "bk/a", 1)
    done = pair.join(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert (done.receiver.exit_code, done.receiver.stderr) == (1, said)
    assert read_token(token_of(pair)).bytes > 2 * MEBIBYTE
    assert pair.value("vault", "clones", "bk/a@s1") == "bk/a/%recv"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(("zfs destroy tank/a@s2",), "'tank/a@s2' used in the initial send no longer exists", id="gone"),
        pytest.param(
            ("zfs destroy tank/a@s2", "zfs snapshot tank/a@s2"),
            "'tank/a@s2' is no longer the same snapshot used in the initial send",
            id="another-of-that-name",
        ),
        pytest.param(("zfs destroy tank/a@s1",), "incremental source {base} no longer exists", id="base-gone"),
    ],
)
def test_a_sender_that_changed_meanwhile_does_not_go_on(pair, changes, said):
    second(pair)
    cut(pair, INCREMENT)
    base = hex(int(pair.value("alpha", "guid", "tank/a@s1")))
    pair.do("alpha", *changes)
    done = pair.ask("alpha", f"zfs send -nvP -t {token_of(pair)}")

    assert (done.exit_code, done.stderr) == (255, f"cannot resume send: {said.format(base=base)}\n")
    assert done.stdout.startswith("resume token contents:\nnvlist version: 0\n\tfromguid = 0x")


def test_a_renamed_snapshot_and_a_bookmark_of_the_base_are_found_by_guid(pair):
    second(pair)
    cut(pair, INCREMENT)
    pair.do("alpha", "zfs bookmark tank/a@s1 '#m'", "zfs destroy tank/a@s1", "zfs rename tank/a@s2 tank/a@new")
    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert pair.guids("vault", "bk/a")[-1] == pair.value("alpha", "guid", "tank/a@new")


def test_a_stale_token_is_refused(pair):
    second(pair)
    cut(pair, INCREMENT, after=0.25)
    stale = token_of(pair)
    cut(pair, f"zfs send -t {stale}")
    done = pair.join(f"zfs send -t {stale}", RECEIVE)

    assert done.receiver.stderr == (
        "cannot receive resume stream: kernel modules must be upgraded to receive this stream.\n"
    )


@pytest.mark.parametrize("after", [0.5, 0.999])
def test_what_is_gone_on_with_without_s_and_cut_again_is_gone(pair, after):
    second(pair)
    cut(pair, INCREMENT)
    cut(pair, f"zfs send -t {token_of(pair)}", "zfs receive -u bk/a", after=after)

    assert (token_of(pair), pair.value("vault", "clones", "bk/a@s1")) == ("-", "-")
    pair.copy(INCREMENT, RECEIVE)


def test_a_first_copy_that_is_gone_on_with_without_s_and_cut_again_is_gone(pair):
    cut(pair, FULL)
    cut(pair, f"zfs send -t {token_of(pair)}", "zfs receive -u bk/a")

    assert pair.ask("vault", "zfs list -H bk/a").exit_code == 1


def test_a_receive_that_lost_its_sender_runs_on_and_is_busy(pair):
    second(pair)
    cut(pair, INCREMENT, end=StreamEnd.LOST)

    assert token_of(pair) != "-"
    assert pair.ask("vault", "zfs receive -A bk/a").stderr == "cannot destroy 'bk/a/%recv': dataset is busy\n"
    done = pair.join(f"zfs send -t {token_of(pair)}", RECEIVE)
    assert done.receiver.stderr == (
        'cannot receive resume stream: destination bk/a contains partially-complete state from "zfs receive -s".\n'
    )

    advance(pair.state, 60)

    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)


def test_a_receive_without_s_that_lost_its_sender_shows_no_token(pair):
    second(pair)
    cut(pair, INCREMENT, "zfs receive -u bk/a", end=StreamEnd.LOST)

    assert token_of(pair) == "-"
    assert pair.value("vault", "clones", "bk/a@s1") == "bk/a/%recv"
    assert pair.join(INCREMENT, "zfs receive -u bk/a").receiver.stderr == (
        "cannot receive incremental stream: dataset is busy\n"
    )

    advance(pair.state, 60)

    pair.copy(INCREMENT, "zfs receive -u bk/a")


@pytest.mark.parametrize("flags", ["-u", "-u -s"])
def test_a_rename_ends_a_running_receive(pair, flags):
    second(pair)
    cut(pair, INCREMENT, f"zfs receive {flags} bk/a", end=StreamEnd.LOST)
    pair.do("vault", "zfs rename -u bk/a bk/b")

    clones = pair.value("vault", "clones", "bk/b@s1")
    assert clones == ("bk/b/%recv" if "-s" in flags else "-")
    if "-s" in flags:
        pair.do("vault", "zfs receive -A bk/b")


@pytest.mark.parametrize("end", [StreamEnd.KILLED, StreamEnd.KILLED_LOST])
def test_when_the_program_dies_the_receiver_keeps_what_came(pair, end):
    pair.fleet.faults.end_stream(end, 0.5)
    with pytest.raises(KilledAt):
        pair.join(FULL, RECEIVE)

    assert read_token(token_of(pair)).bytes == 4229800 // 2
    assert pair.dataset("vault", "bk/a").receiving == (end is StreamEnd.KILLED_LOST)


def test_a_stream_that_is_told_to_stop_can_be_resumed(pair):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 4

    done = pair.join(FULL, RECEIVE, stop=stop)

    assert done.stopped
    assert done.receiver.exit_code == 1
    assert read_token(token_of(pair)).bytes == 4229800 // 2
    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)


def test_all_of_it_is_kept_in_the_document(pair, tmp_path):
    second(pair)
    cut(pair, INCREMENT, end=StreamEnd.LOST)
    pair.state.hosts["vault"].denied = frozenset(("readonly",))
    pair.document("vault")
    store = FleetStore(tmp_path)
    store.create(pair.state)
    fleet = SandboxFleet(FleetStore(tmp_path))
    pair.fleet = fleet

    assert pair.value("vault", "clones", "bk/a@s1") == "bk/a/%recv"
    assert "dataset is busy" in pair.ask("vault", "zfs receive -A bk/a").stderr
    with fleet.state() as state:
        advance(state, 1)
    pair.copy(f"zfs send -t {token_of(pair)}", RECEIVE)

    assert pair.guids("vault", "bk/a") == pair.guids("alpha", "tank/a")


def test_a_recursive_snapshot_passes_over_what_is_below_a_half_received_dataset(desk):
    desk.do("zfs create tank/a")
    write(desk.state, "local", "tank/a", 1 << 20)
    desk.do("zfs snapshot tank/a@s")
    desk.ask("sh -c 'zfs send tank/a@s | head -c 20000 | zfs receive -u -s tank/b'")
    desk.do("zfs create tank/b/child")

    assert desk.refusal("zfs snapshot -r tank/b@x") == (1, ["no snapshots were created"])

    desk.do("zfs snapshot -r tank@x")
    assert desk.column("zfs list -Hp -t snapshot -o name -r tank") == ["tank@x", "tank/a@s", "tank/a@x"]
