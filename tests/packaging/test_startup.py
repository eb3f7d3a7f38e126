"""What a cheap command may import: one heavy library costs more than the whole budget."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

HEAVY: Final = {
    "cryptography",
    "cronsim",
    "dateutil",
    "fabric",
    "invoke",
    "paramiko",
    "pydantic",
    "pydantic_settings",
    "rich",
    "sqlite3",
    "sqlite_utils",
    "tomllib",
}


def imported_by(*arguments: str) -> set[str]:
    """The top-level packages that one call of the program imports."""
    call = "import sys; from zfsctl.cli.main import main; sys.exit(main())"
    program = [sys.executable, "-X", "importtime", "-c", call, *arguments]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60)
    names = [line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert "zfsctl" in names
    return {name.split(".")[0] for name in names}


def test_version_imports_no_command_line_library() -> None:
    assert imported_by("--version") & (HEAVY | {"typer", "click"}) == set()


@pytest.mark.parametrize("arguments", [pytest.param(["--help"], id="help"), pytest.param(["-h"], id="short help")])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(*arguments) & HEAVY == set()
