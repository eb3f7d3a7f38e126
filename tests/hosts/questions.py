"""Questions that several tests put to a host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from zfsctl.errors import ZfsctlError
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.command import Command
from zfsctl.model.policy import HostEntry

TRUE = Command(("true",))


def sh(script: str) -> Command:
    return Command(("sh", "-c", script))


def ask(host: SshHost) -> None:
    host.run(TRUE)


def listen(host: SshHost) -> None:
    with host.lines(TRUE) as lines:
        list(lines)


def failure(entry: HostEntry, put: Callable[[SshHost], None] = ask) -> ZfsctlError:
    """What one question to this host raises; its text tells no key path."""
    host = SshHost(entry)
    try:
        with pytest.raises(ZfsctlError) as raised:
            put(host)
    finally:
        host.close()
    assert str(entry.ssh.identity_file) not in f"{raised.value}{raised.value.hint}"
    return raised.value
