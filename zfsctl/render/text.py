"""Lines made of styled pieces, and the two ways in which they reach a person: a terminal and a pipe.

Names, properties and what hosts print are data. None of it is read as markup, and none of it can drive the
terminal: control characters are shown, not sent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What a piece of text means; its value is the SGR code that shows it. Colour never carries meaning alone."""

    PLAIN = ""
    STRONG = "1"
    QUIET = "2"
    NEW = "32"
    GOOD = "0;32"
    DESTROYED = "31"
    SENT = "36"
    CHANGED = "33"
    WARNING = "1;33"
    CRITICAL = "1;31"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    style: Style = Style.PLAIN
    pastes: bool = False
    """Whether it holds a command of zfsctl to paste."""


Line = tuple[Span, ...]
Row = tuple[str, ...]
"""The cells of one line for a pipe."""

_SPEAKING = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Control, format (they can reverse a line), surrogate (bytes that are no UTF-8) and the separators of lines."""


def visible(text: str) -> str:
    """`text` with everything that could drive a terminal or break a line written out, such as \\x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(char) for char in text)


def _written_out(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    if char in _SPEAKING:
        return _SPEAKING[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes once it is made visible."""
    shown = visible(text)
    if shown.isascii():
        return len(shown)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text`, made visible and filled up to `width` columns; longer text is never cut."""
    fill = " " * (width - cells(text))
    return f"{fill}{visible(text)}" if right else f"{visible(text)}{fill}"


def line(*pieces: str | Span) -> Line:
    """A line of plain and styled pieces."""
    return tuple(Span(piece) if isinstance(piece, str) else piece for piece in pieces)


def try_line(hint: str) -> Line:
    """The line below an error, a finding or a question that says what to try."""
    return line(Span("  try: ", Style.QUIET), Span(hint, pastes=True))


def table(rows: Sequence[Sequence[str | Span]], *, indent: int = 0, right: Sequence[int] = ()) -> list[Line]:
    """Rows in columns two blanks apart; the columns numbered in `right` are aligned to the right.

    The last column is not filled up, so a long reason never adds blanks at the end of a line.
    """
    spans = [[Span(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    columns = max((len(row) for row in spans), default=0)
    widths = [max((cells(row[n].text) for row in spans if n < len(row)), default=0) for n in range(columns)]
    lines = []
    for row in spans:
        while row and not row[-1].text:
            row = row[:-1]
        pieces = [Span(" " * indent)] if indent else []
        for n, cell in enumerate(row):
            last = n == len(row) - 1
            width = 0 if last and n not in right else widths[n]
            pieces += [
                Span(padded(cell.text, width, right=n in right), cell.style, cell.pastes),
                *([] if last else [Span("  ")]),
            ]
        lines.append(tuple(pieces))
    return lines


def painted(lines: Iterable[Line], *, colour: bool) -> Iterator[str]:
    """The lines as text for a terminal, one string for each, newline included."""
    for spans in lines:
        yield "".join(_painted(span, colour=colour) for span in spans) + "\n"


def _painted(span: Span, *, colour: bool) -> str:
    shown = visible(span.text)
    if not colour or not span.style.value or not shown.strip():
        return shown
    return f"\x1b[{span.style.value}m{shown}\x1b[0m"


def tabbed(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as text for a pipe: cells parted by tabs, nothing cut, empty cells as "-"."""
    for row in rows:
        yield "\t".join(visible(cell) or "-" for cell in row) + "\n"
