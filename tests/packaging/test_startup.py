"""What a cheap command may import: one heavy library costs more than the whole budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from zfsctl.documents.status import document_of_status
from zfsctl.model.finding import Finding, Severity
from zfsctl.model.history import RunRecord, RunState
from zfsctl.model.lineage import LinkState
from zfsctl.model.pool import Pool
from zfsctl.model.replication_status import LinkHealth, PairStatus, ReplicationStatus
from zfsctl.model.status import DatasetStatus, Health, HostStatus, Status
from zfsctl.state.journal import open_journal

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


SEEN: Final = Status(
    generated_at=1_795_185_000,
    hosts=(HostStatus("alpha", Health.OK, "", "2.3.9", (Pool("tank", 1),)),),
    datasets=(DatasetStatus("alpha", "tank/db", "p", Health.OK, "", "zfsctl-x", 1, 2, 3, 0, 0, 4096),),
    last_run=RunRecord("r1", "run", RunState.DONE, 1_795_184_000, 1_795_184_009, 0, 1, 2, 0),
    approvals_waiting=0,
    findings=(Finding(Severity.WARNING, "withheld", "alpha", "tank/db", "two destroys withheld"),),
    replications=(
        ReplicationStatus(
            "out",
            86_400,
            259_200,
            (
                PairStatus(
                    "alpha", "tank", "beta", "bk", LinkHealth.HEALTHY, LinkState.CURRENT, "", 0, 0, "@zfsctl-x", 1, ""
                ),
            ),
        ),
    ),
)


def modules_imported_by(*arguments: str, environ: dict[str, str] | None = None) -> set[str]:
    """The modules that one call of the program imports."""
    call = "import sys; from zfsctl.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", call, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **(environ or {})},
    )
    names = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "zfsctl" in names
    return names


def imported_by(*arguments: str) -> set[str]:
    """The top-level packages that one call of the program imports."""
    return {name.split(".")[0] for name in modules_imported_by(*arguments)}


def test_version_imports_no_command_line_library() -> None:
    assert imported_by("--version") & (HEAVY | {"typer", "click"}) == set()


@pytest.mark.parametrize("arguments", [pytest.param(["--help"], id="help"), pytest.param(["-h"], id="short help")])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(*arguments) & HEAVY == set()


def test_a_cached_status_imports_neither_libraries_nor_plans(tmp_path: Path) -> None:
    with open_journal(tmp_path / "state.db") as journal:
        journal.save_status(json.dumps(document_of_status(SEEN)), SEEN.generated_at)
    modules = modules_imported_by("status", "--cached", environ={"ZFSCTL_STATE_DIR": str(tmp_path)})
    packages = {name.split(".")[0] for name in modules}

    assert packages & HEAVY == {"sqlite3"}
    assert {name for name in modules if name.startswith(("zfsctl.planner", "zfsctl.model.plan"))} == set()
