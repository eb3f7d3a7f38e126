"""Plays a sequence of commands on the sandbox and on a real host, and reports where the two part."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import dataclass, field, replace

from tests.differential.choosing import Argv
from tests.differential.comparing import Side
from tests.differential.generator import Generator
from tests.differential.writing import on_real_hosts, on_simulated_hosts
from zfsctl.hosts.protocol import Host
from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.building import create_fleet, create_pool
from zfsctl.sandbox.fleet import SandboxFleet

BATCH = 50
"""Commands in one exchange with the real host."""
BATCH_SECONDS = 300.0

POOL_SIZE = 240 << 20
"""What OpenZFS makes of a file of 256 MiB."""

EVERYTHING = (
    "name,type,guid,createtxg,origin,userrefs,defer_destroy,clones,mounted,readonly,inconsistent,receive_resume_token,"
    "encryption,keystatus,encryptionroot,keyformat,keylocation,test:x,zfsctl:policy"
)

Plain = tuple[int, list[str], list[str]]
"""Exit code, lines of stdout and lines of stderr, without what cannot be the same."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One command that the sandbox and the real host answered differently."""

    place: int
    argv: Argv
    sandbox: Plain
    real: Plain

    def __str__(self) -> str:
        lines = [f"#{self.place} {shlex.join(self.argv)}"]
        for name, mine, theirs in (("real", self.real, self.sandbox), ("sandbox", self.sandbox, self.real)):
            own = [line for out, other in zip(mine[1:], theirs[1:], strict=True) for line in _lacking(out, other)]
            lines.append(f"  {name}: exit {mine[0]}, alone: {own[:12]}")
        return "\n".join(lines)


def _lacking(lines: list[str], others: list[str]) -> list[str]:
    """The lines that stand in one answer only; all of them where only the order differs."""
    if sorted(lines) == sorted(others):
        return [] if lines == others else lines
    return [line for line in lines if line not in others]


@dataclass(slots=True)
class Report:
    """What came of a sequence."""

    seed: str
    played: list[Argv] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        shown = "\n".join(str(difference) for difference in self.differences[:20])
        return f"seed {self.seed}: {len(self.differences)} of {len(self.played)} commands differ\n{shown}"


class Play:
    """One sequence on one pool, which exists on the real host and is empty.

    Args:
        options: Properties of the root dataset, as the real pool was made with.
        transfers: Streams are generated too.
    """

    def __init__(
        self, seed: str, real: Host, pool: str, options: dict[str, str], version: str, *, transfers: bool = False
    ) -> None:
        self._fleet = fleet = create_fleet(1_795_176_000, ("local",))
        machine = fleet.hosts["local"]
        machine.version = version
        create_pool(fleet, "local", pool, POOL_SIZE, properties=options)
        self.report = Report(seed)
        self._sandbox = SandboxFleet(fleet).host("local")
        self._real = real
        self._pool = pool
        self._sides = (Side(), Side())
        self._generator = Generator(seed, lambda: machine.pools[pool], transfers=transfers)

    def run(self, length: int) -> Report:
        """Play `length` generated commands, and stop early where what differs would only breed more differences."""
        commands = iter(self._generator)
        left = length
        while left > 0 and not self._diverged():
            answers = [self._answer(argv) for argv in itertools.islice(commands, min(BATCH, left))]
            left -= len(answers)
            self.compare(answers)
        return self.report

    def replay(self, commands: list[Argv]) -> Report:
        """Play given commands, in which POOL stands for the pool's name."""
        commands = [tuple(word.replace("POOL", self._pool) for word in argv) for argv in commands]
        self.compare([self._answer(argv) for argv in commands])
        return self.report

    def compare(self, answers: list[Completed]) -> None:
        """Ask the real host what the sandbox has answered, and everything about the pool at the end."""
        listing = ("zfs", "list", "-Hp", "-r", "-t", "all", "-o", EVERYTHING, self._pool)
        answers.append(self._answer(listing))
        real = self._real.run_all([Command(on_real_hosts(each.argv)) for each in answers], timeout=BATCH_SECONDS)
        for mine, theirs in zip(answers, real, strict=True):
            self.report.played.append(mine.argv)
            seen = self._sides[0].plain(mine)
            wanted = self._sides[1].plain(replace(theirs, argv=mine.argv))
            if seen != wanted:
                self.report.differences.append(Difference(len(self.report.played), mine.argv, seen, wanted))

    def _answer(self, argv: Argv) -> Completed:
        """What the sandbox says to a command; it stands there as it was given."""
        asked = on_simulated_hosts(argv, self._fleet, lambda each: self._sandbox.run(Command(each)).stdout)
        return replace(self._sandbox.run(Command(asked)), argv=argv)

    def _diverged(self) -> bool:
        return any(
            difference.argv[1] not in ("get", "holds") and difference.sandbox[0] != difference.real[0]
            for difference in self.report.differences
        )
