"""Manual pages of the program and of each verb, from the command tree."""

from __future__ import annotations

from zfsctl.cli.generate.texts import (
    CHECK_STATUS,
    CONFIRMATION,
    DESCRIPTION,
    ENVIRONMENT,
    EXAMPLES,
    EXIT_STATUS,
    FILES,
)
from zfsctl.cli.generate.tree import CommandText, OptionText
from zfsctl.cli.generate.troff import escaped, examples, header, items, paragraphs, references, section


def man_pages(tree: CommandText) -> dict[str, str]:
    """By file name: zfsctl.8 and zfsctl-VERB.8 for each verb."""
    pages = {"zfsctl.8": _program(tree)}
    pages |= {f"zfsctl-{verb.path[0]}.8": _verb(verb, tree) for verb in tree.commands}
    return {name: "\n".join(lines) + "\n" for name, lines in pages.items()}


def _program(tree: CommandText) -> list[str]:
    return [
        *header("zfsctl", 8),
        *section("NAME"),
        f"zfsctl \\- {escaped(_lowered(tree.summary))}",
        *section("SYNOPSIS"),
        ".B zfsctl",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        *section("DESCRIPTION"),
        *paragraphs(DESCRIPTION),
        *section("COMMANDS"),
        *items((f"zfsctl-{verb.path[0]}(8)", verb.summary) for verb in tree.commands),
        *section("OPTIONS"),
        "These stand before or after any command.",
        *items((_option_term(option), option.help) for option in tree.options),
        *section("CONFIRMATION"),
        *paragraphs((CONFIRMATION,)),
        *_closing((), also=[(f"zfsctl-{verb.path[0]}", 8) for verb in tree.commands]),
    ]


def _verb(verb: CommandText, tree: CommandText) -> list[str]:
    lines = [
        *header(f"zfsctl-{verb.path[0]}", 8),
        *section("NAME"),
        f"zfsctl\\-{verb.path[0]} \\- {escaped(_lowered(verb.summary))}",
        *section("SYNOPSIS"),
    ]
    takes_part = [child for child in verb.walk() if not child.commands or child.arguments]
    if verb.commands and verb.path == ("approvals",):
        takes_part.insert(0, verb)
    for number, command in enumerate(takes_part):
        lines += [".br"] if number else []
        lines += [f".B {escaped(command.name)}", "[\\fIOPTIONS\\fR]"]
        lines += [f"\\fI{escaped(argument.metavar)}\\fR" for argument in command.arguments]
    lines += [*section("DESCRIPTION"), *paragraphs((verb.summary, *verb.paragraphs))]
    if verb.commands:
        lines += section("COMMANDS")
        for child in verb.commands:
            lines += items([(" ".join(child.path[1:]), " ".join((child.summary, *child.paragraphs)))])
    arguments = [argument for command in verb.walk() for argument in command.arguments]
    if arguments:
        lines += [*section("ARGUMENTS"), *items({a.metavar: a.help for a in arguments}.items())]
    own = {_option_term(o): o.help for command in verb.walk() for o in command.options if not o.shared}
    lines += [*section("OPTIONS"), *items(own.items()), ".PP"]
    lines += ["The options of every command are described in", ".BR zfsctl (8)."]
    others = [(f"zfsctl-{other.path[0]}", 8) for other in tree.commands if other is not verb]
    return [*lines, *_closing(verb.path, also=[("zfsctl", 8), *others])]


def _closing(path: tuple[str, ...], *, also: list[tuple[str, int]]) -> list[str]:
    status = EXIT_STATUS if path != ("status",) else (*EXIT_STATUS, *CHECK_STATUS)
    return [
        *section("EXIT STATUS"),
        *items((str(code), text) for code, text in status),
        *section("FILES"),
        *items(FILES),
        *section("ENVIRONMENT"),
        *items(ENVIRONMENT),
        *section("EXAMPLES"),
        *examples(EXAMPLES[path]),
        *references([*also, ("zfsctl.toml", 5), ("zfs", 8)]),
    ]


def _option_term(option: OptionText) -> str:
    return ", ".join(option.spellings) + (f" {option.metavar}" if option.metavar else "")


def _lowered(summary: str) -> str:
    """As NAME lines are written: a small letter at the beginning, no full stop at the end."""
    return summary[:1].lower() + summary[1:].rstrip(".")
