"""Laws of send and receive, on generated histories of both ends."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.conftest import new_pair
from tests.sandbox.test_transfer_refusals import without_counters
from zfsctl.errors import HostTimeoutError, InterruptedOutputError, RefusedError, UnknownNameError
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance, discard, overwrite, write

KIBIBYTE = 1 << 10
COLUMNS = "name,guid,creation,referenced"

HISTORY = st.lists(
    st.tuples(
        st.sampled_from(("write", "overwrite", "oldest", "discard", "snapshot", "snapshot", "destroy", "send", "send")),
        st.integers(0, 9),
    ),
    max_size=24,
)
PLACES = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=3)


def names(pair, host, dataset):
    return list(pair.dataset(host, dataset).snapshots)


def listing(pair, host, dataset):
    """What a host says of each snapshot, and the content that it keeps."""
    rows = pair.ask(host, f"zfs list -Hp -t snapshot -o {COLUMNS} {dataset}").stdout.splitlines()
    snapshots = pair.dataset(host, dataset).snapshots.values()
    return {each.name: (row.split("\t")[1:], each.content) for row, each in zip(rows, snapshots, strict=True)}


def play(pair, history):
    """Let the sender live; `send` brings over all that is newer than the base, or the newest from a bookmark of it."""
    for place, (word, number) in enumerate(history):
        size = (number + 1) * 64 * KIBIBYTE
        match word:
            case "write":
                write(pair.state, "alpha", "tank/a", size, path=f"file{number}", text=f"{place}")
            case "overwrite":
                overwrite(pair.state, "alpha", "tank/a", size)
            case "oldest":
                overwrite(pair.state, "alpha", "tank/a", size, oldest=True)
            case "discard":
                discard(pair.state, "alpha", "tank/a", size, path=f"file{number}")
            case "snapshot":
                pair.do("alpha", f"zfs snapshot tank/a@n{place}")
            case "destroy":
                kept = names(pair, "alpha", "tank/a")
                pair.do("alpha", f"zfs destroy tank/a@{kept[number % len(kept)]}") if len(kept) > 1 else None
            case "send":
                send(pair, several=number % 2 == 0)


def send(pair, *, several):
    newest = names(pair, "alpha", "tank/a")[-1]
    if "bk/a" not in pair.state.hosts["vault"].pools["bk"].datasets:
        pair.copy(f"zfs send tank/a@{newest}", "zfs receive -u -s bk/a")
    else:
        base = names(pair, "vault", "bk/a")[-1]
        sender = pair.dataset("alpha", "tank/a")
        if sender.snapshots[newest].createtxg <= sender.bookmarks[base].createtxg:
            return
        if base in names(pair, "alpha", "tank/a"):
            line = f"zfs send {'-I' if several else '-i'} @{base} tank/a@{newest}"
        else:
            line = f"zfs send -i '#{base}' tank/a@{newest}"
        pair.copy(line, "zfs receive -u -s bk/a")
    if newest not in pair.dataset("alpha", "tank/a").bookmarks:
        pair.do("alpha", f"zfs bookmark tank/a@{newest} '#{newest}'")


def assert_equal_ends(pair):
    sent, received = listing(pair, "alpha", "tank/a"), listing(pair, "vault", "bk/a")
    for name in sent.keys() & received.keys():
        assert sent[name] == received[name]
    assert pair.value("vault", "written", "bk/a") == "0"


@given(HISTORY)
def test_what_was_received_is_what_was_sent(history):
    pair = new_pair()
    play(pair, [*history, ("send", 0)])

    assert_equal_ends(pair)
    pair.document("vault")


@given(HISTORY)
def test_the_same_snapshots_hold_the_same_space_on_both_ends(history):
    pair = new_pair()
    play(pair, [each for each in history if each[0] not in ("send", "destroy")])
    first, *_, last = names(pair, "alpha", "tank/a") * 2
    pair.copy(f"zfs send tank/a@{first}", "zfs receive -u bk/a")
    if first != last:
        pair.copy(f"zfs send -I @{first} tank/a@{last}", "zfs receive -u bk/a")
    pair.do("alpha", f"zfs rollback tank/a@{last}")

    sent, received = pair.dataset("alpha", "tank/a").space(), pair.dataset("vault", "bk/a").space()
    assert sent == received


@given(HISTORY, PLACES)
def test_a_stream_that_was_cut_and_resumed_ends_like_one_that_was_not(history, places):
    cut, whole = new_pair(), new_pair()
    for pair in (cut, whole):
        play(pair, history)
        write(pair.state, "alpha", "tank/a", 300 * KIBIBYTE)
        pair.do("alpha", "zfs snapshot tank/a@last")
    first = "bk/a" not in cut.state.hosts["vault"].pools["bk"].datasets
    base = "" if first else f"-i '#{names(cut, 'vault', 'bk/a')[-1]}' "
    line = f"zfs send {base}tank/a@last"
    whole.copy(line, "zfs receive -u -s bk/a")
    for place in places:
        cut.fleet.faults.end_stream(StreamEnd.CUT, place)
        with pytest.raises(InterruptedOutputError):
            cut.join(line, "zfs receive -u -s bk/a")
        if "bk/a" in cut.state.hosts["vault"].pools["bk"].datasets:
            token = cut.value("vault", "receive_resume_token", "bk/a")
            line = line if token == "-" else f"zfs send -t {token}"
    cut.copy(line, "zfs receive -u -s bk/a")

    assert cut.guids("vault", "bk/a") == whole.guids("vault", "bk/a")
    one, other = cut.dataset("vault", "bk/a"), whole.dataset("vault", "bk/a")
    assert one.space() == other.space()
    assert {name: each.content for name, each in one.snapshots.items()} == {
        name: each.content for name, each in other.snapshots.items()
    }
    assert (one.inconsistent, one.receive_resume_token, one.mounted) == (False, "", False)


OWN = st.lists(st.sampled_from(("write", "snapshot", "clash", "rollback", "promote", "other")), max_size=4, unique=True)


@given(HISTORY, OWN, st.booleans(), st.sampled_from(("", "-w ", "-L -e -c ")))
def test_a_refused_receive_changes_nothing(history, own, several, flags):
    pair = new_pair()
    play(pair, [*history, ("send", 0)])
    base = names(pair, "vault", "bk/a")[-1]
    write(pair.state, "alpha", "tank/a", 100 * KIBIBYTE)
    pair.do("alpha", "zfs snapshot tank/a@last")
    for word in own:
        match word:
            case "write":
                write(pair.state, "vault", "bk/a", 1)
            case "snapshot":
                pair.do("vault", "zfs snapshot bk/a@own")
            case "clash":
                pair.do("vault", "zfs snapshot bk/a@last")
            case "rollback" if names(pair, "vault", "bk/a"):
                pair.do("vault", f"zfs rollback -r bk/a@{names(pair, 'vault', 'bk/a')[0]}")
            case "promote" if names(pair, "vault", "bk/a"):
                pair.do("vault", f"zfs clone bk/a@{names(pair, 'vault', 'bk/a')[0]} bk/c", "zfs promote bk/c")
            case "other":
                pair.do("vault", "zfs create -o readonly=on bk/other")
    before = without_counters(pair.document("vault"))
    option = "-I" if several and base in names(pair, "alpha", "tank/a") else "-i"
    sign = "@" if base in names(pair, "alpha", "tank/a") else "#"
    done = pair.join(f"zfs send {flags}{option} '{sign}{base}' tank/a@last", "zfs receive -u -o readonly=on bk/a")

    assert done.sender.stderr == ""
    after = without_counters(pair.document("vault"))
    assert (after == before) == (done.receiver.exit_code != 0), done.receiver


ANYTHING = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "cut",
                "cut",
                "lost",
                "resume",
                "full",
                "increment",
                "several",
                "abort",
                "advance",
                "write",
                "snapshot",
                "rollback",
                "rename",
                "rebuild",
                "clone",
                "destroy",
                "bookmark",
                "replace",
            )
        ),
        st.integers(0, 9),
    ),
    max_size=20,
)


def tell(pair, word, number):
    """Let something happen, whatever comes of it."""
    old, new = ("bk/a", "bk/b") if number % 2 else ("bk/b", "bk/a")
    receive = f"zfs receive -u {'-s ' if number % 3 else ''}{old}"
    match word:
        case "cut" | "lost":
            end = StreamEnd.LOST if word == "lost" else StreamEnd.CUT
            pair.fleet.faults.end_stream(end, (number + 1) / 11)
        case "resume":
            token = pair.ask("vault", f"zfs get -Hp -o value receive_resume_token {old}").stdout.strip() or "-"
            run(pair, f"zfs send -t {token}", receive)
        case "full":
            run(pair, f"zfs send {'-w ' if number > 6 else ''}tank/a@s{number % 3 + 1}", receive)
        case "increment":
            run(pair, f"zfs send -i @s{number % 3 + 1} tank/a@s{number % 4 + 2}", receive)
        case "several":
            run(pair, f"zfs send -I @s1 tank/a@s{number % 4 + 2}", receive)
        case "replace":
            run(pair, "zfs send tank/a@s1", f"zfs receive -u -s -F {old}")
        case "abort":
            pair.ask("vault", f"zfs receive -A {old}")
        case "advance":
            advance(pair.state, 60)
        case "write":
            with contextlib.suppress(RefusedError, UnknownNameError):
                overwrite(pair.state, "vault", old, number * KIBIBYTE)
        case "snapshot":
            pair.ask("vault", f"zfs snapshot {old}@own{number}")
        case "rollback":
            pair.ask("vault", f"zfs rollback -r {old}@s{number % 3 + 1}")
        case "rename":
            pair.ask("vault", f"zfs rename -u {old} {new}")
        case "rebuild":
            pair.ask("vault", f"zfs clone {old}@s{number % 3 + 1} {new}")
            pair.ask("vault", f"zfs promote {new}")
        case "clone":
            pair.ask("vault", f"zfs clone {old}@s{number % 3 + 1} {old}/c{number}")
        case "destroy":
            pair.ask("vault", f"zfs destroy {'-r ' if number % 2 else ''}{old}{'@own1' if number > 6 else ''}")
        case "bookmark":
            pair.ask("vault", f"zfs bookmark {old}@s1 {old}#m{number}")


def run(pair, send, receive):
    with contextlib.suppress(InterruptedOutputError):
        pair.join(send, receive)


@given(ANYTHING)
def test_whatever_happens_the_receiver_can_be_stored_and_listed_and_loses_no_byte_of_account(history):
    pair = new_pair()
    for number in range(2, 6):
        overwrite(pair.state, "alpha", "tank/a", number * 100 * KIBIBYTE)
        pair.do("alpha", f"zfs snapshot tank/a@s{number}")
    pair.copy("zfs send tank/a@s1", "zfs receive -u bk/a")
    guids = dict(zip(names(pair, "alpha", "tank/a"), pair.guids("alpha", "tank/a"), strict=True))
    hung = False
    for word, number in history:
        try:
            tell(pair, word, number)
        except HostTimeoutError:
            hung = True
        pair.document("vault")
    pool = pair.state.hosts["vault"].pools["bk"]

    assert hung == pool.hung
    listing = pair.ask(
        "vault", "zfs list -Hp -r -t all -o name,guid,used,written,clones,origin,receive_resume_token bk"
    )
    assert listing.clean
    for row in listing.stdout.splitlines():
        name, guid, *_ = row.split("\t")
        short = name.partition("@")[2]
        assert short not in guids or guids[short] == guid
    assert int(pair.value("vault", "used", "bk")) == pool.allocated()
    for dataset in pool.datasets.values():
        assert dataset.inconsistent == bool(dataset.receive_resume_token or dataset.receiving)
        assert not dataset.name.endswith("%recv") or dataset.name.rpartition("/")[0] in pool.datasets
