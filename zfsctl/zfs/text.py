"""Reading what zfs and zpool print with -H and -p: one row a line, columns parted by a TAB, nothing quoted."""

from __future__ import annotations

from collections.abc import Iterator

from zfsctl.errors import UnreadableOutputError

NOT_APPLICABLE = "-"
"""What stands in a column that has no meaning for a row."""

LONGEST_SHOWN = 200


def unreadable(what: str, line: str, why: str) -> UnreadableOutputError:
    """The error for one line of `what` (a listing in plain words) that is not what OpenZFS prints."""
    shown = line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]}…"
    return UnreadableOutputError(f"{what} could not be read", why=f"{why} in the line {shown!r}")


def text_lines(stdout: str) -> list[str]:
    """The lines of `stdout`, without their newline; empty for no output.

    Not `str.splitlines`: that also splits at characters which may stand inside a value.
    """
    lines = stdout.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def rows(what: str, stdout: str, columns: int) -> Iterator[tuple[str, list[str]]]:
    """Each line with its columns.

    Raises:
        UnreadableOutputError: A line has another number of columns (a value may hold a TAB or a newline).
    """
    for line in text_lines(stdout):
        yield line, columns_of(what, line, columns)


def columns_of(what: str, line: str, columns: int) -> list[str]:
    """The columns of one line.

    Raises:
        UnreadableOutputError: There are more or fewer.
    """
    found = line.split("\t")
    if len(found) != columns:
        raise unreadable(what, line, f"{len(found)} columns instead of {columns}")
    return found


def whole_number(what: str, line: str, text: str) -> int:
    """A number as -p prints it: ASCII digits only, so neither '-', '+1', '1_0' nor '1.5K'.

    Raises:
        UnreadableOutputError: It is something else.
    """
    if not (text.isascii() and text.isdigit()):
        raise unreadable(what, line, f"{text!r} is no number")
    return int(text)


def number_if_applicable(what: str, line: str, text: str) -> int | None:
    """A number, or None for '-'.

    Raises:
        UnreadableOutputError: It is something else.
    """
    return None if text == NOT_APPLICABLE else whole_number(what, line, text)


def text_if_applicable(text: str) -> str | None:
    """The text, or None for '-' and for nothing."""
    return None if text in (NOT_APPLICABLE, "") else text


def yes_or_no(what: str, line: str, text: str, yes: str, no: str) -> bool:
    """Whether `text` is `yes`; '-' counts as `no`.

    Raises:
        UnreadableOutputError: It is neither of the two words.
    """
    if text == yes:
        return True
    if text in (no, NOT_APPLICABLE):
        return False
    raise unreadable(what, line, f"{text!r} is neither {yes!r} nor {no!r}")
