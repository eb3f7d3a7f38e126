"""Simulated hosts: make a folder with some, look at it, move its clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zfsctl.errors import UsageError, ZfsctlError
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.planning import zone_of
from zfsctl.operations.run import RunRequest, plan_run
from zfsctl.operations.session import SessionOptions, open_session
from zfsctl.planner.calendar import next_due
from zfsctl.sandbox.document_save import fleet_document
from zfsctl.sandbox.example import EXAMPLE_POLICY, example_fleet
from zfsctl.sandbox.fleet import SandboxFleet, open_sandbox
from zfsctl.sandbox.store import FleetStore
from zfsctl.sandbox.workload import advance, usual_load

POLICY_FILE = "zfsctl.toml"


def init_sandbox(folder: Path, *, now: int | None = None) -> None:
    """Make a folder with the example hosts and a policy for them. Their clock starts at `now`, or the real one.

    Raises:
        UsageError: There is a sandbox or a policy already, or the folder cannot be written.
    """
    policy = folder / POLICY_FILE
    if policy.exists():
        raise UsageError(
            f"{policy}: nothing was made, there is a policy already", hint="name an empty folder", where=str(policy)
        )
    FleetStore(folder).create(example_fleet(int(time.time()) if now is None else now))
    try:
        policy.write_text(EXAMPLE_POLICY, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{policy}: not written", why=error.strerror or str(error), where=str(policy)) from error


def show_sandbox(folder: Path) -> Mapping[str, Any]:
    """The fleet document of a folder, as `zfsctl.sandbox/1` has it.

    Raises:
        UsageError: There is no fleet.json.
        ConfigError: It is not a fleet document.
    """
    with open_sandbox(folder).state() as fleet:
        return fleet_document(fleet)


def advance_sandbox(folder: Path, seconds: int, *, load: bool = False) -> None:
    """Move the clock: by a leap, or with load, that is with data written meanwhile and every due run done.

    Raises:
        UsageError: There is no sandbox, or with load no policy.
        ConfigError: The policy is wrong.
    """
    fleet = open_sandbox(folder)
    end = fleet.now() + seconds
    if not load:
        _move(fleet, end, load=False)
        return
    options = SessionOptions(sandbox=folder)
    while True:
        instant = _next_run(options, fleet.now())
        if instant is None or instant > end:
            break
        _move(fleet, instant, load=True)
        _run(options)
    _move(fleet, end, load=True)


def _next_run(options: SessionOptions, now: int) -> int | None:
    """The next instant at which a policy wants a snapshot."""
    with open_session(options) as session:
        zone = zone_of(session)
        instants = [
            next_due(policy.schedule, now=now, zone=zone)
            for policy in session.policy.policies.values()
            if policy.schedule is not None
        ]
    return min((instant for instant in instants if instant is not None), default=None)


def _run(options: SessionOptions) -> None:
    """One run, as a timer would start it. What it cannot do is in its journal, and time goes on."""
    try:
        with open_session(options) as session:
            if session.acts:
                apply_plan(session, plan_run(session, RunRequest()))
    except ZfsctlError:
        return


def _move(fleet: SandboxFleet, end: int, *, load: bool) -> None:
    with fleet.state() as state:
        advance(state, end - state.now, usual_load(state) if load else ())
