"""Broken chains are repaired beside the receiver: nothing is sent twice without need, and nothing is ever lost."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.world import HOUR, World, new_world
from zfsctl.documents.status import document_of_status
from zfsctl.errors import ExitCode
from zfsctl.model.approval import ApprovalStatus
from zfsctl.model.plan import Plan
from zfsctl.model.repair import CloneDataset, PromoteClone, SwapDatasets
from zfsctl.model.transfer import Transfer
from zfsctl.operations.apply import Applied, apply_plan
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate
from zfsctl.operations.status import status
from zfsctl.sandbox.faults import KilledAt
from zfsctl.sandbox.workload import write

POLICY = """
[hosts]
alpha = "alpha.lan"
beta = "beta.lan"
[policies.p]
snapshot = "hourly"
keep = { last = 2, hourly = 6 }
[[datasets]]
select = ["alpha:tank/a"]
policy = "p"
[[replications]]
name = "copy"
sender = "alpha:tank/a"
receiver = "beta:bk/copies/a"
repair = "REPAIR"
"""
COPY = "bk/copies/a"
MOST_CHANGES = 100


class Pair:
    """tank/a with two filesystems and a volume below it, and its copy, which is current."""

    def __init__(self, world: World) -> None:
        self.world = world

    def replicate(self, *, adopt: bool = False, repairs: bool = True) -> Applied:
        with self.world.session() as session:
            return apply_plan(session, plan_replicate(session, ReplicateRequest((), adopt, repairs)))

    def plan(self) -> Plan:
        with self.world.session(dry_run=True) as session:
            return plan_replicate(session, ReplicateRequest())

    def takes(self) -> None:
        """An hour passes, something is written everywhere, and the snapshots are taken."""
        for name in ("tank/a", "tank/a/x", "tank/a/x/y", "tank/a/vol"):
            write(self.world.sim, "alpha", name, 1 << 20)
        self.world.advance(HOUR, writing=False)
        self.world.run(only=("snapshot",))

    def writes_to(self, name: str, *, snapshot: str = "") -> None:
        self.world.zfs("beta", "set", "readonly=off", name)
        write(self.world.sim, "beta", name, 1 << 20)
        self.world.zfs("beta", "set", "readonly=on", name)
        if snapshot:
            self.world.zfs("beta", "snapshot", f"{name}@{snapshot}")

    def received(self) -> dict[str, int]:
        return self.world.snapshots("beta", "bk")

    def is_current(self) -> bool:
        sent = {name.removeprefix("tank/a"): guid for name, guid in self.world.snapshots("alpha", "tank/a").items()}
        here = {
            name.removeprefix(COPY): guid
            for name, guid in self.received().items()
            if name.startswith((f"{COPY}@", f"{COPY}/")) and ".zfsctl-" not in name
        }
        newest: dict[str, tuple[str, int]] = {}
        for name, guid in sent.items():
            newest[name.partition("@")[0]] = (name, guid)
        return all(here.get(name) == guid for name, guid in newest.values())

    def asides(self) -> list[str]:
        names = self.world.zfs("beta", "list", "-H", "-r", "-o", "name", "-t", "filesystem,volume", "bk")
        return [name for name in names if ".zfsctl-aside-" in name]

    def beside(self) -> list[str]:
        names = self.world.zfs("beta", "list", "-H", "-r", "-o", "name", "-t", "filesystem,volume", "bk")
        return [name for name in names if ".zfsctl-new-" in name]

    def marks(self) -> list[str]:
        return self.world.zfs("beta", "get", "-H", "-r", "-s", "local", "-o", "name", "zfsctl:repair", "bk")


def new_pair(folder: Path, repair: str = "auto") -> Pair:
    world = new_world(folder)
    world.policy_text = POLICY.replace("REPAIR", repair)
    for argv in (
        ("create", "tank/a/x"),
        ("create", "tank/a/x/y"),
        ("create", "-s", "-V", "1G", "tank/a/vol"),
    ):
        world.zfs("alpha", *argv)
    pair = Pair(world)
    for _ in range(3):
        pair.takes()
    assert pair.replicate().exit_code is ExitCode.DONE
    pair.takes()
    return pair


@pytest.fixture(scope="session")
def current(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return new_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(current: Pair, tmp_path: Path) -> Pair:
    return Pair(current.world.copy(tmp_path / "world"))


def diverges(pair: Pair) -> None:
    pair.writes_to(COPY, snapshot="own")


def is_modified(pair: Pair) -> None:
    pair.writes_to(COPY)


def a_child_diverges(pair: Pair) -> None:
    pair.writes_to(f"{COPY}/x", snapshot="own")


def all_diverge(pair: Pair) -> None:
    for name in (COPY, f"{COPY}/x", f"{COPY}/x/y", f"{COPY}/vol"):
        pair.writes_to(name, snapshot="own")


def parent_and_grandchild_diverge(pair: Pair) -> None:
    for name in (COPY, f"{COPY}/x/y"):
        pair.writes_to(name, snapshot="own")


def shares_nothing(pair: Pair) -> None:
    """The sender was made anew under the same name: its snapshots and cursors are others now."""
    pair.world.zfs("alpha", "destroy", "-r", "tank/a/x")
    pair.world.zfs("alpha", "create", "tank/a/x")
    pair.world.zfs("alpha", "create", "tank/a/x/y")
    pair.takes()


BREAKS = [diverges, is_modified, a_child_diverges, all_diverge, parent_and_grandchild_diverge, shares_nothing]
breaks = pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.__name__)


@breaks
def test_a_broken_chain_is_repaired_by_one_run_and_nothing_is_lost(pair: Pair, broken: Callable[[Pair], None]) -> None:
    broken(pair)
    before = set(pair.received().values())

    done = pair.replicate()

    assert done.exit_code is ExitCode.DONE
    assert pair.is_current()
    assert before <= set(pair.received().values())
    assert pair.asides()
    assert (pair.beside(), pair.marks()) == ([], [])
    assert pair.replicate().plan.steps == ()


def test_only_what_is_missing_is_sent_when_there_is_a_base(pair: Pair) -> None:
    diverges(pair)

    plan = pair.plan()

    assert [type(step) for step in plan.steps if isinstance(step, CloneDataset | PromoteClone)] == [
        CloneDataset,
        PromoteClone,
    ]
    sends = [send for step in plan.steps if isinstance(step, Transfer) for send in step.sends]
    assert all(send.source for send in sends)
    assert isinstance(plan.steps[-1], SwapDatasets)


@pytest.mark.parametrize(
    ("broken", "after", "step"),
    [
        (diverges, True, 4),
        *(pytest.param(broken, after, 1, marks=pytest.mark.slow) for broken in BREAKS for after in (False, True)),
    ],
)
def test_a_repair_that_is_killed_anywhere_is_finished_by_the_next_runs(
    current: Pair, tmp_path: Path, broken: Callable[[Pair], None], after: bool, step: int
) -> None:
    """At every command that changes something, or at each of so many, until a run comes to its end."""
    for number in range(1, MOST_CHANGES, step):
        pair = Pair(current.world.copy(tmp_path / str(number)))
        broken(pair)
        before = set(pair.received().values())
        pair.world.fleet.faults.kill(number, after=after)
        killed = True
        with contextlib.suppress(KilledAt):
            pair.replicate()
            killed = False
        pair.world.fleet.faults.clear()

        assert before <= set(pair.received().values())
        codes = [pair.replicate().exit_code for _ in range(3)]

        assert codes == [ExitCode.DONE] * 3
        assert pair.is_current()
        assert before <= set(pair.received().values())
        assert (pair.beside(), pair.marks()) == ([], [])
        assert pair.replicate().plan.steps == ()
        if not killed:
            break
    assert number > 10
    assert not killed


def test_a_repair_that_asks_waits_for_its_approval(pair: Pair) -> None:
    pair.world.policy_text = POLICY.replace("REPAIR", "ask")
    diverges(pair)

    first = pair.replicate()
    (request,) = first.plan.approvals
    with pair.world.session() as session:
        session.journal.decide_approvals([request.id], ApprovalStatus.APPROVED, session.clock())
    second = pair.replicate()

    assert (request.kind, request.dataset) == ("repair", COPY)
    assert first.exit_code is ExitCode.PARTIAL, "the others were sent"
    assert second.exit_code is ExitCode.DONE
    assert pair.is_current()


def test_an_approval_is_for_what_was_seen_and_no_more(pair: Pair) -> None:
    pair.world.policy_text = POLICY.replace("REPAIR", "ask")
    diverges(pair)
    (request,) = pair.replicate().plan.approvals
    with pair.world.session() as session:
        session.journal.decide_approvals([request.id], ApprovalStatus.APPROVED, session.clock())
    pair.writes_to(COPY, snapshot="another")

    again = pair.replicate()

    assert [one.id for one in again.plan.approvals] != [request.id]
    assert pair.asides() == []


@pytest.mark.parametrize("policy", ["never", "auto"])
def test_a_chain_is_left_alone_where_nobody_wants_it_repaired(pair: Pair, policy: str) -> None:
    pair.world.policy_text = POLICY.replace("REPAIR", policy)
    diverges(pair)
    before = pair.received()

    done = pair.replicate(repairs=policy == "never")

    assert done.exit_code is ExitCode.PARTIAL
    assert [finding.code for finding in done.plan.findings] == ["diverged"]
    assert {name: guid for name, guid in before.items() if name.startswith(f"{COPY}@")} == {
        name: guid for name, guid in pair.received().items() if name.startswith(f"{COPY}@")
    }


def test_the_second_repair_of_a_dataset_asks(pair: Pair) -> None:
    diverges(pair)
    pair.replicate()
    pair.takes()
    pair.world.advance(HOUR, writing=False)
    pair.writes_to(COPY, snapshot="own2")

    again = pair.replicate()

    assert [one.kind for one in again.plan.approvals] == ["repair"]
    with pair.world.session() as session:
        session.journal.decide_approvals([again.plan.approvals[0].id], ApprovalStatus.APPROVED, session.clock())
    assert pair.replicate().exit_code is ExitCode.DONE
    assert len([name for name in pair.asides() if name.count("/") == 2]) == 2
    assert pair.is_current()


def test_a_receiver_that_was_never_ours_is_set_aside_only_when_adopted(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    pair.world.zfs("beta", "rename", COPY, "bk/elsewhere")
    for name in (COPY, f"{COPY}/x", f"{COPY}/x/y"):
        pair.world.zfs("beta", "create", "-o", "readonly=on", name)
    pair.writes_to(f"{COPY}/x", snapshot="theirs")
    before = set(pair.received().values())

    refused = pair.replicate()
    adopted = pair.replicate(adopt=True)

    assert refused.exit_code in (ExitCode.REFUSED, ExitCode.PARTIAL)
    assert "unrelated" in {finding.code for finding in refused.plan.findings}
    assert adopted.exit_code is ExitCode.DONE
    assert pair.is_current()
    assert before <= set(pair.received().values())


def test_what_an_operator_set_on_the_receiver_is_on_its_successor(pair: Pair) -> None:
    pair.world.zfs("beta", "set", "compression=lz4", "org.site:owner=anna", f"{COPY}/x")
    a_child_diverges(pair)

    pair.replicate()

    got = pair.world.zfs(
        "beta", "get", "-H", "-o", "value", "compression,org.site:owner,readonly,canmount", f"{COPY}/x"
    )
    assert got == ["lz4", "anna", "on", "noauto"]


def test_a_bookmark_that_both_have_is_never_promoted_over(pair: Pair) -> None:
    diverges(pair)
    base = next(name for name in pair.received() if name.startswith(f"{COPY}@zfsctl"))
    short = base.partition("@")[2]
    pair.world.zfs("beta", "bookmark", base, f"{COPY}#mine")
    with pair.world.session() as session:
        plan = plan_replicate(session, ReplicateRequest())
        built = next(step.to for step in plan.steps if isinstance(step, CloneDataset))

        def bookmarks(event: object) -> None:
            if type(event).__name__ == "StepFinished" and event.step.id.startswith("clone"):
                pair.world.zfs("beta", "snapshot", f"{built}@there")
                pair.world.zfs("beta", "bookmark", f"{built}@there", f"{built}#mine")

        done = apply_plan(session, plan, listeners=(bookmarks,))

    assert short
    promoted = next(one for one in done.outcomes if one.step.startswith("promote"))
    assert promoted.code == "bookmark-conflict"
    assert "hang the pool" in promoted.detail
    assert not any("promote" in line for _, line in pair.world.fleet.faults.log)


@breaks
def test_what_is_told_after_a_repair_is_what_is_there(pair: Pair, broken: Callable[[Pair], None]) -> None:
    broken(pair)
    pair.world.run()
    with pair.world.session(dry_run=True) as session:
        cached = session.journal.cached_status()
        assert cached is not None
        (told,) = json.loads(cached.document)["replications"]
        (seen,) = document_of_status(status(session))["replications"]

    assert told["health"] == "healthy"
    assert [(one["receiver"], one["state"], one["lag"]) for one in told["pairs"]] == [
        (one["receiver"], one["state"], one["lag"]) for one in seen["pairs"]
    ]


def test_a_receiver_with_a_key_of_its_own_is_not_replaced_by_one_without(tmp_path: Path) -> None:
    """Promoting unloads the key, and a plain first copy beside it would not be encrypted at all."""
    pair = new_pair(tmp_path)
    pair.world.zfs("beta", "rename", COPY, "bk/elsewhere")
    pair.world.zfs("beta", "create", "-o", "encryption=on", "-o", "keyformat=passphrase", "-o", "readonly=on", COPY)
    pair.writes_to(COPY, snapshot="theirs")

    done = pair.replicate(adopt=True)

    assert "encryption root of its own" in " ".join(finding.message for finding in done.plan.findings)
    assert not any(isinstance(step, SwapDatasets) and step.dataset == COPY for step in done.plan.steps)
    assert [name for name in pair.asides() if name.startswith(f"{COPY}.")] == []


def test_a_copy_set_aside_that_could_not_be_listed_is_not_taken_for_gone(pair: Pair) -> None:
    """What lies below it would stay there for good, and be sent anew."""
    diverges(pair)
    pair.world.fleet.faults.fail(f"zfsctl:repair {COPY}.zfsctl-aside-", "internal error: I/O error")

    first = pair.replicate()
    marked = pair.marks()
    second = pair.replicate()

    assert first.exit_code is not ExitCode.DONE
    assert marked == [COPY], "it is known that the repair is not done"
    assert second.exit_code is ExitCode.DONE
    assert not any(isinstance(step, Transfer) for step in second.plan.steps)
    assert pair.is_current()
    assert [name for name in pair.asides() if name.count("/") > 2] == [], "all that was below came home"


@pytest.mark.parametrize("used", [False, True], ids=["empty", "used meanwhile"])
def test_a_parent_that_zfsctl_made_is_set_aside_for_the_first_copy(tmp_path: Path, *, used: bool) -> None:
    """It has no snapshot, and files all the same if somebody made it writable for a while."""
    pair = Pair(new_world(tmp_path))
    children = POLICY.replace(
        '"alpha:tank/a"\nreceiver = "beta:bk/copies/a"', '"alpha:tank/a/x"\nreceiver = "beta:bk/copies/a/x"'
    )
    pair.world.policy_text = children.replace("REPAIR", "never")
    for argv in (("create", "tank/a/x"), ("create", "tank/a/x/y"), ("create", "-s", "-V", "1G", "tank/a/vol")):
        pair.world.zfs("alpha", *argv)
    pair.takes()
    assert pair.replicate().exit_code is ExitCode.DONE
    kids = {guid for name, guid in pair.received().items() if name.startswith(f"{COPY}/x@")}
    former = guid_of_dataset(pair, COPY)
    if used:
        pair.writes_to(COPY)

    pair.world.policy_text = POLICY.replace("REPAIR", "never")
    assert pair.replicate().exit_code is ExitCode.DONE

    assert pair.is_current()
    assert kids <= {guid for name, guid in pair.received().items() if name.startswith(f"{COPY}/x@")}
    assert [guid_of_dataset(pair, name) for name in pair.asides()] == [former]
    assert not any(" -F" in line for _, line in pair.world.fleet.faults.log if "receive" in line)
    assert not pair.plan().steps


def guid_of_dataset(pair: Pair, name: str) -> str:
    return pair.world.zfs("beta", "get", "-H", "-p", "-o", "value", "guid", name)[0]
