"""The fenced blocks of README.md, and the commands that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text()
FENCED: Final = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"`(zfsctl [^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the words after the fence, such as `sh run`, and its lines."""

    info: str
    text: str

    @property
    def commands(self) -> tuple[str, ...]:
        """Its lines without comments."""
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in self.text.splitlines())
        return tuple(line for line in lines if line)


def blocks(info: str) -> tuple[Block, ...]:
    """The blocks that open with exactly these words, in order."""
    return tuple(Block(found[0].strip(), found[1]) for found in FENCED.findall(README) if found[0].strip() == info)


def shell_commands() -> tuple[str, ...]:
    """Every line of every shell block."""
    return tuple(line for info in ("sh", "sh run") for block in blocks(info) for line in block.commands)


def program_calls() -> tuple[str, ...]:
    """Every call of zfsctl that the text names, in blocks and in the middle of a sentence."""
    inline = [call for call in INLINE.findall(FENCED.sub("", README)) if "[" not in call]
    return tuple(dict.fromkeys([*(line for line in shell_commands() if line.startswith("zfsctl ")), *inline]))
