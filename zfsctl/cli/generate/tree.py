"""The command tree as plain values, for writing it down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from zfsctl.cli.shared import is_shared
from zfsctl.cli.tree import command_tree
from zfsctl.documents.envelope import KINDS

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter


class Words(Enum):
    """What may stand for a value."""

    NOTHING = "nothing"
    FILES = "files"
    FOLDERS = "folders"
    HOSTS = "hosts"
    DATASETS = "datasets"
    SNAPSHOTS = "snapshots"
    """A dataset, or behind an @ a snapshot of it."""
    SCHEMAS = "schemas"


_WORDS_OF = {
    "FILE": Words.FILES,
    "PLAN.json": Words.FILES,
    "DIR": Words.FOLDERS,
    "[[HOST:]DATASET]...": Words.DATASETS,
    "[HOST:]DATASET": Words.DATASETS,
    "NAME": Words.SNAPSHOTS,
    "[KIND]": Words.SCHEMAS,
}
SCHEMA_KINDS = KINDS


@dataclass(frozen=True, slots=True)
class OptionText:
    """One option: its spellings, what it takes (empty: nothing), help, and what completes its value."""

    spellings: tuple[str, ...]
    metavar: str
    help: str
    words: Words
    shared: bool


@dataclass(frozen=True, slots=True)
class ArgumentText:
    """One argument as it stands in the usage line."""

    metavar: str
    help: str
    words: Words

    @property
    def repeats(self) -> bool:
        """Whether several may be given."""
        return self.metavar.endswith("...")


@dataclass(frozen=True, slots=True)
class CommandText:
    """One command. `path` is empty for the program itself."""

    path: tuple[str, ...]
    summary: str
    paragraphs: tuple[str, ...]
    options: tuple[OptionText, ...]
    arguments: tuple[ArgumentText, ...]
    commands: tuple[CommandText, ...]

    @property
    def name(self) -> str:
        """What a person types."""
        return " ".join(("zfsctl", *self.path))

    def walk(self) -> Iterator[CommandText]:
        """This command and all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read_tree() -> CommandText:
    """The whole tree, every verb imported."""
    command = command_tree()
    with command.make_context("zfsctl", [], resilient_parsing=True) as context:
        return _text_of(command, context, ())


def _text_of(command: Command, context: Context, path: tuple[str, ...]) -> CommandText:
    help = (command.help or "").strip()
    first, *rest = [re.sub(r"\s+", " ", paragraph) for paragraph in re.split(r"\n\s*\n", help)]
    parameters = command.get_params(context)
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    below = []
    for name in names:
        # Only a group lists commands (see above), but its class is private to typer, so nothing here says so to mypy.
        child = command.get_command(context, name)  # type: ignore[attr-defined]
        with child.make_context(name, [], parent=context, resilient_parsing=True) as child_context:
            below.append(_text_of(child, child_context, (*path, name)))
    return CommandText(
        path=path,
        summary=first,
        paragraphs=tuple(rest),
        options=tuple(_option(p) for p in parameters if p.param_type_name == "option"),
        arguments=tuple(_argument(p) for p in parameters if p.param_type_name == "argument"),
        commands=tuple(below),
    )


def _option(parameter: Parameter) -> OptionText:
    takes_value = not getattr(parameter, "is_flag", False)
    metavar = (parameter.metavar or (parameter.name or "").upper()) if takes_value and parameter.name != "help" else ""
    words = Words.HOSTS if "--host" in parameter.opts else _WORDS_OF.get(metavar, Words.NOTHING)
    help = getattr(parameter, "help", None) or ""
    # Typer keeps the spellings of --help in a set, so their order changes from run to run.
    return OptionText(tuple(sorted(parameter.opts, key=len)), metavar, help, words, is_shared(parameter))


def _argument(parameter: Parameter) -> ArgumentText:
    metavar = parameter.metavar or (parameter.name or "").upper()
    return ArgumentText(metavar, getattr(parameter, "help", None) or "", _WORDS_OF.get(metavar, Words.NOTHING))
