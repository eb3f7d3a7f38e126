"""zfsctl doctor"""

from __future__ import annotations

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()


@app.command(cls=VerbCommand)
def doctor(context: typer.Context) -> int:
    """Look for what is left over and what was set aside.

    Told are holds and cursors of replications that the policy does not have, receives that nothing will resume,
    copies that no run will finish, empty parents, and signs that another machine, timer or tool takes snapshots of
    the same datasets; each with the reason and a line to try. Nothing is changed. What belongs to a replication of
    another policy file looks left over too, so look twice before pasting.

    A copy that was set aside is told with the space that it holds, and with what speaks against letting it go.
    """
    from zfsctl.documents.doctor import document_of_diagnosis
    from zfsctl.operations.doctor import examine, exit_code_of_diagnosis
    from zfsctl.render.doctor import diagnosis_totals, render_diagnosis, rows_of_diagnosis

    face = face_of(context)
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
