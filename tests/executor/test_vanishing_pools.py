"""A pool that is exported or destroyed while its host is being read."""

from __future__ import annotations

from tests.executor.scripted import Said, ScriptedFleet, ScriptedHost
from zfsctl.executor.collect import FactsRequest, collect_facts
from zfsctl.model.facts import HostFacts

VERSION = Said("zfs-2.3.9-1\nzfs-kmod-2.3.9-1\n")
CLOCK = Said("1795000007\n")
NO_POOLS = Said()
GOING = Said(stderr="cannot open 'usb': no such pool\n", exit_code=1)


def collected(host: ScriptedHost) -> HostFacts:
    return collect_facts(ScriptedFleet(host), [FactsRequest(host.name, lambda facts: [])], now=0).hosts[host.name]


def test_it_is_looked_at_once_more() -> None:
    script = {"version": VERSION, "clock": CLOCK, "pools": NO_POOLS, "datasets": (GOING, Said())}
    host = ScriptedHost("alpha", script)

    facts = collected(host)

    assert facts.complete
    assert host.exchanges == 2


def test_one_that_goes_again_and_again_is_a_problem() -> None:
    host = ScriptedHost("alpha", {"version": VERSION, "clock": CLOCK, "pools": NO_POOLS, "datasets": GOING})

    facts = collected(host)

    assert facts.problems == ("`zfs list` failed with exit 1: cannot open 'usb': no such pool",)
    assert host.exchanges == 2
