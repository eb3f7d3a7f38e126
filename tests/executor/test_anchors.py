"""Moving the anchors: only to what is seen on the receiver, new ones before old ones, whenever the program dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.executor.conftest import Asked
from tests.executor.transfers import CLOSED, Ends, new_ends, said
from zfsctl.executor.anchors import apply_anchors
from zfsctl.model.command import Command
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import MoveAnchors, cursor_name
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.stream_faults import StreamEnd

BASE, SEND = "zfsctl:r:base", "zfsctl:r:send"


@pytest.fixture
def ends() -> Ends:
    """s1 and s2 have arrived; the anchors are at s1, and s1 and s2 are held in flight."""
    made = new_ends()
    made.copy("s1, s1>s2")
    made.zfs("alpha", f"bookmark tank/a@s1 tank/a#{made.cursor('s1')}")
    made.zfs("alpha", f"hold {SEND} tank/a@s1 tank/a@s2")
    made.zfs("beta", f"hold {BASE} bk/a@s1")
    made.fleet.faults.log.clear()
    return made


def step(ends: Ends, chain: str | tuple[SnapshotRef, ...] = "s1 s2", **changes: object) -> MoveAnchors:
    found = {
        "bookmarks": (SnapshotRef(ends.cursor("s1"), ends.ref("s1").guid),),
        "held": ends.refs("s1"),
        "in_flight": ends.refs("s1 s2"),
        **changes,
    }
    return ends.anchors(chain, **found)


def apply(ends: Ends, *steps: MoveAnchors) -> StepOutcome:
    return apply_anchors(steps, ends.fleet)[0]


def moves(ends: Ends) -> None:
    """Everything is where it belongs after s2 has arrived."""
    assert ends.cursors() == [ends.cursor("s2")]
    assert ends.tags("beta", "bk/a") == {"s2": [BASE]}
    assert ends.tags("alpha", "tank/a") == {}


def test_they_move_to_what_has_arrived(ends: Ends) -> None:
    outcome = apply(ends, step(ends))

    assert said(outcome) == ("done", "")
    assert [(one.dataset, one.snapshot) for one in outcome.members] == [("bk/a", "s2")]
    moves(ends)


def test_the_new_ones_stand_before_the_old_ones_go(ends: Ends) -> None:
    apply(ends, step(ends))

    words = ("zfs hold ", "zfs bookmark ", "zfs destroy ", "zfs release ")
    asked = [line.split(" bk/")[0].split(" tank/")[0] for line in ends.asked("zfs ") if line.startswith(words)]
    assert (set(asked[:2]), set(asked[2:-1]), asked[-1]) == (
        {f"zfs hold {BASE}", "zfs bookmark"},
        {f"zfs release {BASE}", f"zfs release {SEND}"},
        "zfs destroy",
    )


def test_as_long_as_an_old_hold_could_not_go_its_cursor_stays(ends: Ends) -> None:
    """A short look sees all cursors, and of the holds only those on the newest snapshots."""
    ends.fleet.faults.fail(f"zfs release {BASE}", "cannot release: permission denied")

    apply(ends, step(ends))

    assert BASE in ends.tags("beta", "bk/a")["s1"]
    assert {ends.cursor("s1"), ends.cursor("s2")} <= set(ends.cursors())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_kill_at_any_change_leaves_a_base_and_the_next_run_ends_it(ends: Ends, number: int, after: bool) -> None:
    ends.fleet.faults.kill(number, after=after)
    with pytest.raises(KilledAt):
        apply(ends, step(ends))
    ends.fleet.faults.clear()

    held = {name for name, tags in ends.tags("beta", "bk/a").items() if BASE in tags}
    marked = {name for name in ("s1", "s2") if ends.cursor(name) in ends.cursors()}
    assert held
    assert marked
    assert held & marked, "one snapshot is known to both ends by its anchors alone"

    cursors = tuple(SnapshotRef(ends.cursor(name), ends.ref(name).guid) for name in sorted(marked))
    in_flight = ends.refs(" ".join(ends.tags("alpha", "tank/a")))
    outcome = apply(
        ends, step(ends, "s2", bookmarks=cursors, held=ends.refs(" ".join(sorted(held))), in_flight=in_flight)
    )

    assert said(outcome) == ("done", "")
    moves(ends)


def test_what_was_sent_and_has_not_arrived_moves_nothing(ends: Ends) -> None:
    """The plan hoped for s3 and s4; what counts is what is there."""
    outcome = apply(ends, step(ends, "s1 s2 s3 s4", in_flight=ends.refs("s1 s2 s3 s4")))

    assert said(outcome) == ("done", "")
    moves(ends)


def test_a_name_that_has_another_guid_on_the_receiver_has_not_arrived(ends: Ends) -> None:
    ends.zfs("beta", "snapshot bk/a@s3")

    apply(ends, step(ends, "s1 s2 s3"))

    moves(ends)


def test_nothing_arrived_at_all(ends: Ends) -> None:
    ends.zfs("alpha", "create tank/b")

    outcome = apply(ends, step(ends, "s3 s4", receiver="bk/b", held=(), in_flight=ends.refs("s1 s2")))

    assert said(outcome) == ("done", "nothing has arrived yet")
    assert outcome.members == ()
    assert ends.cursors() == [ends.cursor("s1")]
    assert ends.tags("alpha", "tank/a") == {}, "nothing is in flight any more"


def test_what_waits_to_be_gone_on_with_stays_held(ends: Ends) -> None:
    ends.zfs("alpha", f"hold {SEND} tank/a@s3")
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
    with pytest.raises(AssertionError):
        ends.copy("s2>s3")
    assert ends.token()

    outcome = apply(ends, step(ends, "s1 s2 s3", in_flight=ends.refs("s1 s2 s3")))

    assert said(outcome) == ("done", "")
    assert ends.cursors() == [ends.cursor("s2")]
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2", "s3"}


def test_a_base_of_which_only_a_bookmark_is_left_gets_a_cursor_of_its_name(ends: Ends) -> None:
    ends.zfs("alpha", "bookmark tank/a@s2 tank/a#by-hand")
    ends.zfs("alpha", f"release {SEND} tank/a@s1 tank/a@s2")
    base = SnapshotRef("#by-hand", ends.ref("s2").guid)
    cursor = ends.cursor("s2")
    ends.zfs("alpha", "destroy tank/a@s2")

    old = (SnapshotRef(ends.cursor("s1"), ends.ref("s1").guid),)
    outcome = apply(ends, ends.anchors((base, *ends.refs("s3")), bookmarks=old, held=ends.refs("s1")))

    assert said(outcome) == ("done", "")
    assert sorted(ends.cursors()) == sorted(["by-hand", cursor])
    assert ends.tags("beta", "bk/a") == {"s2": [BASE]}


def test_a_hold_is_let_go_where_it_is_and_not_where_its_name_is_now(ends: Ends) -> None:
    """The held snapshot was renamed, because another one of its name was to arrive: names come again, guids do not."""
    held = SnapshotRef("s2", ends.ref("s1").guid)

    outcome = apply(ends, step(ends, held=(held,)))

    assert said(outcome) == ("done", "")
    moves(ends)


def test_anchors_of_others_are_not_touched(ends: Ends) -> None:
    ends.zfs("alpha", "bookmark tank/a@s1 tank/a#zfsctl-other-0000000000000001")
    ends.zfs("alpha", "hold zfsctl:other:send tank/a@s1")
    ends.zfs("beta", "hold zfsctl:other:base bk/a@s1")
    ends.zfs("beta", "hold legal bk/a@s1")

    apply(ends, step(ends))

    assert sorted(ends.cursors()) == sorted([ends.cursor("s2"), "zfsctl-other-0000000000000001"])
    assert ends.tags("alpha", "tank/a") == {"s1": ["zfsctl:other:send"]}
    assert sorted(ends.tags("beta", "bk/a")["s1"]) == ["legal", "zfsctl:other:base"]


def test_a_cursor_that_cannot_be_made_leaves_the_old_ones(ends: Ends) -> None:
    ends.fleet.faults.fail("zfs bookmark", "cannot create bookmark: permission denied")

    outcome = apply(ends, step(ends))

    cursor = ends.cursor("s2")
    assert said(outcome) == (
        "failed",
        f"the cursor #{cursor} could not be made: cannot create bookmark: permission denied",
    )
    assert ends.cursors() == [ends.cursor("s1")]
    assert set(ends.tags("beta", "bk/a")) == {"s1", "s2"}, "the old hold stays until the new cursor stands"


def test_a_cursor_that_zfs_only_claims_to_have_made_is_not_believed(ends: Ends) -> None:
    ends.fleet.faults.lie("zfs bookmark")

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert ends.cursors() == [ends.cursor("s1")]


@pytest.mark.parametrize("how", ["lie", "fail"])
def test_a_hold_that_is_not_there_afterwards_leaves_the_old_anchors(ends: Ends, how: str) -> None:
    if how == "lie":
        ends.fleet.faults.lie(f"zfs hold {BASE}")
    else:
        ends.fleet.faults.fail(f"zfs hold {BASE}", "cannot hold: permission denied")

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert outcome.detail.startswith("bk/a@s2 could not be held on the receiver: ")
    assert ends.tags("beta", "bk/a") == {"s1": [BASE]}
    assert set(ends.cursors()) == {ends.cursor("s1"), ends.cursor("s2")}, "what is held there keeps its cursor here"


def test_a_sender_that_did_not_let_go_keeps_its_old_cursor_so_that_the_next_run_looks(ends: Ends) -> None:
    ends.fleet.faults.cut(f"zfs release {SEND}", 0)

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert ends.tags("alpha", "tank/a")["s2"] == [SEND]
    assert set(ends.cursors()) == {ends.cursor("s1"), ends.cursor("s2")}


def test_a_sender_that_is_away_is_dialled_once_and_told_and_the_old_hold_stays(ends: Ends) -> None:
    ends.fleet.faults.break_link("alpha")
    before = ends.fleet.host("alpha").exchanges

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert outcome.detail.count("alpha was not reached") == 1
    assert ends.fleet.host("alpha").exchanges - before == 1
    assert set(ends.tags("beta", "bk/a")) == {"s1", "s2"}


def test_a_receiver_that_is_away_moves_nothing(ends: Ends) -> None:
    ends.fleet.faults.break_link("beta")

    outcome = apply(ends, step(ends))

    assert (outcome.result, outcome.code) == ("unreachable", "unreachable")
    assert ends.cursors() == [ends.cursor("s1")]
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}


def first_line(text: str) -> str:
    return "".join(text.splitlines(True)[:1])


def test_a_listing_that_leaves_the_newest_out_moves_to_what_it_shows(ends: Ends) -> None:
    ends.fleet.faults.edit("-t snapshot", first_line, times=2)

    apply(ends, step(ends))

    assert ends.cursors(), "a base is never let go for one that was not seen"
    assert BASE in ends.tags("beta", "bk/a")["s1"]


def test_only_what_should_be_there_is_looked_at_and_by_its_name(ends: Ends) -> None:
    """Receivers keep hundreds of snapshots, each of which takes a host ten milliseconds to list."""
    apply(ends, step(ends))

    assert [line for line in ends.asked("zfs list") if "-t snapshot" in line] == [
        "zfs list -Hp -t snapshot -o name,guid bk/a@s2 bk/a@s1"
    ]


def test_only_a_receiver_that_lacks_the_newest_is_listed_as_a_whole(ends: Ends) -> None:
    others = many(ends, 3)
    ends.fleet.faults.log.clear()

    outcomes = apply_anchors([*others, step(ends, "s1 s2 s3")], ends.fleet)

    assert {said(outcome) for outcome in outcomes} == {("done", "")}
    assert [line.split()[-1] for line in ends.asked("zfs list -d 1") if "-t snapshot" in line] == ["bk/a"]
    assert ends.cursors() == [ends.cursor("s2")]


def test_a_name_that_an_answer_leaves_out_without_a_word_is_looked_for_once_more(ends: Ends) -> None:
    ends.fleet.faults.edit("-t snapshot -o name,guid", first_line, times=1)

    assert said(apply(ends, step(ends))) == ("done", "")
    moves(ends)


def test_what_arrived_and_was_renamed_there_is_found_by_its_guid(ends: Ends) -> None:
    ends.zfs("beta", "rename bk/a@s2 bk/a@other")

    outcome = apply(ends, step(ends))

    assert said(outcome) == ("done", "")
    assert [one.snapshot for one in outcome.members] == ["other"]
    assert ends.tags("beta", "bk/a") == {"other": [BASE]}
    assert ends.cursors() == [ends.cursor("s2")]


def test_a_receiver_that_cannot_be_listed_where_it_has_to_be_stops_nobody_else(ends: Ends) -> None:
    others = many(ends, 2)
    ends.fleet.faults.fail("zfs list -d 1", "cannot iterate filesystems: I/O error", host="beta")

    outcomes = apply_anchors([others[0], step(ends, "s1 s2 s3"), others[1]], ends.fleet)

    assert [str(outcome.result) for outcome in outcomes] == ["done", "failed", "done"]
    assert outcomes[1].detail == "beta: what bk/a has was not seen: cannot iterate filesystems: I/O error"
    assert ends.cursors() == [ends.cursor("s1")]
    assert ends.tags("beta", "bk/a") == {"s1": [BASE]}
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}, "what was not seen stays held"


def test_a_name_that_is_too_long_for_its_receiver_spoils_the_look_at_no_other(ends: Ends) -> None:
    """Such a snapshot cannot arrive, and OpenZFS does not merely say that it does not exist."""
    (other,) = many(ends, 1)
    name = "s" * 245
    ends.zfs("alpha", f"snapshot tank/a@{name}")
    deep = "bk/a-receiver-with-more-to-its-name"
    ends.zfs("beta", f"create {deep}")

    outcomes = apply_anchors([other, step(ends, f"s1 s2 {name}", receiver=deep, held=())], ends.fleet)

    assert [said(outcome) for outcome in outcomes] == [("done", ""), ("done", "nothing has arrived yet")]


def test_a_receiver_of_which_zfs_says_nothing_has_not_vanished(ends: Ends) -> None:
    ends.fleet.faults.edit("-t filesystem,volume", first_line)

    outcome = apply(ends, step(ends))

    assert said(outcome) == ("failed", "beta: what bk/a has was not seen: zfs did not list it, nor say why")
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}
    assert ends.cursors() == [ends.cursor("s1")]


def test_a_receiver_that_cannot_be_listed_moves_nothing_and_lets_nothing_go(ends: Ends) -> None:
    """What is not seen has not vanished."""
    ends.fleet.faults.fail(
        "zfs list", "cannot iterate filesystems: pool I/O is currently suspended", times=None, host="beta"
    )

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert "suspended" in outcome.detail
    ends.fleet.faults.clear()
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}
    assert ends.cursors() == [ends.cursor("s1")]


def test_a_receiver_whose_pool_was_unplugged_meanwhile_lets_nothing_go(ends: Ends) -> None:
    pool = ends.sim.hosts["beta"].pools.pop("bk")

    outcome = apply(ends, step(ends))

    assert outcome.result == "failed"
    assert outcome.detail == "beta: what bk/a has was not seen: pool bk is not there"
    ends.sim.hosts["beta"].pools["bk"] = pool
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}


@pytest.mark.parametrize(
    ("denied", "said_of"),
    [
        pytest.param("canmount", "canmount is on instead of noauto: `zfs allow` the right to set it", id="canmount"),
        pytest.param("readonly", "readonly is off instead of on: `zfs allow` the right to set it", id="readonly"),
    ],
)
def test_a_first_copy_that_came_without_its_properties_fails_that_dataset_only(denied: str, said_of: str) -> None:
    """T14: receive exits 0 without them."""
    ends = new_ends()
    ends.copy("s1")
    ends.zfs("beta", f"set {'readonly=on' if denied == 'canmount' else 'canmount=noauto'} bk/a")
    ends.zfs("alpha", "create tank/b")
    ends.zfs("alpha", "snapshot tank/b@s1")
    good = ends.ref("s1", "tank/b")
    ends.zfs("beta", "create -o readonly=on -o canmount=noauto bk/b")

    wrong, other = apply_anchors(
        [ends.anchors("s1", properties=CLOSED), ends.anchors((good,), sender="tank/b", receiver="bk/b")],
        ends.fleet,
    )

    assert said(wrong) == ("failed", said_of)
    assert said(other) == ("done", "nothing has arrived yet")
    assert ends.cursors() == [ends.cursor("s1")], "it has arrived all the same, and is not lost"
    assert ends.tags("beta", "bk/a") == {"s1": [BASE]}


def test_a_first_copy_that_is_closed_is_well(ends: Ends) -> None:
    ends.zfs("beta", "set readonly=on bk/a")
    ends.zfs("beta", "set canmount=noauto bk/a")

    assert said(apply(ends, step(ends, properties=CLOSED))) == ("done", "")


def test_why_and_until_when_a_snapshot_is_kept_goes_with_it(ends: Ends) -> None:
    notes = ((ends.ref("s2"), (("zfsctl:reason", "before the upgrade"), ("zfsctl:expires", "1800000000"))),)

    apply(ends, step(ends, notes=notes))

    (row,) = ends.zfs("beta", "list -Hp -o zfsctl:reason,zfsctl:expires bk/a@s2")
    assert row.split("\t") == ["before the upgrade", "1800000000"]


def test_a_snapshot_that_merely_has_the_name_gets_neither_an_end_nor_another_reason(ends: Ends) -> None:
    """The receiver's own, kept for ever: what was to arrive under its name did not, as its rename had failed."""
    ends.zfs("beta", "snapshot -o zfsctl:reason=own bk/a@s3")
    notes = ((ends.ref("s3"), (("zfsctl:reason", "theirs"), ("zfsctl:expires", "5"))),)

    apply(ends, step(ends, "s1 s2 s3", notes=notes))

    (row,) = ends.zfs("beta", "list -Hp -o zfsctl:reason,zfsctl:expires bk/a@s3")
    assert row.split("\t") == ["own", "-"]


def test_a_name_that_openzfs_refuses_is_the_matter_of_one_pair(ends: Ends) -> None:
    """Of so long a sender no cursor can be made; the others of its batch get theirs."""
    long = f"tank/{'x' * 225}"
    ends.zfs("alpha", f"create {long}")
    ends.zfs("alpha", f"snapshot {long}@s1")
    sent = ends.fleet.pipe(
        *("alpha", Command(("zfs", "send", f"{long}@s1"))), *("beta", Command(("zfs", "receive", "-u", "bk/long")))
    )
    assert sent.receiver.exit_code == 0, sent
    refused = ends.anchors((ends.ref("s1", long),), sender=long, receiver="bk/long")

    bad, good = apply_anchors([refused, step(ends)], ends.fleet)

    assert (bad.result, good.result) == (Result.FAILED, Result.DONE)
    assert "longer than the 255 bytes" in bad.detail
    moves(ends)


def many(ends: Ends, count: int = 30) -> list[MoveAnchors]:
    """The steps after first copies of so many datasets."""
    steps = []
    for number in range(count):
        sender, receiver = f"tank/d{number}", f"bk/d{number}"
        ends.zfs("alpha", f"create {sender}")
        ends.zfs("alpha", f"snapshot {sender}@s1")
        sent = ends.fleet.pipe(
            *("alpha", Command(("zfs", "send", f"{sender}@s1"))), *("beta", Command(("zfs", "receive", "-u", receiver)))
        )
        assert sent.receiver.exit_code == 0, sent
        steps.append(ends.anchors((ends.ref("s1", sender),), sender=sender, receiver=receiver))
    return steps


def test_six_exchanges_for_any_number_of_datasets() -> None:
    ends = new_ends()
    steps = many(ends)
    ends.copy("s1")
    ends.zfs("alpha", f"hold {SEND} tank/a@s1")
    steps.append(ends.anchors("s1", in_flight=ends.refs("s1"), properties=CLOSED))
    before = ends.fleet.host("alpha").exchanges + ends.fleet.host("beta").exchanges

    apply_anchors(steps, ends.fleet)

    assert ends.fleet.host("alpha").exchanges + ends.fleet.host("beta").exchanges - before <= 5


def test_changes_that_wait_for_a_transaction_group_each_run_beside_each_other(asked: Asked) -> None:
    ends = new_ends()
    steps = [
        replace(step, bookmarks=(SnapshotRef("old", 1),), in_flight=(ends.ref("s1", step.sender),))
        for step in many(ends, 20)
    ]
    for step in steps:
        ends.zfs("alpha", f"bookmark {step.sender}@s1 {step.sender}#old")
        ends.zfs("alpha", f"hold {SEND} {step.sender}@s1")
    asked.clear()

    outcomes = apply_anchors(steps, ends.fleet)

    assert {said(outcome) for outcome in outcomes} == {("done", "")}
    by_verb: dict[str, list[Command]] = {}
    for commands, _ in asked:
        for command in commands:
            by_verb.setdefault(command.argv[1], []).append(command)
    assert {verb for verb, commands in by_verb.items() if all(one.beside for one in commands)} == {
        "bookmark",
        "destroy",
        "hold",
        "release",
        "set",
    }
    assert (len(by_verb["bookmark"]), len(by_verb["destroy"]), len(by_verb["set"])) == (20, 20, 3)
    assert {ends.zfs("beta", f"get -Hp -o value zfsctl:source-properties {step.receiver}")[0] for step in steps} == {
        "{}"
    }


def test_a_busy_host_gets_more_time_than_for_a_short_question(asked: Asked) -> None:
    """Fifty changes that wait a second each are not done in the minute that a question may take."""
    ends = new_ends()
    steps = many(ends, 10)
    asked.clear()

    apply_anchors(steps, ends.fleet)

    assert len(asked) == 4
    assert all(timeout is not None and timeout >= 600 + 10 * len(commands) for commands, timeout in asked)


def settled(ends: Ends, count: int = 3) -> list[MoveAnchors]:
    """The steps of the next increment of so many datasets, of which the receiver keeps what was set before."""
    steps = []
    for first in many(ends, count):
        assert said(apply(ends, first)) == ("done", "")
        at = SnapshotRef(cursor_name("r", first.chain[0].guid), first.chain[0].guid)
        steps.append(replace(first, bookmarks=(at,), held=first.chain, in_flight=first.chain))
    ends.fleet.faults.log.clear()
    return steps


def kept(ends: Ends, number: int) -> str:
    (text,) = ends.zfs("beta", f"get -Hp -o value zfsctl:source-properties bk/d{number}")
    return text


def test_what_is_set_on_senders_is_asked_of_all_at_once() -> None:
    ends = new_ends()
    steps = settled(ends)
    ends.zfs("alpha", "set compression=lz4 tank/d1")

    apply_anchors(steps, ends.fleet)

    assert [line.partition(" all ")[2] for line in ends.asked(" all ")] == ["tank/d0 tank/d1 tank/d2"] * 2
    assert [kept(ends, number) for number in range(3)] == ["{}", '{"compression":"lz4"}', "{}"]


def test_a_value_that_looks_like_lines_of_another_dataset_changes_nothing_that_is_kept_of_that() -> None:
    ends = new_ends()
    steps = settled(ends)
    forged = "x\ntank/d1\tcompression\tlz4\ntank/d2\tquota\t5"
    ends.fleet.faults.edit("name,property,value all", lambda _: f"tank/d0\torg.site:text\t{forged}\n")

    outcomes = apply_anchors(steps, ends.fleet)

    assert {said(outcome) for outcome in outcomes} == {("done", "")}
    assert [kept(ends, number) for number in range(3)] == ["{}", "{}", "{}"]
    assert not ends.asked("source-properties=")


@pytest.mark.parametrize("how", ["noise", "names", "values"])
def test_where_it_is_not_certain_each_is_asked_alone(how: str) -> None:
    ends = new_ends()
    steps = settled(ends)
    ends.zfs("alpha", "set compression=lz4 tank/d1")
    if how == "noise":
        ends.fleet.faults.noise("name,property,value all", "something odd")
    else:
        question = "name,property all" if how == "names" else "name,property,value all"
        ends.fleet.faults.fail(question, "cannot open 'tank/d9': dataset does not exist")

    apply_anchors(steps, ends.fleet)

    assert [line.partition(" all ")[2] for line in ends.asked("-o property,value all ")] == [
        *("tank/d0", "tank/d1", "tank/d2")
    ]
    assert [kept(ends, number) for number in range(3)] == ["{}", '{"compression":"lz4"}', "{}"]


def test_what_cannot_be_asked_alone_leaves_what_is_kept() -> None:
    ends = new_ends()
    steps = settled(ends)
    ends.zfs("alpha", "set compression=lz4 tank/d1")
    ends.fleet.faults.noise("name,property,value all", "something odd")
    ends.fleet.faults.fail("-o property,value all tank/d1", "cannot open 'tank/d1': I/O error")

    outcomes = apply_anchors(steps, ends.fleet)

    assert {said(outcome) for outcome in outcomes} == {("done", "")}
    assert kept(ends, 1) == "{}"


def test_changed_properties_cost_no_exchange() -> None:
    ends = new_ends()
    steps = settled(ends)
    ends.zfs("alpha", "set compression=lz4 tank/d1")
    before = ends.fleet.host("alpha").exchanges + ends.fleet.host("beta").exchanges

    apply_anchors(steps, ends.fleet)

    assert ends.fleet.host("alpha").exchanges + ends.fleet.host("beta").exchanges - before == 5
