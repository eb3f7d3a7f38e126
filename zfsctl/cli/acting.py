"""The way of every command that acts: show the plan, ask if need be, apply it, show what became of it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zfsctl.cli.parsing import seconds_of
from zfsctl.cli.stopping import error_of
from zfsctl.errors import ExitCode, UsageError, ZfsctlError

if TYPE_CHECKING:
    from zfsctl.cli.face import Face
    from zfsctl.cli.progress import Progress
    from zfsctl.documents.types import ResultDocument
    from zfsctl.model.plan import Plan
    from zfsctl.operations.apply import Applied
    from zfsctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Acting:
    """How far a command goes."""

    dry_run: bool = False
    out: str | None = None
    """The file that the plan is saved in: it is for later, so nothing is changed now."""
    valid_seconds: int | None = None
    detailed_exitcode: bool = False

    @property
    def only_shows(self) -> bool:
        """Whether nothing may be changed."""
        return self.dry_run or self.out is not None


def acting_of(dry_run: bool, out: str | None, valid: str | None, detailed_exitcode: bool) -> Acting:
    """How far the options of a command line say to go.

    Raises:
        UsageError: --valid is no duration, or stands without --out.
    """
    if valid is not None and out is None:
        raise UsageError("--valid: nothing was done", why="it is about a plan saved by --out", where="--valid")
    seconds = None if valid is None else seconds_of("--valid", valid, example="12h")
    return Acting(dry_run, out, seconds, detailed_exitcode)


def carry_out(
    face: Face,
    session: Session,
    plan: Plan,
    acting: Acting,
    *,
    agree: Callable[[Plan], bool] | None = None,
) -> int:
    """Show `plan`, or apply it and show what became of it.

    Args:
        face: Where to.
        session: Where from.
        plan: Applied as it is.
        acting: How far to go.
        agree: Asks for agreement, for what needs it; True when the plan was shown before it asked.
            It raises NotConfirmedError.

    Returns:
        The exit code.
    """
    if acting.only_shows or not session.acts:
        return _show(face, session, plan, acting)
    was_shown = agree(plan) if agree is not None else False
    return _apply(face, session, plan, was_shown=was_shown)


def agreement_to_prune(face: Face, *, verb: str) -> Callable[[Plan], bool]:
    """The agreement that a manual prune needs: --yes, or y on a terminal after the plan was shown."""

    def agree(plan: Plan) -> bool:
        from zfsctl.render.plan import count_of_destroys, render_plan
        from zfsctl.render.units import counted

        destroys = count_of_destroys(plan)
        if not destroys:
            return False
        if face.options.yes or not face.can_ask or not face.on_terminal:
            shown = False
        else:
            face.print_lines(render_plan(plan, kept=face.verbose))
            shown = True
        face.confirm(
            f"Destroy {counted(destroys, 'snapshot')}?",
            refusal=f"{verb}: nothing was done, {counted(destroys, 'destroy was', 'destroys were')} not confirmed",
            hint=f"{face.again('--yes')}, or --dry-run to see the plan",
        )
        return shown

    return agree


def agreement_to_release(face: Face, given: str | None, *, verb: str) -> Callable[[Plan], bool]:
    """The agreement that letting go of copies needs: the name of the copy, or for several how many datasets go.

    `given` is the value of --confirm.
    """

    def agree(plan: Plan) -> bool:
        from zfsctl.model.plan import DestroyDataset
        from zfsctl.render.plan import render_plan

        steps = [step for step in plan.steps if isinstance(step, DestroyDataset)]
        if not steps:
            return False
        copies = list(dict.fromkeys(step.aside for step in steps))
        expected = copies[0] if len(copies) == 1 else str(len(steps))
        shown = given is None and face.can_ask and face.on_terminal
        if shown:
            face.print_lines(render_plan(plan, kept=face.verbose))
        face.confirm_by_typing(
            expected,
            given=given,
            what="the dataset's name" if len(copies) == 1 else "the number of datasets",
            refusal=f"{verb}: nothing was released, {copies[0]} stays",
            hint=f"--confirm {shlex.quote(expected)}, or --dry-run to see the plan",
        )
        return shown

    return agree


def read_plan_file(name: str) -> Plan:
    """The plan in a file; `-` is standard input.

    Raises:
        UsageError: It cannot be read, or it is no plan.
    """
    from zfsctl.documents.reading import read_plan

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"{name}: not applied, it cannot be read", why=why, hint="zfsctl run --dry-run --out PLAN.json", where=name
        ) from error
    return read_plan(text, source=name)


def _show(face: Face, session: Session, plan: Plan, acting: Acting) -> int:
    from zfsctl.documents.plan import document_of_plan
    from zfsctl.operations.exit_codes import exit_code_of
    from zfsctl.render.plan import plan_totals, render_plan, rows_of_plan

    if acting.valid_seconds is not None:
        plan = replace(plan, valid_until=plan.created_at + acting.valid_seconds)
    if acting.out is not None:
        _save(plan, acting.out, at=session.clock())
    face.answer(
        "plan",
        lambda: document_of_plan(plan),
        lines=lambda: render_plan(plan, kept=face.verbose),
        rows=lambda: rows_of_plan(plan, kept=face.verbose),
        totals=lambda: plan_totals(plan),
        at=session.clock(),
    )
    if acting.out is not None:
        from zfsctl.render.units import minute_utc

        face.talk(f"Saved until {minute_utc(plan.valid_until)}: zfsctl apply {shlex.quote(acting.out)}")
    elif not acting.dry_run:
        face.talk("Nothing was changed: the policy says read_only = true.")
    code = exit_code_of(plan, ())
    if code is ExitCode.DONE and acting.detailed_exitcode and plan.has_changes:
        return int(ExitCode.CHANGES)
    return int(code)


def _save(plan: Plan, name: str, *, at: int) -> None:
    """Write the plan for its owner alone, whole or not at all."""
    from zfsctl.documents.envelope import document_chunks, envelope
    from zfsctl.documents.plan import document_of_plan

    path = Path(name)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.writelines(document_chunks(envelope("plan", document_of_plan(plan), at=at), pretty=True))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"{name}: the plan was not saved", why=error.strerror or str(error), hint="--out another file", where=name
        ) from error


def _apply(face: Face, session: Session, plan: Plan, *, was_shown: bool) -> int:
    from zfsctl.cli.progress import Progress
    from zfsctl.operations.apply import apply_plan

    with Progress(face, plan) as progress:
        try:
            applied = apply_plan(session, plan, listeners=(progress.listen,))
        except BaseException as reason:
            error = error_of(reason)
            if progress.outcomes:
                _show_result(face, session, plan, progress, int(error.exit_code), broken_off_by=error)
            raise
    _show_result(face, session, plan, applied, int(applied.exit_code), only_wrong=was_shown)
    return int(applied.exit_code)


def _show_result(
    face: Face,
    session: Session,
    plan: Plan,
    ended: Applied | Progress,
    code: int,
    *,
    only_wrong: bool = False,
    broken_off_by: ZfsctlError | None = None,
) -> None:
    from zfsctl.documents.errors import document_of_error
    from zfsctl.documents.result import document_of_result
    from zfsctl.render.plan import render_result, result_totals, rows_of_result

    outcomes = ended.outcomes

    def document() -> ResultDocument:
        data = document_of_result(plan, outcomes, exit_code=code, run=ended.run)
        if broken_off_by is not None:
            data["errors"].append(document_of_error(broken_off_by))
        return data

    face.answer(
        "result",
        document,
        lines=lambda: render_result(plan, outcomes, only_wrong=only_wrong),
        rows=lambda: rows_of_result(plan, outcomes),
        totals=lambda: result_totals(plan, outcomes),
        at=session.clock(),
    )
