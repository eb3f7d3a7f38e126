"""Whether the replication steps of a saved plan may still be applied.

A transfer goes where the policy of today sends its dataset, from and to the datasets that were planned, and what it
starts from is on both ends. What only serves a transfer goes with it.
"""

from __future__ import annotations

from dataclasses import replace

from zfsctl.model.facts import Facts, HostFacts
from zfsctl.model.finding import Finding
from zfsctl.model.names import REPAIR_MARK, is_at_or_below
from zfsctl.model.plan import Plan, SnapshotRef
from zfsctl.model.policy import PolicyFile
from zfsctl.model.received import PROTECTING, SOURCE_PROPERTIES
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairStep, SwapDatasets, home_of
from zfsctl.model.replication import Repair
from zfsctl.model.transfer import (
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Send,
    Transfer,
)
from zfsctl.planner.anchoring import is_begun_by_us, standing_of
from zfsctl.planner.lineage import End, taken_over
from zfsctl.planner.pairing import Tree, trees_of
from zfsctl.planner.stale import stale

_FOREIGN = "the policy does not have it like this"


def check_saved_transfers(
    plan: Plan, facts: Facts, policy: PolicyFile
) -> tuple[dict[str, ReplicationStep], tuple[Finding, ...]]:
    """The replication steps of `plan` that are left, by id, and a `stale` for each that is not.

    A hold, parent or anchor is dropped without a word with the transfer that it serves.

    Args:
        plan: As it was saved.
        facts: Just read, of every host and dataset that the steps name.
        policy: The policy file of today.
    """
    checking = _Checking(plan, facts, policy)
    for step in plan.steps:
        match step:
            case Transfer():
                checking.judge(step, checking.why_not_sent(step))
            case AbortReceive():
                checking.judge(step, checking.why_not_aborted(step))
            case RenameSnapshot():
                checking.judge(step, checking.why_not_renamed(step))
            case CloneDataset():
                checking.judge(step, checking.why_not_cloned(step))
            case PromoteClone() | SwapDatasets():
                checking.judge(step, checking.why_not_repaired(step))
            case _:
                pass
    for step in plan.steps:
        match step:
            case HoldSnapshots():
                checking.judge_hold(step)
            case CreateParents():
                checking.judge_parents(step)
            case MoveAnchors():
                checking.judge_anchors(step)
            case _:
                pass
    return checking.left, tuple(checking.dropped)


class _Checking:
    """What was found so far."""

    def __init__(self, plan: Plan, facts: Facts, policy: PolicyFile) -> None:
        self._facts = facts
        self._policy = {replication.name: replication for replication in policy.replications}
        self._trees = trees_of(policy)
        self._prefix = policy.prefix
        self._planned = [step for step in plan.steps if isinstance(step, Transfer)]
        self._refused: set[str] = set()
        self.left: dict[str, ReplicationStep] = {}
        self.dropped: list[Finding] = []

    def judge(self, step: ReplicationStep, why: str) -> None:
        """Keep a step, or drop it for what speaks against it."""
        if why:
            self._refused.add(step.id)
            self.dropped.append(stale(step.host, step.dataset, f"{_WHAT[type(step)]}, {why}"))
        else:
            self.left[step.id] = step

    def judge_hold(self, step: HoldSnapshots) -> None:
        sent = {(t.sender_host, t.sender) for t in self._left_transfers(step.replication)}
        planned = {(t.sender_host, t.sender) for t in self._planned if t.replication == step.replication}
        left = []
        for held in step.snapshots:
            place = (step.host, held.dataset)
            if place in planned:
                left += [held] if place in sent else []
            elif step.replication not in self._policy:
                self.dropped.append(stale(*place, f"{_WHAT[HoldSnapshots]}, {_FOREIGN}"))
            elif why := self._why_not_there(step.host, held.dataset, held.snapshot):
                self.dropped.append(stale(*place, f"{_WHAT[HoldSnapshots]}, {why}"))
            else:
                left.append(held)
        if left:
            self.left[step.id] = replace(step, snapshots=tuple(left))

    def judge_parents(self, step: CreateParents) -> None:
        receivers = [t.receiver for t in self._left_transfers(step.replication) if t.host == step.host]
        host = self._facts.hosts.get(step.host)
        left = tuple(
            name
            for name in step.datasets
            if any(is_at_or_below(receiver, name) and receiver != name for receiver in receivers)
            and host is not None
            and name not in host.datasets
        )
        if left:
            self.left[step.id] = replace(step, datasets=left)

    def judge_anchors(self, step: MoveAnchors) -> None:
        pair = (step.replication, step.host, step.receiver)
        if pair in {(t.replication, t.host, t.receiver) for t in self._planned}:
            if pair in {(t.replication, t.host, t.receiver) for t in self._left_transfers(step.replication)}:
                self.left[step.id] = step
            return
        if not any(other in self._refused for other in step.after):
            self.judge(step, self._why_no_pair(step))

    def why_not_sent(self, step: Transfer) -> str:
        """Empty where nothing speaks against it."""
        if why := self._why_no_pair(step):
            return why
        if any(other in self._refused for other in step.after):
            return "what it waits for was left out"
        replication = self._policy[step.replication]
        known = {*replication.properties, *PROTECTING, SOURCE_PROPERTIES, REPAIR_MARK}
        names = (*(name for name, _ in step.properties), *step.carries)
        if any(name not in known for name in names):
            return _FOREIGN
        return self._why_not_from_there(step) or self._why_not_to_there(step)

    def why_not_aborted(self, step: AbortReceive) -> str:
        tree = self._tree_of(step)
        if tree is None:
            return _FOREIGN
        sender, receiver = self._facts.hosts.get(tree.sender_host), self._facts.hosts.get(step.host)
        if sender is None or not sender.reached or receiver is None or not receiver.reached:
            return "a host did not answer"
        dataset, token = receiver.datasets.get(step.dataset), receiver.chains.tokens.get(step.dataset)
        if dataset is None or token is None or dataset.receive_resume_token != step.token or token.text != step.token:
            return "it is no longer the planned one"
        ends = End(sender, tree.sender_of(step.dataset)), End(receiver, step.dataset)
        if not is_begun_by_us(token, standing_of(step.replication, *ends), prefix=self._prefix):
            return "it was not begun by zfsctl"
        return ""

    def why_not_renamed(self, step: RenameSnapshot) -> str:
        if self._tree_of(step) is None:
            return _FOREIGN
        if why := self._why_not_there(step.host, step.dataset, step.snapshot):
            return why
        if any(snapshot.name == step.to for snapshot in self._facts.hosts[step.host].snapshots[step.dataset]):
            return f"@{step.to} is there already"
        return ""

    def why_not_cloned(self, step: CloneDataset) -> str:
        if why := self.why_not_repaired(step):
            return why
        tree = self._tree_of(step)
        if tree is not None and tree.replication.repair is Repair.NEVER:
            return 'the policy says repair = "never" by now'
        host = self._facts.hosts[step.host]
        dataset = host.datasets.get(step.dataset)
        if dataset is None or dataset.guid != step.dataset_guid:
            return f"{step.dataset} is no longer the planned dataset"
        if step.to in host.datasets:
            return f"{step.to} is there already"
        newer = {one.guid for one in host.snapshots.get(step.dataset, ())}
        if step.base.guid not in newer:
            return f"{step.dataset}@{step.base.name} is no longer the planned snapshot"
        return ""

    def why_not_repaired(self, step: RepairStep) -> str:
        """The executor looks at marks and guids once more, right before each change."""
        if self._tree_of(step) is None:
            return _FOREIGN
        host = self._facts.hosts.get(step.host)
        if host is None or not host.reached:
            return "a host did not answer"
        if any(other in self._refused for other in step.after):
            return "what it waits for was left out"
        return ""

    def _is_built_by_this_plan(self, step: Transfer) -> bool:
        """Whether a step that it waits for gives its receiver the history that it needs."""
        return any(isinstance(one, PromoteClone) and one.dataset == step.receiver for one in self.left.values())

    def _left_transfers(self, replication: str) -> list[Transfer]:
        return [step for step in self.left.values() if isinstance(step, Transfer) and step.replication == replication]

    def _why_no_pair(self, step: Transfer | MoveAnchors) -> str:
        """Why the policy or the hosts do not have the two ends of a step."""
        tree = self._tree_of(step)
        if tree is None or (tree.sender_host, tree.sender_of(home_of(step.dataset))) != (step.sender_host, step.sender):
            return _FOREIGN
        sender = self._facts.hosts.get(step.sender_host)
        receiver = self._facts.hosts.get(step.host)
        if sender is None or not sender.reached or receiver is None or not receiver.reached:
            return "a host did not answer"
        dataset = sender.datasets.get(step.sender)
        if dataset is None:
            return f"{step.sender_host}:{step.sender} was not listed"
        if dataset.guid != step.sender_guid:
            return f"{step.sender_host}:{step.sender} is another dataset now, guid {dataset.guid}"
        return ""

    def _why_not_from_there(self, step: Transfer) -> str:
        for number, send in enumerate(step.sends):
            resumed = bool(step.token) and number == 0
            if not resumed and (why := self._why_no_source(step, send)):
                return why
            if why := self._why_not_there(step.sender_host, step.sender, send.last):
                return why
        return ""

    def _why_no_source(self, step: Transfer, send: Send) -> str:
        if not send.source or send.source_guid is None:
            return ""
        if send.source.startswith("#"):
            bookmarks = self._facts.hosts[step.sender_host].chains.bookmarks.get(step.sender, ())
            if (send.source[1:], send.source_guid) in {(bookmark.name, bookmark.guid) for bookmark in bookmarks}:
                return ""
            return f"{step.sender}{send.source} is no longer the planned bookmark"
        origin, _, name = send.source.partition("@")
        return self._why_not_there(step.sender_host, origin or step.sender, SnapshotRef(name, send.source_guid))

    def _why_not_to_there(self, step: Transfer) -> str:
        host = self._facts.hosts[step.host]
        dataset = host.datasets.get(step.receiver)
        if self._is_built_by_this_plan(step):
            return ""
        if dataset is None:
            if step.receiver_guid is not None or step.token:
                return "the receiver was not listed"
            return host.why_unseen(step.receiver) or ("" if host.complete else "its host could not be read in full")
        if step.receiver_guid is not None and dataset.guid != step.receiver_guid:
            return f"the receiver is another dataset now, guid {dataset.guid}"
        if used := taken_over(dataset):
            return used
        place = (step.host, step.receiver)
        aborts = [one for one in self.left.values() if isinstance(one, AbortReceive)]
        aborted = {one.token for one in aborts if (one.host, one.dataset) == place}
        token = dataset.receive_resume_token or ""
        if token != step.token and token not in aborted:
            return "an interrupted receive is in the way" if token else "there is nothing to go on with"
        if step.receiver_guid is None and not (token and dataset.inconsistent):
            return "the receiver is there already"
        return self._why_no_base(step, host)

    def _why_no_base(self, step: Transfer, host: HostFacts) -> str:
        if step.receiver not in host.snapshots:
            return "the snapshots of the receiver were not listed"
        guids = {snapshot.guid for snapshot in host.snapshots[step.receiver]}
        if step.sends[-1].last.guid in guids:
            return f"@{step.sends[-1].last.name} was received since"
        first = step.sends[0]
        if not first.source or "@" in first.source[1:] or first.source_guid in guids:
            return ""
        return f"the receiver does not have {first.source} any more"

    def _why_not_there(self, host: str, dataset: str, ref: SnapshotRef) -> str:
        known = self._facts.hosts.get(host)
        if known is None or not known.reached:
            return f"{host} did not answer"
        if dataset not in known.snapshots:
            return f"the snapshots of {host}:{dataset} were not listed"
        if all((one.name, one.guid) != (ref.name, ref.guid) for one in known.snapshots[dataset]):
            return f"{dataset}@{ref.name} is no longer the planned snapshot"
        return ""

    def _tree_of(self, step: ReplicationStep) -> Tree | None:
        """What the policy of today receives at the place of a step."""
        return next(
            (
                tree
                for tree in self._trees
                if tree.replication.name == step.replication
                and tree.receiver_host == step.host
                and is_at_or_below(home_of(step.dataset), tree.receiver)
            ),
            None,
        )


_WHAT: dict[type[ReplicationStep], str] = {
    HoldSnapshots: "no snapshot was held",
    CreateParents: "it was not created",
    AbortReceive: "no receive was given up",
    RenameSnapshot: "no snapshot was renamed",
    Transfer: "nothing was sent",
    MoveAnchors: "its anchors were left",
    CloneDataset: "nothing was cloned",
    PromoteClone: "nothing was promoted",
    SwapDatasets: "nothing was set aside",
}
