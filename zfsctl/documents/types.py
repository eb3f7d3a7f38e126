"""The shapes of plans and results as types, and the parts that every document has.

Only the reading side and the JSON Schemas import this module at run time (pydantic needs it); the writing side
builds plain dicts that mypy holds against these types. Fields are only ever added.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from zfsctl.documents.field_types import STRICT, Bytes, Epoch, Guid, NamedGuid
from zfsctl.documents.step_types import StepDocument

ErrorEntry = TypedDict("ErrorEntry", {"code": str, "where": str, "message": str, "why": str, "try": str})


@with_config(STRICT)
class ReasonDocument(TypedDict):
    """One reason of one decision."""

    rule: str
    detail: str


@with_config(STRICT)
class DecisionDocument(TypedDict):
    """What becomes of one snapshot; `snapshot` is the part after the @."""

    host: str
    dataset: str
    snapshot: str
    guid: Guid
    creation: Epoch
    used: Bytes
    verdict: Literal["keep", "destroy"]
    reasons: Annotated[list[ReasonDocument], Field(min_length=1)]


@with_config(STRICT)
class FindingDocument(TypedDict):
    """Something an operator should know; `hint` is a line to paste."""

    severity: Literal["info", "warning", "critical"]
    code: str
    host: str
    dataset: str
    message: str
    hint: str


@with_config(STRICT)
class ApprovalRequestDocument(TypedDict):
    """Destroys that a guard withheld until a person approves."""

    id: str
    kind: str
    host: str
    dataset: str
    dataset_guid: Guid
    snapshots: list[NamedGuid]
    why: str
    written: NotRequired[Annotated[Bytes, Field(description="in no snapshot, and set aside with a receiver")]]


@with_config(STRICT)
class PlannedDatasetDocument(TypedDict):
    """A dataset that the plan looked at; `rules` is a fingerprint of those that decided, empty where none did."""

    host: str
    dataset: str
    guid: Guid
    policy: str
    rules: str
    snapshots: int
    receivers: int


@with_config(STRICT)
class PlanDocument(TypedDict):
    """Everything that a command would do."""

    id: str
    command: str
    created_at: Epoch
    valid_until: Epoch
    fingerprint: str
    datasets: list[PlannedDatasetDocument]
    decisions: list[DecisionDocument]
    steps: list[StepDocument]
    findings: list[FindingDocument]
    approvals: list[ApprovalRequestDocument]
    errors: list[ErrorEntry]


@with_config(STRICT)
class PlanEnvelope(TypedDict):
    """A whole plan file, as it is read."""

    schema: str
    generated_at: str
    zfsctl_version: str
    data: PlanDocument


class MemberOutcomeDocument(TypedDict):
    """What became of one snapshot of a step; `guid` as read back, null if it was not created."""

    dataset: str
    snapshot: str
    guid: Guid | None
    result: str
    detail: str


class StepOutcomeDocument(TypedDict):
    """What became of one step; `code` is that of the error which ended it."""

    step: str
    result: str
    detail: str
    code: str
    members: list[MemberOutcomeDocument]


class ResultDocument(PlanDocument):
    """A plan that was applied, and how it went. `run` is the id under which `zfsctl history` shows it."""

    run: str
    outcomes: list[StepOutcomeDocument]
    exit_code: int
