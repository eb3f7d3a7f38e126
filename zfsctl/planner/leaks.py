"""What replications, repairs and first copies can leave behind, and that no run takes away by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from zfsctl.model.dataset import Bookmark, Dataset
from zfsctl.model.facts import HostFacts
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.lineage import LinkState
from zfsctl.model.names import PARENT_MARK, REPAIR_MARK, is_at_or_below
from zfsctl.model.plan import Step
from zfsctl.model.policy import PolicyFile
from zfsctl.model.repair import is_new, parse_repair_mark
from zfsctl.model.replication import is_by_hand
from zfsctl.model.transfer import AbortReceive, Transfer
from zfsctl.planner.anchoring import is_settled, standing_of
from zfsctl.planner.links import Link
from zfsctl.planner.matching import named_by_us
from zfsctl.planner.pairing import Tree
from zfsctl.planner.pasting import line_for
from zfsctl.planner.wording import counted

_TAG = re.compile(r"zfsctl:(?P<name>[a-z0-9][a-z0-9-]{0,31}):(?P<end>send|base)")
_CURSOR = re.compile(r"zfsctl-(?P<name>[a-z0-9][a-z0-9-]{0,31})-(?P<guid>[0-9a-f]{16})")
_ELSEWHERE = "unless another machine's policy has it"


@dataclass(frozen=True, slots=True)
class Known:
    """What the policy has, and what its next run would do."""

    policy: PolicyFile
    trees: Sequence[Tree]
    links: Sequence[Link]
    steps: Sequence[Step]

    def has(self, replication: str) -> bool:
        """Whether the policy has a replication of this name."""
        return any(one.name == replication for one in self.policy.replications)

    def sends(self, replication: str, host: str, dataset: str) -> bool:
        """Whether `replication` sends `dataset` from `host`."""
        return any(
            tree.replication.name == replication and tree.sender_host == host and is_at_or_below(dataset, tree.sender)
            for tree in self.trees
        )

    def unsettled_at(self, host: str, dataset: str) -> str:
        """A replication of the policy that may still rest on what another one left there; empty for none."""
        for link in self.links:
            ends = ((link.sender.host.host, link.pair.sender), (link.receiver.host.host, link.pair.receiver))
            name = link.pair.replication.name
            if (host, dataset) in ends and (
                link.lineage.state in (LinkState.UNKNOWN, LinkState.AWAY)
                or not is_settled(name, standing_of(name, link.sender, link.receiver), link.lineage)
            ):
                return name
        return ""

    def receives(self, replication: str, host: str, dataset: str) -> bool:
        """Whether `replication` arrives in `dataset` on `host`."""
        return any(
            tree.replication.name == replication
            and tree.receiver_host == host
            and is_at_or_below(dataset, tree.receiver)
            for tree in self.trees
        )


def leaks_on(host: HostFacts, known: Known) -> Iterator[Finding]:
    """Everything on `host` that was left behind. Copies that were set aside are told of elsewhere."""
    yield from _holds(host, known)
    yield from _cursors(host, known)
    yield from _partial_receives(host, known)
    yield from _half_built(host, known)
    yield from _empty_parents(host, known)


def _found(known: Known, host: HostFacts, code: str, dataset: str, message: str, *argv: str) -> Finding:
    hint = line_for(known.policy, host.host, *argv) if argv[0] == "zfs" else " ".join(argv)
    return Finding(Severity.WARNING, code, host.host, dataset, message, hint)


def _unless_needed(known: Known, host: HostFacts, code: str, dataset: str, message: str, *argv: str) -> Finding:
    """The same, with no line that could take away what a renamed or new replication would go on from."""
    name = known.unsettled_at(host.host, dataset)
    if not name:
        return _found(known, host, code, dataset, message, *argv)
    said = f"{message}; {name} may go on from it, and has no anchors of its own there yet"
    return _found(known, host, code, dataset, said, f"zfsctl replicate {name}")


def _not_in_the_policy(replication: str) -> str:
    if is_by_hand(replication):
        return "a replication by --from and --to left it, and goes on from there when it is repeated"
    return f"the policy has no replication {replication}, {_ELSEWHERE}"


def _holds(host: HostFacts, known: Known) -> Iterator[Finding]:
    """By dataset and tag, one finding: a replication that ended may have left thousands."""
    held: dict[tuple[str, str], list[str]] = {}
    for name, tags in host.chains.holds.items():
        dataset = name.partition("@")[0]
        if not named_by_us(dataset):
            for tag in tags:
                held.setdefault((dataset, tag), []).append(name)
    for (dataset, tag), names in held.items():
        form = _TAG.fullmatch(tag)
        if form is None:
            continue
        replication, end = form["name"], form["end"]
        if not known.has(replication):
            why = _not_in_the_policy(replication)
        elif end == "send" and not known.sends(replication, host.host, dataset):
            why = f"{replication} does not send {dataset}"
        elif end == "base" and not known.receives(replication, host.host, dataset):
            why = f"{replication} does not arrive in {dataset}"
        else:
            continue
        more = f" and {counted(len(names) - 1, 'more snapshot')}" if len(names) > 1 else ""
        message = f"@{names[0].partition('@')[2]}{more} cannot be destroyed, held by {tag}: {why}"
        yield _unless_needed(known, host, "leaked-hold", dataset, message, "zfs", "release", tag, *names)


def _cursors(host: HostFacts, known: Known) -> Iterator[Finding]:
    for dataset, bookmarks in host.chains.bookmarks.items():
        if named_by_us(dataset):
            continue
        cursors: dict[str, list[Bookmark]] = {}
        for one in bookmarks:
            if form := _CURSOR.fullmatch(one.name):
                cursors.setdefault(form["name"], []).append(one)
        for replication, here in cursors.items():
            if known.sends(replication, host.host, dataset):
                if len(here) > 1:
                    message = f"{counted(len(here), 'cursor')} of {replication} where one is enough"
                    yield _found(known, host, "leaked-cursor", dataset, message, f"zfsctl replicate {replication}")
                continue
            why = f"{replication} does not send {dataset}"
            if not known.has(replication):
                why = _not_in_the_policy(replication)
            for one in here:
                message = f"the cursor #{one.name} is left over: {why}"
                yield _unless_needed(known, host, "leaked-cursor", dataset, message, "zfs", "destroy", str(one))


def _partial_receives(host: HostFacts, known: Known) -> Iterator[Finding]:
    goes_on = {(step.host, step.receiver) for step in known.steps if isinstance(step, Transfer)}
    goes_on |= {(step.host, step.dataset) for step in known.steps if isinstance(step, AbortReceive)}
    links = {(link.receiver.host.host, link.receiver.name): link for link in known.links}
    for name, dataset in host.datasets.items():
        if named_by_us(name) or not _is_partial(dataset) or (host.host, name) in goes_on:
            continue
        link = links.get((host.host, name))
        if link is not None and link.lineage.state in (LinkState.UNKNOWN, LinkState.AWAY, LinkState.BUSY):
            continue
        why = "no replication of the policy arrives there" if link is None else f"no run takes it up: {_state_of(link)}"
        if dataset.receive_resume_token is None:
            message = f"a first receive that cannot be resumed has not ended there, and {why}"
            yield _found(
                known, host, "partial-receive", name, message, "zfs", "list", "-o", "name,used,inconsistent", name
            )
            continue
        # One that is running has a token too; OpenZFS does not let that be aborted.
        message = f"a receive was interrupted there, or is running, and {why}"
        yield _found(known, host, "partial-receive", name, message, "zfs", "receive", "-A", name)


def _state_of(link: Link) -> str:
    return f"{str(link.lineage.state).upper().replace('-', ' ')}, {link.lineage.why}"


def _is_partial(dataset: Dataset) -> bool:
    return dataset.receive_resume_token is not None or dataset.inconsistent


def _half_built(host: HostFacts, known: Known) -> Iterator[Finding]:
    finished = {(link.receiver.host.host, link.begun.built) for link in known.links if link.begun is not None}
    for name in host.datasets:
        if not is_new(name) or (host.host, name) in finished:
            continue
        mark = parse_repair_mark(host.chains.marks.get(name, {}).get(REPAIR_MARK, ""))
        if mark is None:
            why = f"it has no mark {REPAIR_MARK} of its own"
        elif not known.has(mark.replication):
            why = _not_in_the_policy(mark.replication)
        else:
            why = f"its repair is of another dataset than the one that {mark.replication} has there now"
        look = ("zfs", "list", "-r", "-t", "all", "-o", f"name,used,origin,{REPAIR_MARK}", name)
        yield _found(known, host, "half-built", name, f"a copy that no run will finish: {why}", *look)


def _empty_parents(host: HostFacts, known: Known) -> Iterator[Finding]:
    for name, marks in host.chains.marks.items():
        if PARENT_MARK not in marks or name not in host.datasets or host.snapshots.get(name):
            continue
        if any(other.startswith(f"{name}/") for other in host.datasets) or _is_needed(host.host, name, known.trees):
            continue
        message = "zfsctl made it for copies to lie below, and none does any more"
        yield _found(known, host, "empty-parent", name, message, "zfs", "destroy", name)


def _is_needed(host: str, name: str, trees: Iterable[Tree]) -> bool:
    return any(tree.receiver_host == host and is_at_or_below(tree.receiver, name) for tree in trees)
