"""`zfs receive -F`: a first copy takes the place of a dataset that has nothing to lose."""

from __future__ import annotations

import pytest

from zfsctl.errors import InterruptedOutputError
from zfsctl.sandbox.stream_faults import StreamEnd

FULL = "zfs send tank/a@s1"
RECEIVE = "zfs receive -u -s -F bk/p"


@pytest.fixture
def parent(pair):
    """`vault` has bk/p, made as a parent, with a child that was received."""
    pair.do("vault", "zfs create -u -o zfsctl:parent=1 -o canmount=off bk/p")
    pair.copy(FULL, "zfs receive -u bk/p/child")
    return pair


def test_the_dataset_keeps_its_guid_its_properties_and_its_children(parent):
    guid = parent.value("vault", "guid", "bk/p")
    parent.copy(FULL, f"{RECEIVE[:-4]} -o readonly=on bk/p")

    assert parent.guids("vault", "bk/p") == parent.guids("alpha", "tank/a")
    assert parent.guids("vault", "bk/p/child") == parent.guids("alpha", "tank/a")
    assert parent.value("vault", "guid", "bk/p") == guid
    assert parent.value("vault", "zfsctl:parent", "bk/p") == "1"
    assert parent.value("vault", "readonly", "bk/p") == "on"
    assert parent.value("vault", "mounted", "bk/p") == "no"
    for name in ("referenced", "written"):
        assert parent.value("vault", name, "bk/p@s1") == parent.value("alpha", name, "tank/a@s1")

    parent.do("alpha", "zfs snapshot tank/a@s2")
    parent.copy("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/p")


def test_without_anything_there_it_is_a_plain_first_copy(pair):
    pair.copy(FULL, RECEIVE)

    assert pair.guids("vault", "bk/p") == pair.guids("alpha", "tank/a")


def test_a_cut_one_goes_on_with_F_only(parent):
    parent.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    with pytest.raises(InterruptedOutputError):
        parent.join(FULL, RECEIVE)
    token = parent.value("vault", "receive_resume_token", "bk/p")

    assert parent.value("vault", "inconsistent", "bk/p") == "0"
    parent.document("vault")
    refused = parent.join(f"zfs send -t {token}", "zfs receive -u -s bk/p").receiver
    assert refused.stderr == (
        "cannot receive resume stream: Resuming recv on existing destination 'bk/p'\nmust specify -F to overwrite it\n"
    )
    assert "partially-complete state" in parent.join(FULL, RECEIVE).receiver.stderr

    parent.copy(f"zfs send -t {token}", RECEIVE)

    assert parent.guids("vault", "bk/p") == parent.guids("alpha", "tank/a")


@pytest.mark.parametrize(
    ("prepare", "send", "said"),
    [
        pytest.param(
            ("zfs snapshot bk/p@x",),
            FULL,
            "destination has snapshots (eg. bk/p@x)\nmust destroy them to overwrite it",
            id="snapshots",
        ),
        pytest.param(
            ("zfs destroy -r bk/p", "zfs snapshot bk@x", "zfs clone bk@x bk/p"),
            FULL,
            "destination 'bk/p' is a clone\nmust destroy it to overwrite it",
            id="a-clone",
        ),
        pytest.param(
            ("zfs destroy -r bk/p", "zfs create -o encryption=on -o keyformat=passphrase bk/p"),
            FULL,
            "zfs receive -F cannot be used to destroy an encrypted filesystem"
            " or overwrite an unencrypted one with an encrypted one",
            id="an-encrypted-one",
        ),
        pytest.param(
            (),
            "zfs send -w tank/e@s",
            "zfs receive -F cannot be used to destroy an encrypted filesystem"
            " or overwrite an unencrypted one with an encrypted one",
            id="a-raw-copy",
        ),
        pytest.param(
            (),
            "zfs send tank/v@s",
            "destination has children (eg. bk/p/child)\ncannot overwrite with a ZVOL",
            id="children-below-a-volume",
        ),
    ],
)
def test_what_has_something_to_lose_is_not_replaced(parent, prepare, send, said):
    parent.do("alpha", "zfs create -o encryption=on -o keyformat=passphrase tank/e", "zfs create -V 16M tank/v")
    parent.do("alpha", "zfs snapshot tank/e@s tank/v@s")
    parent.do("vault", *prepare)
    before = parent.document("vault")
    done = parent.join(send, RECEIVE)

    assert (done.receiver.exit_code, done.receiver.stderr) == (1, f"cannot receive new filesystem stream: {said}\n")
    assert parent.document("vault") == before
