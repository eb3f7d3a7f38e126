"""Two simulated hosts and the steps of a replication called `r` between them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from zfsctl.hosts.protocol import Host
from zfsctl.model.command import Command, Completed
from zfsctl.model.event import StepOutcome
from zfsctl.model.lineage import LinkState
from zfsctl.model.refs import SnapshotRef
from zfsctl.model.transfer import MoveAnchors, Send, Transfer, cursor_name
from zfsctl.sandbox.building import create_fleet, create_pool, do
from zfsctl.sandbox.fleet import SandboxFleet
from zfsctl.sandbox.machines import SimFleet
from zfsctl.sandbox.workload import overwrite

NOW = 1_795_000_000
MEBIBYTE = 1 << 20
CLOSED = (("readonly", "on"), ("canmount", "noauto"))


@dataclass
class Ends:
    """alpha:tank/a with the snapshots s1 to s4, and beta with an empty pool bk."""

    sim: SimFleet
    fleet: SandboxFleet
    waited: list[float] = field(default_factory=list)

    def zfs(self, host: str, line: str) -> list[str]:
        return do(self.sim, host, "zfs", *shlex.split(line))

    def ref(self, name: str, dataset: str = "tank/a") -> SnapshotRef:
        (guid,) = self.zfs("alpha", f"list -Hp -o guid {dataset}@{name}")
        return SnapshotRef(name, int(guid))

    def refs(self, names: str) -> tuple[SnapshotRef, ...]:
        return tuple(self.ref(name) for name in names.split())

    def sends(self, text: str) -> tuple[Send, ...]:
        """`s1, s1>s2 s3`: in full, then from s1 to s3 with what lies between."""
        found = []
        for part in text.split(","):
            source, arrow, brought = part.strip().rpartition(">")
            guid = None
            if arrow:
                guid = self.ref(source).guid if not source.startswith("#") else self.bookmark(source)
            found.append(
                Send(source if source.startswith("#") else f"@{source}" if arrow else "", guid, self.refs(brought))
            )
        return tuple(found)

    def bookmark(self, name: str) -> int:
        rows = [row.split("\t") for row in self.zfs("alpha", "list -Hp -t bookmark -o name,guid tank/a")]
        return int(dict(rows)[f"tank/a{name}"])

    def transfer(self, text: str, **changes: Any) -> Transfer:
        sends = self.sends(text)
        parts: dict[str, Any] = {
            "id": "transfer-1",
            "host": "beta",
            "why": "",
            "replication": "r",
            "state": LinkState.BEHIND if sends[0].source else LinkState.MISSING,
            "sender_host": "alpha",
            "sender": "tank/a",
            "sender_guid": 1,
            "receiver": "bk/a",
            "receiver_guid": None,
            "sends": sends,
            "properties": () if sends[0].source else CLOSED,
        }
        return Transfer(**{**parts, **changes})

    def anchors(self, chain: str | tuple[SnapshotRef, ...], **changes: Any) -> MoveAnchors:
        parts: dict[str, Any] = {
            "id": "anchors-1",
            "host": "beta",
            "why": "",
            "replication": "r",
            "sender_host": "alpha",
            "sender": "tank/a",
            "sender_guid": 1,
            "receiver": "bk/a",
            "chain": self.refs(chain) if isinstance(chain, str) else chain,
        }
        return MoveAnchors(**{**parts, **changes})

    def copy(self, text: str) -> None:
        """What the transfer does, by hand."""
        for send in self.sends(text):
            flag = "-I" if send.with_intermediates else "-i"
            source = f"{flag} tank/a{send.source}" if send.source else ""
            done = self.fleet.pipe(
                "alpha",
                Command(("zfs", "send", *source.split(), f"tank/a@{send.last.name}")),
                "beta",
                Command(("zfs", "receive", "-u", "-s", "bk/a")),
            )
            assert (done.sender.exit_code, done.receiver.exit_code) == (0, 0), done

    def received(self, dataset: str = "bk/a") -> str:
        """The names of the receiver's snapshots, oldest first; they have the sender's guids."""
        if not any(name == dataset for name in self.zfs("beta", "list -H -r -o name bk")):
            return ""
        rows = [row.split("\t") for row in self.zfs("beta", f"list -Hp -t snapshot -o name,guid {dataset}")]
        sent = {row.split("\t")[1] for row in self.zfs("alpha", "list -Hp -r -t snapshot -o name,guid tank/a")}
        return " ".join(name.partition("@")[2] + ("" if guid in sent else "!") for name, guid in rows)

    def token(self) -> str:
        (token,) = self.zfs("beta", "get -Hp -o value receive_resume_token bk/a")
        return "" if token == "-" else token

    def cursors(self) -> list[str]:
        return [row.partition("#")[2] for row in self.zfs("alpha", "list -H -t bookmark -o name tank/a")]

    def cursor(self, name: str) -> str:
        return cursor_name("r", self.ref(name).guid)

    def tags(self, host: str, dataset: str) -> dict[str, list[str]]:
        """By snapshot, the holds on it."""
        found: dict[str, list[str]] = {}
        for name in self.zfs(host, f"list -H -t snapshot -o name {dataset}"):
            for row in self.zfs(host, f"holds -H {name}"):
                found.setdefault(name.partition("@")[2], []).append(row.split("\t")[1])
        return found

    def asked(self, text: str) -> list[str]:
        """The commands so far that hold `text`."""
        return [line for _, line in self.fleet.faults.log if text in line]


class Meddled:
    """A host on which something happens after the last look, right before a change that rests on it."""

    def __init__(self, host: Host, happens: Callable[[], object]) -> None:
        self._host = host
        self._happens = happens
        self.name = host.name

    def run_all(self, commands: Sequence[Command], *, timeout: float | None = None) -> list[Completed]:
        if any(command.only_if is not None for command in commands):
            self._happens()
        return list(self._host.run_all(commands, timeout=timeout))

    def run(self, command: Command) -> Completed:
        return self.run_all([command])[0]


def said(outcome: StepOutcome) -> tuple[str, str]:
    return str(outcome.result), outcome.detail


def new_ends() -> Ends:
    sim = create_fleet(NOW, ("alpha", "beta"))
    create_pool(sim, "alpha", "tank", 1 << 30)
    create_pool(sim, "beta", "bk", 1 << 30)
    do(sim, "alpha", "zfs", "create", "tank/a")
    for number in range(1, 5):
        overwrite(sim, "alpha", "tank/a", number * MEBIBYTE)
        do(sim, "alpha", "zfs", "snapshot", f"tank/a@s{number}")
    return Ends(sim, SandboxFleet(sim))
