"""The top of the command tree."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
import typer.main
from typer.core import TyperGroup

from zfsctl.cli.frame import LazyGroup
from zfsctl.version import VERSION

EPILOG = "The policy is read from /etc/zfsctl/zfsctl.toml, ZFSCTL_CONFIG or --config. Begin with: zfsctl config init"


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"zfsctl {VERSION}\n")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("-V", "--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Keep ZFS data safe, on one machine or a fleet, from one policy file."""


def command_tree() -> TyperGroup:
    """Every command with its options, verbs not yet imported."""
    app = typer.Typer(
        cls=LazyGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    command.name = "zfsctl"
    return command
