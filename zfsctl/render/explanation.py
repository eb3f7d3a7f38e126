"""An explanation as text: the rules, each snapshot with its reasons, and what becomes of it."""

from __future__ import annotations

import textwrap

from zfsctl.model.explanation import ExplainedSnapshot, Explanation, Outlook, Subject
from zfsctl.model.names import Place
from zfsctl.model.verdicts import Verdict
from zfsctl.render.entries import reasons_text
from zfsctl.render.explained_pairs import render_pairs, rows_of_pairs
from zfsctl.render.findings import render_findings, rows_of_findings
from zfsctl.render.text import Line, Row, Span, Style, line, table
from zfsctl.render.units import counted, from_now, human_bytes, instant_utc, minute_utc


def render_explanation(explanation: Explanation, *, now: int) -> list[Line]:
    """The answer to `explain NAME` for a terminal."""
    lines = [line(Span(explanation.name, Style.STRONG), f"  ({explanation.subject.value})")]
    facts = list(explanation.facts)
    facts += [("keeps" if n == 0 else "", rule) for n, rule in enumerate(explanation.rules)]
    lines += table([(Span(label, Style.QUIET), text) for label, text in facts], indent=2)
    for paragraph in explanation.text:
        lines += [line(), *(line(text) for text in textwrap.wrap(paragraph, 80))]
    if explanation.snapshots:
        lines.append(line())
        lines += (
            _one(explanation.snapshots[0], now)
            if explanation.subject is Subject.SNAPSHOT and len(explanation.snapshots) == 1
            else _many(explanation.snapshots, now)
        )
    lines += render_pairs(explanation.pairs, now=now)
    lines += _forecast(explanation)
    return lines + render_findings(explanation.findings)


def rows_of_explanation(explanation: Explanation) -> list[Row]:
    """The same for a pipe: rows begin with fact, rule, text, = or -, pair, evidence or step, day, or ! for findings.

    A snapshot's row: sign, place, snapshot, size, created, goes at, reasons, what the future brings. Pairs are as
    rows_of_pairs has them.
    """
    rows: list[Row] = [("subject", explanation.subject.value, explanation.name)]
    rows += [("fact", label, text) for label, text in explanation.facts]
    rows += [("rule", rule) for rule in explanation.rules]
    rows += [("text", paragraph) for paragraph in explanation.text]
    rows += [_row(explained) for explained in explanation.snapshots]
    rows += rows_of_pairs(explanation.name, explanation.pairs)
    rows += [("day", instant_utc(day.at), str(day.snapshots), instant_utc(day.oldest)) for day in explanation.forecast]
    return rows + rows_of_findings(explanation.findings)


def _one(explained: ExplainedSnapshot, now: int) -> list[Line]:
    decision = explained.decision
    verdict = "destroyed by the next prune" if decision.verdict is Verdict.DESTROY else "kept"
    style = Style.DESTROYED if decision.verdict is Verdict.DESTROY else Style.GOOD
    facts: list[tuple[str | Span, ...]] = [
        (Span("age", Style.QUIET), from_now(decision.creation, now=now)),
        (Span("holds", Style.QUIET), f"{human_bytes(decision.used)} of its own"),
        (Span("verdict", Style.QUIET), Span(verdict, style)),
    ]
    facts += [
        (Span("because" if n == 0 else "", Style.QUIET), f"{reason.rule.value}: {reason.detail}")
        for n, reason in enumerate(decision.reasons)
    ]
    if explained.outlook is not None:
        facts.append((Span("goes", Style.QUIET), _goes(explained.outlook, now)))
    return table(facts, indent=2)


def _many(snapshots: tuple[ExplainedSnapshot, ...], now: int) -> list[Line]:
    rows: list[tuple[str | Span, ...]] = []
    for explained in snapshots:
        decision = explained.decision
        gone = decision.verdict is Verdict.DESTROY
        sign = Span("-", Style.DESTROYED) if gone else Span("=", Style.QUIET)
        later = "" if gone or explained.outlook is None else _soon(explained.outlook, now)
        size = human_bytes(decision.used)
        rows.append((sign, f"@{decision.snapshot}", size, Span(later, Style.QUIET), reasons_text(decision)))
    return table(rows, indent=2, right=(2,))


def _soon(outlook: Outlook, now: int) -> str:
    return "stays" if outlook.goes_at is None else f"goes {from_now(outlook.goes_at, now=now)}"


def _goes(outlook: Outlook, now: int) -> str:
    if outlook.goes_at is None:
        return f"not in the days looked at{f': {outlook.detail}' if outlook.detail else ''}"
    when = f"{from_now(outlook.goes_at, now=now)} ({minute_utc(outlook.goes_at)})"
    return f"{when}: {outlook.detail}" if outlook.detail else when


def _forecast(explanation: Explanation) -> list[Line]:
    if not explanation.forecast:
        return []
    rows: list[tuple[str | Span, ...]] = [
        tuple(Span(text, Style.QUIET) for text in ("ON", "SNAPSHOTS", "OLDEST")),
        *(
            (minute_utc(day.at), str(day.snapshots), minute_utc(day.oldest) if day.snapshots else "-")
            for day in explanation.forecast
        ),
    ]
    title = (
        f"What these rules keep over the next {counted(explanation.days, 'day')}, with one snapshot at each due time:"
    )
    return [line(), line(title), *table(rows, indent=2, right=(1,))]


def _row(explained: ExplainedSnapshot) -> Row:
    decision, outlook = explained.decision, explained.outlook
    place = str(Place(decision.host, decision.dataset))
    return (
        "-" if decision.verdict is Verdict.DESTROY else "=",
        place,
        decision.snapshot,
        human_bytes(decision.used),
        instant_utc(decision.creation),
        instant_utc(None if outlook is None else outlook.goes_at),
        reasons_text(decision),
        "" if outlook is None else outlook.detail,
    )
