"""Findings and errors as text."""

from __future__ import annotations

from collections.abc import Iterable

from zfsctl.model.finding import Finding, Severity
from zfsctl.model.names import Place
from zfsctl.render.text import Line, Row, Span, Style, line, try_line

_STYLES = {Severity.INFO: Style.QUIET, Severity.WARNING: Style.WARNING, Severity.CRITICAL: Style.CRITICAL}


def render_findings(findings: Iterable[Finding]) -> list[Line]:
    """Each finding with its line to try, worst first."""
    lines = []
    for finding in worst_first(findings):
        place = place_of(finding)
        said = finding.message if not place or place in finding.message else f"{place}: {finding.message}"
        lines.append(line(Span(f"{finding.severity.value}:", _STYLES[finding.severity]), f" {said}"))
        if finding.hint:
            lines.append(try_line(finding.hint))
    return lines


def rows_of_findings(findings: Iterable[Finding]) -> list[Row]:
    """The same for a pipe: !, place, severity, code, message, what to try."""
    return [
        ("!", place_of(finding), finding.severity.value, finding.code, finding.message, finding.hint)
        for finding in worst_first(findings)
    ]


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Critical before warning before info, else as they came."""
    order = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def place_of(finding: Finding) -> str:
    """Where it is: dataset or host; empty for neither."""
    return str(Place(finding.host, finding.dataset)) if finding.dataset else finding.host


def render_error(message: str, *, why: str = "", hint: str = "") -> list[Line]:
    """An error as every command shows it."""
    lines = [line(Span("error:", Style.CRITICAL), f" {message}")]
    if why:
        lines.append(line(Span("  why: ", Style.QUIET), why))
    if hint:
        lines.append(try_line(hint))
    return lines
