"""The JSON Schema of every kind of document, for `zfsctl schema KIND`."""

from __future__ import annotations

from typing import Any

from zfsctl.documents.envelope import KINDS, schema_name
from zfsctl.errors import UnknownNameError


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the documents of `kind`.

    Fields may be added by later versions, so unknown fields are allowed.

    Raises:
        UnknownNameError: There is no such kind.
    """
    if kind not in KINDS:
        import difflib

        near = difflib.get_close_matches(kind, KINDS, n=1)
        raise UnknownNameError(
            f"there is no document of the kind {kind!r}",
            why=f"the kinds are {', '.join(KINDS)}",
            hint=f"zfsctl schema {near[0] if near else 'plan'}",
            where=kind,
        )
    schema = _sandbox_file() if kind == "sandbox" else _envelope(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": schema_name(kind), **schema}


def _envelope(kind: str) -> dict[str, Any]:
    from pydantic import TypeAdapter

    from zfsctl.documents import types, view_types

    data = {
        "plan": types.PlanDocument,
        "result": types.ResultDocument,
        "status": view_types.StatusDocument,
        "explanation": view_types.ExplanationDocument,
        "history": view_types.HistoryDocument,
        "approvals": view_types.ApprovalsDocument,
        "doctor": view_types.DoctorDocument,
        "config": view_types.ConfigDocument,
        "error": view_types.FailureDocument,
    }[kind]
    schema: dict[str, Any] = _opened(TypeAdapter(data).json_schema())
    definitions = schema.pop("$defs", {})
    return {
        "type": "object",
        "required": ["schema", "generated_at", "zfsctl_version", "data"],
        "properties": {
            "schema": {"const": schema_name(kind)},
            "generated_at": {"type": "string", "format": "date-time"},
            "zfsctl_version": {"type": "string"},
            "data": schema,
        },
        "$defs": definitions,
    }


def _opened(schema: Any) -> Any:  # noqa: ANN401 - JSON is any of its types
    """The same schema without the closed objects of the reading side."""
    if isinstance(schema, dict):
        return {
            key: _opened(value)
            for key, value in schema.items()
            if not (key == "additionalProperties" and value is False)
        }
    return [_opened(value) for value in schema] if isinstance(schema, list) else schema


def _sandbox_file() -> dict[str, Any]:
    """The fleet file of a sandbox; `sandbox show --json` carries the same under `data`."""
    number = {"type": ["integer", "string"], "description": "a number, or the same as a string"}
    snapshot = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "the part after the @"},
            "guid": number,
            "createtxg": number,
            "creation": number,
            "used": number,
            "holds": {"type": ["array", "object"], "description": "tags, or tags and when each was placed"},
            "properties": {"type": "object"},
        },
    }
    dataset = {
        "type": "object",
        "properties": {
            "type": {"enum": ["filesystem", "volume"]},
            "guid": number,
            "written": number,
            "origin": {"type": ["string", "null"]},
            "encryption": {"type": "string"},
            "properties": {"type": "object"},
            "content": {"type": "object"},
            "snapshots": {"type": "array", "items": {"$ref": "#/$defs/snapshot"}},
            "bookmarks": {"type": "array"},
            "receive_resume_token": {"type": ["string", "null"]},
        },
    }
    pool = {
        "type": "object",
        "properties": {
            "size": number,
            "health": {"type": "string"},
            "datasets": {"type": "object", "additionalProperties": {"$ref": "#/$defs/dataset"}},
        },
    }
    host = {
        "type": "object",
        "properties": {
            "version": {"type": "string", "description": "OpenZFS userland, such as 2.3.9"},
            "reachable": {"type": "boolean"},
            "clock_offset": {"type": "integer", "description": "seconds that its clock is ahead"},
            "pools": {"type": "object", "additionalProperties": {"$ref": "#/$defs/pool"}},
        },
    }
    fleet = {
        "now": {"type": ["string", "integer"], "description": "the clock of everything, ISO 8601"},
        "hosts": {"type": "object", "additionalProperties": {"$ref": "#/$defs/host"}},
    }
    return {
        "type": "object",
        "required": ["schema"],
        "properties": {
            "schema": {"const": schema_name("sandbox")},
            **fleet,
            "data": {"type": "object", "required": ["now", "hosts"], "properties": fleet},
        },
        "anyOf": [{"required": ["hosts"]}, {"required": ["data"]}],
        "$defs": {"snapshot": snapshot, "dataset": dataset, "pool": pool, "host": host},
    }
