"""What is read from hosts, and what becomes of doubtful answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.executor.scripted import Said, Script, ScriptedFleet, ScriptedHost, ScriptedLines, question_of
from zfsctl.errors import (
    AuthenticationError,
    HostTimeoutError,
    InterruptedOutputError,
    UnknownNameError,
    UnreachableError,
)
from zfsctl.executor.collect import FactsRequest, collect_facts
from zfsctl.model.command import Command
from zfsctl.model.facts import HostFacts
from zfsctl.zfs.datasets import DATASET_COLUMNS

NOW = 1_795_000_000


def dataset(name: str, guid: int) -> str:
    """One line of the listing of datasets."""
    columns = {
        **dict.fromkeys(DATASET_COLUMNS, "0"),
        "name": name,
        "type": "filesystem",
        "guid": str(guid),
        "mounted": "yes",
        "readonly": "off",
    }
    return "\t".join(columns[column] for column in DATASET_COLUMNS) + "\n"


def snapshot(name: str, guid: int, txg: int) -> str:
    """One line of the listing of snapshots."""
    return f"{name}\t{guid}\t{txg}\t1793491200\t0\t0\t0\t-\n"


def own(name: str, guid: int, reason: str = "-") -> str:
    """The lines of what was set on one snapshot."""
    source = "-" if reason == "-" else "local"
    return (
        f"{name}\tguid\t{guid}\t-\n{name}\tzfsctl:policy\t-\t-\n"
        f"{name}\tzfsctl:reason\t{reason}\t{source}\n{name}\tzfsctl:expires\t-\t-\n"
    )


HEALTHY: Script = {
    "version": Said("zfs-2.3.9-1\nzfs-kmod-2.3.8-1\n"),
    "clock": Said("1795000007\n"),
    "pools": Said("tank\t1\t100\t60\t40\t60\tONLINE\toff\n"),
    "datasets": Said(dataset("tank", 10) + dataset("tank/a", 11) + dataset("tank/b", 12)),
    "own": Said(own("tank/a@x", 21, "before") + own("tank/a@y", 22)),
    "snapshots": Said(snapshot("tank/a@x", 21, 5) + snapshot("tank/a@y", 22, 6)),
}
GONE = Said(stderr="cannot open 'tank/b': dataset does not exist\n", exit_code=1)


def everything(facts: HostFacts) -> Sequence[str]:
    """Want the snapshots of every dataset."""
    return tuple(facts.datasets)


def nothing(facts: HostFacts) -> Sequence[str]:
    """Want no snapshots."""
    return ()


def collect(host: ScriptedHost, wanted: Callable[[HostFacts], Sequence[str]] = everything) -> HostFacts:
    """The facts of one host."""
    return collect_facts(ScriptedFleet(host), [FactsRequest(host.name, wanted)], now=NOW).hosts[host.name]


def test_a_healthy_host_is_read_whole_in_three_exchanges() -> None:
    host = ScriptedHost("alpha", HEALTHY)

    facts = collect(host)

    assert facts.complete
    assert facts.reached
    assert (facts.host, facts.clock, facts.version) == ("alpha", 1_795_000_007, "2.3.9")
    assert [pool.name for pool in facts.pools] == ["tank"]
    assert list(facts.datasets) == ["tank", "tank/a", "tank/b"]
    assert {name: [s.name for s in found] for name, found in facts.snapshots.items()} == {
        "tank": [],
        "tank/a": ["x", "y"],
        "tank/b": [],
    }
    assert [s.reason for s in facts.snapshots["tank/a"]] == ["before", None]
    assert host.exchanges == 3


def test_a_host_whose_snapshots_nobody_wants_is_asked_once() -> None:
    host = ScriptedHost("alpha", HEALTHY)

    facts = collect(host, nothing)

    assert facts.complete
    assert facts.snapshots == {}
    assert host.exchanges == 1


def test_the_number_of_exchanges_does_not_depend_on_the_number_of_datasets() -> None:
    names = [f"tank/{number:04}" for number in range(2000)]
    host = ScriptedHost(
        "alpha",
        HEALTHY
        | {
            "datasets": Said("".join(dataset(name, guid) for guid, name in enumerate(["tank", *names]))),
            "own": Said("".join(own(f"{name}@x", guid) for guid, name in enumerate(names))),
            "snapshots": Said("".join(snapshot(f"{name}@x", guid, 5) for guid, name in enumerate(names))),
        },
    )

    facts = collect(host)

    assert facts.complete
    assert sum(map(len, facts.snapshots.values())) == 2000
    assert host.exchanges == 3
    assert max(len(" ".join(command.argv)) for command in host.asked) < 100_000


def test_only_wanted_datasets_are_given_and_unknown_ones_passed_over() -> None:
    stdout = snapshot("tank/a@x", 21, 5) + snapshot("tank/a/new@x", 23, 7) + snapshot("tank/b@x", 24, 7)
    host = ScriptedHost("alpha", HEALTHY | {"snapshots": Said(stdout)})

    facts = collect(host, lambda _: ("tank/a", "tank/nothere"))

    assert facts.complete
    assert list(facts.snapshots) == ["tank/a"]
    assert all(command.argv[-1] == "tank/a" for command in host.asked[4:])


def test_a_host_without_pools_is_complete_and_empty() -> None:
    host = ScriptedHost("alpha", HEALTHY | {"pools": Said(), "datasets": Said()})

    facts = collect(host)

    assert facts.complete
    assert (facts.pools, facts.datasets, facts.snapshots) == ((), {}, {})
    assert host.exchanges == 1


UNREACHABLE = [
    pytest.param(UnreachableError("alpha could not be reached", why="no route to host"), "unreachable", id="down"),
    pytest.param(AuthenticationError("alpha does not let us in"), "authentication", id="no-key"),
    pytest.param(HostTimeoutError("alpha did not answer within 60 s"), "timeout", id="silent"),
]


@pytest.mark.parametrize(("error", "code"), UNREACHABLE)
def test_a_host_that_does_not_answer_is_told_with_the_code_of_the_error(
    error: UnreachableError | HostTimeoutError, code: str
) -> None:
    facts = collect(ScriptedHost("alpha", {"version": Said(error=error)}))

    assert not facts.reached
    assert not facts.complete
    assert facts.unreachable_code == code
    assert facts.problems == (str(error),)
    assert facts.clock == NOW


def test_a_connection_cut_in_the_first_answer_leaves_nothing_known() -> None:
    error = InterruptedOutputError("the answer of alpha was cut off")

    facts = collect(ScriptedHost("alpha", HEALTHY | {"datasets": Said(error=error)}))

    assert facts.problems == ("the answer of alpha was cut off",)
    assert facts.datasets == {}
    assert facts.reached


def test_a_suspended_pool_that_stops_zfs_is_named() -> None:
    host = ScriptedHost(
        "alpha",
        HEALTHY
        | {
            "pools": Said("tank\t1\t100\t60\t40\t60\tSUSPENDED\toff\n"),
            "datasets": Said(error=HostTimeoutError("alpha did not answer within 60 s")),
        },
    )

    facts = collect(host)

    assert facts.problems == (
        "the datasets were not listed: alpha did not answer within 60 s",
        "pool tank is SUSPENDED",
    )
    assert facts.reached
    assert facts.version == "2.3.9"
    assert host.exchanges == 2


def test_a_host_that_needs_long_to_list_its_datasets_is_given_the_time() -> None:
    late = Said(error=HostTimeoutError("alpha did not answer within 60 s"))
    host = ScriptedHost("alpha", HEALTHY | {"datasets": (late, HEALTHY["datasets"])})

    facts = collect(host)

    assert facts.complete
    assert list(facts.snapshots) == ["tank", "tank/a", "tank/b"]
    assert host.exchanges == 5


def test_a_host_that_never_lists_its_datasets_is_told() -> None:
    late = Said(error=HostTimeoutError("alpha did not answer"))
    host = ScriptedHost("alpha", HEALTHY | {"datasets": late})

    facts = collect(host)

    assert facts.problems == ("alpha did not answer",)
    assert (facts.reached, facts.datasets) == (True, {})


def test_an_unavailable_pool_is_no_problem_where_everything_was_listed() -> None:
    pools = "tank\t1\t100\t60\t40\t60\tONLINE\toff\nusb\t2\t-\t-\t-\t-\tUNAVAIL\t-\n"

    facts = collect(ScriptedHost("alpha", HEALTHY | {"pools": Said(pools)}))

    assert facts.complete
    assert [pool.health for pool in facts.pools] == ["ONLINE", "UNAVAIL"]


@pytest.mark.parametrize(
    ("question", "said", "problem"),
    [
        pytest.param(
            "version",
            Said(stderr="sh: 1: zfs: not found\n", exit_code=127),
            "`zfs version` failed with exit 127: sh: 1: zfs: not found",
            id="no-zfs",
        ),
        pytest.param("clock", Said("soon\n"), "the clock could not be read: 'soon' is no number", id="odd-clock"),
        pytest.param(
            "pools",
            Said("tank\t1\n"),
            "the list of pools could not be read: 2 columns instead of 8",
            id="pools-with-other-columns",
        ),
        pytest.param(
            "datasets",
            Said(dataset("tank/a", 11), "cannot iterate filesystems: I/O error\n"),
            "`zfs list` may have left something out: cannot iterate filesystems: I/O error",
            id="exit-0-with-a-word-on-stderr",
        ),
        pytest.param(
            "datasets", Said(dataset("tank/a", 11), exit_code=1), "`zfs list` failed with exit 1", id="a-silent-failure"
        ),
        pytest.param(
            "datasets",
            Said(dataset("tank/a", 11) + "half a li"),
            "the list of datasets could not be read: 1 columns instead of 21",
            id="a-listing-cut-in-the-middle",
        ),
        pytest.param(
            "own",
            Said(own("tank/a@x", 21), "cannot iterate filesystems: I/O error\n"),
            "`zfs get` may have left something out: cannot iterate filesystems: I/O error",
            id="stderr-with-the-properties",
        ),
        pytest.param(
            "own",
            Said(own("tank/a@x", 21, "two\nlines")),
            "the properties of the snapshots could not be read",
            id="a-newline-in-a-value",
        ),
        pytest.param(
            "own", Said(own("tank/a@x", 21), error=InterruptedOutputError("cut")), "cut", id="properties-cut-off"
        ),
        pytest.param(
            "snapshots",
            Said(snapshot("tank/a@x", 21, 5), "cannot iterate filesystems: I/O error\n"),
            "`zfs list` may have left something out: cannot iterate filesystems: I/O error",
            id="stderr-with-the-snapshots",
        ),
        pytest.param(
            "snapshots",
            Said(snapshot("tank/a@x", 21, 5) + "tank/a@y\t22\n"),
            "the list of snapshots could not be read: 2 columns instead of 8",
            id="a-snapshot-cut-in-the-middle",
        ),
        pytest.param(
            "snapshots",
            Said(snapshot("tank/a@x", 21, 5), error=InterruptedOutputError("cut")),
            "cut",
            id="snapshots-cut-off",
        ),
        pytest.param(
            "snapshots",
            Said(snapshot("tank/a@x", 21, 5), error=HostTimeoutError("no answer within 1800 s")),
            "no answer within 1800 s",
            id="snapshots-too-late",
        ),
        pytest.param(
            "snapshots", Said(error=UnreachableError("alpha could not be reached")), "alpha could not", id="dial-failed"
        ),
    ],
)
def test_a_doubtful_answer_makes_the_facts_incomplete_and_the_rest_is_still_given(
    question: str, said: Said, problem: str
) -> None:
    facts = collect(ScriptedHost("alpha", HEALTHY | {question: said}))

    assert not facts.complete
    assert facts.problems[0].startswith(problem)
    assert facts.reached
    assert "tank/a" in facts.datasets
    if question != "snapshots" or said.stdout:
        assert facts.snapshots["tank/a"][0].name == "x"


def test_where_a_listing_is_doubtful_no_dataset_is_said_to_have_no_snapshots() -> None:
    said = Said(snapshot("tank/a@x", 21, 5), "cannot iterate filesystems: I/O error\n")

    facts = collect(ScriptedHost("alpha", HEALTHY | {"snapshots": said}))

    assert list(facts.snapshots) == ["tank/a"]


def test_properties_that_cannot_be_read_set_nothing() -> None:
    said = Said(own("tank/a@x", 21, "before") + own("tank/a@y", 22, "two\nlines"))

    facts = collect(ScriptedHost("alpha", HEALTHY | {"own": said}))

    assert [s.reason for s in facts.snapshots["tank/a"]] == [None, None]


def test_many_odd_lines_are_one_problem() -> None:
    stdout = snapshot("tank/a@x", 21, 5) + "odd\n" * 100 + snapshot("tank/a@y", 22, 6)

    facts = collect(ScriptedHost("alpha", HEALTHY | {"snapshots": Said(stdout)}))

    assert len(facts.problems) == 1
    assert facts.problems[0].endswith("and 99 more such lines")
    assert [s.name for s in facts.snapshots["tank/a"]] == ["x", "y"]


def test_a_name_that_comes_twice_is_a_problem_of_the_host() -> None:
    stdout = snapshot("tank/a@x", 21, 5) + snapshot("tank/a@x", 22, 6)

    facts = collect(ScriptedHost("alpha", HEALTHY | {"snapshots": Said(stdout)}))

    assert not facts.complete
    assert "tank/a" not in facts.snapshots


@pytest.mark.parametrize("question", ["own", "snapshots"])
def test_a_dataset_that_goes_away_in_between_is_looked_at_once_more(question: str) -> None:
    later = dataset("tank", 10) + dataset("tank/a", 11)
    host = ScriptedHost(
        "alpha", HEALTHY | {question: (GONE, HEALTHY[question]), "datasets": (HEALTHY["datasets"], Said(later))}
    )

    facts = collect(host)

    assert facts.complete
    assert list(facts.snapshots) == ["tank", "tank/a"]
    assert host.count("datasets") == 2
    assert host.exchanges == 6


def test_both_listings_begin_before_the_first_is_read() -> None:
    """Each takes a host minutes where there are many snapshots."""
    seen: list[str] = []

    class Watched(ScriptedHost):
        @contextmanager
        def lines(self, command: Command, *, timeout: float | None = None) -> Iterator[ScriptedLines]:
            seen.append(f"{question_of(command)} begins")
            with super().lines(command, timeout=timeout) as stream:
                yield stream
            seen.append(f"{question_of(command)} is let go")

    collect(Watched("alpha", HEALTHY))

    assert seen == ["own begins", "snapshots begins", "snapshots is let go", "own is let go"]


def test_a_pool_that_goes_away_while_datasets_are_listed_is_looked_at_once_more() -> None:
    gone = Said(dataset("tank", 10), "cannot open 'usb': no such pool\n", 1)
    host = ScriptedHost("alpha", HEALTHY | {"datasets": (gone, HEALTHY["datasets"])})

    facts = collect(host)

    assert facts.complete
    assert list(facts.datasets) == ["tank", "tank/a", "tank/b"]
    assert host.exchanges == 4


def test_a_dataset_that_seems_to_go_away_again_and_again_is_a_problem() -> None:
    host = ScriptedHost("alpha", HEALTHY | {"own": GONE})

    facts = collect(host)

    assert facts.problems == ("`zfs get` failed with exit 1: cannot open 'tank/b': dataset does not exist",)
    assert [s.name for s in facts.snapshots["tank/a"]] == ["x", "y"]
    assert host.count("datasets") == 2


def test_a_host_in_trouble_stops_no_other() -> None:
    down = ScriptedHost("down", {"version": Said(error=UnreachableError("down could not be reached"))})
    hosts = [ScriptedHost(f"node{number:02}", HEALTHY) for number in range(50)]
    fleet = ScriptedFleet(down, *hosts)

    facts = collect_facts(fleet, [FactsRequest(host.name, everything) for host in (down, *hosts)], now=NOW)

    assert list(facts.hosts) == ["down", *(host.name for host in hosts)]
    assert not facts.complete
    assert all(facts.hosts[host.name].complete for host in hosts)


def test_nothing_asked_is_nothing_known() -> None:
    assert collect_facts(ScriptedFleet(), [], now=NOW).hosts == {}


def test_a_host_that_the_policy_does_not_name_is_an_error() -> None:
    with pytest.raises(UnknownNameError):
        collect_facts(ScriptedFleet(), [FactsRequest("alpha", everything)], now=NOW)


def test_a_host_twice_in_one_question_is_refused() -> None:
    request = FactsRequest("alpha", everything)

    with pytest.raises(ValueError, match="twice"):
        collect_facts(ScriptedFleet(ScriptedHost("alpha", HEALTHY)), [request, request], now=NOW)
