"""zfsctl sandbox"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app
from zfsctl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from zfsctl.cli.face import Face

app = verb_app(
    """Make, show or advance simulated hosts.

    A folder holds them: fleet.json, and a policy in zfsctl.toml. Every command takes it as --sandbox DIR and then
    touches nothing outside. Its clock stands still until it is advanced.
    """
)
Folder = Annotated[str | None, typer.Argument(metavar="[DIR]", help="The folder; or give --sandbox DIR.")]


@app.command(cls=VerbCommand)
def init(context: typer.Context, folder: Folder = None) -> int:
    """Make a folder with simulated hosts and a policy for them."""
    from zfsctl.operations.sandbox import init_sandbox

    face = face_of(context)
    path = _folder(face, folder, "init")
    init_sandbox(path)
    _answer(face, path)
    face.talk(f"Try: zfsctl run --dry-run --sandbox {shlex.quote(str(path))}")
    return 0


@app.command(cls=VerbCommand)
def show(context: typer.Context, folder: Folder = None) -> int:
    """Show the clock, hosts, pools and datasets of a sandbox."""
    face = face_of(context)
    _answer(face, _folder(face, folder, "show"))
    return 0


@app.command(cls=VerbCommand)
def advance(
    context: typer.Context,
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="How far the clock moves, such as 2d.")],
    folder: Folder = None,
    load: Annotated[bool, typer.Option("--load", help="Meanwhile data is written and due runs happen.")] = False,
) -> int:
    """Move the clock of a sandbox, by a leap or with load."""
    from zfsctl.cli.parsing import seconds_of
    from zfsctl.operations.sandbox import advance_sandbox

    face = face_of(context)
    path = _folder(face, folder, f"advance {shlex.quote(duration)}")
    advance_sandbox(path, seconds_of("sandbox advance", duration, example="2d"), load=load)
    _answer(face, path)
    return 0


def _folder(face: Face, argument: str | None, command: str) -> Path:
    """The folder that is meant; without any `command` is told to be given one."""
    from pathlib import Path

    name = argument or face.options.sandbox
    if name is None:
        raise UsageError("sandbox: nothing was done", why="no folder was named", hint=f"zfsctl sandbox {command} DIR")
    return Path(name)


def _answer(face: Face, folder: Path) -> None:
    from zfsctl.operations.sandbox import show_sandbox
    from zfsctl.render.sandbox import render_sandbox, rows_of_sandbox

    fleet = show_sandbox(folder)
    face.answer("sandbox", lambda: fleet, lines=lambda: render_sandbox(fleet), rows=lambda: rows_of_sandbox(fleet))
