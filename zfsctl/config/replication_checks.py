"""What of `[[replications]]` can only be judged with more than one value in hand, and before any host is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zfsctl.config.checks import check_host, host_names, placed
from zfsctl.config.flows import Flow, by_sending_host, circle, flows_of
from zfsctl.config.merge import KeyPath, Merged
from zfsctl.config.problems import Problem
from zfsctl.config.receiver_checks import check_receivers
from zfsctl.config.replication_values import PLACEHOLDER
from zfsctl.config.shape import ReplicationTable
from zfsctl.config.validate import Validated
from zfsctl.model.names import (
    LOCAL,
    MAX_NAME_BYTES,
    Place,
    check_pool_name,
    is_at_or_below,
    manual_name,
    pool_of,
    stamp,
)
from zfsctl.model.replication import Repair, Replication, Route
from zfsctl.planner.wording import window_text


def check_replications(merged: Merged, validated: Validated) -> Iterator[Problem]:
    """Everything that is wrong between the replications, and between them and the rest of the file."""
    hosts = host_names(merged)
    flows: list[Flow] = []
    first: dict[str, KeyPath] = {}
    for position, table in placed(validated, "replications", validated.document.replications):
        path = ("replications", position)
        yield from _check_name(merged, path, table.name, first)
        yield from _check_delays(merged, path, table)
        yield from _check_pending(merged, path, table)
        unknown = [
            *check_host(merged, (*path, "sender"), table.sender.host, table.sender.dataset, hosts),
            *check_host(merged, (*path, "receiver"), table.receiver.host, table.receiver.dataset, hosts),
        ]
        yield from unknown
        if unknown:
            continue
        of_this = flows_of(path, table.replication(merged.where(path), hosts), hosts)
        alone = _check_placeholder(merged, of_this)
        yield from alone
        yield from _check_receiver_names(merged, of_this, validated.document.prefix)
        if table.route is not None:
            wrong_routes = list(_check_route(merged, of_this))
            yield from wrong_routes or _check_bandwidth(merged, of_this)
        flows.extend(of_this[:1] if alone else of_this)
    yield from _check_overlaps(merged, flows)
    yield from _check_own_trees(merged, flows)
    onward = [flow for flow in flows if not flow.returns]
    yield from _check_circles(merged, onward)
    if not validated.problems:
        # A rule or policy that is wrong by itself is missing here, and would be missed where it is not.
        yield from check_receivers(merged, validated.document, onward)


def _check_name(merged: Merged, path: KeyPath, name: str, first: dict[str, KeyPath]) -> Iterator[Problem]:
    earlier = first.setdefault(name, path)
    if earlier != path:
        message = f"there are two replications called {name!r}"
        expected = f"a name of its own, it tells their bookmarks and holds apart; {merged.where(earlier)} has this one"
        yield merged.problem((*path, "name"), message, expected)


def _check_delays(merged: Merged, path: KeyPath, table: ReplicationTable) -> Iterator[Problem]:
    if table.max_delay >= table.warn_after:
        return
    said = [key for key in ("max_delay", "warn_after") if key in table.model_fields_set]
    longest, warning = window_text(table.max_delay), window_text(table.warn_after)
    other = "" if len(said) == 2 else f", {'max_delay' if said == ['warn_after'] else 'warn_after'} by default"
    yield merged.problem(
        (*path, said[0]),
        f"max_delay {longest} is shorter than warn_after {warning}{other}",
        "a warning first, and an alarm after max_delay",
        f'max_delay = "{warning}" or longer, or a shorter warn_after',
    )


def _check_pending(merged: Merged, path: KeyPath, table: ReplicationTable) -> Iterator[Problem]:
    """What waits is how a lag is seen: were it let go of before the alarm, there would never be one."""
    key, longest = table.alarms_after
    if table.waits_for > longest:
        return
    said = next(one for one in ("pending_limit", key) if one in table.model_fields_set)
    yield merged.problem(
        (*path, said),
        f"pending_limit {window_text(table.waits_for)} is not longer than {key} {window_text(longest)}"
        + ("" if key in table.model_fields_set else ", which is the default"),
        "an alarm before the sender lets go of what its receiver lacks",
        f'pending_limit = "{window_text(longest + 7 * 86400)}", or a shorter {key}',
    )


def _check_placeholder(merged: Merged, flows: Sequence[Flow]) -> tuple[Problem, ...]:
    replication = flows[0].replication
    if len(flows) == 1 or PLACEHOLDER in replication.receiver_dataset:
        return ()
    senders = [flow.sender.host for flow in flows]
    several = ", ".join([*senders[:3], *(["..."] if len(senders) > 3 else [])])
    pool, _, rest = replication.receiver_dataset.partition("/")
    problem = merged.problem(
        (*flows[0].path, "receiver"),
        f"{several} would arrive in one dataset",
        f"{PLACEHOLDER} in the receiver's name; it stands for the sender's host",
        f'receiver = "{replication.receiver_host}:{pool}/{PLACEHOLDER}/{rest}"',
    )
    return (problem,)


def _check_receiver_names(merged: Merged, flows: Sequence[Flow], prefix: str) -> Iterator[Problem]:
    """Names as they are with the sender's host in them, and those that a run will make of them."""
    for flow in flows:
        path, name = (*flow.path, "receiver"), flow.receiver.dataset
        room = MAX_NAME_BYTES - _added(flow.replication, prefix)
        try:
            check_pool_name(pool_of(name))
        except ValueError as error:
            yield merged.problem(path, f"{name!r}: {error}", f"a pool whose name does not come from {PLACEHOLDER}")
            return
        if len(name.encode()) > room:
            message = f"{name!r} has {len(name.encode())} bytes, which leaves too little of {MAX_NAME_BYTES}"
            expected = f"at most {room} bytes: its snapshots, and copies that a repair sets aside, have longer names"
            yield merged.problem(path, message, expected)
            return


def _added(replication: Replication, prefix: str) -> int:
    """Bytes of the longest that is put to a receiver's name: `.zfsctl-aside-<UTC>@<prefix>-manual-<UTC>`."""
    aside = "" if replication.repair is Repair.NEVER else f".zfsctl-aside-{stamp(0)}"
    return len(f"{aside}@{manual_name(prefix, 0)}")


def _check_route(merged: Merged, flows: Sequence[Flow]) -> Iterator[Problem]:
    one_host = all(flow.sender.host == flow.receiver.host for flow in flows)
    for flow in flows:
        wrong = _wrong_way(flow.replication.route, flow.sender.host, flow.receiver.host)
        if wrong:
            instead = Route.LOCAL if one_host else Route.RELAY
            yield merged.problem((*flow.path, "route"), *wrong, f'route = "{instead.value}"')
            return


def _wrong_way(route: Route, sender: str, receiver: str) -> tuple[str, str] | None:
    """What is wrong with a route and what would be right; None where nothing is."""
    if route is Route.LOCAL and sender != receiver:
        return f'"local" stays on one host, {sender} sends to {receiver}', "relay, which goes through this machine"
    if route in (Route.PUSH, Route.PULL) and sender == receiver:
        return f'"{route.value}" would make {sender} dial itself', "local where one host sends and receives, else relay"
    if route is Route.PUSH and receiver == LOCAL:
        dialled = sender
    elif route is Route.PULL and sender == LOCAL:
        dialled = receiver
    else:
        return None
    return (
        f'"{route.value}" would make {dialled} dial this machine',
        f"relay: this machine dials {dialled}, and no byte goes further than it must",
    )


def _check_bandwidth(merged: Merged, flows: Sequence[Flow]) -> Iterator[Problem]:
    for flow in flows:
        route = flow.replication.route
        dialler = flow.sender.host if route is Route.PUSH else flow.receiver.host
        passes_here = route is Route.RELAY or (route in (Route.PUSH, Route.PULL) and dialler == LOCAL)
        if flow.replication.bandwidth is not None and not passes_here:
            message = f'a stream by the route "{route.value}" cannot be held back'
            expected = "relay, whose bytes go through this machine, or no bandwidth"
            yield merged.problem((*flow.path, "bandwidth"), message, expected, f'route = "{Route.RELAY.value}"')
            return


def _check_overlaps(merged: Merged, flows: Sequence[Flow]) -> Iterator[Problem]:
    """A dataset is written by one replication only; that of another inside it would be set aside with it."""
    first: dict[Place, Flow] = {}
    for flow in flows:
        first.setdefault(flow.receiver, flow)
    told: set[tuple[KeyPath, KeyPath]] = set()
    for flow in flows:
        for above in _upwards(flow.receiver):
            other = first.get(above, flow)
            earlier, later = sorted((other, flow), key=lambda one: one.path[1])
            if other.path == flow.path or (earlier.path, later.path) in told:
                continue
            told.add((earlier.path, later.path))
            if earlier.receiver == later.receiver:
                how = "is"
            else:
                how = "lies inside" if is_at_or_below(later.receiver.dataset, earlier.receiver.dataset) else "holds"
            yield merged.problem(
                (*later.path, "receiver"),
                f"{later.receiver} {how} {_itself(earlier, later)} the receiver of {earlier.replication.name!r}",
                f"a dataset that no other replication touches; {merged.where(earlier.path)} has that one",
            )


def _itself(earlier: Flow, later: Flow) -> str:
    return "already" if earlier.receiver == later.receiver else f"{earlier.receiver},"


def _upwards(place: Place) -> Iterator[Place]:
    """A dataset and all that it lies in."""
    parts = place.dataset.split("/")
    return (Place(place.host, "/".join(parts[:length])) for length in range(len(parts), 0, -1))


def _check_own_trees(merged: Merged, flows: Sequence[Flow]) -> Iterator[Problem]:
    told: set[KeyPath] = set()
    for flow in flows:
        if not flow.returns or flow.path in told:
            continue
        told.add(flow.path)
        if flow.sender == flow.receiver:
            message = f"{flow.sender} would be sent to itself"
        elif is_at_or_below(flow.receiver.dataset, flow.sender.dataset):
            message = f"{flow.receiver} lies inside {flow.sender}, its own sender: every copy would be copied again"
        else:
            message = f"{flow.receiver} holds {flow.sender}, its own sender"
        expected = "a dataset outside the sender's tree"
        if "*" in flow.replication.sender.host:
            expected += (
                f', or a sender whose host is not {flow.sender.host}: "{flow.replication.sender.host}" matches it'
            )
        yield merged.problem((*flow.path, "receiver"), message, expected)


def _check_circles(merged: Merged, flows: Sequence[Flow]) -> Iterator[Problem]:
    """Each circle once, at the last of its replications."""
    told: set[KeyPath] = set()
    by_host = by_sending_host(flows)
    for flow in flows:
        way = circle(flow, by_host) if flow.path not in told else ()
        if way:
            told.add(flow.path)
            names = " -> ".join(repr(one.replication.name) for one in (*way, flow))
            yield merged.problem(
                (*flow.path, "receiver"),
                f"what it sends comes back to it: {names}",
                "replications that lead away from where the data is written",
            )
