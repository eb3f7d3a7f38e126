"""A state file that cannot be used: what is about nothing else ends in its error, the rest goes on without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Zfsctl
from tests.state.test_state_faults import FAULTS, changed, newer

NOT_OPENED = [fault for fault in FAULTS if fault.values[0] is not changed]
ABOUT_THE_JOURNAL = ("history", "history tank", "history --replications", "approvals")


@pytest.mark.parametrize(("make", "why"), NOT_OPENED)
@pytest.mark.parametrize("line", ABOUT_THE_JOURNAL)
def test_what_is_about_the_journal_alone_ends_in_its_error(
    zfsctl: Zfsctl, sandbox: Path, line: str, make: object, why: str
) -> None:
    assert callable(make)
    make(sandbox / "state.db")

    ended = zfsctl(*line.split(), "--sandbox", sandbox)
    document = zfsctl(*line.split(), "--sandbox", sandbox, "--json").document

    assert (ended.code, ended.stdout) == (1, "")
    assert re.search(f"^error: {sandbox}/state.db: .*\n  why: .*({why})", ended.stderr)
    assert "try: " in ended.stderr
    assert document["data"]["errors"][0]["code"] == "state"


@pytest.mark.parametrize(("make", "why"), NOT_OPENED)
@pytest.mark.parametrize("line", ["run --dry-run", "explain tank/db", "status"])
def test_what_only_looks_something_up_in_it_goes_on(
    zfsctl: Zfsctl, sandbox: Path, line: str, make: object, why: str
) -> None:
    assert callable(make)
    make(sandbox / "state.db")

    assert "tank/db" in zfsctl(*line.split(), "--sandbox", sandbox).stdout


@pytest.mark.parametrize("line", ["history", "approvals"])
def test_before_the_first_run_there_is_no_state_file_and_nothing_to_tell(
    zfsctl: Zfsctl, sandbox: Path, line: str
) -> None:
    ended = zfsctl(line, "--sandbox", sandbox)

    assert (ended.code, ended.stderr) == (0, "")


def test_a_state_file_of_a_newer_zfsctl_asks_for_that_one_first(zfsctl: Zfsctl, sandbox: Path) -> None:
    newer(sandbox / "state.db")

    ended = zfsctl("history", "--sandbox", sandbox)

    assert f"try: update zfsctl, or mv {sandbox}/state.db" in ended.stderr
