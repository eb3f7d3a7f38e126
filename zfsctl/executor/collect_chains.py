"""Read what replication needs of a host besides its snapshots: one exchange, whatever the number of datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from zfsctl.errors import UnreadableOutputError
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.command import Command, Completed
from zfsctl.model.dataset import Bookmark
from zfsctl.model.facts import Chains, HostFacts
from zfsctl.model.lineage import ResumeToken
from zfsctl.model.names import is_at_or_below, pool_of
from zfsctl.zfs.bookmarks import argv_list_bookmarks, parse_bookmarks
from zfsctl.zfs.chains import argv_list_ivsets, argv_marks, parse_ivsets, parse_marks
from zfsctl.zfs.holds import argv_list_holds, parse_holds
from zfsctl.zfs.pools import argv_pool_features, parse_pool_features
from zfsctl.zfs.scope import scope_of
from zfsctl.zfs.sending import argv_describe_token, check_token, parse_token

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """What to read: the datasets that take part in a replication, and the trees in which receivers lie."""

    datasets: tuple[str, ...]
    receivers: tuple[str, ...] = ()
    """Roots of receiver trees, whether they exist or not: marks of ours are looked for there and beside them."""
    senders: tuple[str, ...] = ()
    """Roots of the trees that are sent."""
    marked: tuple[str, ...] = ()
    """Where marks are looked for besides, with all below."""


@dataclass(slots=True)
class _Asked:
    commands: list[Command] = field(default_factory=list)
    takers: list[Callable[[Completed], None]] = field(default_factory=list)

    def add(self, command: Command, take: Callable[[Completed], None]) -> None:
        self.commands.append(command)
        self.takers.append(take)


def collect_chains(
    host: Host,
    facts: HostFacts,
    request: ChainRequest,
    *,
    note: Callable[[Completed], bool],
    doubt: Callable[[str], None],
) -> Chains:
    """Ask `host` about the chains of `request`.

    Args:
        host: The host.
        facts: What is known of it by now; its snapshots included.
        request: What to ask about; names that the host does not have are passed over.
        note: Told of each answer that has to be clean; whether it was.
        doubt: Told of what could not be read.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: No answer.
    """
    names = [name for name in request.datasets if name in facts.datasets]
    if not names and not request.receivers and not request.marked:
        return Chains()
    bookmarks: dict[str, tuple[Bookmark, ...]] = {}
    holds: dict[str, tuple[str, ...]] = {}
    tokens: dict[str, ResumeToken] = {}
    ivsets: dict[str, int] = {}
    marks: dict[str, dict[str, str]] = {}
    features: dict[str, frozenset[str]] = {}
    asked = _Asked()

    def reading(parse: Callable[[str], Mapping[str, T]], into: dict[str, T]) -> Callable[[Completed], None]:
        def take(answer: Completed) -> None:
            if not note(answer):
                return
            try:
                into.update(parse(answer.stdout))
            except UnreadableOutputError as error:
                doubt(str(error))

        return take

    if names:
        asked.add(argv_list_bookmarks(scope_of(names, facts.datasets)), reading(parse_bookmarks, bookmarks))
        asked.add(argv_pool_features(sorted({pool_of(name) for name in names})), reading(parse_pool_features, features))
    held = [str(one) for name in names for one in facts.snapshots.get(name, ()) if one.userrefs]
    for part in batches(held):
        asked.add(argv_list_holds(part), reading(tags_of, holds))
    encrypted = [name for name in names if facts.datasets[name].encryption != "off"]
    if encrypted:
        asked.add(argv_list_ivsets(scope_of(encrypted, facts.datasets)), reading(parse_ivsets, ivsets))
    places = _places(request, facts)
    if places:
        asked.add(argv_marks(places), reading(parse_marks, marks))
    for name in names:
        token = facts.datasets[name].receive_resume_token
        if token is not None:
            try:
                check_token(token)
            except ValueError as error:
                doubt(f"{name}: {error}")
                continue
            asked.add(argv_describe_token(token), _describing(name, token, tokens, doubt))
    for taker, answer in zip(asked.takers, host.run_all(asked.commands), strict=True):
        taker(answer)
    return Chains(bookmarks, holds, tokens, ivsets, marks, features)


def _describing(
    name: str, token: str, into: dict[str, ResumeToken], doubt: Callable[[str], None]
) -> Callable[[Completed], None]:
    def take(answer: Completed) -> None:
        try:
            into[name] = parse_token(token, answer)
        except UnreadableOutputError as error:
            doubt(f"{name}: {error}")

    return take


def tags_of(stdout: str) -> dict[str, tuple[str, ...]]:
    """By full name of a snapshot, the holds on it, from a list of holds.

    Raises:
        UnreadableOutputError: A line is not what OpenZFS prints.
    """
    found: dict[str, tuple[str, ...]] = {}
    for hold in parse_holds(stdout):
        found[hold.snapshot] = (*found.get(hold.snapshot, ()), hold.tag)
    return found


def _places(request: ChainRequest, facts: HostFacts) -> Sequence[str]:
    """The nearest existing datasets above the receivers: copies set aside lie beside them. Topmost ones only."""
    found = {name for name in request.marked if name in facts.datasets}
    for receiver in request.receivers:
        above = receiver.rpartition("/")[0]
        while above and above not in facts.datasets:
            above = above.rpartition("/")[0]
        if above:
            found.add(above)
    return sorted(name for name in found if not any(name != other and is_at_or_below(name, other) for other in found))
