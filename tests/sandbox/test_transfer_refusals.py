"""What zfs send and zfs receive refuse, in OpenZFS's words and with its exit codes."""

from __future__ import annotations

import pytest

from zfsctl.sandbox.resume_token import ResumeToken

MEBIBYTE = 1 << 20
LONG = "l" * 250

SCENE = (
    ("alpha", "zfs snapshot tank/a@s2"),
    ("alpha", "zfs bookmark tank/a@s1 tank/a#m1"),
    ("alpha", "zfs bookmark tank/a@s2 tank/a#m2"),
    ("alpha", "zfs create tank/other"),
    ("alpha", "zfs snapshot tank/other@o1"),
    ("alpha", "zfs clone tank/a@s1 tank/c"),
    ("alpha", "zfs snapshot tank/c@c1"),
    ("vault", "zfs create -o quota=1M bk/small"),
    ("vault", "zfs create -s -V 16M bk/volume"),
)

SEND_CASES = [
    pytest.param("zfs send tank/a@gone", 1, ["cannot open 'tank/a@gone': dataset does not exist"], id="missing"),
    pytest.param(
        "zfs send -i @gone tank/a@s2", 1, ["cannot open 'tank/a@gone': dataset does not exist"], id="base-missing"
    ),
    pytest.param(
        "zfs send -i '#gone' tank/a@s2",
        1,
        ["warning: cannot send 'tank/a@s2': incremental source (tank/a#gone) does not exist"],
        id="bookmark-missing",
    ),
    pytest.param(
        "zfs send -i @s2 tank/a@s1",
        1,
        ["warning: cannot send 'tank/a@s1': not an earlier snapshot from the same fs"],
        id="base-newer",
    ),
    pytest.param(
        "zfs send -i '#m2' tank/a@s2",
        1,
        ["warning: cannot send 'tank/a@s2': not an earlier snapshot from the same fs"],
        id="bookmark-of-the-snapshot-itself",
    ),
    pytest.param(
        "zfs send -i tank/other@o1 tank/a@s2",
        1,
        ["warning: cannot send 'tank/a@s2': not an earlier snapshot from the same fs"],
        id="base-of-another-dataset",
    ),
    pytest.param(
        "zfs send -nvP -i '#gone' tank/a@s2",
        1,
        ["warning: cannot send 'tank/a@s2': No such process"],
        id="bookmark-missing-for-an-estimate",
    ),
    pytest.param(
        "zfs send -nvP -i '#m2' tank/a@s2",
        1,
        ["warning: cannot send 'tank/a@s2': Invalid cross-device link"],
        id="bookmark-too-new-for-an-estimate",
    ),
    pytest.param(
        "zfs send -I '#m1' tank/a@s2",
        1,
        ["Error: multiple snapshots cannot be sent from a bookmark."],
        id="several-from-a-bookmark",
    ),
    pytest.param(
        "zfs send -I @gone tank/a@s2",
        1,
        ["cannot open 'tank/a@gone': dataset does not exist"],
        id="several-base-missing",
    ),
    pytest.param(
        "zfs send -I @gone tank/a@none",
        1,
        ["cannot open 'tank/a@gone': dataset does not exist"],
        id="several-base-and-last-missing",
    ),
    pytest.param(
        "zfs send -I @gone tank/none@s2",
        1,
        ["cannot open 'tank/none': dataset does not exist"],
        id="several-of-a-missing-dataset",
    ),
    pytest.param(
        "zfs send -I '' tank/a@s2", 1, ["cannot send 'tank/a': zero-length incremental source"], id="several-from-empty"
    ),
    pytest.param("zfs send -I @s1@s2 tank/a@s2", 2, ["invalid incremental source"], id="several-from-two-at-signs"),
    pytest.param(
        "zfs send -I @s1 tank/a", 1, ["Error: Unsupported flag with filesystem or bookmark."], id="several-to-a-head"
    ),
    pytest.param(
        "zfs send -nP tank/a", 1, ["warning: cannot send 'tank/a': Invalid argument"], id="estimate-of-a-mounted-one"
    ),
    pytest.param(
        "zfs send -I @s2 tank/a@s1",
        1,
        ["WARNING: could not send tank/a@s1:", "incremental source (tank/a@s2) does not exist"],
        id="several-base-newer",
    ),
    pytest.param(
        "zfs send -I @s2 tank/a@s2",
        1,
        ["WARNING: could not send tank/a@s2:", "incremental source (tank/a@s2) is not earlier than it"],
        id="several-from-the-last-one-itself",
    ),
    pytest.param(
        "zfs send -I tank/other@o1 tank/a@s2",
        2,
        ["incremental source must be in same filesystem"],
        id="several-from-another-dataset",
    ),
    pytest.param(
        "zfs send tank/a",
        1,
        ["warning: cannot send 'tank/a': target is busy; if a filesystem, it must not be mounted"],
        id="mounted-filesystem",
    ),
    pytest.param("zfs send", 2, ["missing snapshot argument"], id="nothing"),
    pytest.param("zfs send tank/a@s1 tank/a@s2", 2, ["too many arguments"], id="two"),
    pytest.param(
        "zfs send -t 1-nonsense",
        255,
        ["cannot resume send: resume token is corrupt (invalid format)"],
        id="token-without-form",
    ),
    pytest.param(
        "zfs send -t 2-1-1-00",
        255,
        ["cannot resume send: resume token is corrupt (invalid version 2)"],
        id="token-of-another-version",
    ),
    pytest.param(
        "zfs send -t 1-1-1-zz",
        255,
        ["cannot resume send: resume token is corrupt (payload is not hex-encoded)"],
        id="token-not-hexadecimal",
    ),
    pytest.param(
        "zfs send -t 1-1-1-00000000",
        255,
        ["cannot resume send: resume token is corrupt (incorrect checksum)"],
        id="token-damaged",
    ),
    pytest.param(
        f"zfs send -t {ResumeToken(7, 'tank/a@gone')}",
        255,
        ["cannot resume send: 'tank/a@gone' used in the initial send no longer exists"],
        id="token-of-a-snapshot-that-is-gone",
    ),
    pytest.param(
        f"zfs send -t {ResumeToken(7, 'tank/a@s1')}",
        255,
        ["cannot resume send: 'tank/a@s1' is no longer the same snapshot used in the initial send"],
        id="token-of-another-snapshot-of-that-name",
    ),
]

RECEIVE_CASES = [
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u bk/volume",
        ["cannot receive new filesystem stream: destination 'bk/volume' exists", "must specify -F to overwrite it"],
        id="exists",
    ),
    pytest.param(
        "zfs send -i @s1 tank/a@s2",
        "zfs receive -u bk/none",
        ["cannot receive incremental stream: destination 'bk/none' does not exist"],
        id="nothing-to-build-on",
    ),
    pytest.param(
        "zfs send -i @s1 tank/a@s2",
        "zfs receive -u bk/volume",
        [
            "cannot receive incremental stream: most recent snapshot of bk/volume does not",
            "match incremental source",
        ],
        id="no-common-base",
    ),
    pytest.param(
        "zfs send -i tank/a@s1 tank/c@c1",
        "zfs receive -u bk/c",
        ["cannot receive: local origin for clone bk/c@c1 does not exist"],
        id="origin-missing",
    ),
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u bk/none/a",
        [
            "cannot open 'bk/none': dataset does not exist",
            "cannot receive new filesystem stream: unable to restore to destination",
        ],
        id="parent-missing",
    ),
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u bk/volume/a",
        ["cannot receive new filesystem stream: parent 'bk/volume' is not a filesystem"],
        id="below-a-volume",
    ),
    pytest.param(
        "zfs send tank/a@s1", f"zfs receive -u bk/{LONG}", ["cannot receive: invalid name"], id="name-too-long"
    ),
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u -o nosuch=1 bk/a",
        ["cannot receive: cannot receive: invalid property 'nosuch'"],
        id="unknown-property",
    ),
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u -o volsize=1M bk/a",
        ["cannot receive: cannot receive: invalid property 'volsize'"],
        id="property-that-the-stream-decides",
    ),
    pytest.param(
        "zfs send tank/a@s1",
        "zfs receive -u -o readonly=maybe bk/a",
        [
            "cannot receive new filesystem stream: 'readonly' must be one of 'on | off'",
            "cannot receive new filesystem stream: invalid property value",
        ],
        id="wrong-value",
    ),
    pytest.param("true", "zfs receive -u bk/a", ["cannot receive: failed to read from stream"], id="nothing-comes"),
    pytest.param(
        "echo Welcome!", "zfs receive -u bk/a", ["cannot receive: invalid stream (bad magic number)"], id="junk-comes"
    ),
]


@pytest.fixture
def scene(pair):
    """Both hosts, with something to refuse."""
    for host, line in SCENE:
        pair.do(host, line)
    return pair


def first_lines(completed):
    lines = completed.stderr.splitlines()
    return lines[: next((place for place, line in enumerate(lines) if line.startswith("usage:")), len(lines))]


@pytest.mark.parametrize(("line", "code", "said"), SEND_CASES)
def test_send_refuses(scene, line, code, said):
    before = scene.document("alpha")
    done = scene.ask("alpha", line)

    assert (done.exit_code, first_lines(done), done.stdout) == (code, said, "")
    assert scene.document("alpha") == before


@pytest.mark.parametrize("options", ["-o test:x=1 -o test:x=1", "-o canmount=on -x canmount", "-x atime -x atime"])
def test_receive_takes_each_property_once(scene, options):
    done = scene.join("zfs send tank/a@s1", f"zfs receive {options} bk/a")

    name = options.split()[1].partition("=")[0]
    assert (done.receiver.exit_code, first_lines(done.receiver)) == (
        2,
        [f"property '{name}' specified multiple times"],
    )


@pytest.mark.parametrize("flags", ["", "-s"])
@pytest.mark.parametrize(("send", "receive", "said"), RECEIVE_CASES)
def test_receive_refuses(scene, send, receive, said, flags):
    before = scene.document("vault")
    done = scene.join(send, receive.replace("receive", f"receive {flags}"))

    assert (done.receiver.exit_code, first_lines(done.receiver)) == (1, said)
    after = scene.document("vault")
    assert without_counters(after) == without_counters(before)


def without_counters(host):
    """A host's document without the counters that also a receive moves that was taken back."""
    pools = {
        name: {key: value for key, value in pool.items() if key not in ("txg", "keys")}
        for name, pool in host["pools"].items()
    }
    return {**host, "pools": pools}


def test_a_quota_refuses(scene):
    done = scene.join("zfs send tank/a@s1", "zfs receive -u bk/small/a")

    assert (done.receiver.exit_code, done.receiver.stderr) == (
        1,
        "cannot receive new filesystem stream: destination bk/small/a space quota exceeded.\n",
    )
    assert scene.ask("vault", "zfs list -H bk/small/a").exit_code == 1


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("zfs receive -A bk/small", 1, ["'bk/small' does not have any resumable receive state to abort"]),
        ("zfs receive -A bk/gone", 2, ["cannot open 'bk/gone': dataset does not exist"]),
    ],
)
def test_where_nothing_was_left_nothing_can_be_given_up(scene, line, code, said):
    done = scene.ask("vault", line)

    assert (done.exit_code, first_lines(done)) == (code, said)


def base_on_vault(pair):
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")


def test_a_written_head_refuses_an_increment(scene):
    base_on_vault(scene)
    scene.write("vault", "bk/a", 1)
    done = scene.join("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    assert done.receiver.exit_code == 1
    assert done.receiver.stderr == (
        "cannot receive incremental stream: destination bk/a has been modified\nsince most recent snapshot\n"
    )


def test_a_written_snapshot_of_the_receiver_refuses_an_increment(scene):
    base_on_vault(scene)
    scene.write("vault", "bk/a", 1)
    scene.do("vault", "zfs snapshot bk/a@own")
    done = scene.join("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    assert "has been modified" in done.receiver.stderr


def test_a_name_that_another_snapshot_has_refuses_an_increment_until_that_one_is_renamed(scene):
    base_on_vault(scene)
    scene.do("vault", "zfs snapshot bk/a@s2")
    done = scene.join("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")

    assert done.receiver.stderr == "cannot restore to bk/a@s2: destination already exists\n"

    scene.do("vault", "zfs rename bk/a@s2 bk/a@s2-own")
    scene.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")


def test_the_origin_of_a_clone_is_no_base_until_the_clone_is_promoted(scene):
    base_on_vault(scene)
    scene.do("vault", "zfs clone bk/a@s1 bk/new")
    done = scene.join("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/new")

    assert done.receiver.stderr == (
        "cannot receive incremental stream: most recent snapshot of bk/new does not\nmatch incremental source\n"
    )

    scene.do("vault", "zfs promote bk/new")
    scene.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/new")


def test_a_full_pool_refuses(pair):
    pair.write("alpha", "tank/a", 500 * MEBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@big")
    pair.write("vault", "bk", 600 * MEBIBYTE)
    done = pair.join("zfs send tank/a@big", "zfs receive -u bk/a")

    assert (done.receiver.exit_code, done.receiver.stderr) == (
        1,
        "cannot receive new filesystem stream: out of space\n",
    )
    assert done.sender.exit_code == 141
    assert pair.ask("vault", "zfs list -H bk/a").exit_code == 1


def test_a_property_that_volumes_do_not_have_refuses_the_volume(pair):
    pair.do("alpha", "zfs create -s -V 64M tank/v", "zfs snapshot tank/v@s1")
    done = pair.join("zfs send tank/v@s1", "zfs receive -u -o canmount=noauto bk/v")

    assert (done.receiver.exit_code, done.receiver.stderr) == (
        1,
        "cannot receive new filesystem stream: property 'canmount' does not apply to datasets of this type\n",
    )


def test_an_account_without_the_right_is_refused(scene):
    scene.state.hosts["alpha"].denied = frozenset(("send",))
    assert scene.ask("alpha", "zfs send tank/a@s1").stderr == "warning: cannot send 'tank/a@s1': permission denied\n"

    scene.state.hosts["alpha"].denied = frozenset()
    scene.state.hosts["vault"].denied = frozenset(("receive",))
    done = scene.join("zfs send tank/a@s1", "zfs receive -u bk/a")

    assert done.receiver.stderr == "cannot receive new filesystem stream: permission denied\n"


def test_an_estimate_needs_no_right(scene):
    scene.state.hosts["alpha"].denied = frozenset(("send",))

    assert scene.ask("alpha", "zfs send -nP tank/a@s1").stdout == "full\ttank/a@s1\t4229800\nsize\t4229800\n"


def test_once_received_with_large_blocks_always_with_large_blocks(pair):
    pair.do("alpha", "zfs set recordsize=1M tank/a")
    pair.write("alpha", "tank/a", 4 << 20)
    pair.do("alpha", "zfs snapshot tank/a@s2", "zfs snapshot tank/a@s3")
    pair.copy("zfs send -L tank/a@s2", "zfs receive -u bk/a")
    done = pair.join("zfs send -i @s2 tank/a@s3", "zfs receive -u bk/a")

    assert done.receiver.stderr == (
        "cannot receive incremental stream: incremental send stream requires -L (--large-block), "
        "to match previous receive.\n"
    )
    pair.copy("zfs send -L -i @s2 tank/a@s3", "zfs receive -u bk/a")


def test_a_large_record_size_alone_makes_no_large_blocks(pair):
    pair.do("alpha", "zfs set recordsize=1M tank/a", "zfs snapshot tank/a@s2")
    pair.copy("zfs send -L tank/a@s1", "zfs receive -u bk/a")
    pair.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u bk/a")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("zfs send -nvP tank/a@s2", ["full\ttank/a@s2\t4229800", "size\t4229800"], id="full"),
        pytest.param(
            "zfs send -nP -i @s1 tank/a@s2", ["incremental\ttank/a@s1\ttank/a@s2\t624", "size\t624"], id="increment"
        ),
        pytest.param(
            "zfs send -nvP -i '#m1' tank/a@s2",
            ["incremental\ttank/a#m1\ttank/a@s2\t624", "size\t624"],
            id="from-a-bookmark",
        ),
        pytest.param(
            "zfs send -n -v -P -L -e -c -I @s1 tank/a@s2",
            ["incremental\ts1\ttank/a@s2\t624", "size\t624"],
            id="several",
        ),
        pytest.param(
            "zfs send -nv tank/a@s2",
            ["full send of tank/a@s2 estimated size is 4.03M", "total estimated size is 4.03M"],
            id="for-people",
        ),
    ],
)
def test_a_dry_run_says_how_long_a_stream_would_be(scene, line, said):
    done = scene.ask("alpha", line)

    assert (done.exit_code, done.stdout.splitlines(), done.stderr) == (0, said, "")


def test_a_real_run_says_the_same_on_stderr(scene):
    done = scene.join("zfs send -vP -i @s1 tank/a@s2", "true")

    assert done.sender.stderr.splitlines() == ["incremental\ttank/a@s1\ttank/a@s2\t624", "size\t624"]


def test_a_base_without_its_sign_is_taken_for_a_snapshot_with_a_warning(scene):
    done = scene.ask("alpha", "zfs send -nP -i s1 tank/a@s2")

    assert done.exit_code == 0
    assert "assuming snapshot" in done.stderr
