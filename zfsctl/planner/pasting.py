"""Lines for an operator to paste: commands of zfsctl, and of OpenZFS on the host that they are for."""

from __future__ import annotations

import re
import shlex

from zfsctl.model.policy import HostEntry, PolicyFile
from zfsctl.model.replication import Replication, is_by_hand

_PLAIN = re.compile(r"[\w@%+=:,./-][\w@%+=:,./#-]*", re.ASCII)
"""What no shell reads as more than a word. `shlex.quote` quotes a # even inside one."""


def line_for(policy: PolicyFile, host: str, *argv: str) -> str:
    """`argv` as one line for a shell on this machine, through ssh where `host` is another one."""
    entry = policy.hosts.get(host)
    if entry is None or entry.is_local:
        return _joined(argv)
    remote = ("sudo", *argv) if entry.ssh.sudo else argv
    # The remote shell reads the words once more.
    words = remote if all(_PLAIN.fullmatch(word) for word in remote) else (_joined(remote),)
    return _joined(("ssh", *_destination(entry), *words))


def explaining(replication: Replication) -> str:
    """The line that tells how a replication stands; empty for one by hand, which no policy has to explain."""
    return "" if is_by_hand(replication.name) else f"zfsctl explain {replication.name}"


def _joined(words: tuple[str, ...]) -> str:
    return " ".join(word if _PLAIN.fullmatch(word) else shlex.quote(word) for word in words)


def _destination(entry: HostEntry) -> tuple[str, ...]:
    port = ("-p", str(entry.ssh.port)) if entry.ssh.port is not None else ()
    user = f"{entry.ssh.user}@" if entry.ssh.user is not None else ""
    return (*port, f"{user}{entry.hostname}")
