"""Run an operator's own command as a step of a plan."""

from __future__ import annotations

from zfsctl.errors import HostTimeoutError
from zfsctl.hosts.protocol import Host
from zfsctl.model.command import Command
from zfsctl.model.event import Result, StepOutcome
from zfsctl.model.plan import RunHook


def apply_hook(step: RunHook, host: Host) -> StepOutcome:
    """Run the hook; any exit but 0 is a failure, told with the last line it wrote to stderr.

    Raises:
        UnreachableError: The host could not be dialled.
    """
    try:
        done = host.run(Command(step.argv), timeout=step.timeout_seconds)
    except HostTimeoutError as error:
        return StepOutcome(step.id, Result.FAILED, f"no end within {step.timeout_seconds} s", code=error.code)
    if done.exit_code == 0:
        return StepOutcome(step.id, Result.DONE)
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return StepOutcome(step.id, Result.FAILED, f"exit {done.exit_code}{': ' + said[-1] if said else ''}")
