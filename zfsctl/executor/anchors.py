"""Move the anchors to what a receiver has, seen by guid: five exchanges for any number of datasets, and more only where
something has not arrived under its name, holds cannot be moved as a whole, or what is set on senders is not certain.

The new anchors stand before the old ones go, so a chain has a base at every moment, whenever this is killed. The old
cursors go last: as long as one is there the next look knows that something was not finished, whatever else it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

from zfsctl.errors import HostCommandError, UnreachableError
from zfsctl.executor.holding import HOLD, RELEASE, change_holds
from zfsctl.executor.patience import patience
from zfsctl.executor.settling import Settling, failed_anchors, see_arrivals
from zfsctl.hosts.protocol import Fleet, Host
from zfsctl.model.batches import batches
from zfsctl.model.command import Command, Completed
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import MoveAnchors, base_tag, send_tag
from zfsctl.zfs.bookmarks import argv_bookmark, argv_destroy_bookmark, argv_list_bookmarks, parse_bookmarks
from zfsctl.zfs.changing import argv_rebookmark, argv_set_user_properties
from zfsctl.zfs.failures import messages_of
from zfsctl.zfs.holds import argv_list_holds, parse_held
from zfsctl.zfs.properties import argv_get_properties, parse_properties
from zfsctl.zfs.scope import Scope
from zfsctl.zfs.source_properties import (
    argv_keep_source_properties,
    argv_kept_source_properties,
    argv_set_everywhere,
    argv_set_properties,
    parse_kept_source_properties,
    parse_set_everywhere,
    parse_set_properties,
    text_of_source_properties,
)

MOST_SET_BY_ONE = 8

Sender = tuple[Sequence[Settling], Host]
"""The pairs of one sending host, and that host."""


def apply_anchors(steps: Sequence[MoveAnchors], fleet: Fleet) -> list[StepOutcome]:
    """Settle every pair; the receivers are on one host. An error of a host is the outcome of what it concerns."""
    try:
        return _settle([Settling(step) for step in steps], fleet)
    except (HostCommandError, UnreachableError) as error:
        return [failed_anchors(step, error) for step in steps]
    except ValueError as error:
        # A name or value that OpenZFS would refuse is the matter of one pair alone.
        if len(steps) == 1:
            return [StepOutcome(steps[0].id, Result.FAILED, str(error))]
        return [outcome for step in steps for outcome in apply_anchors([step], fleet)]


def _settle(work: Sequence[Settling], fleet: Fleet) -> list[StepOutcome]:
    receiver = fleet.host(work[0].step.host)
    see_arrivals(work, receiver)
    seen = [one for one in work if one.unseen is None]
    if seen:
        _move(seen, receiver, fleet)
    return [one.outcome() for one in work]


def _move(work: Sequence[Settling], receiver: Host, fleet: Fleet) -> None:
    by_sender: dict[str, list[Settling]] = {}
    for one in work:
        by_sender.setdefault(one.step.sender_host, []).append(one)
    senders: list[Sender] = [(pairs, fleet.host(name)) for name, pairs in by_sender.items()]
    senders = _beside_the_receiver(lambda: _hold_arrivals(work, receiver), senders, _set_cursors)
    senders = _on_senders(senders, _ask_what_is_set)
    senders = _beside_the_receiver(lambda: _release_old(work, receiver), senders, _release_sent)
    _on_senders(senders, _destroy_old_cursors)


def _beside_the_receiver(
    on_receiver: Callable[[], None], senders: Sequence[Sender], act: Callable[[Sequence[Settling], Host], None]
) -> list[Sender]:
    """Do something at both ends at the same time; both are over when this returns, as `_on_senders`, or raises.

    Raises:
        HostCommandError, UnreachableError: What the receiver did not do.
    """
    with ThreadPoolExecutor(1, "senders") as other_end:
        acted = other_end.submit(_on_senders, senders, act)
        on_receiver()
    return acted.result()


def _on_senders(senders: Sequence[Sender], act: Callable[[Sequence[Settling], Host], None]) -> list[Sender]:
    """Do something on each sending host, and return those that can be reached; an error concerns its pairs alone."""
    reached: list[Sender] = []
    for pairs, sender in senders:
        try:
            act(pairs, sender)
        except (HostCommandError, UnreachableError) as error:
            for one in pairs:
                one.wrong.append(str(error))
            if isinstance(error, UnreachableError):
                continue
        reached.append((pairs, sender))
    return reached


def _hold_arrivals(work: Sequence[Settling], receiver: Host) -> None:
    """Hold what arrived and see that it is held; besides, read what is kept there, and what first copies brought."""
    arrived = {one.arrival: one for one in work if one.arrived is not None}
    if not arrived:
        return
    tag = base_tag(work[0].step.replication)
    parts = tuple(batches(arrived))
    new = [name for name, one in arrived.items() if not _is_held(one)]
    first = [one for one in arrived.values() if one.step.properties]
    names = sorted({name for one in first for name, _ in one.step.properties})
    changed, (_, listed, kept, read) = change_holds(
        receiver,
        HOLD,
        tag,
        new,
        _beside(command for one in arrived.values() for command in _notes(one)),
        [argv_list_holds(part) for part in parts],
        [argv_kept_source_properties([name.partition("@")[0] for name in part]) for part in parts],
        [argv_get_properties(names, part) for part in batches(one.step.receiver for one in first)],
    )
    told = {name: text for answer in kept for name, text in parse_kept_source_properties(answer.stdout).items()}
    held = {name for answer in listed for name in parse_held(answer.stdout, tag)}
    said = _first_message(change.answer for change in changed)
    for name, one in arrived.items():
        one.held = name in held
        one.kept = told.get(one.step.receiver, "")
        if not one.held:
            one.wrong.append(f"{name} could not be held on the receiver: {said}")
    _read_back(first, read)


def _read_back(first: Sequence[Settling], answers: Sequence[Completed]) -> None:
    """Whether a first copy has the properties that keep it closed: receive can exit 0 without them."""
    found = {(line.name, line.property): line.value for answer in answers for line in parse_properties(answer.stdout)}
    for one in first:
        for name, value in one.step.properties:
            now = found.get((one.step.receiver, name))
            if now != value:
                one.wrong.append(f"{name} is {now or 'not known'} instead of {value}: `zfs allow` the right to set it")


def _notes(one: Settling) -> list[Command]:
    """What plain streams do not carry: when a snapshot expires and why it was taken; of those that were seen there.

    What merely has the name of one is a snapshot of the receiver's own, which must not get an end by that.
    """
    here, names = one.step.receiver, one.names
    return [
        argv_set_user_properties(here, SnapshotRef(names[ref.guid], ref.guid), said)
        for ref, said in one.step.notes
        if ref.guid in names
    ]


def _set_cursors(pairs: Sequence[Settling], sender: Host) -> None:
    settled = [one for one in pairs if one.arrived is not None]
    if not settled:
        return
    names = sorted({one.step.sender for one in settled})
    parts = tuple(batches(names))
    made, listed, set_there = _exchange(
        sender,
        _beside(_bookmark(one) for one in settled if not one.has_cursor),
        [argv_list_bookmarks(Scope(part, recursive=False)) for part in parts],
        [command for part in parts for command in argv_set_everywhere(part)],
    )
    _note_what_is_set(settled, parts, set_there)
    there: dict[tuple[str, str], int] = {}
    for answer in listed:
        for dataset, bookmarks in parse_bookmarks(answer.stdout).items():
            there.update({(dataset, bookmark.name): bookmark.guid for bookmark in bookmarks})
    said = _first_message(made)
    for one in settled:
        one.marked = there.get((one.step.sender, one.cursor)) == one.ref.guid
        if not one.marked:
            one.wrong.append(f"the cursor #{one.cursor} could not be made: {said}")


def _note_what_is_set(
    settled: Sequence[Settling], parts: Sequence[Sequence[str]], answers: Sequence[Completed]
) -> None:
    """What all senders together said is set on each, where that is certain."""
    for part, names, values in zip(parts, answers[::2], answers[1::2], strict=True):
        found = parse_set_everywhere(names.stdout, values.stdout, part) if names.clean and values.clean else None
        for one in settled:
            if found is not None and one.step.sender in found:
                one.set_there = text_of_source_properties(found[one.step.sender])


def _ask_what_is_set(pairs: Sequence[Settling], sender: Host) -> None:
    """Ask each sender alone of which that is not certain."""
    asked = [one for one in pairs if one.held and not one.set_there]
    (answers,) = _exchange(sender, [argv_set_properties(one.step.sender) for one in asked])
    for one, answer in zip(asked, answers, strict=True):
        if answer.clean:
            one.set_there = text_of_source_properties(parse_set_properties(answer.stdout))


def _bookmark(one: Settling) -> Command:
    ref = one.ref
    if ref.name.startswith("#"):
        return argv_rebookmark(one.step.sender, ref.name[1:], one.cursor)
    return argv_bookmark(one.step.sender, ref.name, one.cursor)


def _release_sent(pairs: Sequence[Settling], sender: Host) -> None:
    """What was held in flight and is not any more."""
    in_flight = [f"{one.step.sender}@{ref.name}" for one in pairs if not one.token for ref in one.step.in_flight]
    change_holds(sender, RELEASE, send_tag(pairs[0].step.replication), in_flight)


def _destroy_old_cursors(pairs: Sequence[Settling], sender: Host) -> None:
    """The cursors that are behind, once all else is done: while there is one, the next run looks for what is not."""
    old = [
        argv_destroy_bookmark(one.step.sender, ref.name)
        for one in pairs
        if one.stands and one.let_go and not one.wrong
        for ref in one.step.bookmarks
        if ref.name != one.cursor
    ]
    _exchange(sender, _beside(old))


def _release_old(work: Sequence[Settling], receiver: Host) -> None:
    """The holds that are behind, once both new anchors stand; and what is kept of the sender's properties."""
    old = [
        f"{one.step.receiver}@{one.names[ref.guid]}"
        for one in work
        if one.stands and one.arrived is not None
        for ref in one.step.held
        if ref.guid != one.arrived.guid and ref.guid in one.names
    ]
    keep = _beside(_keep_source_properties(work))
    released, _ = change_holds(receiver, RELEASE, base_tag(work[0].step.replication), old, keep)
    kept = {name for change in released if not change.answer.clean for name in change.snapshots}
    for one in work:
        one.let_go = not any(name.startswith(f"{one.step.receiver}@") for name in kept)


def _keep_source_properties(work: Iterable[Settling]) -> Iterator[Command]:
    """A command for several receivers that should keep the same; few in each, as it takes them one after another."""
    changed: dict[str, list[str]] = {}
    for one in work:
        if one.held and one.set_there not in ("", one.kept):
            changed.setdefault(one.set_there, []).append(one.step.receiver)
    for text, receivers in changed.items():
        yield from (argv_keep_source_properties(part, text) for part in batches(receivers, most_names=MOST_SET_BY_ONE))


def _exchange(host: Host, *groups: Sequence[Command]) -> list[tuple[Completed, ...]]:
    """Several groups of commands in one exchange, and the answers of each group; none where there is no command."""
    commands = [command for group in groups for command in group]
    answers = iter(host.run_all(commands, timeout=patience(commands)) if commands else ())
    return [tuple(islice(answers, len(group))) for group in groups]


def _beside(commands: Iterable[Command]) -> list[Command]:
    """Changes that wait for a transaction group each, and none of them for another."""
    return [replace(command, beside=True) for command in commands]


def _is_held(one: Settling) -> bool:
    return one.arrived is not None and any(ref.guid == one.arrived.guid for ref in one.step.held)


def _first_message(answers: Iterable[Completed]) -> str:
    messages = (message for answer in answers for message in messages_of(answer.stderr))
    return next(messages, "no reason was given").replace("\n", " ")
