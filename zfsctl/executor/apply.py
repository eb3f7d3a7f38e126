"""Apply a plan: hosts and replications in parallel, the steps of each told to the listeners before and after.

A step runs when the steps it waits for have ended well; a hook marked `always` runs when they have ended at all.
A failure stops what waits for it and nothing else. A host that can no longer be reached is left alone for the
rest of the run, but for the hooks that must undo what was begun there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from zfsctl.errors import UnreachableError, ZfsctlError
from zfsctl.executor.board import ENDED_WELL, Board, Stop, failed, is_always, was_begun
from zfsctl.executor.create import apply_create
from zfsctl.executor.destroy import apply_destroys
from zfsctl.executor.hook import apply_hook
from zfsctl.executor.release import apply_release
from zfsctl.executor.replication_lane import apply_replication
from zfsctl.hosts.protocol import Fleet, Host
from zfsctl.model.event import Event, Result, StepOutcome
from zfsctl.model.names import is_at_or_below
from zfsctl.model.plan import CreateSnapshots, DestroyDataset, DestroySnapshots, Plan, RunHook, Step
from zfsctl.model.transfer import HoldSnapshots, ReplicationStep

__all__ = ["Stop", "apply_steps"]

MOST_LANES_AT_ONCE = 40


def apply_steps(
    plan: Plan,
    fleet: Fleet,
    *,
    run: str,
    now: Callable[[], int],
    listen: Callable[[Event], None],
    may_change: Callable[[str, str], bool],
    stop: Stop,
    done_with: Callable[[str], None] = lambda _: None,
) -> tuple[StepOutcome, ...]:
    """Apply every step of `plan` and tell how each ended, in the plan's order.

    Args:
        plan: Applied as it is; nothing is planned here.
        fleet: Dials the hosts.
        run: The id of this run, for the listeners.
        now: The clock, epoch seconds.
        listen: Told of each step before and after, one call at a time.
        may_change: Whether this run holds the lock of a host's pool.
        stop: When asked, steps not yet begun are skipped, except hooks that must always run.
        done_with: Told of each host once the steps that need the locks of its pools have ended. Those of replications
            need none, so a transfer of days keeps no other run from taking snapshots.
    """
    board = Board(run, now, listen)
    known = frozenset(step.id for step in plan.steps)
    by_host: dict[str, list[Step]] = {}
    by_replication: dict[str, list[ReplicationStep]] = {}
    for step in plan.steps:
        if isinstance(step, ReplicationStep):
            by_replication.setdefault(step.replication, []).append(step)
        else:
            by_host.setdefault(step.host, []).append(step)
    lanes = len(by_host) + len(by_replication)
    if lanes:
        with ThreadPoolExecutor(min(lanes, MOST_LANES_AT_ONCE), "apply") as pool:
            # Hosts first: they wait for no replication, so that every lane that waits waits for one that runs.
            futures = [
                pool.submit(_apply_host, fleet, name, steps, board, known, may_change, stop, done_with)
                for name, steps in by_host.items()
            ]
            futures += [
                pool.submit(
                    apply_replication,
                    fleet,
                    name,
                    replicating,
                    board,
                    known,
                    may_change,
                    stop,
                    _destroys_below(replicating, plan.steps),
                )
                for name, replicating in by_replication.items()
            ]
            _finish(futures, stop)
    return tuple(board.outcomes[step.id] for step in plan.steps)


def _destroys_below(replicating: Sequence[ReplicationStep], steps: Iterable[Step]) -> tuple[str, ...]:
    """The steps that destroy at or below what a replication changes on its receivers."""
    places = {(step.host, step.dataset) for step in replicating if not isinstance(step, HoldSnapshots)}
    return tuple(
        step.id
        for step in steps
        if isinstance(step, DestroySnapshots)
        and any(host == step.host and is_at_or_below(step.dataset, name) for host, name in places)
    )


def _finish(futures: Sequence[Future[None]], stop: Stop) -> None:
    """Wait for every host. An interruption asks the others to stop, and is raised when they have."""
    try:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
    except BaseException:
        stop.ask()
        wait(futures)
        raise


def _apply_host(
    fleet: Fleet,
    name: str,
    steps: Sequence[Step],
    board: Board,
    known: frozenset[str],
    may_change: Callable[[str, str], bool],
    stop: Stop,
    done_with: Callable[[str], None],
) -> None:
    try:
        _apply_in_order(fleet, name, steps, board, known, may_change, stop)
    except Exception:
        # A listener failed, such as a journal on a full disk. What is frozen must be thawed all the same, untold.
        for step in steps:
            if board.must_undo(step):
                with contextlib.suppress(ZfsctlError):
                    board.note(*_apply_batch([step], fleet.host(name)))
        raise
    finally:
        board.give_up(steps)
        done_with(name)


def _apply_in_order(
    fleet: Fleet,
    name: str,
    steps: Sequence[Step],
    board: Board,
    known: frozenset[str],
    may_change: Callable[[str, str], bool],
    stop: Stop,
) -> None:
    lost: ZfsctlError | None = None
    host: Host | None = None
    for batch in _batches(steps):
        ready: list[Step] = []
        for step in batch:
            waited_for = board.wait_for(step, known)
            refusal = _refusal(step, waited_for, lost, _pools_changed(step, steps), may_change, stop)
            if refusal is None:
                ready.append(step)
            else:
                board.finished(step, refusal)
        if not ready:
            continue
        for step in ready:
            board.started(step)
        try:
            host = host or fleet.host(name)
            outcomes = _apply_batch(ready, host)
        except ZfsctlError as error:
            lost = error if isinstance(error, UnreachableError) else lost
            outcomes = [failed(step, error) for step in ready]
        for step, outcome in zip(ready, outcomes, strict=True):
            board.finished(step, outcome)


def _batches(steps: Sequence[Step]) -> Iterable[list[Step]]:
    """Steps in their order; destroys that follow each other go together, so that they share their exchanges."""
    batch: list[Step] = []
    for step in steps:
        if batch and not _shares_exchanges(step, batch):
            yield batch
            batch = []
        batch.append(step)
    if batch:
        yield batch


def _shares_exchanges(step: Step, batch: Sequence[Step]) -> bool:
    """Whether a destroy can go out together with those before it: none of them is waited for."""
    return (
        isinstance(step, DestroySnapshots)
        and isinstance(batch[-1], DestroySnapshots)
        and not any(other.id in step.after for other in batch)
    )


def _refusal(
    step: Step,
    waited_for: Sequence[StepOutcome],
    lost: ZfsctlError | None,
    pools: Sequence[str],
    may_change: Callable[[str, str], bool],
    stop: Stop,
) -> StepOutcome | None:
    """Why a step is not begun; None when it may be."""
    always = is_always(step)
    if lost is not None and not (always and was_begun(waited_for)):
        return StepOutcome(step.id, Result.UNREACHABLE, str(lost), code=lost.code)
    if pools and not any(may_change(step.host, pool) for pool in pools):
        return StepOutcome(step.id, Result.RUNNING, f"another run is at work on {step.host}:{pools[0]}", code="locked")
    broken = next((outcome for outcome in waited_for if outcome.result not in ENDED_WELL), None)
    if broken is not None and not always:
        return StepOutcome(step.id, Result.SKIPPED, f"it waits for {broken.step}, which ended {broken.result}")
    if stop.asked and not always:
        return StepOutcome(step.id, Result.SKIPPED, "the run was stopped before it")
    return None


def _pools_changed(step: Step, steps: Sequence[Step]) -> tuple[str, ...]:
    """The pools of which at least one must be this run's before `step` is begun.

    For a hook those of the snapshots that it is about: where they are all left to another run, that run's own hooks
    are at work, and ours would thaw what it has frozen.
    """
    match step:
        case CreateSnapshots():
            return (step.pool,)
        case DestroySnapshots() | DestroyDataset():
            return (step.dataset.partition("/")[0],)
        case RunHook():
            about = (other for other in steps if isinstance(other, CreateSnapshots))
            return tuple(dict.fromkeys(one.pool for one in about if step.id in one.after or one.id in step.after))
        case _:
            return ()


def _apply_batch(steps: Sequence[Step], host: Host) -> list[StepOutcome]:
    match steps[0]:
        case DestroySnapshots():
            return apply_destroys([step for step in steps if isinstance(step, DestroySnapshots)], host)
        case CreateSnapshots() as create:
            return [apply_create(create, host)]
        case DestroyDataset() as destroy:
            return [apply_release(destroy, host)]
        case RunHook() as hook:
            return [apply_hook(hook, host)]
        case _:
            raise ValueError("a replication has a lane of its own")
