"""zfsctl explain"""

from __future__ import annotations

from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()


@app.command(cls=VerbCommand)
def explain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="[HOST:]DATASET, [HOST:]DATASET@SNAPSHOT, a policy, a replication or a topic."
        ),
    ],
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=3660, help="How far to look ahead.")] = 90,
    as_kind: Annotated[
        str | None,
        typer.Option("--as", metavar="KIND", help="When several fit: snapshot, dataset, policy, replication or topic."),
    ] = None,
) -> int:
    """Say why snapshots stay or go, and how replications stand.

    A name with /, @ or : is data; any other is a policy, a replication or a topic. Each rule that keeps a snapshot is
    named, and what the policy will keep over the next days is found by simulating it.

    Of a replication each dataset is told with its health and lag, what that rests on (the base, what each end has
    alone), what is kept because of it, and what the next run would do and why.
    """
    from zfsctl.cli.parsing import one_of
    from zfsctl.documents.explanation import document_of_explanation
    from zfsctl.model.explanation import Subject
    from zfsctl.operations.explain import explain as explanation_of
    from zfsctl.render.explanation import render_explanation, rows_of_explanation

    kind = None if as_kind is None else one_of("--as", as_kind, tuple(Subject))
    face = face_of(context)
    with face.open_session(dry_run=True) as session:
        answer = explanation_of(session, name, days=days, kind=kind)
        now = session.clock()
    face.answer(
        "explanation",
        lambda: document_of_explanation(answer),
        lines=lambda: render_explanation(answer, now=now),
        rows=lambda: rows_of_explanation(answer),
        at=now,
    )
    return 0
