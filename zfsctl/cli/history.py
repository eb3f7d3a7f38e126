"""zfsctl history"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()


@app.command(cls=VerbCommand)
def history(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="One run and its steps, by its id.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many runs to show.")] = 20,
) -> int:
    """Show the runs and what each of them did.

    An id may be shortened as long as it fits one run only. The journal is history and never the truth: deleting
    the state file changes nothing else.
    """
    from zfsctl.documents.history import document_of_history
    from zfsctl.operations.history import history as history_of
    from zfsctl.render.history import render_history, rows_of_history

    face = face_of(context)
    with face.open_session(dry_run=True) as session:
        found = history_of(session, run=run, limit=limit)
        face.answer(
            "history",
            lambda: document_of_history(found.runs, found.steps),
            lines=lambda: render_history(found.runs, found.steps),
            rows=lambda: rows_of_history(found.runs, found.steps),
            at=session.clock(),
        )
    return 0
