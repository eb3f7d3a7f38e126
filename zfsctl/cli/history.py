"""zfsctl history"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()


@app.command(cls=VerbCommand)
def history(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|REPLICATION]",
            help="One run and its steps, by its id; or how one replication stood, by its name.",
        ),
    ] = None,
    replications: Annotated[
        bool, typer.Option("--replications", help="Show how the health of replications changed, instead of runs.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many to show.")] = 20,
) -> int:
    """Show the runs and what each of them did.

    An id may be shortened as long as it fits one run only. The journal is history and never the truth: deleting
    the state file changes nothing else.

    Whenever a run or a status sees that the health of a replication, or of one of its datasets, is not what it was,
    that is noted, with the time, the lag and the reason. The name of a replication shows what was noted of it and of
    its datasets, --replications what was noted of all replications as a whole.
    """
    from zfsctl.documents.history import document_of_history
    from zfsctl.operations.history import history as history_of
    from zfsctl.render.health_history import render_health, rows_of_health
    from zfsctl.render.history import render_history, rows_of_history

    face = face_of(context)
    with face.open_session(dry_run=True) as session:
        found = history_of(session, name=name, replications=replications, limit=limit)
        changes = found.health
        face.answer(
            "history",
            lambda: document_of_history(found.runs, found.steps, changes or ()),
            lines=lambda: render_history(found.runs, found.steps) if changes is None else render_health(changes),
            rows=lambda: rows_of_history(found.runs, found.steps) if changes is None else rows_of_health(changes),
            at=session.clock(),
        )
    return 0
