"""What is left over is found, and nothing that is still needed is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.test_repair import COPY, POLICY, Pair, diverges, is_modified, new_pair
from tests.operations.world import HOUR
from zfsctl.errors import ExitCode
from zfsctl.model.approval import ApprovalStatus
from zfsctl.model.diagnosis import Diagnosis
from zfsctl.operations.doctor import examine, exit_code_of_diagnosis
from zfsctl.sandbox.building import create_pool
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.stream_faults import StreamEnd

GUID = "0123456789abcdef"


def look(pair: Pair, *hosts: str) -> Diagnosis:
    with pair.world.session(dry_run=True, hosts=hosts) as session:
        return examine(session)


def repair_again(pair: Pair, snapshot: str) -> None:
    """Diverge once more and be repaired with somebody's approval."""
    pair.takes()
    pair.world.advance(HOUR, writing=False)
    pair.writes_to(COPY, snapshot=snapshot)
    (request,) = pair.replicate().plan.approvals
    with pair.world.session() as session:
        session.journal.decide_approvals([request.id], ApprovalStatus.APPROVED, session.clock())
    assert pair.replicate().exit_code is ExitCode.DONE


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return new_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(current: Pair, tmp_path: Path) -> Pair:
    return Pair(current.world.copy(tmp_path / "world"))


def newest(pair: Pair, host: str, dataset: str) -> str:
    pool = dataset.partition("/")[0]
    return [name for name in pair.world.snapshots(host, pool) if name.startswith(f"{dataset}@")][-1]


def nothing(pair: Pair) -> None:
    """A replication that is behind, with its own cursor and holds."""


def somebody_else_holds(pair: Pair) -> None:
    pair.world.zfs("alpha", "hold", "backup", newest(pair, "alpha", "tank/a"))
    pair.world.zfs("alpha", "bookmark", newest(pair, "alpha", "tank/a"), "tank/a#mine")


def a_repair_is_half_done(pair: Pair) -> None:
    diverges(pair)
    pair.world.fleet.faults.kill(4, after=True)
    with pytest.raises(KilledAt):
        pair.replicate()
    pair.world.fleet.faults.clear()
    assert pair.beside()


def a_receive_can_be_resumed(pair: Pair) -> None:
    pair.world.fleet.faults.end_stream(StreamEnd.KILLED, 0.5)
    with pytest.raises(KilledAt):
        pair.replicate()


HEALTHY = [nothing, somebody_else_holds, a_repair_is_half_done, a_receive_can_be_resumed]


@pytest.mark.parametrize("state", HEALTHY, ids=lambda one: one.__name__)
def test_what_a_run_goes_on_with_is_not_left_over(pair: Pair, state: Callable[[Pair], None]) -> None:
    state(pair)

    found = look(pair)

    assert (found.findings, found.asides) == ((), ())
    assert exit_code_of_diagnosis(found) is ExitCode.DONE


def a_hold_of_a_replication_that_is_gone(pair: Pair) -> None:
    pair.world.zfs("alpha", "hold", "zfsctl:gone:send", newest(pair, "alpha", "tank/b"))


def a_hold_where_nothing_is_sent(pair: Pair) -> None:
    pair.world.zfs("alpha", "snapshot", "tank/b@here")
    pair.world.zfs("alpha", "hold", "zfsctl:copy:send", "tank/b@here")


def a_base_hold_on_a_sender(pair: Pair) -> None:
    pair.world.zfs("alpha", "hold", "zfsctl:copy:base", newest(pair, "alpha", "tank/a/x"))


def a_cursor_of_a_replication_that_is_gone(pair: Pair) -> None:
    pair.world.zfs("alpha", "bookmark", newest(pair, "alpha", "tank/a"), f"tank/a#zfsctl-gone-{GUID}")


def a_cursor_where_nothing_is_sent(pair: Pair) -> None:
    pair.world.zfs("beta", "bookmark", newest(pair, "beta", COPY), f"{COPY}#zfsctl-copy-{GUID}")


def two_cursors(pair: Pair) -> None:
    pair.world.zfs("alpha", "bookmark", newest(pair, "alpha", "tank/a"), f"tank/a#zfsctl-copy-{GUID}")


def a_copy_that_nobody_builds(pair: Pair) -> None:
    pair.world.zfs("beta", "create", f"{COPY}.zfsctl-new-20261118T000000Z")


def a_copy_of_a_replication_that_is_gone(pair: Pair) -> None:
    mark = "zfsctl:repair=clone:gone:5:20261118T000000Z"
    pair.world.zfs("beta", "create", "-o", mark, f"{COPY}.zfsctl-new-20261118T000000Z")


def an_empty_parent(pair: Pair) -> None:
    pair.world.zfs("beta", "create", "-o", "zfsctl:parent=on", "bk/elsewhere")


LEFT_OVER = [
    (a_hold_where_nothing_is_sent, "leaked-hold", "copy does not send tank/b",
     "ssh alpha.lan zfs release zfsctl:copy:send tank/b@here"),
    (a_base_hold_on_a_sender, "leaked-hold", "copy does not arrive in tank/a/x", "ssh alpha.lan zfs release "),
    (a_cursor_of_a_replication_that_is_gone, "leaked-cursor", "the policy has no replication gone",
     f"ssh alpha.lan zfs destroy tank/a#zfsctl-gone-{GUID}"),
    (a_cursor_where_nothing_is_sent, "leaked-cursor", f"copy does not send {COPY}", "ssh beta.lan zfs destroy "),
    (two_cursors, "leaked-cursor", "2 cursors of copy where one is enough", "zfsctl replicate copy"),
    (a_copy_that_nobody_builds, "half-built", "no mark zfsctl:repair", "ssh beta.lan zfs list -r "),
    (a_copy_of_a_replication_that_is_gone, "half-built", "no replication gone", "ssh beta.lan zfs list -r "),
    (an_empty_parent, "empty-parent", "none does any more", "ssh beta.lan zfs destroy bk/elsewhere"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "code", "said", "hint"), LEFT_OVER, ids=lambda one: getattr(one, "__name__", ""))
def test_what_nobody_goes_on_with_is_told_with_the_reason_and_a_line_to_paste(
    pair: Pair, state: Callable[[Pair], None], code: str, said: str, hint: str
) -> None:
    state(pair)

    found = look(pair)

    (finding,) = found.findings
    assert finding.code == code
    assert said in finding.message
    assert finding.hint.startswith(hint)
    assert exit_code_of_diagnosis(found) is ExitCode.FOUND_WRONG


def test_holds_of_a_replication_that_was_dropped_are_told_once_for_each_dataset(pair: Pair) -> None:
    pair.replicate()
    pair.world.policy_text = POLICY.replace("REPAIR", "auto").replace('"copy"', '"other"').replace("copies/a", "new/a")

    found = look(pair)

    assert {(finding.code, finding.host) for finding in found.findings} == {
        ("leaked-hold", "beta"),
        ("leaked-cursor", "alpha"),
    }
    assert sorted(finding.dataset for finding in found.findings if finding.code == "leaked-hold") == [
        COPY, f"{COPY}/vol", f"{COPY}/x", f"{COPY}/x/y",
    ]  # fmt: skip


def test_what_a_renamed_replication_may_go_on_from_gets_no_line_that_takes_it_away(pair: Pair) -> None:
    """The base snapshot may be gone on the sender: then the old cursor is all that the two ends share."""
    pair.world.policy_text = pair.world.policy_text.replace('name = "copy"', 'name = "renamed"')

    before = look(pair).findings
    pair.world.sim.hosts["beta"].reachable = False
    away = [finding for finding in look(pair).findings if finding.host == "alpha"]
    pair.world.sim.hosts["beta"].reachable = True
    pair.replicate()
    after = look(pair).findings

    assert {finding.code for finding in (*before, *away)} >= {"leaked-cursor", "leaked-hold"}
    for finding in (*before, *away):
        assert "zfs destroy" not in finding.hint
        assert "zfs release" not in finding.hint
    assert {finding.hint for finding in before} == {"zfsctl replicate renamed"}
    assert any("zfs destroy" in finding.hint for finding in after), "it has anchors of its own by now"


def test_a_receive_into_what_no_replication_fills_is_told(pair: Pair) -> None:
    pair.world.fleet.faults.end_stream(StreamEnd.KILLED, 0.5)
    with pytest.raises(KilledAt):
        pair.replicate()
    pair.world.policy_text = POLICY.replace("REPAIR", "auto").replace("copies/a", "new/a")

    found = look(pair)

    (partial,) = [finding for finding in found.findings if finding.code == "partial-receive"]
    assert "no replication of the policy arrives there" in partial.message
    assert partial.hint.startswith("ssh beta.lan zfs receive -A bk/copies/a")


def test_a_line_to_paste_goes_the_way_that_the_policy_goes(pair: Pair) -> None:
    pair.world.policy_text = pair.world.policy_text.replace(
        'beta = "beta.lan"', 'beta = { hostname = "beta.lan", port = 2222, user = "op", sudo = true }'
    )
    an_empty_parent(pair)

    (finding,) = look(pair).findings

    assert finding.hint == "ssh -p 2222 op@beta.lan sudo zfs destroy bk/elsewhere"


def test_only_the_named_hosts_are_told_of_and_both_ends_are_known(pair: Pair) -> None:
    a_hold_where_nothing_is_sent(pair)
    diverges(pair)
    pair.replicate()

    found = look(pair, "beta")

    assert found.hosts == ("beta",)
    assert found.findings == ()
    assert [one.obstacles for one in found.asides] == [()]


def test_a_host_that_does_not_answer_is_told_and_proves_nothing(pair: Pair) -> None:
    diverges(pair)
    pair.replicate()
    a_hold_where_nothing_is_sent(pair)
    pair.world.sim.hosts["alpha"].reachable = False

    found = look(pair)

    assert [finding.code for finding in found.findings] == ["unreachable"]
    assert [one.obstacles[0] for one in found.asides] == [
        f"not known how {COPY} stands to its sender: {found.findings[0].message}"
    ]
    assert exit_code_of_diagnosis(found) is ExitCode.PARTIAL
    assert exit_code_of_diagnosis(look(pair, "alpha")) is ExitCode.UNREACHABLE


def test_a_copy_that_was_set_aside_is_told_with_its_space_and_age(pair: Pair) -> None:
    is_modified(pair)
    pair.replicate()
    at = pair.world.sim.now
    pair.world.advance(HOUR, writing=False)

    found = look(pair)

    (aside,) = found.asides
    (used,) = pair.world.zfs("beta", "get", "-Hp", "-o", "value", "used", aside.dataset)
    assert (aside.home, aside.replication, aside.since, aside.used) == (COPY, "copy", at, int(used))
    assert aside.written >= 1 << 20
    assert (aside.obstacles, aside.after) == ((), ())
    assert exit_code_of_diagnosis(found) is ExitCode.FOUND_WRONG


def forget(pair: Pair) -> None:
    """Of what was sent the sender keeps only the oldest snapshot, so that the next base is an old one."""
    sent = [name for name in pair.world.snapshots("alpha") if name.startswith("tank/a@")]
    cursors = pair.world.zfs("alpha", "list", "-H", "-t", "bookmark", "-o", "name", "tank/a")
    for name in (*sent[1:], *cursors):
        pair.world.zfs("alpha", "destroy", name)


def with_an_older_base(pair: Pair) -> None:
    """Two repairs, the second from an older base, so that the first copy is a clone of the second."""
    diverges(pair)
    assert pair.replicate().exit_code is ExitCode.DONE
    forget(pair)
    repair_again(pair, "own2")


def test_copies_are_told_in_the_order_in_which_they_can_go(pair: Pair) -> None:
    with_an_older_base(pair)

    found = look(pair)

    first, second = found.asides
    assert first.since < second.since
    assert (first.after, second.after) == ((), (first.dataset,))
    assert [one.obstacles for one in found.asides] == [(), ()]


def unmarked(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "inherit", "zfsctl:aside", aside)


def held_by_somebody(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "hold", "mine", f"{aside}@own")


def cloned_by_somebody(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "clone", f"{aside}@own", "bk/mine")


def mounted(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "mount", aside)


def without_its_home(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "rename", COPY, "bk/elsewhere")


def with_a_dataset_that_belongs_home(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "rename", f"{COPY}/x", f"{aside}/x")


def while_its_repair_goes_on(pair: Pair, aside: str) -> None:
    pair.world.zfs("beta", "set", "zfsctl:repair=clone:copy:5:20261118T000000Z", COPY)


def the_only_place_of_the_base(pair: Pair, aside: str) -> None:
    """What took its place shares nothing with the sender any more, and it does."""
    own = pair.world.snapshots("beta", "bk")[f"{aside}@own"]
    for name in [name for name in pair.world.snapshots("alpha") if name.startswith("tank/a@")]:
        pair.world.zfs("alpha", "destroy", name)
    for name in pair.world.zfs("alpha", "list", "-H", "-t", "bookmark", "-o", "name", "tank/a"):
        pair.world.zfs("alpha", "destroy", name)
    pair.world.zfs("alpha", "snapshot", "tank/a@own")
    pair.world.sim.hosts["alpha"].pools["tank"].datasets["tank/a"].snapshots["own"].guid = own


OBSTACLES = [
    (unmarked, "it has no mark zfsctl:aside of its own"),
    (held_by_somebody, "@own is held by 'mine', which is none of zfsctl's"),
    (cloned_by_somebody, "bk/mine is a clone of"),
    (mounted, "is mounted"),
    (without_its_home, f"nothing is at {COPY}, where"),
    (with_a_dataset_that_belongs_home, f"nothing is at {COPY}/x, where"),
    (while_its_repair_goes_on, f"the repair of {COPY} is not finished"),
    (the_only_place_of_the_base, f"{COPY} shares nothing with its sender, and"),
]


@pytest.mark.parametrize(("state", "said"), OBSTACLES, ids=lambda one: getattr(one, "__name__", ""))
def test_what_speaks_against_letting_a_copy_go_is_told(
    pair: Pair, state: Callable[[Pair, str], None], said: str
) -> None:
    diverges(pair)
    pair.replicate()
    state(pair, pair.asides()[0])

    aside = look(pair).asides[0]

    assert any(said in obstacle for obstacle in aside.obstacles), aside.obstacles


def test_a_look_asks_each_host_as_many_questions_whatever_it_has(pair: Pair) -> None:
    def questions() -> list[int]:
        before = [pair.world.fleet.host(name).exchanges for name in ("alpha", "beta")]
        look(pair)
        return [pair.world.fleet.host(name).exchanges - n for name, n in zip(("alpha", "beta"), before, strict=True)]

    few = questions()
    diverges(pair)
    pair.replicate()
    for number in range(30):
        pair.world.zfs("beta", "create", f"bk/more{number}")
        pair.world.zfs("beta", "snapshot", f"bk/more{number}@s")
        pair.world.zfs("beta", "hold", f"zfsctl:gone{number}:base", f"bk/more{number}@s")

    assert len(look(pair).findings) == 30
    assert questions() == few == [4, 4]


ONWARD = """
[[replications]]
name = "onward"
sender = "beta:bk/copies/a"
receiver = "alpha:off/a"
keep = { last = 5 }
"""


@pytest.fixture
def onward(current: Pair, tmp_path: Path) -> Pair:
    """The copy is copied on to another pool; then it has diverged, and was repaired."""
    pair = Pair(current.world.copy(tmp_path / "world"))
    create_pool(pair.world.sim, "alpha", "off", 1 << 34)
    pair.world.policy_text += ONWARD
    pair.replicate()
    assert pair.replicate().exit_code is ExitCode.DONE
    diverges(pair)
    pair.replicate()
    assert pair.replicate().exit_code is ExitCode.DONE
    return pair


def test_a_copy_is_kept_for_what_its_receiver_is_sent_on_to(onward: Pair) -> None:
    (aside,) = look(onward).asides
    own = onward.world.snapshots("beta", "bk")[f"{aside.dataset}@own"]
    for name in [name for name in onward.world.snapshots("alpha", "off") if name.startswith("off/a@")]:
        for tag in onward.world.zfs("alpha", "holds", "-H", name):
            onward.world.zfs("alpha", "release", tag.split("\t")[1], name)
        onward.world.zfs("alpha", "destroy", name)
    onward.world.zfs("alpha", "snapshot", "off/a@own")
    onward.world.sim.hosts["alpha"].pools["off"].datasets["off/a"].snapshots["own"].guid = own

    (then,) = look(onward).asides

    assert aside.obstacles == ()
    assert then.obstacles == (
        f"{COPY} shares nothing with alpha:off/a, and {aside.dataset}@own is the base that could mend that",
    )


@pytest.mark.parametrize("cursors", [True, False])
def test_a_receiver_that_is_not_known_needs_no_copy_where_a_cursor_tells_what_it_has(
    onward: Pair, cursors: bool
) -> None:
    del onward.world.sim.hosts["alpha"].pools["off"]
    if not cursors:
        for name in onward.world.zfs("beta", "list", "-H", "-t", "bookmark", "-o", "name", COPY):
            onward.world.zfs("beta", "destroy", name)

    (aside,) = look(onward).asides

    said = f"not known what alpha:off/a has of {COPY}: pool off is not imported on alpha"
    assert aside.obstacles == (() if cursors else (said,))
