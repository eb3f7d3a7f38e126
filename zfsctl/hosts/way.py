"""Which way a stream really takes, from the route that a policy names. Pure."""

from __future__ import annotations

from zfsctl.errors import UsageError
from zfsctl.model.names import LOCAL
from zfsctl.model.route import Route


def way_taken(sender: str, receiver: str, route: Route, *, bandwidth: int | None) -> Route:
    """One host need not dial itself, and where it is this machine that dials, that is the relay.

    Raises:
        UsageError: This route cannot be taken between these hosts, or cannot keep to a bandwidth.
    """
    why = ""
    way = route
    if route is Route.LOCAL and sender != receiver:
        why = "the route local joins both ends on one host"
    elif route in (Route.PUSH, Route.PULL):
        dialler, dialled = (sender, receiver) if route is Route.PUSH else (receiver, sender)
        if dialler == dialled:
            way = Route.LOCAL
        elif dialler == LOCAL:
            way = Route.RELAY
        elif dialled == LOCAL:
            why = f"{dialler} cannot dial this machine, for which the policy has no address"
    if not why and bandwidth is not None and way is not Route.RELAY:
        why = f"only the relay can keep to a bandwidth, and nothing on the hosts of the route {route} can"
    if why:
        raise UsageError(
            f"no stream from {sender} to {receiver} was begun", why=why, hint='route = "relay"', where=receiver
        )
    return way
