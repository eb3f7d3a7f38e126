"""A simulated host behind the protocol, and the faults that can be planned for it."""

from __future__ import annotations

import pytest

from zfsctl.errors import HostTimeoutError, InterruptedOutputError, UnreachableError
from zfsctl.hosts.protocol import Fleet, Host
from zfsctl.model.command import Command, Condition
from zfsctl.sandbox.faults import KilledAt, is_change

LIST = Command(("zfs", "list", "-Hp", "-t", "snapshot", "-o", "name", "tank"))
SNAPSHOT = Command(("zfs", "snapshot", "tank@new"))


@pytest.fixture
def host(desk):
    desk.do("zfs snapshot tank@a", "zfs snapshot tank@b", "zfs snapshot tank@c")
    return desk.fleet.host("local")


def names(host):
    return host.run(LIST).stdout.split()


def test_it_is_a_host_and_a_fleet_like_the_real_ones(desk):
    host: Host = desk.fleet.host("local")
    fleet: Fleet = desk.fleet

    assert host.name == "local"
    assert fleet.host("local") is host
    fleet.close()
    fleet.close()


def test_every_question_counts_as_one_exchange_however_many_commands_it_holds(host):
    before = host.exchanges

    host.run(LIST)
    host.run_all([LIST, SNAPSHOT, LIST])
    with host.lines(LIST) as stream:
        list(stream)

    assert host.exchanges - before == 3


def test_all_commands_of_one_exchange_run_whatever_each_says(host):
    first, second, third = host.run_all([Command(("false",)), SNAPSHOT, LIST])

    assert (first.exit_code, second.exit_code, third.stdout.split()[-1]) == (1, 0, "tank@new")


def test_lines_come_without_their_newline_and_the_end_is_known_after_the_last(host):
    with host.lines(LIST) as stream:
        with pytest.raises(RuntimeError):
            _ = stream.completed
        assert list(stream) == ["tank@a", "tank@b", "tank@c"]

        assert (stream.completed.exit_code, stream.completed.stdout) == (0, "")


def test_a_host_marked_as_not_reachable_answers_nothing(desk):
    desk.state.hosts["local"].reachable = False

    with pytest.raises(UnreachableError, match="not reachable"):
        desk.fleet.host("local").run(LIST)


def test_a_suspended_pool_cannot_even_be_listed_and_a_scrub_of_it_never_comes_back(desk, host):
    desk.state.hosts["local"].pools["tank"].health = "SUSPENDED"

    listed = host.run(LIST)
    assert (listed.exit_code, listed.stdout) == (1, "")
    assert listed.stderr == "cannot open 'tank': pool I/O is currently suspended\n"
    assert desk.column("zfs list -Hp -o name") == ["pond"]
    assert host.run(Command(("zpool", "list", "-Hp", "-o", "health", "tank"))).stdout == "SUSPENDED\n"
    with pytest.raises(HostTimeoutError, match="did not answer within 5 s"):
        host.run(Command(("zpool", "scrub", "tank")), timeout=5)


def test_promoting_a_clone_with_a_bookmark_name_of_its_origin_hangs_the_pool_for_good(desk, host):
    desk.do("zfs bookmark tank@a tank#m", "zfs clone tank@b tank/c", "zfs bookmark tank@a tank/c#m")

    with pytest.raises(HostTimeoutError):
        host.run(Command(("zfs", "promote", "tank/c")))
    with pytest.raises(HostTimeoutError):
        host.run(SNAPSHOT)


def test_a_hold_with_a_tag_of_256_bytes_hangs_the_pool_for_good(desk, host):
    desk.do(f"zfs hold {'t' * 255} tank@a")
    assert desk.ask(f"zfs hold {'t' * 257} tank@a").stderr == "cannot hold snapshot 'tank@a': tag too long\n"

    with pytest.raises(HostTimeoutError):
        host.run(Command(("zfs", "hold", "t" * 256, "tank@a")))
    with pytest.raises(HostTimeoutError):
        host.run(SNAPSHOT)


def test_the_program_dies_before_or_after_the_nth_change(desk, host):
    desk.fleet.faults.kill(2)
    host.run(LIST)
    host.run(Command(("zfs", "snapshot", "tank@one")))
    with pytest.raises(KilledAt):
        host.run(Command(("zfs", "snapshot", "tank@two")))

    assert names(host)[3:] == ["tank@one"]

    desk.fleet.faults.kill(1, after=True)
    with pytest.raises(KilledAt):
        host.run(Command(("zfs", "snapshot", "tank@three")))

    assert names(host)[3:] == ["tank@one", "tank@three"]


def test_the_program_dies_after_a_change_too_whose_condition_did_not_hold(desk, host):
    desk.fleet.faults.kill(1, after=True)
    condition = Condition(("zfs", "list", "-H", "-o", "name", "tank"), "another")

    with pytest.raises(KilledAt):
        host.run(Command(("zfs", "snapshot", "tank@one"), only_if=condition))

    assert names(host)[3:] == []


def test_a_kill_is_no_exception_that_a_careless_handler_would_catch(host, desk):
    desk.fleet.faults.kill(1, changes_only=False)

    with pytest.raises(KilledAt) as caught:
        host.run(LIST)

    assert not isinstance(caught.value, Exception)


def test_a_listing_cut_in_the_middle_is_never_taken_for_a_whole_one(desk, host):
    desk.fleet.faults.cut("zfs list", 2, times=2)

    got = []
    with host.lines(LIST) as stream, pytest.raises(InterruptedOutputError):
        got.extend(line for line in stream)
    with pytest.raises(InterruptedOutputError):
        host.run(LIST)

    assert got == ["tank@a", "tank@b"]
    assert len(names(host)) == 3


def test_noise_on_stderr_leaves_exit_code_and_rows(desk, host):
    desk.fleet.faults.noise("zfs list", "cannot iterate filesystems: I/O error")

    done = host.run(LIST)

    assert (done.exit_code, done.stderr, len(done.stdout.split())) == (0, "cannot iterate filesystems: I/O error\n", 3)
    assert not done.clean


def test_a_column_can_hold_a_value_of_tomorrow(desk, host):
    desk.fleet.faults.edit("zpool list", lambda text: text.replace("ONLINE", "MELTING"))

    assert host.run(Command(("zpool", "list", "-Hp", "-o", "health", "tank"))).stdout == "MELTING\n"


def test_a_host_that_lies_says_done_and_does_nothing(desk, host):
    desk.fleet.faults.lie("zfs snapshot")

    assert host.run(SNAPSHOT).clean
    assert "tank@new" not in names(host)
    assert host.run(SNAPSHOT).clean
    assert "tank@new" in names(host)


@pytest.mark.parametrize("done", [False, True])
def test_a_command_may_fail_or_hang_with_or_without_having_worked(desk, host, done):
    desk.fleet.faults.fail("tank@x", "cannot do it", exit_code=7, done=done)
    desk.fleet.faults.hang("tank@y", done=done)

    failed = host.run(Command(("zfs", "snapshot", "tank@x")))
    with pytest.raises(HostTimeoutError):
        host.run(Command(("zfs", "snapshot", "tank@y")))

    assert (failed.exit_code, failed.stderr) == (7, "cannot do it\n")
    assert names(host)[3:] == (["tank@x", "tank@y"] if done else [])


def test_a_fault_can_be_meant_for_one_host_and_be_taken_back(desk, host):
    desk.fleet.faults.noise("zfs list", "noise", host="vault")
    assert host.run(LIST).clean

    desk.fleet.faults.noise("zfs list", "noise")
    desk.fleet.faults.clear()
    assert host.run(LIST).clean


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("zfs list -Hp tank", False),
        ("zfs destroy -nvp tank@a", False),
        ("zfs destroy tank@a", True),
        ("sudo -n zfs snapshot tank@x", True),
        ("zpool scrub tank", True),
        ("zpool status", False),
        ("date +%s", False),
        ("true", False),
    ],
)
def test_changes_are_told_from_questions(line, change):
    assert is_change(line.split()) is change


def test_what_reached_a_host_is_on_record(desk, host):
    desk.fleet.faults.log.clear()
    host.run_all([LIST, SNAPSHOT])

    assert desk.fleet.faults.log == [("local", str(LIST)), ("local", str(SNAPSHOT))]


def test_a_pipe_hands_the_output_of_one_host_to_the_other_and_counts_the_bytes(desk):
    told = []

    result = desk.fleet.pipe("local", Command(("echo", "true")), "local", Command(("sh", "-s")), on_bytes=told.append)

    assert (result.sender.exit_code, result.receiver.exit_code, result.bytes_sent, told) == (0, 0, 5, [5])


def test_a_shell_line_takes_names_and_pipes_as_they_are(desk):
    desk.do("zfs create tank/a")
    line = "zfs snapshot tank/a@s && zfs bookmark tank/a@s tank/a#m; zfs send tank/a@s | zfs receive -u pond/a || false"
    done = desk.ask(f"sh -c '{line}'")

    assert done.clean, done
    assert desk.column("zfs list -H -r -t snapshot,bookmark -o name tank pond") == ["pond/a@s", "tank/a@s", "tank/a#m"]


def test_the_program_can_die_at_every_receive(desk):
    desk.do("zfs create tank/a", "zfs snapshot tank/a@s")
    send, receive = Command(("zfs", "send", "tank/a@s")), Command(("zfs", "receive", "-u", "pond/a"))
    for after, there in ((False, ["pond"]), (True, ["pond", "pond/a"])):
        desk.fleet.faults.kill(1, after=after)
        with pytest.raises(KilledAt):
            desk.fleet.pipe("local", send, "local", receive)

        assert desk.column("zfs list -H -r -o name pond") == there


def test_a_pipe_counts_as_a_question_to_both_ends(desk):
    desk.do("zfs create tank/a", "zfs snapshot tank/a@s")
    before = desk.fleet.host("local").exchanges
    desk.fleet.pipe("local", Command(("zfs", "send", "tank/a@s")), "local", Command(("cat",)))

    assert desk.fleet.host("local").exchanges == before + 2
