"""The shapes of what commands answer that look and do not act; see types.py for how they are used."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from zfsctl.documents.field_types import Bytes, Epoch, Guid, Seconds
from zfsctl.documents.step_types import StepDocument
from zfsctl.documents.types import ApprovalRequestDocument, DecisionDocument, ErrorEntry, FindingDocument


class PoolDocument(TypedDict):
    """One pool; null where it reports nothing."""

    name: str
    guid: Guid
    size: Bytes | None
    allocated: Bytes | None
    free: Bytes | None
    capacity: int | None
    health: str
    readonly: bool


class HostStatusDocument(TypedDict):
    """One host."""

    host: str
    health: str
    why: str
    version: str
    pools: list[PoolDocument]


class DatasetStatusDocument(TypedDict):
    """The snapshots of one dataset under a policy."""

    host: str
    dataset: str
    policy: str
    health: str
    why: str
    newest: str | None
    newest_at: Epoch | None
    next_due: Epoch | None
    scheduled: int
    manual: int
    foreign: int
    used_by_snapshots: Bytes


class RunDocument(TypedDict):
    """One run of a command that acted."""

    id: str
    command: str
    state: str
    started_at: Epoch
    finished_at: Epoch | None
    exit_code: int | None
    created: int
    destroyed: int
    failed: int


class PlaceDocument(TypedDict):
    """A dataset on a host."""

    host: str
    dataset: str


class PairStatusDocument(TypedDict):
    """One dataset and its copy.

    `lag` is the age of the oldest snapshot that is to be sent and was not received, 0 when there is none, null when it
    is not known. `base` is the newest that both ends know, `@` before the name on the receiver, `#` before that of the
    sender's bookmark where the receiver is not known.
    """

    sender: PlaceDocument
    receiver: PlaceDocument
    health: str
    state: str
    why: str
    lag: Seconds | None
    waiting: int
    base: str | None
    base_at: Epoch | None
    next: str


class ReplicationStatusDocument(TypedDict):
    """One replication: the worst health and the largest lag of its pairs."""

    name: str
    health: str
    lag: Seconds | None
    warn_after: Seconds
    max_delay: Seconds
    pairs: list[PairStatusDocument]


class StatusDocument(TypedDict):
    """Everything at one glance. `at` is when hosts were asked."""

    at: Epoch
    health: str
    hosts: list[HostStatusDocument]
    datasets: list[DatasetStatusDocument]
    replications: list[ReplicationStatusDocument]
    last_run: RunDocument | None
    approvals_waiting: int
    findings: list[FindingDocument]
    errors: list[ErrorEntry]


class StepRecordDocument(TypedDict):
    """One step of a run as the journal remembers it."""

    run: str
    step: str
    kind: str
    host: str
    dataset: str
    why: str
    started_at: Epoch
    finished_at: Epoch | None
    result: str
    detail: str
    snapshots: list[str]


class HealthChangeDocument(TypedDict):
    """When the health of a pair, or of a replication as a whole (no ends, no state), was seen to be another.

    `old` is null where it was seen for the first time.
    """

    at: Epoch
    replication: str
    sender: PlaceDocument | None
    receiver: PlaceDocument | None
    old: str | None
    new: str
    state: str | None
    lag: Seconds | None
    why: str


class HistoryDocument(TypedDict):
    """Runs, newest first; `steps` of the runs that were asked for in full; changes of `health`, newest first."""

    runs: list[RunDocument]
    steps: list[StepRecordDocument]
    health: list[HealthChangeDocument]
    errors: list[ErrorEntry]


class OutlookDocument(TypedDict):
    """When a snapshot will go; null if it outlives the days looked at."""

    goes_at: Epoch | None
    detail: str


class ExplainedSnapshotDocument(DecisionDocument):
    """A decision and what becomes of the snapshot later."""

    outlook: OutlookDocument | None


class KeptOnDocument(TypedDict):
    """What the policy keeps on one future day."""

    at: Epoch
    snapshots: int
    oldest: Epoch


class LabelledText(TypedDict):
    """A fact in words."""

    label: str
    text: str


class ExplainedPairDocument(PairStatusDocument):
    """A pair with what its state rests on; counts are null where one end is not known."""

    base_guid: Guid | None
    common: int | None
    only_sender: int | None
    only_receiver: int | None
    to_send: list[str]
    own: list[str]
    clashes: list[str]
    resumes: str
    kept: list[str]
    steps: list[StepDocument]


class ExplanationDocument(TypedDict):
    """The answer to `explain NAME`."""

    subject: str
    name: str
    facts: list[LabelledText]
    rules: list[str]
    snapshots: list[ExplainedSnapshotDocument]
    forecast: list[KeptOnDocument]
    days: int
    text: list[str]
    pairs: list[ExplainedPairDocument]
    findings: list[FindingDocument]
    errors: list[ErrorEntry]


class ApprovalDocument(ApprovalRequestDocument):
    """A request as it was filed, and what became of it."""

    status: str
    filed_at: Epoch
    expires_at: Epoch
    decided_at: Epoch | None


class ApprovalsDocument(TypedDict):
    """What waits for a person."""

    approvals: list[ApprovalDocument]
    errors: list[ErrorEntry]


class SetAsideDocument(TypedDict):
    """A former receiver that a repair set aside; `home` is where it was, and what took its place is.

    It may go when `obstacles` is empty, and after what `after` names. `used` becomes free when it does, and `written`
    is what is in no snapshot of it.
    """

    host: str
    dataset: str
    home: str
    replication: Annotated[str, Field(description="whose repair set it aside; empty where no mark says so")]
    since: Epoch
    datasets: Annotated[list[str], Field(description="itself and all below it, deepest first")]
    snapshots: int
    used: Bytes
    written: Bytes
    obstacles: list[str]
    after: list[str]


class DoctorDocument(TypedDict):
    """What was found on the hosts that were looked at; copies set aside in an order in which they can go."""

    at: Epoch
    hosts: list[str]
    findings: list[FindingDocument]
    asides: list[SetAsideDocument]
    errors: list[ErrorEntry]


class LoginCheckDocument(TypedDict):
    """One way of reaching one host; `why` is empty when it works."""

    host: str
    way: str
    works: bool
    why: str
    version: str


class RuleCheckDocument(TypedDict):
    """One rule of the policy file and the datasets that follow it."""

    where: str
    select: list[str]
    policy: str
    datasets: list[PlaceDocument]


class TreeCheckDocument(TypedDict):
    """What one host sends by a replication, and where it arrives.

    `why` says why it is not known what is there, and `datasets` is empty then.
    """

    sender: PlaceDocument
    receiver: PlaceDocument
    datasets: list[str]
    why: str


class ReplicationCheckDocument(TypedDict):
    """One replication of the policy file, and the trees that it sends."""

    name: str
    where: str
    route: str
    trees: list[TreeCheckDocument]


class ConfigDocument(TypedDict):
    """The policy file: what was checked, what is in force, or what was written.

    `text` is TOML; empty for a check.
    """

    files: list[str]
    logins: list[LoginCheckDocument]
    rules: list[RuleCheckDocument]
    replications: list[ReplicationCheckDocument]
    findings: list[FindingDocument]
    text: str
    errors: list[ErrorEntry]


class FailureDocument(TypedDict):
    """Why there is no answer."""

    errors: Annotated[list[ErrorEntry], Field(min_length=1)]
