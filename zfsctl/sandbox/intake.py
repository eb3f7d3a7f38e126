"""One part of a stream on its way into a dataset, and why it may not come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zfsctl.sandbox.datasets import Origin, SimDataset
from zfsctl.sandbox.pools import SimPool
from zfsctl.sandbox.streams import Part


class Unacceptable(Exception):
    """The part is not received. What is there stays, but for what a resumable receive has saved.

    Args:
        why: What follows the name of the action.
        line: The whole message, where it has another form.
    """

    def __init__(self, why: str = "", *, line: str = "") -> None:
        super().__init__(why or line)
        self.why = why
        self.line = line


@dataclass(frozen=True, slots=True)
class Intake:
    """One part on its way into a dataset."""

    pool: SimPool
    full: str
    """The name that the snapshot is to have."""
    part: Part
    arrived: int
    """How many bytes of it there are."""
    stalled: bool = False
    """Whether nothing more comes, but the stream does not end either."""
    origin: Origin | None = None
    """What a new dataset is to be a clone of."""
    properties: Mapping[str, str] = field(default_factory=dict)
    resumable: bool = False
    force: bool = False
    mount: bool = False

    @property
    def name(self) -> str:
        """The dataset."""
        return self.full.partition("@")[0]

    @property
    def snapshot(self) -> str:
        """The snapshot, after the @."""
        return self.full.partition("@")[2]

    @property
    def dataset(self) -> SimDataset | None:
        """The dataset, None if it is still to be made."""
        return self.pool.datasets.get(self.name)

    @property
    def replaces(self) -> bool:
        """Whether a first copy takes the place of a dataset that is there (-F)."""
        dataset = self.dataset
        return self.force and self.part.fromguid == 0 and dataset is not None and not dataset.inconsistent

    def invalid(self) -> Unacceptable:
        """What libzfs says of EINVAL, whatever the reason."""
        if self.part.flags.embedded and not self.part.flags.raw:
            return Unacceptable("incompatible embedded data stream feature with encrypted receive.")
        if self.resumable:
            return Unacceptable("kernel modules must be upgraded to receive this stream.")
        return Unacceptable("invalid backup stream")

    def busy(self) -> Unacceptable:
        """What libzfs says of EBUSY: it has another word for it when a resume token is visible."""
        unfinished = self.pool.unfinished(self.name)
        if unfinished and unfinished.receive_resume_token:
            return Unacceptable(f'destination {self.name} contains partially-complete state from "zfs receive -s".')
        return Unacceptable("dataset is busy")

    def modified(self) -> Unacceptable:
        """What libzfs says of ETXTBSY."""
        return Unacceptable(f"destination {self.name} has been modified\nsince most recent snapshot")
