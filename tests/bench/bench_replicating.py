"""How long trees take to be copied from one real host to another, side by side with a plain pipe, syncoid and bzfs.

Run by `make bench-replication`, as root on a Debian-like system; the hosts are those of tests/testbed, the peers come
from tests/bench/peers.py. Everything passes through this machine. The guests are emulated, so only ratios of runs that
took turns mean anything: each is the median over the rounds, with its spread. Every copy is compared by guid with
what was sent; a tool whose copy is not whole has no figure.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.bench.counting import CommandFailed, Cost, Meter
from tests.bench.figures import Bound, Figure, print_table, ratios
from tests.bench.peers import Peer, Pipe, end_shared_connections, installed_peers
from tests.bench.trees import LIMIT, Tree, destroy_tree, pool_on
from tests.real.operators import Operator
from tests.testbed.fixtures import obtain_pair
from tests.testbed.machine import CannotMakeHosts
from tests.testbed.pair import Pair
from tests.testbed.pools import Pool
from tests.testbed.recipe import DEFAULT_SERIES

FEW = 5
OURS = "zfsctl"
PEERS = ("raw", "syncoid", "bzfs")
FIRST, INCREMENT, NOTHING = "first-copy", "increment", "no-op"
PARTS = (FIRST, INCREMENT, NOTHING)
FIRST_OF_FEW, NOTHING_OF_FEW = "first-copy of few", "no-op of few"


def main(words: Sequence[str] | None = None) -> int:
    """Print what was measured; 1 when a bound is missed or nothing could be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=51, help="of the tree, the topmost included")
    parser.add_argument("--snapshots", type=int, default=10, help="of each dataset before the first copy")
    parser.add_argument("--rounds", type=int, default=3, help="pairs that each ratio is the median of")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this alone; may be given twice")
    parser.add_argument("--without", action="append", default=[], choices=PEERS, help="leave a peer out")
    given = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made on the hosts goes, also then
    began = time.time()
    try:
        pair, ours = obtain_pair(DEFAULT_SERIES, say)
    except CannotMakeHosts as error:
        print(f"left out: {error}")
        return 0
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            pool_on(pair.alpha, size="2G") as source,
            pool_on(pair.beta, size="6G") as target,
        ):
            bench = Bench(Path(folder), pair, source, target, without=given.without)
            try:
                return bench.run(given.datasets, given.snapshots, given.rounds, given.only or PARTS)
            finally:
                end_shared_connections(began)
    finally:
        if ours:
            pair.end()


def say(text: str) -> None:
    """Progress, beside the figures."""
    print(f"[load {os.getloadavg()[0]:.1f}] {text}", file=sys.stderr, flush=True)


class Zfsctl:
    """The command itself, with a policy of one replication and otherwise its defaults."""

    def __init__(self, meter: Meter, operator: Operator) -> None:
        self.meter = meter
        self.operator = operator
        self.name = OURS
        self.about = "zfsctl replicate"

    def copy(self, sender: str, receiver: str, last: str) -> Cost:
        """Bring `receiver` up to date."""
        self.operator.writes(
            f"""
            [policies.bench]
            keep = {{ last = 1000 }}
            [[datasets]]
            select = ["alpha:{sender}"]
            policy = "bench"
            [[replications]]
            name = "{receiver.rpartition("/")[2]}"
            sender = "alpha:{sender}"
            receiver = "beta:{receiver}"
            """
        )
        argv = [sys.executable, "-m", "tests.bench.counted", str(self.meter.asked), "replicate"]
        return self.meter.run(argv, environ=self.operator.environ, configured=False)


class Bench:
    """One run on two hosts."""

    def __init__(self, folder: Path, pair: Pair, source: Pool, target: Pool, *, without: Sequence[str]) -> None:
        self.source = source
        self.target = target
        config = folder / "ssh_config"
        lines = pair.alpha.ssh_config.read_text().splitlines(keepends=True)
        config.write_text("".join(line for line in lines if "ControlPath" not in line))
        self.meter = meter = Meter(folder, config)
        home = folder / "home"
        home.mkdir()
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("ZFSCTL_", "XDG_"))}
        peers = installed_peers(meter, environ | {"HOME": str(home)}, say)
        self.peers: list[Peer] = [peer for peer in peers if peer.name not in without]
        ours = Zfsctl(meter, Operator(folder, {"alpha": pair.alpha, "beta": pair.beta}))
        self.tools: list[Peer] = [ours, *self.peers]
        self.costs: dict[tuple[str, str], dict[int, Cost]] = defaultdict(dict)
        for tool in self.tools:
            say(f"{tool.name}: {tool.about}")

    def run(self, datasets: int, snapshots: int, rounds: int, parts: Sequence[str]) -> int:
        """Measure what is asked for, and print it, as far as it came."""
        try:
            same = self.measure_all(datasets, snapshots, rounds, parts)
        finally:
            held = self.tell(f"{datasets} datasets, {snapshots} snapshots", parts)
        return 0 if held and same else 1

    def measure_all(self, datasets: int, snapshots: int, rounds: int, parts: Sequence[str]) -> bool:
        """Every part in turn; whether few datasets cost as many commands as many."""
        say(f"making {datasets} datasets with {snapshots} snapshots, and {FEW} datasets")
        tree, few = Tree(self.source, "data", datasets), Tree(self.source, "few", FEW)
        tree.grow(snapshots)
        few.grow()
        if FIRST in parts:
            self.copy_first(tree, rounds)
        else:
            self.seed(tree)
        if INCREMENT in parts or NOTHING in parts:
            self.go_on(tree, rounds, parts)
        return NOTHING not in parts or self.compare_commands(few, tree)

    def copy_first(self, tree: Tree, rounds: int) -> None:
        """zfsctl and the pipe in turns, each to a place of its own; the other peers once."""
        for number in range(rounds):
            for tool in _turned(self.tools, number):
                if tool.name not in (OURS, "raw") and number:
                    continue
                self.measure(FIRST, number, tool, tree, self.place(tool, number))
                if tool.name == "raw" or number:
                    destroy_tree(self.target, self.place(tool, number))

    def seed(self, tree: Tree) -> None:
        """First copies that are not measured: one over the network, the others from that one."""
        say("making first copies, not measured")
        tool, *others = (tool for tool in self.tools if tool.name != "raw")
        Pipe(self.meter, os.environ).copy(tree.name, self.place(tool), tree.last)
        for other in others:
            send, receive = f"{self.place(tool)}@{tree.last}", self.place(other)
            self.target.host.ssh(f"zfs send -R {send} | zfs receive -u {receive}", timeout=LIMIT)

    def go_on(self, tree: Tree, rounds: int, parts: Sequence[str]) -> None:
        """One new snapshot of each dataset, then nothing new, for every tool that has a first copy."""
        tools = [tool for tool in self.tools if tool.name != "raw"]
        able = [tool for tool in tools if FIRST not in parts or self.costs[FIRST, tool.name]]
        for tool in able:  # the first time costs more, such as the anchors of a copy that was not its own
            if FIRST not in parts:
                self.measure("first time", 0, tool, tree, self.place(tool))
        for number in range(rounds):
            if INCREMENT in parts:
                tree.grow()
                for tool in _turned(able, number):
                    self.measure(INCREMENT, number, tool, tree, self.place(tool))
            if NOTHING in parts:
                for tool in _turned(able, number):
                    self.measure(NOTHING, number, tool, tree, self.place(tool))

    def place(self, tool: Peer, number: int = 0) -> str:
        """Where a tool copies to."""
        return f"{self.target}/{tool.name}-{number}"

    def compare_commands(self, few: Tree, tree: Tree) -> bool:
        """Whether zfsctl asks the same number of questions of few datasets as of many, when there is nothing to do."""
        for what in (FIRST_OF_FEW, NOTHING_OF_FEW):
            self.measure(what, 0, self.tools[0], few, f"{self.target}/few")
        seen = [self.costs[what, OURS] for what in (NOTHING_OF_FEW, NOTHING)]
        if not all(seen):
            print("no-op of zfsctl with few and with many datasets: NOT MEASURED")
            return False
        asked = [[(cost.exchanges, cost.commands) for cost in costs.values()][-1] for costs in seen]
        same = asked[0] == asked[1]
        for size, (exchanges, commands) in zip((few, tree), asked, strict=True):
            print(f"no-op of zfsctl, {len(size.datasets)} datasets: {exchanges} exchanges, {commands} commands")
        print(f"the same number of commands for few as for many: {'held' if same else 'MISSED'}")
        return same

    def measure(self, what: str, number: int, tool: Peer, tree: Tree, receiver: str) -> None:
        """One run of a tool, if its copy is whole afterwards."""
        try:
            cost = tool.copy(tree.name, receiver, tree.last)
        except CommandFailed as error:
            say(f"!!! {what}, {tool.name} FAILED: {error}")
            return
        if not tree.is_copied_to(self.target, receiver):
            say(f"!!! {what}, {tool.name}: THE COPY IS NOT WHOLE")
            return
        say(f"{what}, {tool.name}: {cost}")
        self.costs[what, tool.name][number] = cost

    def tell(self, size: str, parts: Sequence[str]) -> bool:
        """Print the table; whether no bound is missed."""
        print(f"replication of {size}, relayed:")
        figures = [
            Figure(f"{part}, {tool.name}, s", self.seconds(part, tool.name), note=self.asked(part, tool.name))
            for part in parts
            for tool in self.tools
            if part == FIRST or tool.name != "raw"
        ]
        bounds = ((FIRST, "raw", 1.25), (INCREMENT, "bzfs", 1 / 2), (NOTHING, "bzfs", 1 / 3))
        figures += [
            Figure(f"{part}, zfsctl / {other}", ratios(self.rounds(part, OURS), self.rounds(part, other)), Bound(limit))
            for part, other, limit in bounds
            if part in parts
        ]
        return print_table(figures)

    def rounds(self, what: str, tool: str) -> dict[int, float]:
        """What each round took, in seconds."""
        return {number: cost.seconds for number, cost in self.costs[what, tool].items()}

    def seconds(self, what: str, tool: str) -> list[float]:
        """The same without the numbers of the rounds."""
        return list(self.rounds(what, tool).values())

    def asked(self, what: str, tool: str) -> str:
        """The processes and exchanges of the median run."""
        costs = sorted(self.costs[what, tool].values(), key=lambda cost: cost.seconds)
        if not costs:
            return ""
        ssh = statistics.median(cost.ssh for cost in costs)
        middle = costs[len(costs) // 2]
        exchanges = "" if middle.exchanges is None else f", {middle.exchanges} exchanges, {middle.commands} commands"
        return f"{ssh:.0f} ssh processes{exchanges}"


def _turned(tools: Sequence[Peer], number: int) -> Sequence[Peer]:
    """In another order each round, so that nobody always comes first."""
    return tools if number % 2 == 0 else tools[::-1]


if __name__ == "__main__":
    sys.exit(main())
