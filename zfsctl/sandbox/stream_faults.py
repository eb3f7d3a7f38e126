"""Faults of a stream on its way: it is cut, an end of it dies, a host cannot be reached from another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase

from zfsctl.model.command import Command
from zfsctl.sandbox.streams import Stream


class StreamEnd(Enum):
    """How a stream comes to an early end."""

    CUT = auto()
    """The connection is cut; the receiver sees the end of its input."""
    LOST = auto()
    """The connection is lost, but the receiver does not know yet: it runs on until time moves."""
    SENDER_DIES = auto()
    """`zfs send` ends with an error."""
    KILLED = auto()
    """The program that joins both ends dies; the receiver sees the end of its input."""
    KILLED_LOST = auto()
    """The same, but the receiver runs on until time moves."""


@dataclass(slots=True)
class StreamFault:
    """One early end, for the pipes it matches."""

    end: StreamEnd
    after: int | float
    """Bytes; or, with a decimal point, which part of the stream."""
    sender: str = "*"
    """Pattern of host names."""
    receiver: str = "*"
    match: str = ""
    """A part of one of both command lines."""
    skip: int = 0
    """How many matching streams pass first."""
    times: int | None = 1
    """How many are hit then; None for all."""
    text: str = ""
    """SENDER_DIES: what stands on the sender's stderr."""

    def hits(self, sender: str, send: Command, receiver: str, receive: Command) -> bool:
        """Whether it strikes at this stream; counts what it lets pass."""
        if self.times == 0 or not fnmatchcase(sender, self.sender) or not fnmatchcase(receiver, self.receiver):
            return False
        if self.match not in str(send) and self.match not in str(receive):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def cut(self, stream: Stream) -> Stream:
        """What arrives of a stream."""
        end = int(stream.length * self.after) if isinstance(self.after, float) else self.after
        return stream.cut(end, stalls=self.end in (StreamEnd.LOST, StreamEnd.KILLED_LOST))


@dataclass(slots=True)
class BrokenLink:
    """A host that cannot be dialled, from some hosts only."""

    host: str
    """Pattern of host names."""
    dialled_from: str = ""
    """Pattern of the names of those that dial; this machine's is empty."""
    times: int | None = None
    """How many attempts fail; None for all."""

    def hits(self, host: str, dialled_from: str) -> bool:
        """Whether it strikes at this attempt; counts it."""
        if self.times == 0 or not fnmatchcase(host, self.host) or not fnmatchcase(dialled_from, self.dialled_from):
            return False
        if self.times is not None:
            self.times -= 1
        return True
