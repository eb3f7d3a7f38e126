"""Laws of replication over generated histories: whatever happened, nothing that matters is lost, and it heals."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.operations.replicating import (
    HOSTS,
    MEMORY,
    Copies,
    an_hour,
    dataset_on,
    lawful_run,
    look,
    new_copies,
    states,
)
from zfsctl.errors import ZfsctlError
from zfsctl.model.lineage import LinkState
from zfsctl.model.repair import is_aside_of
from zfsctl.sandbox.faults import Fault, FaultKind
from zfsctl.sandbox.stream_faults import StreamEnd
from zfsctl.sandbox.workload import advance, write

PLACES = (
    ("alpha", "tank/a"),
    ("alpha", "tank/a/kid"),
    ("beta", "bk/a"),
    ("gamma", "vault/far/a"),
    ("gamma", "vault/chain"),
)
JOBS = (None, ("snapshot",), ("replicate",), ("prune",), ("snapshot", "prune"))
FAULTS = (
    FaultKind.CUT,
    FaultKind.CUT_BEFORE,
    FaultKind.NOISE,
    FaultKind.FAIL,
    FaultKind.FAIL_AFTER,
    FaultKind.LIE,
    FaultKind.HANG,
    FaultKind.HANG_AFTER,
)
BROKEN = {LinkState.UNRELATED, LinkState.DIVERGED, LinkState.MODIFIED}
SETTLED = {LinkState.CURRENT, LinkState.EMPTY, LinkState.SENDER_GONE, LinkState.TAKEN_OVER, *BROKEN}
"""All is there, or only a repair or a person can go on."""

Copy = Callable[[Path], Copies]
"""Makes the same world in a folder."""
place = st.sampled_from(PLACES)
happening = st.one_of(
    st.tuples(st.just("run"), st.sampled_from(JOBS)),
    st.tuples(st.just("run"), st.none()),
    st.tuples(st.just("hours"), st.integers(0, 5) | st.integers(12, 14)),
    st.tuples(st.sampled_from(("write", "foreign", "manual", "adopted", "destroy", "rollback", "hold")), place),
    st.tuples(st.sampled_from(("birth", "death", "rename", "clone")), st.sampled_from(("kid", "other", "kid/deep"))),
    st.tuples(st.just("reachable"), st.sampled_from(HOSTS)),
    st.tuples(st.just("plug"), st.none()),
    st.tuples(st.just("stream"), st.tuples(st.sampled_from(list(StreamEnd)), st.floats(0, 1))),
    st.tuples(st.just("kill"), st.tuples(st.integers(1, 25), st.booleans())),
    st.tuples(st.just("fault"), st.tuples(st.sampled_from(FAULTS), st.integers(0, 40))),
)
histories = st.lists(happening, min_size=3, max_size=20)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zfsctl.executor.transfer.BACK_OFF_SECONDS", (0, 0, 0))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Everything is copied everywhere, and the rules have begun to prune."""
    world = new_copies(tmp_path_factory.mktemp("copied"))
    for _ in range(5):
        an_hour(world)
        assert world.run().exit_code == 0
    return world.copy


class Life:
    """A world to which things happen."""

    def __init__(self, world: Copies, *, repairs: bool = False) -> None:
        self.world = world
        self.repairs = repairs
        if repairs:
            world.policy_text = world.policy_text.replace('repair = "never"', 'repair = "auto"')
        self.number = 0

    def live(self, history: list[tuple[str, object]]) -> None:
        """Let all of it happen; then nothing goes wrong any more, and all must be well soon."""
        for what, detail in history:
            self.go_on(what, detail)
        self.world.fleet.faults.clear()
        for machine in self.world.sim.hosts.values():
            machine.reachable = True
        if self.world.drawer is not None:
            self.world.plug()
        advance(self.world.sim, 60)
        for _ in range(5):
            lawful_run(self.world)

        assert self.world.plan().steps == (), "the world settles"
        found = states(self.world)
        assert set(found.values()) <= SETTLED, found
        for pair, state in found.items():
            if self.repairs and state in BROKEN:
                host, receiver = pair.partition(" → ")[2].split(":")
                there = look(self.world, host)
                again = any(is_aside_of(name, receiver) for name in there.datasets)
                held = any("base" in str(one.holds) for one in there.snapshots[receiver].values())
                assert again or not held, f"{pair} was not repaired"

    def go_on(self, what: str, detail: object) -> None:
        """One event."""
        self.number += 1
        if what == "run":
            lawful_run(self.world, detail)
        else:
            self.happen(what, detail)

    def happen(self, what: str, detail: object) -> None:
        world = self.world
        match what, detail:
            case "hours", int(hours):
                for _ in range(hours):
                    an_hour(world)
                advance(world.sim, 60)
            case "reachable", str(host):
                world.sim.hosts[host].reachable = not world.sim.hosts[host].reachable
            case "plug", None:
                world.plug()
            case "stream", (StreamEnd() as end, float(part)):
                world.fleet.faults.end_stream(end, part)
            case "kill", (int(count), bool(after)):
                world.fleet.faults.kill(count, after=after)
            case "fault", (FaultKind() as kind, int(skip)):
                world.fleet.faults.add(Fault(kind, skip=skip, text="I/O error", lines=1))
            case "birth" | "death" | "rename" | "clone", str(name):
                with contextlib.suppress(ZfsctlError):
                    self.family(what, name)
            case _, (str(host), str(dataset)):
                with contextlib.suppress(ZfsctlError):
                    self.meddle(what, host, dataset)

    def family(self, what: str, name: str) -> None:
        """Children of the sender come, go and move."""
        child = f"tank/a/{name}"
        match what:
            case "birth":
                self.world.zfs("alpha", "create", child)
            case "death":
                self.world.zfs("alpha", "destroy", "-r", child)
            case "rename":
                self.world.zfs("alpha", "rename", child, f"{child}{self.number}")
            case "clone":
                dataset = dataset_on(self.world, "alpha", "tank/a")
                assert dataset is not None
                names = list(dataset.snapshots)
                self.world.zfs("alpha", "clone", f"tank/a@{names[self.number % len(names)]}", child)

    def meddle(self, what: str, host: str, name: str) -> None:
        """Somebody works on a host by hand."""
        world, dataset = self.world, dataset_on(self.world, host, name)
        if dataset is None:
            return
        names = list(dataset.snapshots)
        chosen = f"{name}@{names[self.number % len(names)]}" if names else ""
        match what:
            case "write":
                world.zfs(host, "set", "readonly=off", name)
                write(world.sim, host, name, 1 << 16)
                world.zfs(host, "set", f"readonly={'off' if host == 'alpha' else 'on'}", name)
            case "foreign":
                world.zfs(host, "snapshot", f"{name}@autosnap_{self.number}")
            case "adopted":
                world.zfs(host, "snapshot", f"{name}@adopted-{self.number // 3}")
            case "manual":
                world.zfs(host, "snapshot", f"{name}@zfsctl-manual-20250101T0000{self.number:02}Z")
            case "destroy" if chosen:
                world.zfs(host, "destroy", chosen)
            case "rollback" if chosen:
                world.zfs(host, "rollback", "-r", chosen)
            case "hold" if chosen:
                world.zfs(host, "hold", f"legal{self.number}", chosen)


def live(copy: Copy, history: list[tuple[str, object]], *, repairs: bool = False) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        Life(copy(Path(folder)), repairs=repairs).live(history)


@settings(max_examples=4)
@given(histories)
def test_no_history_loses_what_replication_rests_on(copied: Copy, history: list[tuple[str, object]]) -> None:
    live(copied, history)


@pytest.mark.slow
@settings(max_examples=400)
@given(histories)
def test_no_history_out_of_many_loses_what_replication_rests_on(
    copied: Copy, history: list[tuple[str, object]]
) -> None:
    live(copied, history)


@settings(max_examples=2)
@given(histories)
def test_what_breaks_is_repaired_and_nothing_is_lost(copied: Copy, history: list[tuple[str, object]]) -> None:
    live(copied, history, repairs=True)


@pytest.mark.slow
@settings(max_examples=300)
@given(histories)
def test_what_breaks_in_many_ways_is_repaired(copied: Copy, history: list[tuple[str, object]]) -> None:
    live(copied, history, repairs=True)


@pytest.fixture(scope="module")
def uncopied(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Some snapshots, and no copy of anything."""
    world = new_copies(tmp_path_factory.mktemp("uncopied"))
    for _ in range(4):
        an_hour(world)
        world.run(only=("snapshot",))
    return world.copy


@settings(max_examples=2)
@given(histories)
def test_first_copies_come_to_their_end_whatever_happens(uncopied: Copy, history: list[tuple[str, object]]) -> None:
    live(uncopied, history)


@pytest.mark.slow
@settings(max_examples=200)
@given(histories)
def test_first_copies_out_of_many_come_to_their_end(uncopied: Copy, history: list[tuple[str, object]]) -> None:
    live(uncopied, history)
