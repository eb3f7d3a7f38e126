"""Send what a receiver lacks: stream after stream, gone on with where a connection was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from zfsctl.errors import HostCommandError, InterruptedOutputError, UnreachableError
from zfsctl.executor.receiver import collect_received
from zfsctl.hosts.protocol import Fleet, PipeResult
from zfsctl.model.command import Completed
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.transfer import Send, Transfer, on_its_own, what_is_left
from zfsctl.zfs.failures import messages_of
from zfsctl.zfs.receiving import ReceiveRefusal, argv_receive, refusal_of
from zfsctl.zfs.sending import argv_describe_token, argv_resume, argv_send, parse_token
from zfsctl.zfs.source_properties import argv_carried

BACK_OFF_SECONDS = (2, 10, 30)
"""Waits before a lost connection is tried again; a transfer that gets further starts them anew."""

_STALE = frozenset({ReceiveRefusal.MODIFIED, ReceiveRefusal.NO_BASE, ReceiveRefusal.EXISTS, ReceiveRefusal.MISSING})
"""The receiver is not what the plan was made for: list and plan again."""


@dataclass(slots=True)
class _Flow:
    """One transfer while it is carried out."""

    step: Transfer
    sends: tuple[Send, ...]
    token: str
    carried: tuple[tuple[str, str], ...] | None = None
    """What a first copy takes over from the sender; None while it was not read."""
    moved: int = 0
    """Bytes of the streams that have ended."""
    members: list[MemberOutcome] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def arrived(self, send: Send) -> None:
        self.members += [MemberOutcome(self.step.receiver, ref.name, ref.guid, Result.DONE) for ref in send.snapshots]

    def end(self, result: Result, detail: str = "", code: str = "") -> StepOutcome:
        said = "; ".join([*([detail] if detail else []), *self.notes])
        return StepOutcome(self.step.id, result, said, tuple(self.members), code)


def apply_transfer(
    step: Transfer,
    fleet: Fleet,
    *,
    stop: Callable[[], bool],
    on_bytes: Callable[[int], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> StepOutcome:
    """Send every stream of the step. What arrived is looked at again by the step that moves the anchors.

    A connection that was lost is tried again after a while, and goes on where the receiver says that it stopped.

    Args:
        step: Applied as it is.
        fleet: Joins both hosts.
        stop: Asked while bytes flow; once true the receiver keeps what it has, to be gone on with.
        on_bytes: Told how many bytes have passed this machine so far.
        wait: How the back-off is waited for.
    """
    flow = _Flow(step, step.sends, step.token)
    lost = 0  # in a row, without getting further
    while flow.sends:
        if stop():
            return flow.end(Result.SKIPPED, "stopped; the next run goes on with it")
        try:
            result = _send_one(flow, fleet, stop, on_bytes)
        except (InterruptedOutputError, UnreachableError) as error:
            if lost >= len(BACK_OFF_SECONDS):
                kind = Result.UNREACHABLE if isinstance(error, UnreachableError) else Result.FAILED
                return flow.end(kind, str(error), error.code)
            wait(BACK_OFF_SECONDS[lost])
            before = (flow.sends, flow.token)
            if problem := _look_again(flow, fleet):
                return problem
            lost = lost + 1 if (flow.sends, flow.token) == before else 0
            continue
        if result.stopped:
            return flow.end(Result.SKIPPED, "stopped; the next run goes on with it")
        if result.sender.exit_code or result.receiver.exit_code:
            return _refused(flow, result)
        flow.notes.update(dict.fromkeys([*result.notes, *messages_of(result.receiver.stderr)]))
        flow.arrived(flow.sends[0])
        flow.sends, flow.token, lost = flow.sends[1:], "", 0
    return flow.end(Result.DONE)


def _send_one(flow: _Flow, fleet: Fleet, stop: Callable[[], bool], on_bytes: Callable[[int], None]) -> PipeResult:
    step, send = flow.step, flow.sends[0]
    is_first = send.snapshots[0] == step.sends[0].snapshots[0] and not flow.token
    if is_first and step.carries and flow.carried is None:
        flow.carried = _carried(step, fleet)
    before = flow.moved

    def count(total: int) -> None:
        flow.moved = before + total
        on_bytes(flow.moved)

    return fleet.pipe(
        step.sender_host,
        argv_resume(flow.token) if flow.token else argv_send(step.sender, send, step.flags),
        step.host,
        argv_receive(
            step.receiver,
            properties=(*step.properties, *(flow.carried or ())) if is_first else (),
        ),
        route=step.route,
        bandwidth=step.bandwidth,
        compress=step.compress,
        stop=stop,
        on_bytes=count,
    )


def _carried(step: Transfer, fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """The properties to take over that are set on the sender; a property that its OpenZFS does not know is not."""
    fixed = {name for name, _ in step.properties}
    names = [name for name in step.carries if name not in fixed]
    if not names:
        return ()
    answers = fleet.host(step.sender_host).run_all([argv_carried(step.sender, name) for name in names])
    return tuple(
        (name, answer.stdout.removesuffix("\n"))
        for name, answer in zip(names, answers, strict=True)
        if answer.clean and answer.stdout
    )


def _look_again(flow: _Flow, fleet: Fleet) -> StepOutcome | None:
    """Find out what the receiver has after a lost connection; an outcome where that cannot be known or gone on with."""
    step = flow.step
    try:
        received = collect_received(fleet.host(step.host), [step.receiver])
    except (HostCommandError, UnreachableError) as error:
        return None if isinstance(error, UnreachableError) else flow.end(Result.FAILED, str(error), error.code)
    here = {one.guid for one in received.snapshots.get(step.receiver, ())}
    for send in flow.sends:
        for ref in send.snapshots:
            if ref.guid in here:
                flow.members.append(MemberOutcome(step.receiver, ref.name, ref.guid, Result.DONE))
                flow.sends = what_is_left(flow.sends, ref.guid)
    flow.token = ""
    token = received.tokens.get(step.receiver)
    if token is None:
        return None
    try:
        about = parse_token(token, fleet.host(step.host).run(argv_describe_token(token)))
    except HostCommandError as error:
        return flow.end(Result.FAILED, str(error), error.code)
    except UnreachableError:
        return None
    alone = on_its_own(flow.sends, about.to_guid)
    if alone is None:
        return flow.end(Result.STALE, f"the receiver began to take {about.to_name}, which is not sent", "stale")
    flow.sends, flow.token = alone, token
    return None


def _refused(flow: _Flow, result: PipeResult) -> StepOutcome:
    """One of the two commands failed: the one that says why, and what that means."""
    refusal = refusal_of(result.receiver)
    sender_said, receiver_said = _said(result.sender), _said(result.receiver)
    if result.sender.exit_code and refusal in (None, ReceiveRefusal.NO_STREAM, ReceiveRefusal.INTERRUPTED):
        return flow.end(Result.FAILED, f"the sender: {sender_said}")
    if refusal in _STALE:
        return flow.end(Result.STALE, f"the receiver: {receiver_said}", "stale")
    if refusal in (ReceiveRefusal.PARTIAL_STATE, ReceiveRefusal.BUSY):
        return flow.end(Result.FAILED, f"a receive is running there: {receiver_said}", "receiving")
    return flow.end(Result.FAILED, f"the receiver: {receiver_said}")


def _said(completed: Completed) -> str:
    first = next(messages_of(completed.stderr), "")
    return first.replace("\n", " ") or f"exit {completed.exit_code} without a word"
