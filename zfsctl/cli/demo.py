"""zfsctl demo"""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from zfsctl.cli.frame import VerbCommand, face_of, verb_app

app = verb_app()

SCENES: tuple[tuple[str, str], ...] = (
    ("Simulated hosts with half a year of history, and a policy for them.", "sandbox init"),
    ("How do things stand?", "status"),
    ("What is due, and what does no rule keep any more? Nothing is changed yet.", "run --dry-run"),
    ("Do just that.", "run"),
    ("A snapshot by hand, before something risky.", "snapshot tank/photos --reason 'before the move' --expires 30d"),
    ("Six hours go by: people write, timers run.", "sandbox advance 6h --load"),
    ("Why is a snapshot still there, and when will it go?", "explain tank/photos --days 7"),
    ("Does the other host have everything, and what does that rest on?", "explain home"),
    ("What was done last?", "history --limit 5"),
    ("For monitoring.", "status --check"),
)
"""What is shown: a sentence and the command that a person would type, but for --sandbox."""

ENDING = """
# The same on your own pools: write a policy for them, look at it, see what a run would do, let it run.
#   zfsctl config init
#   zfsctl config check
#   zfsctl run --dry-run
#   zfsctl run
"""


@app.command(cls=VerbCommand)
def demo(
    context: typer.Context,
    folder: Annotated[str | None, typer.Argument(metavar="[DIR]", help="Keep the simulated hosts there.")] = None,
) -> int:
    """Show the main job on simulated hosts.

    The very commands that one would type, on a fleet that exists in a folder only; no real pool is touched. Without
    DIR or --sandbox the folder is removed at the end. Long answers are shown in part.
    """
    import tempfile

    from zfsctl.cli.process import dispatch
    from zfsctl.errors import UsageError, ZfsctlError

    face = face_of(context)
    if face.json:
        raise UsageError("demo: nothing was shown", why="it is for people", hint="zfsctl run --json --sandbox DIR")
    with tempfile.TemporaryDirectory(prefix="zfsctl-demo-") as temporary:
        place = folder or face.options.sandbox or temporary
        for sentence, command in SCENES:
            line = f"{command} --sandbox {shlex.quote(place)}"
            face.write((f"\n# {sentence}\n$ zfsctl {line}\n",))
            code = dispatch(shlex.split(line), face.for_scene())
            if code:
                raise ZfsctlError(f"demo: `zfsctl {line}` ended with {code}", where=line)
    face.write((ENDING,))
    return 0
