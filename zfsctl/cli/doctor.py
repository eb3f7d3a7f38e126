"""zfsctl doctor"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.cli.options import Confirm, DetailedExitCode, DryRun, Out, Valid

if TYPE_CHECKING:
    from zfsctl.cli.face import Face

app = verb_app()


@app.command(cls=VerbCommand)
def doctor(
    context: typer.Context,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="[HOST:]DATASET", help="Let go of this copy that a repair set aside."),
    ] = None,
    confirm: Confirm = None,
    dry_run: DryRun = False,
    out: Out = None,
    valid: Valid = None,
    detailed_exitcode: DetailedExitCode = False,
) -> int:
    """Look for what is left over and what was set aside.

    Told are holds and cursors of replications that the policy does not have, receives that nothing will resume,
    copies that no run will finish, empty parents, and signs that another machine, timer or tool takes snapshots of
    the same datasets; each with the reason and a line to try. Nothing is changed. What belongs to a replication of
    another policy file looks left over too, so look twice before pasting.

    A copy that was set aside is told with the space that it holds, and with what speaks against letting it go. With
    --release it goes, once its name was typed: its own holds are released, then its datasets go, deepest first, each
    with the snapshots that the plan names and checked once more by guid. It stays as long as somebody holds, clones or
    mounts it, a receive goes on in it, a dataset in it belongs home, or it is the only place of a base.
    """
    from zfsctl.cli.acting import acting_of, agreement_to_release, carry_out
    from zfsctl.errors import UsageError
    from zfsctl.operations.doctor import plan_doctor_release

    face = face_of(context)
    if release is None:
        options = {"--confirm": confirm, "--dry-run": dry_run, "--out": out, "--valid": valid}
        for name, value in (options | {"--detailed-exitcode": detailed_exitcode}).items():
            if value:
                raise UsageError(f"{name}: nothing was done", why="it is about --release", where=name)
        return _look(face)
    acting = acting_of(dry_run, out, valid, detailed_exitcode)
    with face.open_session(dry_run=acting.only_shows) as session:
        plan = plan_doctor_release(session, release)
        return carry_out(
            face, session, plan, acting, agree=agreement_to_release(face, confirm, verb="doctor --release")
        )


def _look(face: Face) -> int:
    from zfsctl.documents.doctor import document_of_diagnosis
    from zfsctl.operations.doctor import examine, exit_code_of_diagnosis
    from zfsctl.render.doctor import diagnosis_totals, render_diagnosis, rows_of_diagnosis

    with face.open_session(dry_run=True) as session:
        found = examine(session)
    face.answer(
        "doctor",
        lambda: document_of_diagnosis(found),
        lines=lambda: render_diagnosis(found),
        rows=lambda: rows_of_diagnosis(found),
        totals=lambda: diagnosis_totals(found),
        at=found.at,
    )
    return int(exit_code_of_diagnosis(found))
