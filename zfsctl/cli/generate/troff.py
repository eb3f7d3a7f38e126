"""Text as man(7) source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

DATE = "2026-11-20"
"""Of the pages; changed with a release, so that the same tree always makes the same pages."""


def header(title: str, section: int) -> list[str]:
    """The first lines of a page."""
    from zfsctl.version import VERSION

    manual = "System Administration" if section == 8 else "File Formats"
    return [
        '.\\" Generated from the program: python -m zfsctl.cli.generate',
        f'.TH {title.upper()} {section} {DATE} "zfsctl {VERSION}" "{manual}"',
    ]


def escaped(text: str) -> str:
    """`text` as it is: backslashes, hyphens that are typed, and a dot or quote at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("→", "\\->")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def filled(text: str) -> list[str]:
    """Running text in lines as short as mandoc likes them; how it is laid out in the page is the reader's."""
    return [escaped(line) for line in textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False)]


def section(name: str) -> list[str]:
    """A heading."""
    return [f".SH {name}"]


def paragraphs(texts: Iterable[str]) -> list[str]:
    """Paragraphs of running text; the first one right below its heading."""
    lines: list[str] = []
    for number, text in enumerate(texts):
        lines += [".PP"] if number else []
        lines += filled(text)
    return lines


def items(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Terms in bold, each with its text."""
    lines = []
    for term, text in pairs:
        lines += [".TP", f"\\fB{escaped(term)}\\fR", *filled(text)]
    return lines


def examples(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """What one wants, and what to type for it."""
    lines = []
    for number, (text, command) in enumerate(pairs):
        lines += [".PP"] if number else []
        lines += [*filled(text), ".PP", ".nf", ".RS 4", *(escaped(line) for line in command.split("\n")), ".RE", ".fi"]
    return lines


def references(names: Iterable[tuple[str, int]]) -> list[str]:
    """SEE ALSO."""
    pages = [f".BR {escaped(name)} ({number})" for name, number in names]
    return [*section("SEE ALSO"), *(f"{page} ," for page in pages[:-1]), pages[-1]]
