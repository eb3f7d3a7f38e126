"""zfsctl status"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.errors import ExitCode

if TYPE_CHECKING:
    from zfsctl.cli.face import Face
    from zfsctl.model.status import Status

app = verb_app()


@app.command(cls=VerbCommand)
def status(
    context: typer.Context,
    cached: Annotated[bool, typer.Option("--cached", help="Ask no host; show what was seen last.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="One line and exit code for monitoring: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."),
    ] = False,
) -> int:
    """Show how hosts, pools, snapshots and replications stand.

    Per host its pools, per dataset its policy, newest snapshot, next due time, counts and space, per replication its
    lag, base and health, then the last run.

    The lag is the age of the oldest snapshot that the receiver lacks. A replication is healthy within warn_after,
    warning within max_delay, while there is no copy yet or when the next run repairs it, broken beyond it or where a
    person must act first, and else repairing, away, taken-over or unknown; it is as healthy as its worst dataset.
    Datasets that are not healthy are told with the reason and what comes next; --verbose tells of all.

    Exits 3 when some hosts could not be looked at, 12 when none could. With --check the exit code is that of
    monitoring plug-ins, 3 for every error.
    """
    from zfsctl.documents.status import document_of_status
    from zfsctl.render.status import check_exit_code, render_check, render_status, rows_of_status

    face = face_of(context)
    face.monitoring = check
    seen, now = _cached(face) if cached else _asked(face)
    if check and not face.json:
        face.print_text(render_check(seen, now=now))
    else:
        face.answer(
            "status",
            lambda: document_of_status(seen),
            lines=lambda: render_status(seen, now=now, every=face.verbose),
            rows=lambda: rows_of_status(seen),
            at=now,
        )
    if check:
        return check_exit_code(seen.health)
    return 0 if cached else int(_code_of(seen))


def _code_of(seen: Status) -> ExitCode:
    """Whether everything could be looked at; what was seen there is no failure of this command."""
    from zfsctl.model.status import Health

    silent = [host for host in seen.hosts if host.health is Health.UNKNOWN]
    if not silent:
        return ExitCode.DONE
    if len(silent) < len(seen.hosts):
        return ExitCode.PARTIAL
    return ExitCode.FAILED if any(host.version for host in silent) else ExitCode.UNREACHABLE


def _asked(face: Face) -> tuple[Status, int]:
    from zfsctl.operations.status import status as status_of

    with face.open_session(dry_run=True) as session:
        return status_of(session), session.clock()


def _cached(face: Face) -> tuple[Status, int]:
    from zfsctl.operations.cached import cached_status

    sandbox = face.options.sandbox
    view = cached_status(face.environ, Path(sandbox) if sandbox else None)
    return view.status, view.now
