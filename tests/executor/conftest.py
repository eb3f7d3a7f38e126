"""What the tests of this folder see of the hosts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from zfsctl.model.command import Command, Completed
from zfsctl.sandbox.host import SandboxHost

Asked = list[tuple[Sequence[Command], float | None]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Every exchange so far: its commands and the time that they have."""
    found: Asked = []
    run_all = SandboxHost.run_all

    def noted(host: SandboxHost, commands: Sequence[Command], *, timeout: float | None = None) -> tuple[Completed, ...]:
        found.append((commands, timeout))
        return run_all(host, commands, timeout=timeout)

    monkeypatch.setattr(SandboxHost, "run_all", noted)
    return found
