"""Every question that replication puts to a host is answered so that its own reader understands it."""

from __future__ import annotations

import pytest

from zfsctl.errors import InterruptedOutputError
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.zfs.bookmarks import argv_list_bookmarks, parse_bookmarks
from zfsctl.zfs.chains import argv_list_ivsets, argv_marks, parse_ivsets, parse_marks
from zfsctl.zfs.datasets import argv_list_datasets, parse_datasets
from zfsctl.zfs.holds import argv_list_holds, parse_holds
from zfsctl.zfs.pools import STREAM_FEATURES, argv_pool_features, parse_pool_features
from zfsctl.zfs.receiving import ReceiveRefusal, argv_abort_receive, argv_receive, refusal_of
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.sending import argv_describe_token, parse_token
from zfsctl.zfs.snapshots import argv_list_snapshots, parse_snapshots

EVERYTHING = Scope(("bk",), recursive=True)


@pytest.fixture
def copied(pair):
    """A raw copy, a plain copy whose next increment was cut, and the marks of a repair."""
    pair.do("alpha", "zfs create -o encryption=on -o keyformat=passphrase tank/e", "zfs snapshot tank/e@s1")
    pair.copy("zfs send -w tank/e@s1", "zfs receive -u -s bk/e")
    pair.copy("zfs send tank/a@s1", "zfs receive -u -s bk/a")
    pair.write("alpha", "tank/a", 1 << 20)
    pair.do("alpha", "zfs snapshot tank/a@s2")
    pair.fleet.faults.end_stream(StreamEnd.CUT, 0.5)
    with pytest.raises(InterruptedOutputError):
        pair.join("zfs send -i @s1 tank/a@s2", "zfs receive -u -s bk/a")
    pair.do("vault", "zfs create -o zfsctl:repair=7 bk/new", "zfs hold zfsctl:x:base bk/a@s1")
    pair.do("vault", "zfs bookmark bk/e@s1 '#m'")
    return pair


def answer(pair, command, host="vault"):
    done = pair.fleet.host(host).run(command)
    assert done.clean, done
    return done.stdout


def test_datasets_show_tokens_and_keys(copied):
    found = parse_datasets(answer(copied, argv_list_datasets()))

    assert sorted(found) == ["bk", "bk/a", "bk/e", "bk/new"]
    assert found["bk/a"].receive_resume_token
    assert not found["bk/a"].inconsistent
    assert (found["bk/e"].encryption, found["bk/e"].encryptionroot) == ("aes-256-gcm", "bk/e")


def test_snapshots_show_the_hidden_clone(copied):
    found = parse_snapshots(answer(copied, argv_list_snapshots(EVERYTHING)).splitlines())

    assert found["bk/a"][0].clones == ("bk/a/%recv",)
    assert found["bk/a"][0].userrefs == 1


def test_bookmarks_holds_marks_and_features_are_read(copied):
    (mark,) = parse_bookmarks(answer(copied, argv_list_bookmarks(EVERYTHING)))["bk/e"]
    (hold,) = parse_holds(answer(copied, argv_list_holds(["bk/a@s1", "bk/e@s1"])))

    assert (mark.name, str(mark.guid)) == ("m", copied.value("alpha", "guid", "tank/e@s1"))
    assert (hold.snapshot, hold.tag) == ("bk/a@s1", "zfsctl:x:base")
    assert parse_marks(answer(copied, argv_marks(["bk"]))) == {"bk/new": {"zfsctl:repair": "7"}}
    assert parse_pool_features(answer(copied, argv_pool_features(["bk"]))) == {"bk": frozenset(STREAM_FEATURES)}


def test_equal_ivsets_show_a_raw_chain(copied):
    there = parse_ivsets(answer(copied, argv_list_ivsets(EVERYTHING)))
    here = parse_ivsets(answer(copied, argv_list_ivsets(Scope(("tank",), recursive=True)), "alpha"))

    assert there["bk/e@s1"] == there["bk/e#m"] == here["tank/e@s1"]
    assert "bk/a@s1" not in there


def test_a_token_is_described_by_any_host(copied):
    text = copied.value("vault", "receive_resume_token", "bk/a")
    for host in ("alpha", "vault"):
        token = parse_token(text, copied.fleet.host(host).run(argv_describe_token(text)))

        assert token.to_name == "tank/a@s2"
        assert str(token.to_guid) == copied.value("alpha", "guid", "tank/a@s2")
        assert str(token.from_guid) == copied.value("alpha", "guid", "tank/a@s1")


def test_refusals_are_told_apart(copied):
    send = "zfs send -i @s1 tank/a@s2"

    def refusal(send, target):
        line = " ".join(argv_receive(target).argv)
        return refusal_of(copied.join(send, line).receiver)

    assert refusal(send, "bk/a") is ReceiveRefusal.PARTIAL_STATE
    assert (
        copied.fleet.host("vault")
        .run(argv_abort_receive("bk/a", copied.value("vault", "receive_resume_token", "bk/a")))
        .clean
    )
    assert refusal(send, "bk/none") is ReceiveRefusal.MISSING
    assert refusal(send, "bk/new") is ReceiveRefusal.NO_BASE
    assert refusal("zfs send tank/a@s1", "bk/a") is ReceiveRefusal.EXISTS
    assert refusal("zfs send tank/a@s1", "bk/e/below") is ReceiveRefusal.KEY
    assert refusal("true", "bk/x") is ReceiveRefusal.NO_STREAM
    copied.write("vault", "bk/a", 1)
    assert refusal(send, "bk/a") is ReceiveRefusal.MODIFIED
