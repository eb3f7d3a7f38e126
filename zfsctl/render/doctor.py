"""What `doctor` found, as text."""

from __future__ import annotations

import shlex

from zfsctl.model.diagnosis import Diagnosis, SetAside
from zfsctl.model.names import Place
from zfsctl.render.findings import render_findings, rows_of_findings
from zfsctl.render.text import Line, Row, Span, Style, line, try_line
from zfsctl.render.units import counted, human_bytes, instant_utc, short_duration


def render_diagnosis(found: Diagnosis) -> list[Line]:
    """For a terminal: findings, then the copies set aside in the order in which they can go."""
    lines = render_findings(found.findings)
    for number, one in enumerate(found.asides):
        lines += [line()] if lines and number == 0 else []
        lines += _aside(one, at=found.at)
    return [*lines, line(Span(diagnosis_totals(found), Style.STRONG))]


def rows_of_diagnosis(found: Diagnosis) -> list[Row]:
    """For a pipe: findings as everywhere; aside, place, home, since, snapshots, used, why it may not go, what goes
    before."""
    return [
        *rows_of_findings(found.findings),
        *(
            (
                "aside",
                str(Place(one.host, one.dataset)),
                one.home,
                instant_utc(one.since),
                str(one.snapshots),
                human_bytes(one.used),
                "; ".join(one.obstacles),
                ", ".join(one.after),
            )
            for one in found.asides
        ),
    ]


def diagnosis_totals(found: Diagnosis) -> str:
    """The last line."""
    hosts = counted(len(found.hosts), "host")
    if not found.found_something:
        return f"Looked at {hosts}: nothing is left over."
    said = [counted(len(found.findings), "finding")] if found.findings else []
    if found.asides:
        # A copy in another is part of its space.
        tops = [one for one in found.asides if not any(_is_in(one, other) for other in found.asides)]
        used = human_bytes(sum(one.used for one in tops))
        said.append(f"{counted(len(found.asides), 'copy', 'copies')} set aside ({used})")
    return f"Looked at {hosts}: {', '.join(said)}."


def _is_in(one: SetAside, other: SetAside) -> bool:
    return one.host == other.host and one.dataset.startswith(f"{other.dataset}/")


def _aside(one: SetAside, *, at: int) -> list[Line]:
    age = short_duration(at - one.since)
    lines = [
        line(
            Span(str(Place(one.host, one.dataset)), Style.STRONG),
            f"  set aside {age} ago, {counted(one.snapshots, 'snapshot')}, frees {human_bytes(one.used)}",
        )
    ]
    if one.written:
        lines.append(line(f"  {human_bytes(one.written)} of it are in no snapshot"))
    lines += [line(Span("  stays: ", Style.WARNING), why) for why in one.obstacles]
    lines += [line(Span("  after: ", Style.QUIET), str(Place(one.host, name))) for name in one.after]
    if not one.obstacles and not one.after:
        place = shlex.quote(f"{one.host}:{one.dataset}")
        lines.append(try_line(f"zfsctl doctor --release {place} --dry-run"))
    return lines
