"""Which way a stream takes, from what the policy says."""

from __future__ import annotations

import pytest

from zfsctl.errors import UsageError
from zfsctl.hosts.way import way_taken
from zfsctl.model.route import Route

RELAY, PUSH, PULL, LOCAL = Route.RELAY, Route.PUSH, Route.PULL, Route.LOCAL


@pytest.mark.parametrize(
    ("sender", "receiver", "route", "way"),
    [
        pytest.param("a", "b", RELAY, RELAY, id="through this machine"),
        pytest.param("a", "a", RELAY, RELAY, id="one host through this machine"),
        pytest.param("a", "b", PUSH, PUSH, id="the sender dials"),
        pytest.param("a", "b", PULL, PULL, id="the receiver dials"),
        pytest.param("a", "a", LOCAL, LOCAL, id="one host"),
        pytest.param("local", "local", LOCAL, LOCAL, id="this machine"),
        pytest.param("a", "a", PUSH, LOCAL, id="one host need not push to itself"),
        pytest.param("local", "local", PULL, LOCAL, id="nor this machine pull from itself"),
        pytest.param("local", "b", PUSH, RELAY, id="this machine dials as a sender"),
        pytest.param("a", "local", PULL, RELAY, id="this machine dials as a receiver"),
    ],
)
def test_the_way_of_a_route(sender: str, receiver: str, route: Route, way: Route) -> None:
    assert way_taken(sender, receiver, route, bandwidth=None) is way
    if way is RELAY:
        assert way_taken(sender, receiver, route, bandwidth=1) is way
    else:
        with pytest.raises(UsageError, match="only the relay can keep to a bandwidth"):
            way_taken(sender, receiver, route, bandwidth=1)


@pytest.mark.parametrize(
    ("sender", "receiver", "route", "why"),
    [
        pytest.param("a", "b", LOCAL, "one host", id="local between two hosts"),
        pytest.param("a", "local", PUSH, "a cannot dial this machine", id="push to this machine"),
        pytest.param("local", "b", PULL, "b cannot dial this machine", id="pull from this machine"),
    ],
)
def test_a_way_that_there_is_not(sender: str, receiver: str, route: Route, why: str) -> None:
    with pytest.raises(UsageError) as raised:
        way_taken(sender, receiver, route, bandwidth=None)

    assert why in raised.value.why
    assert raised.value.hint == 'route = "relay"'
    assert raised.value.where == receiver
