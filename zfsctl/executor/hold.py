"""Hold what is about to be sent, and see by guid that it is what was planned."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.executor.holding import HOLD, change_holds
from zfsctl.hosts.protocol import Host
from zfsctl.model.batches import batches
from zfsctl.model.command import Completed
from zfsctl.model.event import MemberOutcome, Result, StepOutcome
from zfsctl.model.transfer import HeldSnapshot, HoldSnapshots
from zfsctl.zfs.failures import FailureKind, parse_failure
from zfsctl.zfs.holds import argv_list_holds, argv_release, parse_held
from zfsctl.zfs.rereading import argv_guids, parse_guids


def apply_hold(step: HoldSnapshots, host: Host) -> StepOutcome:
    """Hold every snapshot of the step, and read back that they are held, and their guids.

    One that carries the hold already is held well enough. One that is gone, or is another by now, is told as stale,
    and another one is let go again.

    Raises:
        UnreachableError, HostTimeoutError, InterruptedOutputError: Not known whether they are held.
    """
    by_name = {_full(held): held for held in step.snapshots}
    parts = tuple(batches(by_name))
    changed, (listed, holds) = change_holds(
        host, HOLD, step.tag, by_name, [argv_guids(part) for part in parts], [argv_list_holds(part) for part in parts]
    )
    guids = {name: guid for answer in listed for name, guid in parse_guids(answer.stdout).items()}
    is_held = {name for answer in holds for name in parse_held(answer.stdout, step.tag)}
    complaints = _complaints([one.answer for one in changed], tuple(by_name))
    said = {name: complaints.get(name, "no reason was given") for name in by_name if name not in is_held}
    others = [name for name, held in by_name.items() if name in guids and guids[name] != held.snapshot.guid]
    if others:
        host.run_all([argv_release(step.tag, part) for part in batches(others)])
    members = tuple(_member(held, name, guids, said) for name, held in by_name.items())
    wrong = [member for member in members if member.result is not Result.DONE]
    if not wrong:
        return StepOutcome(step.id, Result.DONE, members=members)
    result = Result.PARTIAL if len(wrong) < len(members) else Result.FAILED
    return StepOutcome(step.id, result, f"{wrong[0].dataset}@{wrong[0].snapshot}: {wrong[0].detail}", members)


def _complaints(answers: Sequence[Completed], names: Sequence[str]) -> dict[str, str]:
    """By name, why it could not be held. What one command says may be told with another, so all is read together; and
    what is said of a tree that is then held by name is not read, so that only a listing tells what is held.
    """
    failed = max((answer.exit_code for answer in answers), default=0)
    failure = parse_failure(Completed((), failed, "", "".join(answer.stderr for answer in answers)), names)
    if failure is None:
        return {}
    if not failure.members:
        return dict.fromkeys(names, failure.first_line)
    return {one.name: one.text for one in failure.members if one.kind is not FailureKind.TAG_EXISTS}


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
