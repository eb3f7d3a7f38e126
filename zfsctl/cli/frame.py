"""Typer, made ours: verbs loaded when they are called, and options that stand before or after a verb alike."""

from __future__ import annotations

import importlib
import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from zfsctl.cli.face import Face
from zfsctl.cli.shared import is_shared, shared_options
from zfsctl.cli.verbs import VERBS
from zfsctl.errors import UnknownNameError

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter


def face_of(context: typer.Context) -> Face:
    """The face of this command line."""
    face = context.find_root().obj
    assert isinstance(face, Face)
    return face


def verb_app(help: str | None = None) -> typer.Typer:
    """An empty Typer app for one verb: no markup, no tracebacks with local values."""
    return typer.Typer(
        cls=VerbGroup,
        help=help,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


class _WithSharedOptions:
    """Adds the shared options to a command, and lists them after its own."""

    params: list[Parameter]

    def _add_shared(self) -> None:
        self.params = [*self.params, *shared_options()]

    def _write_options(self, command: Command, context: Context, formatter: HelpFormatter) -> None:
        own: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Options of every command": []}
        for parameter in command.get_params(context):
            record = parameter.get_help_record(context)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                own["Arguments"].append(record)
            else:
                own["Options of every command" if is_shared(parameter) else "Options"].append(record)
        for title, records in own.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class VerbCommand(_WithSharedOptions, TyperCommand):
    """A verb that takes the shared options after its name too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Typer's own arguments, handed on
        super().__init__(*args, **kwargs)
        self._add_shared()

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Own options first."""
        self._write_options(self, ctx, formatter)

    def invoke(self, ctx: Context) -> Any:  # noqa: ANN401 - what the verb returns
        """Call the verb: the command line has been understood."""
        root = ctx.find_root().obj
        if isinstance(root, Face):
            root.parsed()
        return super().invoke(ctx)


class VerbGroup(_WithSharedOptions, TyperGroup):
    """A verb with verbs of its own, such as `config check`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Typer's own arguments, handed on
        super().__init__(*args, **kwargs)
        self._add_shared()

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Own options first, then the verbs."""
        self._write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The verb that is named.

        Raises:
            UnknownNameError: There is none; with the nearest that there is.
        """
        name = args[0]
        known = self.list_commands(ctx)
        if not name.startswith("-") and name not in known:
            path = ctx.command_path
            near = get_close_matches(name, known, n=1)
            raise UnknownNameError(
                f"{path}: there is no command {name!r}",
                why=f"the commands are {', '.join(known)}",
                hint=f"{path} {shlex.join((near[0], *args[1:]))}" if near else f"{path} --help",
                where=name,
            )
        return super().resolve_command(ctx, args)


class LazyGroup(VerbGroup):
    """The top of the tree. A verb's module is imported when the verb is called, and not to list it."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Every verb, in the order of their use."""
        return list(VERBS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The verb of that name; None if there is none."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(VERBS[cmd_name][0])
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in VERBS.items()])
