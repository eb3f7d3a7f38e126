"""Which way the bytes of a transfer take."""

from __future__ import annotations

from enum import StrEnum


class Route(StrEnum):
    """Which way the bytes take."""

    RELAY = "relay"
    """Through this machine."""
    PUSH = "push"
    """The sender's host dials the receiver's."""
    PULL = "pull"
    """The receiver's host dials the sender's."""
    LOCAL = "local"
    """One host; one shell there joins both ends."""
