"""One large stream from one real host to another: zfsctl beside `ssh A zfs send | ssh B zfs receive` of a shell.

Run by `make bench-replication`, as root on a Debian-like system; the hosts are those of tests/testbed. Both go over
connections that are open already, so that what is compared is the stream, and the rounds take turns. zfsctl's stream
lasts from the start of its transfer step to the end; its processor time is that of this process alone, in which
everything else of zfsctl happens meanwhile.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bench_replicating import say
from tests.bench.figures import Bound, Figure, print_table, ratios
from tests.bench.trees import LIMIT, destroy_tree, pool_on
from tests.real.operators import Operator
from tests.real.zfs import scheduled
from tests.testbed.fixtures import obtain_pair
from tests.testbed.machine import CannotMakeHosts
from tests.testbed.pair import Pair
from tests.testbed.pools import Pool
from tests.testbed.recipe import DEFAULT_SERIES
from zfsctl.model.command import Command
from zfsctl.model.event import Event, Result, StepFinished, StepStarted
from zfsctl.model.transfer import Transfer
from zfsctl.operations.apply import apply_plan
from zfsctl.operations.replicate import ReplicateRequest, plan_replicate


def main(words: Sequence[str] | None = None) -> int:
    """Print what was measured; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream-mib", type=int, default=1024, help="size of the stream")
    parser.add_argument("--rounds", type=int, default=3, help="pairs that each ratio is the median of")
    given = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made on the hosts goes, also then
    try:
        pair, ours = obtain_pair(DEFAULT_SERIES, say)
    except CannotMakeHosts as error:
        print(f"left out: {error}")
        return 0
    size = f"{2 * given.stream_mib + 512}M"
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            pool_on(pair.alpha, size=size) as source,
            pool_on(pair.beta, size=size) as target,
        ):
            return measure(Path(folder), pair, source, target, mebibytes=given.stream_mib, rounds=given.rounds)
    finally:
        if ours:
            pair.end()


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream."""

    seconds: float
    cpu_seconds: float = 0.0


class Watch:
    """Times the transfer of a run, as a listener."""

    def __init__(self) -> None:
        self.began = (0.0, 0.0)
        self.stream: Stream | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted(step=Transfer()):
                self.began = (time.monotonic(), _cpu_seconds())
            case StepFinished(step=Transfer(), outcome=outcome) if outcome.result is Result.DONE:
                self.stream = Stream(time.monotonic() - self.began[0], _cpu_seconds() - self.began[1])


def measure(folder: Path, pair: Pair, source: Pool, target: Pool, *, mebibytes: int, rounds: int) -> int:
    """Send the same snapshot both ways in turns."""
    say(f"making {mebibytes} MiB")
    name, snapshot = f"{source}/one", scheduled(1)
    pair.alpha.ssh(
        f"zfs create {name}; head -c {mebibytes}M /dev/urandom >/{name}/file && "
        f"zfs snapshot -o zfsctl:policy=bench {name}@{snapshot}",
        timeout=LIMIT,
    )
    operator = Operator(folder, {"alpha": pair.alpha, "beta": pair.beta})
    raw: dict[int, float] = {}
    relayed: dict[int, float] = {}
    shares: list[float] = []
    # The first stream of all meets disks that have never been written to, which no other does.
    say(f"not measured: {send_by_shell(pair, f'{name}@{snapshot}', f'{target}/first'):.1f} s")
    destroy_tree(target, f"{target}/first")
    for number in range(rounds):
        for ours in (False, True) if number % 2 else (True, False):
            receiver = f"{target}/{'zfsctl' if ours else 'raw'}-{number}"
            if ours:
                stream = send_by_zfsctl(operator, name, receiver)
                relayed[number] = stream.seconds
                shares.append(100 * stream.cpu_seconds / stream.seconds)
                say(f"zfsctl: {stream.seconds:.1f} s, {stream.cpu_seconds:.2f} s of processor time")
            else:
                raw[number] = send_by_shell(pair, f"{name}@{snapshot}", receiver)
                say(f"raw: {raw[number]:.1f} s")
            destroy_tree(target, receiver)
    print(f"one stream of {mebibytes} MiB, relayed:")
    held = print_table(
        [
            Figure("raw, MiB/s", [mebibytes / seconds for seconds in raw.values()]),
            Figure("zfsctl, MiB/s", [mebibytes / seconds for seconds in relayed.values()]),
            Figure("throughput, zfsctl / raw", ratios(raw, relayed), Bound(0.95, at_least=True)),
            Figure("processor time of the relay, % of the stream's", shares, Bound(5)),
        ]
    )
    return 0 if held else 1


def send_by_zfsctl(operator: Operator, sender: str, receiver: str) -> Stream:
    """A first copy by a policy of its own."""
    operator.writes(
        f"""
        [policies.bench]
        keep = {{ last = 10 }}
        [[datasets]]
        select = ["alpha:{sender}"]
        policy = "bench"
        [[replications]]
        name = "{receiver.rpartition("/")[2]}"
        sender = "alpha:{sender}"
        receiver = "beta:{receiver}"
        """
    )
    watch = Watch()
    with operator.session() as session:
        for name in ("alpha", "beta"):  # opens the connection of its streams
            with session.fleet.host(name).lines(Command(("true",))) as lines:
                list(lines)
        applied = apply_plan(session, plan_replicate(session, ReplicateRequest()), listeners=[watch])
    if watch.stream is None:
        raise RuntimeError(f"the stream failed: {applied.outcomes}")
    return watch.stream


def send_by_shell(pair: Pair, snapshot: str, receiver: str) -> float:
    """Seconds of the same stream through a shell."""
    for host in (pair.alpha, pair.beta):
        host.ssh("true")  # opens the connection that is shared
    send = shlex.join([*pair.alpha.ssh_argv(), shlex.join(["zfs", "send", snapshot])])
    receive = shlex.join([*pair.beta.ssh_argv(), shlex.join(["zfs", "receive", "-u", receiver])])
    began = time.monotonic()
    subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{send} | {receive}"], check=True, stdin=subprocess.DEVNULL, timeout=LIMIT
    )
    return time.monotonic() - began


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
