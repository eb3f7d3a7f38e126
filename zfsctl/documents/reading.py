"""Reading a plan file. Strict: what it does not know it does not apply.

A plan written by a newer zfsctl may hold a field that restricts it; ignoring it could cost data, so an unknown
field is refused like a wrong type.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from zfsctl.documents.envelope import schema_name
from zfsctl.documents.plan import plan_from_document
from zfsctl.documents.step_checks import check_step
from zfsctl.errors import UsageError
from zfsctl.model.plan import Plan

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

    from zfsctl.documents.types import PlanEnvelope

_REMAKE = "zfsctl run --dry-run --out PLAN.json"


def read_plan(text: str, *, source: str) -> Plan:
    """The plan in `text`, a whole `zfsctl.plan/1` document.

    Args:
        text: The content of the file.
        source: The file's name, for messages.

    Raises:
        UsageError: It is no JSON, another kind of document, of a version this program does not know, or a
            field is missing, unknown or of a wrong type; `where` is the file and the path to the field.
    """
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong(source, "", f"it is not a whole JSON document: {error}") from error
    expected = schema_name("plan")
    found = document.get("schema") if isinstance(document, dict) else None
    if found != expected:
        said = f"its schema is {found!r}" if isinstance(found, str) else "it does not say what it is"
        raise _wrong(source, "schema", f"{said}, this version of zfsctl applies {expected} only")
    return _checked(_plan_of(document, source), source)


def _plan_of(document: dict[str, Any], source: str) -> Plan:
    from pydantic import ValidationError

    try:
        whole = _plan_adapter().validate_python(document, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"] if part not in _STEP_KINDS)
        raise _wrong(source, path, f"{path}: {_plainly(first)}") from error
    try:
        return plan_from_document(whole["data"])
    except ValueError as error:
        raise _wrong(source, "data", str(error)) from error


def _plainly(found: ErrorDetails) -> str:
    """What pydantic found wrong, in words for people who have never heard of it."""
    return _PLAIN.get(found["type"], "it is not what stands here").format(**found.get("ctx", {}))


_PLAIN = {
    "missing": "it is missing",
    "extra_forbidden": "this version of zfsctl does not know it",
    "union_tag_invalid": "this version of zfsctl knows no step of the kind {tag!r}",
    "union_tag_not_found": "it does not say its kind",
    "literal_error": "expected is {expected}",
    "string_type": "it is no text",
    "string_pattern_mismatch": "it is no guid, a decimal number in quotes",
    "int_type": "it is no whole number",
    "bool_type": "it is neither true nor false",
    "list_type": "it is no list",
    "dict_type": "it is no object",
    "model_attributes_type": "it is no object",
    "too_short": "it is empty",
    "greater_than": "it is not above {gt}",
    "greater_than_equal": "it is below {ge}",
}


@cache
def _plan_adapter() -> TypeAdapter[PlanEnvelope]:
    from pydantic import TypeAdapter

    from zfsctl.documents.types import PlanEnvelope

    return TypeAdapter(PlanEnvelope)


_STEP_KINDS = (
    "create-snapshots",
    "destroy-snapshots",
    "destroy-dataset",
    "hook",
    "hold-snapshots",
    "create-parents",
    "abort-receive",
    "rename-snapshot",
    "transfer",
    "move-anchors",
    "clone-dataset",
    "promote-clone",
    "swap-datasets",
)
"""pydantic puts the tag of a union into the path to a field; a person looks for the index alone."""


def _checked(plan: Plan, source: str) -> Plan:
    """What types cannot say: names that OpenZFS allows, guids that fit, steps that wait for steps before them."""
    if plan.valid_until < plan.created_at:
        raise _wrong(source, "data.valid_until", "it ends before it was made")
    seen: set[str] = set()
    for index, step in enumerate(plan.steps):
        where = f"data.steps.{index}"
        try:
            if step.id in seen:
                raise ValueError(f"the id {step.id!r} is used twice")
            if unknown := [other for other in step.after if other not in seen]:
                raise ValueError(f"it waits for {unknown[0]!r}, which is no step before it")
            check_step(step)
        except ValueError as error:
            raise _wrong(source, where, f"{where}: {error}") from error
        seen.add(step.id)
    return plan


def _wrong(source: str, path: str, why: str) -> UsageError:
    return UsageError(
        f"{source}: not applied, it is no plan that this zfsctl can read",
        why=why,
        hint=_REMAKE,
        where=f"{source}: {path}" if path else source,
    )
