"""How a dataset and its copy stand, in one word. By itself, since whoever reads a kept status needs no more."""

from __future__ import annotations

from enum import StrEnum


class LinkState(StrEnum):
    """Exactly one of them is true of a pair. Values are part of the JSON and only ever added."""

    UNKNOWN = "unknown"
    """A host, pool or listing failed."""
    AWAY = "away"
    """The receiver's pool is unplugged, and the policy lets it be."""
    SENDER_GONE = "sender-gone"
    EMPTY = "empty"
    """The sender has nothing to send."""
    BUSY = "busy"
    """A receive is running that is not ours."""
    REPAIRING = "repairing"
    """A repair is half done."""
    TAKEN_OVER = "taken-over"
    """The receiver is in use: mounted and writable, or a writable volume."""
    MISSING = "missing"
    """No receiver yet, or only an unfinished first copy."""
    UNRELATED = "unrelated"
    """Both exist and share nothing."""
    DIVERGED = "diverged"
    """The receiver went its own way after the base."""
    MODIFIED = "modified"
    """The receiver was written to, and has no snapshot of its own after the base."""
    PARTIAL = "partial"
    """An interrupted receive that can be resumed."""
    STUCK = "stuck"
    """An interrupted receive that cannot be resumed and blocks the next."""
    CONFLICT = "conflict"
    """A name that is to be sent belongs to another snapshot on the receiver."""
    BEHIND = "behind"
    CURRENT = "current"
