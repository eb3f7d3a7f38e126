"""The options of every command, before or after its name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.main

from zfsctl.cli.face import Face

if TYPE_CHECKING:
    from typer._click.core import Parameter


def _note(
    context: typer.Context,
    parameter: typer.CallbackParam,
    value: Any,  # noqa: ANN401 - whatever the option holds
) -> None:
    """Keep what was given, wherever it stood; a later spelling wins, flags and hosts add up."""
    face = context.find_root().obj
    if not isinstance(face, Face) or not value or parameter.name is None:
        return
    if parameter.name == "host":
        face.options.host += value
    else:
        setattr(face.options, parameter.name, value)


def _option(*spellings: str, help: str, metavar: str | None = None) -> Any:  # noqa: ANN401 - Typer's own
    return typer.Option(*spellings, help=help, metavar=metavar, expose_value=False, callback=_note)


def _shared(
    config: Annotated[str | None, _option("-c", "--config", metavar="FILE", help="Read the policy from FILE.")] = None,
    host: Annotated[
        list[str] | None, _option("--host", metavar="NAME", help="Deal with this host only; may be repeated.")
    ] = None,
    json: Annotated[bool, _option("--json", help="Print exactly one JSON document on stdout.")] = False,
    no_color: Annotated[bool, _option("--no-color", help="Print no colours.")] = False,
    quiet: Annotated[bool, _option("-q", "--quiet", help="Say nothing beside the data.")] = False,
    verbose: Annotated[
        bool, _option("-v", "--verbose", help="Say more: what is kept, each step, the trace of a failure.")
    ] = False,
    yes: Annotated[bool, _option("-y", "--yes", help="Agree to what a manual prune destroys.")] = False,
    no_input: Annotated[bool, _option("--no-input", help="Never ask; what needs an answer is refused.")] = False,
    timeout: Annotated[
        str | None, _option("--timeout", metavar="SECONDS", help="Wait no longer than this for a host's answer.")
    ] = None,
    sandbox: Annotated[
        str | None, _option("--sandbox", metavar="DIR", help="Use the simulated hosts of DIR instead of real ones.")
    ] = None,
) -> None:
    """Never called: Typer reads the options from it."""


@cache
def shared_options() -> tuple[Parameter, ...]:
    """The options, made once and added to every command."""
    app = typer.Typer(add_completion=False)
    app.command(add_help_option=False)(_shared)
    return tuple(typer.main.get_command(app).params)


def is_shared(parameter: Parameter) -> bool:
    """Whether `parameter` is one of them."""
    return any(parameter is shared for shared in shared_options())
