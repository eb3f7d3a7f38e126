"""How far transfers are, for people."""

from __future__ import annotations

import io
import sys

import pytest

from tests.documents.replicating import TRANSFER
from zfsctl.cli.bars import LogBars, TerminalBars

MIB = 1 << 20


def test_a_log_gets_a_line_each_minute_and_none_for_what_is_quick() -> None:
    said: list[str] = []
    now = 0.0
    bars = LogBars(said.append, clock=lambda: now)
    for now in range(0, 150, 5):
        bars.moved(TRANSFER, now * 100_000)
    bars.ended(TRANSFER)

    assert said == [
        "alpha-to-beta  alpha:tank/db  5.72M of about 14.2M, 97.7K/s, 1 min left",
        "alpha-to-beta  alpha:tank/db  11.4M of about 14.2M, 97.7K/s, 28 s left",
    ]


def test_a_log_is_told_no_end_that_is_not_known() -> None:
    said: list[str] = []
    now = 0.0
    bars = LogBars(said.append, clock=lambda: now)
    bars.moved(TRANSFER, 0)
    now = 60.0
    bars.moved(TRANSFER, 60 * MIB)

    assert said == ["alpha-to-beta  alpha:tank/db  60M, 1M/s"]


def test_bars_on_a_terminal_leave_no_trace_and_take_names_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    bars = TerminalBars()
    for count in (MIB, 14 * MIB, 15 * MIB):
        bars.moved(TRANSFER, count)
    bars._progress.refresh()
    bars.ended(TRANSFER)
    bars.close()

    written = terminal.getvalue()
    assert "alpha-to-beta  alpha:tank/db" in written
    assert written.rstrip("\r\n").endswith(("\x1b[2K", "\x1b[?25h"))
