"""Lines to paste, made to be about the hosts that this command was about."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from zfsctl.render.text import Line, Row

_COMMAND = re.compile(r"(?<!\S)zfsctl (?=[a-z-])")
_NAMES_SANDBOX = re.compile(r"(?<!\S)(--sandbox|zfsctl sandbox|zfsctl demo)(?![^\s=])")
_NAMES_CONFIG = re.compile(r"(?<!\S)(-c|--config)(?![^\s=])")


@dataclass(frozen=True, slots=True)
class Pasting:
    """The sandbox and the policy file that were given on a command line.

    Each command `zfsctl …` that the output tells to try is given them too: pasted without them it would be about the
    real hosts. One that names its own stays as it is.
    """

    sandbox: str | None
    config: str | None

    def text(self, text: str) -> str:
        """What may hold commands to paste."""
        given = [
            f"{option} {shlex.quote(value)} "
            for option, value, names in (
                ("--sandbox", self.sandbox, _NAMES_SANDBOX),
                ("--config", self.config, _NAMES_CONFIG),
            )
            if value and not names.search(text)
        ]
        return _COMMAND.sub(lambda found: found[0] + "".join(given), text) if given else text

    def line(self, line: Line) -> Line:
        """A line for a terminal; only what is marked as something to paste is touched."""
        return tuple(replace(span, text=self.text(span.text)) if span.pastes else span for span in line)

    def row(self, row: Row) -> Row:
        """A row for a pipe; those that begin with ! end in what to try."""
        return (*row[:-1], self.text(row[-1])) if row[:1] == ("!",) else row

    def document(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The data of a document: what to try stands in its findings and errors."""
        return {
            **data,
            **{
                entries: [{**entry, key: self.text(entry[key])} for entry in data[entries]]
                for entries, key in (("findings", "hint"), ("errors", "try"))
                if entries in data
            },
        }
