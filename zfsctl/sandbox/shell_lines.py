"""The little of a shell that is simulated: plain commands joined by `;`, `&&`, `||` and `|`, to and from /dev/null."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from zfsctl.sandbox.calls import Call

Run = Callable[[Call, list[str]], int]

_PUNCTUATION = ";&|<>"
_ENDS = (";", "&&", "||", "|")
WRONG_SYNTAX = 2


def run_lines(call: Call, text: str, run: Run) -> int:
    """Run every line; the exit code is that of the last command."""
    code = 0
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            code = _run_line(call, line, run)
    return code


def _run_line(call: Call, text: str, run: Run) -> int:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as error:
        call.complain(f"sh: 1: {error}")
        return WRONG_SYNTAX
    code, argv = 0, list[str]()
    skip = False
    for word in [*words, ";"]:
        if word not in _ENDS:
            argv.append(word)
            continue
        if argv and not skip:
            code = _run_one(call, argv, run, piped=word == "|")
        argv = []
        if word != "|":
            call.stdin, call.stream_in = "", None
            skip = code != 0 if word == "&&" else code == 0 if word == "||" else False
    return code


def _run_one(call: Call, argv: list[str], run: Run, *, piped: bool) -> int:
    """Run one command; what it prints goes to where it is pointed."""
    plain, silent = list[str](), False
    words = iter(argv)
    for word in words:
        if word in ("<", ">"):
            silent |= word == ">"
            next(words, "")
        else:
            plain.append(word)
    before, call.out = call.out, []
    code = run(call, plain)
    printed, call.out = call.out, before
    if silent:
        call.stream_out = None
    elif piped:
        call.stdin = "".join(f"{line}\n" for line in printed)
    else:
        call.out += printed
    if piped:
        call.stream_in, call.stream_out = call.stream_out, None
    return code
