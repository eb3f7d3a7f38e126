"""The steps of one replication: what prepares it, then its transfers, several at a time, then the swaps of repairs.

Anchors move in batches.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from zfsctl.errors import HostCommandError, UnreachableError, ZfsctlError
from zfsctl.executor.anchors import apply_anchors
from zfsctl.executor.board import ENDED_WELL, Board, Stop, failed
from zfsctl.executor.hold import apply_hold
from zfsctl.executor.planned import Taken, taken_by, with_taken
from zfsctl.executor.receiver import apply_abort, apply_parents, apply_rename
from zfsctl.executor.repair import apply_clone, apply_promote
from zfsctl.executor.swap import apply_swap
from zfsctl.executor.taking_over import why_taken_over
from zfsctl.executor.transfer import apply_transfer
from zfsctl.hosts.protocol import Fleet
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.repair import CloneDataset, PromoteClone, RepairStep, SwapDatasets
from zfsctl.model.transfer import (
    REPLICATION_LOCK,
    AbortReceive,
    CreateParents,
    HoldSnapshots,
    MoveAnchors,
    RenameSnapshot,
    ReplicationStep,
    Transfer,
)

MOST_IN_A_BATCH = 500
LONGEST_UNSETTLED_SECONDS = 300
"""So long anchors wait for those of transfers that still run: the holds of a whole tree can be moved at once."""

LONGEST_UNSEEN_SECONDS = 60
"""After so long a receiver is looked at once more before anything is sent into it."""

TOLD_EVERY_SECONDS = 0.25

_NOT_TRIED = frozenset({Result.RUNNING, Result.UNREACHABLE})


def apply_replication(
    fleet: Fleet,
    name: str,
    steps: Sequence[ReplicationStep],
    board: Board,
    known: frozenset[str],
    may_change: Callable[[str, str], bool],
    stop: Stop,
    earlier: Sequence[str] = (),
) -> None:
    """Apply the steps of replication `name`, and tell the board how each ended.

    `earlier` are steps of other lanes that have to end first, well or not: under a receive nothing can be destroyed.
    """
    seen_at = time.monotonic()  # what the plan rests on was read shortly before
    try:
        ours = may_change(REPLICATION_LOCK, name)
        if not ours:
            for step in steps:
                detail = f"another run is at work on {name}"
                board.finished(step, StepOutcome(step.id, Result.RUNNING, detail, code="locked"))
            return
        board.wait_for_end(earlier)
        whole = _with_taken(steps, board, known)
        for step in whole:
            if not isinstance(step, Transfer | MoveAnchors | SwapDatasets):
                _carry_out(step, fleet, board, known, stop)
        _Flight(fleet, whole, board, known, stop, seen_at).run()
        # A rename ends a receive that runs below it, so nothing is swapped while anything is sent.
        for step in whole:
            if isinstance(step, SwapDatasets):
                _carry_out(step, fleet, board, known, stop)
    except BaseException:
        stop.ask()
        raise
    finally:
        board.give_up(steps)


def _with_taken(steps: Sequence[ReplicationStep], board: Board, known: frozenset[str]) -> list[ReplicationStep]:
    """The steps once the snapshots that this plan takes are taken, each about what there is.

    A snapshot that was not taken is left out, and stops nothing else.
    """
    own = {step.id for step in steps}
    taken: dict[str, Taken] = {}
    found: list[ReplicationStep] = []
    for step in steps:
        before = board.wait_for(replace(step, after=tuple(name for name in step.after if name not in own)), known)
        taken[step.id] = taken_by(before) or next((taken[name] for name in step.after if taken.get(name)), {})
        alone = replace(step, after=tuple(name for name in step.after if name in own))
        found.append(with_taken(alone, taken[step.id]))
    return found


def _carry_out(
    step: CreateParents | AbortReceive | RenameSnapshot | HoldSnapshots | RepairStep,
    fleet: Fleet,
    board: Board,
    known: frozenset[str],
    stop: Stop,
) -> None:
    refusal = _refusal(step, board.wait_for(step, known), stop)
    if refusal is not None:
        board.finished(step, refusal)
        return
    board.started(step)
    try:
        host = fleet.host(step.host)
        match step:
            case CreateParents():
                outcome = apply_parents(step, host)
            case AbortReceive():
                outcome = apply_abort(step, host)
            case RenameSnapshot():
                outcome = apply_rename(step, host)
            case HoldSnapshots():
                outcome = apply_hold(step, host)
            case CloneDataset():
                outcome = apply_clone(step, host)
            case PromoteClone():
                outcome = apply_promote(step, host)
            case SwapDatasets():
                outcome = apply_swap(step, host)
    except (ZfsctlError, ValueError) as error:
        outcome = failed(step, error)
    board.finished(step, outcome)


class _Flight:
    """All transfers of a replication, and the anchors that follow them."""

    def __init__(
        self,
        fleet: Fleet,
        steps: Sequence[ReplicationStep],
        board: Board,
        known: frozenset[str],
        stop: Stop,
        seen_at: float,
    ) -> None:
        self._fleet = fleet
        self._board = board
        self._known = known
        self._stop = stop
        self._pending = [step for step in steps if isinstance(step, Transfer)]
        self._anchors = [step for step in steps if isinstance(step, MoveAnchors)]
        self._running: dict[Future[StepOutcome], Transfer] = {}
        self._ripe: list[MoveAnchors] = []
        self._ripe_since = 0.0
        self._settling: tuple[Future[list[StepOutcome]], list[MoveAnchors]] | None = None
        self._seen_at = seen_at
        self._ended = threading.Event()
        """Something of what runs has ended."""

    def run(self) -> None:
        """Send everything, then settle what is left."""
        parallel = max((step.parallel for step in self._pending), default=1)
        # Anchors have a thread of their own: on a busy host a batch of them lasts as long as several transfers.
        with ThreadPoolExecutor(parallel, "transfer") as pool, ThreadPoolExecutor(1, "anchors") as settler:
            try:
                while self._pending or self._running or self._anchors or self._ripe or self._settling:
                    self._begin(pool, parallel)
                    self._collect()
                    self._settle(settler)
            except BaseException:
                self._stop.ask()
                raise

    def _begin(self, pool: ThreadPoolExecutor, parallel: int) -> None:
        for step in tuple(self._pending):
            if len(self._running) >= parallel:
                return
            before = self._board.outcomes_before(step, self._known)
            if before is None:
                continue
            self._pending.remove(step)
            refusal = _refusal(step, before, self._stop) or _nothing_to_send(step) or _not_held(step, before)
            if refusal is not None:
                self._board.finished(step, refusal)
                continue
            self._board.started(step)
            future = pool.submit(self._transfer, step)
            self._running[future] = step
            future.add_done_callback(lambda _: self._ended.set())

    def _transfer(self, step: Transfer) -> StepOutcome:
        if time.monotonic() - self._seen_at > LONGEST_UNSEEN_SECONDS:
            # A host that does not answer now is asked again by the transfer, which waits for it.
            with contextlib.suppress(HostCommandError, UnreachableError):
                if used := why_taken_over(step, self._fleet.host(step.host)):
                    return StepOutcome(step.id, Result.STALE, used, code="taken-over")
        return apply_transfer(
            step,
            self._fleet,
            stop=lambda: self._stop.asked,
            on_bytes=self._teller(step),
            wait=self._stop.wait,
        )

    def _teller(self, step: Transfer) -> Callable[[int], None]:
        """Passes on how far a transfer is, not too often."""
        told = 0.0

        def tell(count: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= TOLD_EVERY_SECONDS:
                told = now
                self._board.moved(step, count)

        return tell

    def _collect(self) -> None:
        if self._running or self._settling is not None:
            self._ended.wait(1)
            self._ended.clear()  # before the looking, so that what ends meanwhile is not missed
            for future in [one for one in self._running if one.done()]:
                step = self._running.pop(future)
                try:
                    outcome = future.result()
                except (ZfsctlError, ValueError) as error:
                    outcome = failed(step, error)
                self._board.finished(step, outcome)
            self._collect_anchors()
        elif self._pending:
            time.sleep(0.05)  # waits for a step of another lane
        for anchors in tuple(self._anchors):
            before = self._board.outcomes_before(anchors, self._known)
            if before is not None:
                self._anchors.remove(anchors)
                self._ripen(anchors, before)

    def _collect_anchors(self) -> None:
        if self._settling is not None and self._settling[0].done():
            (future, batch), self._settling = self._settling, None
            for step, outcome in zip(batch, future.result(), strict=True):
                self._board.finished(step, outcome)

    def _ripen(self, step: MoveAnchors, before: Sequence[StepOutcome]) -> None:
        """Its transfer has ended, well or not; what was not even tried moves nothing."""
        untried = next((one for one in before if one.result in _NOT_TRIED and not one.members), None)
        if untried is not None:
            self._board.finished(step, StepOutcome(step.id, untried.result, untried.detail, code=untried.code))
            return
        if not self._ripe:
            self._ripe_since = time.monotonic()
        self._ripe.append(step)

    def _settle(self, settler: ThreadPoolExecutor) -> None:
        """Move anchors when they are old enough or nothing more will join them; one batch at a time, which gathers
        what ripens while another is at work."""
        if self._settling is not None:
            return
        waits = self._pending or self._running or self._anchors
        old = time.monotonic() - self._ripe_since > LONGEST_UNSETTLED_SECONDS
        if not self._ripe or (waits and not old):
            return
        batch, self._ripe = self._ripe[:MOST_IN_A_BATCH], self._ripe[MOST_IN_A_BATCH:]
        for step in batch:
            self._board.started(step)
        future = settler.submit(apply_anchors, batch, self._fleet)
        self._settling = future, batch
        future.add_done_callback(lambda _: self._ended.set())


def _refusal(step: ReplicationStep, before: Sequence[StepOutcome], stop: Stop) -> StepOutcome | None:
    """Why a step is not begun; None when it may be."""
    broken = next((outcome for outcome in before if outcome.result not in ENDED_WELL), None)
    if broken is not None:
        result = broken.result if broken.result in _NOT_TRIED else Result.SKIPPED
        detail = f"it waits for {broken.step}, which ended {broken.result}"
        return StepOutcome(step.id, result, f"{detail}: {broken.detail}" if broken.detail else detail)
    if stop.asked:
        return StepOutcome(step.id, Result.SKIPPED, "the run was stopped before it")
    return None


def _nothing_to_send(step: Transfer) -> StepOutcome | None:
    return None if step.sends else StepOutcome(step.id, Result.SKIPPED, "the snapshot to send was not taken")


def _not_held(step: Transfer, before: Sequence[StepOutcome]) -> StepOutcome | None:
    """Why a transfer is not begun though others of its plan are: what it sends is not what was planned."""
    for outcome in before:
        for member in outcome.members:
            if member.dataset == step.sender and member.result is not Result.DONE and _is_sent(step, member.snapshot):
                return StepOutcome(
                    step.id, member.result, f"{member.dataset}@{member.snapshot}: {member.detail}", code="stale"
                )
    return None


def _is_sent(step: Transfer, snapshot: str) -> bool:
    return any(snapshot in (send.last.name, send.source.removeprefix("@")) for send in step.sends)
