"""How long a host may take over commands that are no short question."""

from __future__ import annotations

from collections.abc import Sequence

from zfsctl.model.command import Command

_LEAST_SECONDS = 600
_SECONDS_PER_COMMAND = 10


def patience(commands: Sequence[Command]) -> float:
    """Seconds for an exchange that changes something or looks at many datasets.

    Each change waits for a transaction group, which takes seconds on a busy pool, and a thousand snapshots take long.
    """
    return _LEAST_SECONDS + _SECONDS_PER_COMMAND * len(commands)
