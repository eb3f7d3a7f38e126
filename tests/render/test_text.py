"""Data reaches a terminal as text and a pipe as cells, whatever it holds."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zfsctl.render.text import Span, Style, cells, line, padded, painted, tabbed, table, visible

any_text = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("tank/a:on:b [hourly] [/]", "tank/a:on:b [hourly] [/]", id="markup-and-emoji-codes-are-text"),
        pytest.param("\x1b[2Jgone", "\\x1b[2Jgone", id="clear-the-screen"),
        pytest.param("a\rb\tc\nd", "a\\rb\\tc\\nd", id="carriage-return-tab-newline"),
        pytest.param("\x9b31m", "\\x9b31m", id="eight-bit-control"),
        pytest.param("user\u202egnp", "user\\u202egnp", id="right-to-left-override"),
        pytest.param(b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\\xe9", id="bytes-that-are-no-utf-8"),
        pytest.param("a\u2028b", "a\\u2028b", id="line-separator"),
        pytest.param("\U000e0041", "\\U000e0041", id="invisible-tag"),
        pytest.param("Fotos für Oma 写真", "Fotos für Oma 写真", id="letters-of-the-world"),
    ],
)
def test_what_could_drive_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(any_text)
def test_nothing_hidden_ever_reaches_a_terminal_and_nothing_is_written_out_twice(text: str) -> None:
    shown = visible(text)

    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert visible(shown) == shown
    shown.encode("utf-8")


@given(st.lists(st.lists(any_text, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_row_for_a_pipe_is_one_line_of_as_many_cells(rows: list[list[str]]) -> None:
    printed = list(tabbed(tuple(row) for row in rows))

    assert [text.count("\n") for text in printed] == [1] * len(rows)
    assert [len(text.rstrip("\n").split("\t")) for text in printed] == [len(row) for row in rows]


def test_colour_is_only_added_when_asked_for_and_never_changes_the_words() -> None:
    spans = line(Span("+ ", Style.NEW), "tank/a", Span("  ", Style.QUIET))
    coloured, plain = "".join(painted([spans], colour=True)), "".join(painted([spans], colour=False))

    assert coloured == "\x1b[32m+ \x1b[0mtank/a  \n"
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain == "+ tank/a  \n"


def test_a_table_lines_up_wide_letters_and_never_cuts() -> None:
    long = "tank/" + "x" * 200
    lines = list(painted(table([("写真", "1", "a"), (long, "22", "")], indent=2, right=(1,)), colour=False))

    assert lines[0] == "  " + padded("写真", len(long)) + "   1  a\n"
    assert lines[1] == f"  {long}  22\n"
    assert cells("写真") == 4
