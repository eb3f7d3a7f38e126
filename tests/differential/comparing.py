"""What two answers to one command must have in common.

The same: the exit code, every line of stdout, and stderr up to the usage text. Not the same, and made alike first:
- guids: by their order of appearance in the whole sequence
- createtxg: by rank among those of one answer
- creation, and the times of holds: a number is a number
- sizes (used, available, referenced, written, the usedby… and reclaim): a number is a number
- resume tokens: one is as good as another
- a sender whose receiver refused: it may or may not notice before it ends
- what OpenZFS keeps in hash order: clones of a snapshot, tags of a snapshot, the lines in which an error or
  `destroy -v` names several datasets and from which of them on it says `would`, whether `destroy -r` meets again
  a clone that it has destroyed, what `hold -r` meets first and `release -r` last
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from zfsctl.model.command import Completed

SIZES = frozenset(
    (
        "used",
        "available",
        "referenced",
        "written",
        "usedbysnapshots",
        "usedbydataset",
        "usedbychildren",
        "usedbyrefreservation",
        "creation",
        "snapshots_changed",
        "refreservation",
    )
)

_BELOW = re.compile("(cannot hold snapshot) '[^@]*@")
_NO_HOLD = re.compile("no such tag on this dataset|dataset does not exist")
_TOKEN = re.compile(r"\b1-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+")
_NO_READER = re.compile("warning: cannot send '[^']*': (Broken pipe|signal received)\n")
_USAGE = re.compile("usage:|\t|For the |For further help")
_GONE = re.compile("cannot open '(.*)': dataset does not exist")


@dataclass(slots=True)
class Side:
    """One of the two: what of it was seen so far."""

    guids: dict[str, str] = field(default_factory=dict)

    def plain(self, done: Completed) -> tuple[int, list[str], list[str]]:
        """Exit code, lines of stdout and lines of stderr, without what cannot be the same."""
        return done.exit_code, self._out(done), _err(done)

    def _out(self, done: Completed) -> list[str]:
        lines = done.stdout.split("\n")[:-1]
        argv = done.argv
        match argv[1]:
            case "send":
                return [re.sub(r"(\t|^size\t)\d+$", r"\1NUMBER", line) for line in lines]
            case "list":
                names = argv[argv.index("-o") + 1].split(",") if "-o" in argv else []
                return self._columns(lines, names)
            case "get":
                return self._values(lines)
            case "holds":
                return sorted("\t".join((*line.split("\t")[:2], "TIME")) for line in lines)
            case "destroy":
                lines = [re.sub(r"reclaim([\t ]).*", r"reclaim\1SIZE", line) for line in lines]
                return sorted(line.replace("would", "will", 1) if done.exit_code else line for line in lines)
        return lines

    def _columns(self, lines: Sequence[str], names: Sequence[str]) -> list[str]:
        rows = [line.split("\t") for line in lines]
        places = [place for place, name in enumerate(names) if name == "createtxg"]
        txgs = sorted({int(row[place]) for row in rows for place in places if row[place].isdigit()})
        ranks = {str(txg): f"TXG{rank}" for rank, txg in enumerate(txgs)}
        return [
            "\t".join(self._cell(name, cell, ranks) for name, cell in zip(names, row, strict=False)) for row in rows
        ]

    def _values(self, lines: Sequence[str]) -> list[str]:
        rows = [line.split("\t") for line in lines]
        return ["\t".join((*row[:2], self._cell(row[1], row[2], {}), *row[3:])) for row in rows if len(row) > 3]

    def _cell(self, name: str, cell: str, ranks: dict[str, str]) -> str:
        if name == "guid" and cell.isdigit():
            return self.guids.setdefault(cell, f"GUID{len(self.guids)}")
        if name == "createtxg":
            return ranks.get(cell, cell)
        if name == "clones":
            return ",".join(sorted(cell.split(",")))
        if name == "receive_resume_token" and cell != "-":
            return "TOKEN"
        return "NUMBER" if name in SIZES and cell.isdigit() else cell


def _err(done: Completed) -> list[str]:
    text = _TOKEN.sub("TOKEN", done.stderr)
    if done.argv[0] == "sh":
        text = _NO_READER.sub("", text)
    if done.argv[1] == "hold" and "-r" in done.argv:
        text = _BELOW.sub(r"\1 BELOW@", text)
    if done.argv[1] == "release" and "-r" in done.argv:
        text = _NO_HOLD.sub("no such hold", text)
    lines = text.split("\n")
    if done.argv[1] == "destroy" and "-r" in done.argv:
        lines = [line for line in lines if not (match := _GONE.fullmatch(line)) or match[1] == done.argv[-1]]
    if done.argv[0] == "sh":
        # What two programs say at the same time is mixed.
        lines = [line for line in lines if not _USAGE.match(line)]
    end = next((place for place, line in enumerate(lines) if line.startswith("usage:")), len(lines))
    lines = lines[:end]
    # The shell's own word for a program that was ended by abort(3).
    return sorted(line for line in lines if line and not line.startswith("Aborted"))
