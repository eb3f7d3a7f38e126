"""Hold what is about to be sent, and see by guid that it is what was planned."""

from __future__ import annotations

from zfsctl.executor.patience import patience
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.transfer import HeldSnapshot, HoldSnapshots
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.holds import argv_hold, argv_release
from zfsctl.zfs.rereading import argv_guids, parse_guids


def apply_hold(step: HoldSnapshots, host: Host) -> StepOutcome:
    """Hold every snapshot of the step and read the guids back, in one exchange.

    One that carries the hold already is held well enough. One that is gone, or is another by now, is told as stale,
    and another one is let go again.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether they are held.
    """
    by_name = {_full(held): held for held in step.snapshots}
    parts = tuple(batches(by_name))
    commands = [*(argv_hold(step.tag, part) for part in parts), *(argv_guids(part) for part in parts)]
    answers = host.run_all(commands, timeout=patience(commands))
    said: dict[str, str] = {}
    guids: dict[str, int] = {}
    for part, held, listed in zip(parts, answers[: len(parts)], answers[len(parts) :], strict=True):
        failure = parse_failure(held, part)
        if failure is not None:
            for member in failure.members:
                if member.kind is not FailureKind.TAG_EXISTS:
                    said[member.name] = member.text
            if not failure.members:
                said.update(dict.fromkeys(part, failure.first_line))
        guids.update(parse_guids(listed.stdout))
    others = [name for name, held in by_name.items() if name in guids and guids[name] != held.snapshot.guid]
    if others:
        host.run_all([argv_release(step.tag, part) for part in batches(others)])
    members = tuple(_member(held, name, guids, said) for name, held in by_name.items())
    wrong = [member for member in members if member.result is not Result.DONE]
    if not wrong:
        return StepOutcome(step.id, Result.DONE, members=members)
    result = Result.PARTIAL if len(wrong) < len(members) else Result.FAILED
    return StepOutcome(step.id, result, f"{wrong[0].dataset}@{wrong[0].snapshot}: {wrong[0].detail}", members)


def _member(held: HeldSnapshot, name: str, guids: dict[str, int], said: dict[str, str]) -> MemberOutcome:
    guid = guids.get(name)
    if guid is None:
        result, detail = Result.STALE, said.get(name, "it was not listed")
    elif guid != held.snapshot.guid:
        result = Result.STALE
        detail = f"another snapshot has this name now, guid {guid} instead of {held.snapshot.guid}"
    elif name in said:
        result, detail = Result.FAILED, said[name]
    else:
        result, detail = Result.DONE, ""
    return MemberOutcome(held.dataset, held.snapshot.name, guid, result, detail)


def _full(held: HeldSnapshot) -> str:
    return f"{held.dataset}@{held.snapshot.name}"
