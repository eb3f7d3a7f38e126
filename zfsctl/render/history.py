"""Runs and their steps as text."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.history import RunRecord, RunState, StepRecord
from zfsctl.model.names import Place
from zfsctl.render.status import row_of_run
from zfsctl.render.text import Line, Row, Span, Style, line, table
from zfsctl.render.units import minute_utc, short_duration

_STYLES = {
    RunState.DONE: Style.GOOD,
    RunState.RUNNING: Style.CHANGED,
    RunState.PARTIAL: Style.WARNING,
    RunState.REFUSED: Style.WARNING,
    RunState.STOPPED: Style.WARNING,
    RunState.FAILED: Style.CRITICAL,
    RunState.INTERRUPTED: Style.CRITICAL,
}
_HEADINGS = ("RUN", "STARTED", "COMMAND", "STATE", "CREATED", "DESTROYED", "FAILED", "TOOK")


def render_history(runs: Sequence[RunRecord], steps: Sequence[StepRecord] = ()) -> list[Line]:
    """Runs for a terminal, and below them the steps of the run that was asked for."""
    if not runs:
        return [line("No run has been journaled yet.")]
    rows: list[tuple[str | Span, ...]] = [tuple(Span(text, Style.QUIET) for text in _HEADINGS)]
    rows += [_run(run) for run in runs]
    return [*table(rows, right=(4, 5, 6)), *_steps(steps)]


def rows_of_history(runs: Sequence[RunRecord], steps: Sequence[StepRecord] = ()) -> list[Row]:
    """The same for a pipe: rows begin with run or step."""
    rows: list[Row] = [("run", *row_of_run(run)) for run in runs]
    rows += [
        ("step", step.run, step.step, step.kind, _place(step), step.result, step.why, step.detail, *step.snapshots)
        for step in steps
    ]
    return rows


def _run(run: RunRecord) -> tuple[str | Span, ...]:
    code = "" if run.exit_code in (None, 0) else f" (exit {run.exit_code})"
    took = "" if run.finished_at is None else short_duration(run.finished_at - run.started_at)
    return (
        run.id,
        minute_utc(run.started_at),
        run.command,
        Span(f"{run.state.value}{code}", _STYLES[run.state]),
        str(run.created),
        str(run.destroyed),
        str(run.failed),
        took,
    )


def _steps(steps: Sequence[StepRecord]) -> list[Line]:
    lines: list[Line] = []
    for step in steps:
        ended = step.result or "not ended"
        style = Style.GOOD if step.result == "done" else Style.CRITICAL
        lines += [
            line(),
            line(Span(_place(step), Style.STRONG), f"  {step.kind}  ", Span(ended, style), f"  {step.why}"),
        ]
        if step.detail:
            lines.append(line(f"  {step.detail}"))
        lines += [line(f"  {name}") for name in step.snapshots]
    return lines


def _place(step: StepRecord) -> str:
    return str(Place(step.host, step.dataset)) if step.dataset else step.host
