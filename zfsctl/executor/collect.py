"""Read what a command is about from its hosts: all of them in parallel, each in a constant number of exchanges.

The first exchange asks a host for its version, clock, pools and datasets. Where snapshots matter, two more, which
begin together, read them as they arrive. What goes away in between spoils the listing; then everything is asked once
more. Where replications are all that is asked about, a short look comes before that, which is mostly enough.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from zfsctl.errors import HostCommandError, HostTimeoutError, UnreachableError, UnreadableOutputError
from zfsctl.executor.at_once import at_once
from zfsctl.executor.collect_chains import ChainRequest, collect_chains
from zfsctl.executor.collect_heads import collect_heads
from zfsctl.hosts.protocol import Fleet, Host, LineStream
from zfsctl.model.command import Command, Completed
from zfsctl.model.dataset import Dataset, Snapshot
from zfsctl.model.facts import Chains, Facts, HostFacts
from zfsctl.zfs.about import argv_clock, argv_version, parse_clock, parse_version
from zfsctl.zfs.datasets import argv_list_datasets, parse_datasets
from zfsctl.zfs.failures import FailureKind, kind_of, messages_of
from zfsctl.zfs.own_properties import OwnProperties, argv_own_properties, parse_own_properties
from zfsctl.zfs.pools import argv_list_pools, parse_pools
from zfsctl.zfs.scope import scope_of
from zfsctl.zfs.snapshots import argv_list_snapshots, in_order, read_snapshots

SLOW_LISTING_SECONDS = 600
"""How long a list of datasets may take where the limit for a short question was not enough."""
SUSPENDED = "SUSPENDED"
SICK = frozenset({SUSPENDED, "UNAVAIL", "FAULTED"})
"""Health of a pool that explains why a listing failed."""

T = TypeVar("T")

Unread = Callable[[Facts], Collection[str] | None]
"""Given the newest snapshots of all hosts, the names of those to be read whole; None for everything of all."""


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """What to read from one host."""

    host: str
    wanted: Callable[[HostFacts], Sequence[str]]
    """Given the pools and datasets of the host, the datasets whose snapshots matter; none: no snapshots are read.

    Called in the thread of the host, at most twice. Names that the host does not have are passed over.
    """
    chains: Callable[[HostFacts], ChainRequest] | None = None
    """What replication wants to know besides; called after `wanted`."""


def collect_facts(fleet: Fleet, requests: Sequence[FactsRequest], *, now: int, unread: Unread | None = None) -> Facts:
    """Read every host of `requests`; what fails is told in the facts of that host and stops no other.

    Args:
        fleet: Dials the hosts.
        requests: At most one per host; the facts are in their order.
        now: The controller's clock, epoch seconds, for hosts that cannot be asked.
        unread: Asked which hosts have to be read whole, where the newest snapshots alone were read of all. Of these
            hosts all snapshots are then listed, without what was set on them; of the others they are not.

    Raises:
        UnknownNameError: The policy has no such host.
        ValueError: A host comes twice.
    """
    names = [request.host for request in requests]
    if len(set(names)) != len(names):
        raise ValueError("a host comes twice in one question for facts")
    looks = [_Look(fleet.host(request.host), request, now) for request in requests]
    short = _short(looks) if unread is not None else None
    left = unread(short) if unread is not None and short is not None else None
    if short is None or left is None:
        return Facts(dict(zip(names, at_once(_whole, looks), strict=True)))
    rest = [look for look in looks if look.host.name in left]
    for look in rest:
        look.own = False
    return Facts({**short.hosts, **{one.host: one for one in at_once(_whole, rest)}})


def _short(looks: Sequence[_Look]) -> Facts | None:
    """The newest snapshots alone; None where that does not do."""
    heads = [one for one in at_once(_begin_short, looks) if one is not None]
    return Facts({one.host: one for one in heads}) if len(heads) == len(looks) else None


@dataclass(slots=True)
class _Look:
    """One look at a host, as it grows."""

    host: Host
    request: FactsRequest
    now: int
    own: bool = True
    """Whether it matters what was set on the snapshots themselves."""
    facts: HostFacts = field(init=False)
    goes_on: bool | None = None
    """Whether more can be asked after the first exchange; None before it."""
    problems: list[str] = field(default_factory=list)
    last: bool = False
    """Whether it is not repeated, so that what can be read is read."""
    vanished: bool = False
    """A pool or dataset that was listed was gone when more was asked about it."""

    def __post_init__(self) -> None:
        self.facts = HostFacts(self.host.name, self.now)

    def told(self) -> HostFacts:
        """The facts with what is known of their problems by now."""
        if not self.problems:
            return self.facts
        sick = [f"pool {pool.name} is {pool.health}" for pool in self.facts.pools if pool.health in SICK]
        return replace(self.facts, problems=(*self.problems, *sick))


def _begin_short(look: _Look) -> HostFacts | None:
    """The first exchange, and one about the newest snapshots; None where that does not do."""
    chains = look.request.chains
    if not _begin(look) or chains is None:
        return None
    return collect_heads(look.host, look.told(), chains(look.told()))


def _whole(look: _Look) -> HostFacts:
    """Read one host, or the rest of it. What could not be read is in `problems`, never an error."""
    _look(look)
    if look.vanished:
        look = _Look(look.host, look.request, look.now, look.own, last=True)
        _look(look)
    return look.told()


def _begin(look: _Look) -> bool:
    """The first exchange, if it is not over; whether more can be asked."""
    if look.goes_on is not None:
        return look.goes_on
    look.goes_on = False
    try:
        _ask_basics(look, look.host)
        look.goes_on = look.last or not look.vanished
    except (UnreachableError, HostTimeoutError) as error:
        look.problems.append(str(error))
        look.facts = replace(look.facts, reached=False, unreachable_code=error.code)
    except HostCommandError as error:
        look.problems.append(str(error))
    return look.goes_on


def _look(look: _Look) -> None:
    if not _begin(look):
        return
    host, request = look.host, look.request
    asked = frozenset(request.wanted(look.told()))
    wanted = [name for name in look.facts.datasets if name in asked]
    if wanted:
        look.facts = replace(look.facts, snapshots=_snapshots(look, host, wanted))
    if request.chains is not None and not (look.vanished and not look.last):
        look.facts = replace(look.facts, chains=_chains(look, host, request.chains(look.told())))


def _chains(look: _Look, host: Host, request: ChainRequest) -> Chains:
    def note(answer: Completed) -> bool:
        _note_end(look, answer)
        return answer.clean

    chains = Chains()
    with _noting(look):
        chains = collect_chains(host, look.facts, request, note=note, doubt=look.problems.append)
    return chains


def _ask_basics(look: _Look, host: Host) -> None:
    """The first exchange.

    Raises:
        UnreachableError, HostCommandError: Nothing was answered at all.
    """
    basics = [argv_version(), argv_clock(), argv_list_pools()]
    listing: Completed | None = None
    late = ""
    try:
        version, clock, pools, listing = host.run_all([*basics, argv_list_datasets()])
    except HostTimeoutError as error:
        # A suspended pool can stop `zfs list` for ever, while the pools themselves can still be listed.
        version, clock, pools = host.run_all(basics)
        late = str(error)
    look.facts = HostFacts(
        host=host.name,
        clock=_answer(look, clock, parse_clock, look.facts.clock),
        version=_answer(look, version, parse_version, ""),
        pools=_answer(look, pools, parse_pools, ()),
    )
    if any(pool.health == SUSPENDED for pool in look.facts.pools) and listing is None:
        look.problems.append(f"the datasets were not listed: {late}")
        return
    datasets = _datasets(look, listing) if listing is not None else _datasets_slowly(look, host)
    look.facts = replace(look.facts, datasets=datasets)


def _datasets_slowly(look: _Look, host: Host) -> dict[str, Dataset]:
    """The datasets of a host that needs long to list them: thousands on disks that were just switched on."""
    datasets: dict[str, Dataset] = {}
    with _noting(look), host.lines(argv_list_datasets(), timeout=SLOW_LISTING_SECONDS) as stream:
        stdout = "".join(f"{line}\n" for line in stream)
        datasets = _datasets(look, replace(stream.completed, stdout=stdout))
    return datasets


def _answer(look: _Look, completed: Completed, parse: Callable[[str], T], otherwise: T) -> T:
    """What a command printed, `otherwise` if that cannot be read; a problem if it was not a clean answer."""
    trouble = _trouble(completed)
    look.vanished = look.vanished or _tells_of_vanishing(completed)
    try:
        result = parse(completed.stdout)
    except UnreadableOutputError as error:
        result = otherwise
        trouble = trouble or str(error)
    if trouble:
        look.problems.append(trouble)
    return result


def _datasets(look: _Look, listing: Completed) -> dict[str, Dataset]:
    """Every dataset that can be read: one odd line makes the host's facts incomplete, not empty."""
    doubts: list[UnreadableOutputError] = []
    none: dict[str, Dataset] = {}
    datasets = _answer(look, listing, lambda stdout: parse_datasets(stdout, doubts), none)
    look.problems += _told_once(doubts)
    return datasets


def _snapshots(look: _Look, host: Host, wanted: Sequence[str]) -> dict[str, tuple[Snapshot, ...]]:
    """The snapshots of `wanted`; on a problem only those that could be read, and no entry where there are none."""
    scope = scope_of(wanted, look.facts.datasets)
    trouble_before = len(look.problems)
    own: dict[str, dict[str, OwnProperties]] = {}
    found: dict[str, list[Snapshot]] = {}
    with ExitStack() as stack:
        # Both are asked before either is read: each takes minutes where there are a hundred thousand snapshots.
        properties = _asked(look, host, argv_own_properties(scope), stack) if look.own else None
        listing = _asked(look, host, argv_list_snapshots(scope), stack)
        if properties is not None:
            with _noting(look):
                own = parse_own_properties(properties)
                _note_end(look, properties.completed)
        if look.vanished and not look.last:
            return {}
        if listing is not None:
            with _noting(look):
                _read_all(look, iter(listing), own, found)
                _note_end(look, listing.completed)
    snapshots: dict[str, tuple[Snapshot, ...]] = {}
    for name in wanted:
        with _noting(look):
            snapshots[name] = in_order(found.get(name, ()))
    if len(look.problems) > trouble_before:
        return {name: listed for name, listed in snapshots.items() if listed}
    return snapshots


def _asked(look: _Look, host: Host, command: Command, stack: ExitStack) -> LineStream | None:
    """The output of a command that begins now; None where it could not be asked."""
    stream: LineStream | None = None
    with _noting(look):
        stream = stack.enter_context(host.lines(command))
    return stream


def _read_all(
    look: _Look, lines: Iterator[str], own: dict[str, dict[str, OwnProperties]], found: dict[str, list[Snapshot]]
) -> None:
    doubts: list[UnreadableOutputError] = []
    try:
        while True:
            try:
                read_snapshots(lines, own, found)
                break
            except UnreadableOutputError as error:
                doubts.append(error)  # the next round goes on with the next line
    finally:
        look.problems += _told_once(doubts)


@contextmanager
def _noting(look: _Look) -> Iterator[None]:
    """Turn what stops a question into a problem of the look."""
    try:
        yield
    except (UnreachableError, HostCommandError) as error:
        look.problems.append(str(error))


def _note_end(look: _Look, completed: Completed) -> None:
    trouble = _trouble(completed)
    if trouble:
        look.problems.append(trouble)
        look.vanished = look.vanished or _tells_of_vanishing(completed)


def _tells_of_vanishing(completed: Completed) -> bool:
    """Whether something went away, a dataset or a pool, while its host was being read."""
    kinds = {kind_of(message) for message in messages_of(completed.stderr)}
    return not kinds.isdisjoint({FailureKind.DATASET_MISSING, FailureKind.POOL_MISSING})


def _trouble(completed: Completed) -> str:
    """Why an answer is not clean, as a sentence; empty when it is."""
    if completed.clean:
        return ""
    said = next(messages_of(completed.stderr), "").replace("\n", " ")
    command = " ".join(completed.argv[:2])
    if completed.exit_code == 0:
        return f"`{command}` may have left something out: {said}"
    return f"`{command}` failed with exit {completed.exit_code}" + (f": {said}" if said else "")


def _told_once(doubts: Sequence[UnreadableOutputError]) -> list[str]:
    if len(doubts) < 2:
        return [str(doubt) for doubt in doubts]
    return [f"{doubts[0]}, and {len(doubts) - 1} more such lines"]
