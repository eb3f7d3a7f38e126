"""What comes before a transfer: holding what is sent, parents, an abort, a rename. Each is as good when done before."""

from __future__ import annotations

import pytest

from tests.executor.conftest import Asked
from tests.executor.transfers import Ends, Meddled, new_ends, said
from zfsctl.errors import UnreachableError
from zfsctl.executor.hold import apply_hold
from zfsctl.executor.receiver import apply_abort, apply_parents, apply_rename
from zfsctl.model.event import StepOutcome
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import AbortReceive, CreateParents, HeldSnapshot, HoldSnapshots, RenameSnapshot
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance

SEND = "zfsctl:r:send"


@pytest.fixture
def ends() -> Ends:
    return new_ends()


def hold(ends: Ends, *refs: SnapshotRef) -> StepOutcome:
    held = tuple(HeldSnapshot("tank/a", ref) for ref in refs)
    step = HoldSnapshots(id="hold-1", host="alpha", why="", replication="r", tag=SEND, snapshots=held)
    return apply_hold(step, ends.fleet.host("alpha"))


def results(outcome: StepOutcome) -> dict[str, str]:
    return {member.snapshot: str(member.result) for member in outcome.members}


def test_what_is_held_can_no_longer_be_destroyed(ends: Ends) -> None:
    outcome = hold(ends, *ends.refs("s1 s3"))

    assert said(outcome) == ("done", "")
    assert ends.tags("alpha", "tank/a") == {"s1": [SEND], "s3": [SEND]}


def test_holding_again_is_as_good(ends: Ends) -> None:
    """A run that was killed has left its holds; another of the two is held by nobody yet."""
    hold(ends, *ends.refs("s1"))

    assert said(hold(ends, *ends.refs("s1 s2"))) == ("done", "")
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s2"}


def test_a_hold_that_zfs_only_claims_to_have_placed_is_not_believed(ends: Ends) -> None:
    """What one of several commands said may be told with another's, so that no message proves anything."""
    ends.fleet.faults.lie("zfs hold")

    outcome = hold(ends, *ends.refs("s1 s2"))

    assert results(outcome) == {"s1": "failed", "s2": "done"}
    assert "no reason was given" in outcome.detail


def test_the_hold_of_another_cannot_stand_for_ours_nor_make_it_unreadable(ends: Ends) -> None:
    ends.zfs("alpha", "hold foreign tank/a@s1")
    ends.fleet.faults.edit("zfs holds", lambda text: text.replace("foreign", "for\teign"))

    assert said(hold(ends, *ends.refs("s1 s2"))) == ("done", "")


def test_a_snapshot_that_is_gone_is_told_and_the_others_are_held(ends: Ends) -> None:
    gone = ends.ref("s2")
    ends.zfs("alpha", "destroy tank/a@s2")

    outcome = hold(ends, *ends.refs("s1"), gone, *ends.refs("s3"))

    assert outcome.result == "partial"
    assert results(outcome) == {"s1": "done", "s2": "stale", "s3": "done"}
    assert set(ends.tags("alpha", "tank/a")) == {"s1", "s3"}


def test_many_are_held_beside_each_other_and_each_complaint_is_about_its_own(ends: Ends, asked: Asked) -> None:
    for number in range(40):
        ends.zfs("alpha", f"snapshot tank/a@m{number}")
    refs = [ends.ref(f"m{number}") for number in range(40)]
    ends.zfs("alpha", "destroy tank/a@m5")
    ends.zfs("alpha", "destroy tank/a@m37")
    ends.zfs("alpha", f"hold {SEND} tank/a@m20")
    asked.clear()

    outcome = hold(ends, *refs)

    ((commands, _),) = asked
    assert [one.beside for one in commands if one.argv[1] == "hold"] == [True] * 8
    assert {name for name, result in results(outcome).items() if result != "done"} == {"m5", "m37"}
    assert len(ends.tags("alpha", "tank/a")) == 38


def test_another_snapshot_of_that_name_is_let_go_again(ends: Ends) -> None:
    planned = ends.ref("s2")
    ends.zfs("alpha", "destroy tank/a@s2")
    ends.zfs("alpha", "snapshot tank/a@s2")

    outcome = hold(ends, planned)

    now = ends.ref("s2").guid
    assert said(outcome) == (
        "failed",
        f"tank/a@s2: another snapshot has this name now, guid {now} instead of {planned.guid}",
    )
    assert results(outcome) == {"s2": "stale"}
    assert ends.tags("alpha", "tank/a") == {}


def test_a_hold_without_the_right_to_it(ends: Ends) -> None:
    ends.fleet.faults.fail("zfs hold", "cannot hold snapshot 'tank/a@s1': permission denied")

    outcome = hold(ends, *ends.refs("s1"))

    assert said(outcome) == ("failed", "tank/a@s1: permission denied")
    assert results(outcome) == {"s1": "failed"}


def test_a_hold_whose_answer_was_lost_is_not_known(ends: Ends) -> None:
    ends.fleet.faults.break_link("alpha")

    with pytest.raises(UnreachableError):
        hold(ends, *ends.refs("s1"))


def parents(ends: Ends, *names: str) -> StepOutcome:
    step = CreateParents(id="parents-1", host="beta", why="", replication="r", datasets=names)
    return apply_parents(step, ends.fleet.host("beta"))


def test_parents_can_be_mounted_over_nothing_and_are_marked(ends: Ends) -> None:
    assert said(parents(ends, "bk/x", "bk/x/y")) == ("done", "")

    for name in ("bk/x", "bk/x/y"):
        values = ends.zfs("beta", f"get -Hp -o value canmount,readonly,mounted,zfsctl:parent {name}")
        assert values[:3] == ["off", "on", "no"]
        assert values[3] == "on"


def test_parents_that_exist_by_now_are_as_good_and_not_touched(ends: Ends) -> None:
    ends.zfs("beta", "create bk/x")

    assert said(parents(ends, "bk/x", "bk/x/y")) == ("done", "")
    assert ends.zfs("beta", "get -Hp -o value canmount,zfsctl:parent bk/x") == ["on", "-"]


def test_a_parent_that_cannot_be_made(ends: Ends) -> None:
    outcome = parents(ends, "none/x")

    assert outcome.result == "failed"
    assert outcome.detail.startswith("none/x: ")


def begin(ends: Ends, sends: str) -> str:
    """An interrupted receive; its token."""
    ends.fleet.faults.end_stream(StreamEnd.SENDER_DIES, 0.5)
    with pytest.raises(AssertionError):
        ends.copy(sends)
    assert ends.token()
    return ends.token()


def abort(ends: Ends, token: str) -> StepOutcome:
    step = AbortReceive(id="abort-1", host="beta", why="", replication="r", dataset="bk/a", token=token)
    return apply_abort(step, ends.fleet.host("beta"))


def test_an_interrupted_increment_is_given_up_and_nothing_else(ends: Ends) -> None:
    ends.copy("s1")
    token = begin(ends, "s1>s2")

    assert said(abort(ends, token)) == ("done", "")
    assert (ends.token(), ends.received()) == ("", "s1")
    assert said(abort(ends, token)) == ("done", "it was gone already")


def test_an_unfinished_first_copy_goes_altogether(ends: Ends) -> None:
    token = begin(ends, "s1")

    assert said(abort(ends, token)) == ("done", "")
    assert "bk/a" not in ends.zfs("beta", "list -H -r -o name bk")
    assert said(abort(ends, token)) == ("done", "it was gone already")


def test_a_receive_that_has_begun_since_is_not_given_up(ends: Ends) -> None:
    ends.copy("s1")
    planned = begin(ends, "s1>s2")
    ends.zfs("beta", "receive -A bk/a")
    now = begin(ends, "s1>s3")

    assert said(abort(ends, planned)) == ("stale", "another receive has begun since")
    assert ends.token() == now


def test_a_receive_that_begins_at_the_last_moment_is_not_given_up(ends: Ends) -> None:
    ends.copy("s1")
    planned = begin(ends, "s1>s2")

    def another() -> None:
        ends.zfs("beta", "receive -A bk/a")
        begin(ends, "s1>s3")

    step = AbortReceive(id="abort-1", host="beta", why="", replication="r", dataset="bk/a", token=planned)
    outcome = apply_abort(step, Meddled(ends.fleet.host("beta"), another))

    assert said(outcome) == ("stale", "another receive has begun since")
    assert ends.token() not in ("", planned)


def test_a_receive_that_runs_is_busy(ends: Ends) -> None:
    ends.copy("s1")
    ends.fleet.faults.end_stream(StreamEnd.LOST, 0.5)
    with pytest.raises(Exception, match="beta"):
        ends.copy("s1>s2")
    token = ends.token()

    outcome = abort(ends, token)

    assert (outcome.result, outcome.code) == ("failed", "receiving")
    advance(ends.sim, 60)
    assert said(abort(ends, ends.token())) == ("done", "")


def rename(ends: Ends, name: str, guid: int, to: str) -> StepOutcome:
    ref = SnapshotRef(name, guid)
    step = RenameSnapshot(id="rename-1", host="beta", why="", replication="r", dataset="bk/a", snapshot=ref, to=to)
    return apply_rename(step, ends.fleet.host("beta"))


def test_a_snapshot_in_the_way_gets_another_name_and_keeps_its_guid(ends: Ends) -> None:
    ends.copy("s1")
    guid = ends.ref("s1").guid

    outcome = rename(ends, "s1", guid, "s1.old")

    assert said(outcome) == ("done", "")
    assert ends.zfs("beta", "list -Hp -t snapshot -o name,guid bk/a") == [f"bk/a@s1.old\t{guid}"]
    assert said(rename(ends, "s1", guid, "s1.old")) == ("done", "it has the new name already")


def test_another_snapshot_of_that_name_is_not_renamed(ends: Ends) -> None:
    ends.copy("s1")

    assert said(rename(ends, "s1", 4711, "s1.old")) == ("stale", "bk/a@s1 is no longer the planned snapshot")
    assert ends.received() == "s1"


def test_a_snapshot_that_is_replaced_at_the_last_moment_is_not_renamed(ends: Ends) -> None:
    ends.copy("s1")
    ref = SnapshotRef("s1", ends.ref("s1").guid)

    def another() -> None:
        ends.zfs("beta", "destroy bk/a@s1")
        ends.zfs("beta", "snapshot bk/a@s1")

    step = RenameSnapshot(id="r", host="beta", why="", replication="r", dataset="bk/a", snapshot=ref, to="s1.old")
    outcome = apply_rename(step, Meddled(ends.fleet.host("beta"), another))

    assert said(outcome) == ("stale", "bk/a@s1 is no longer the planned snapshot")
    assert ends.received() == "s1!"


def test_a_new_name_that_is_taken_changes_nothing(ends: Ends) -> None:
    ends.copy("s1")
    ends.zfs("beta", "snapshot bk/a@s1.old")

    outcome = rename(ends, "s1", ends.ref("s1").guid, "s1.old")

    assert outcome.result == "failed"
    assert ends.received() == "s1 s1.old!"


def test_many_holds_and_parents_may_take_longer_than_a_short_question(ends: Ends, asked: Asked) -> None:
    hold(ends, *ends.refs("s1 s2"))
    parents(ends, "bk/x", "bk/x/y")

    assert all(timeout is not None and timeout >= 600 for _, timeout in asked)
    assert len(asked) == 2
