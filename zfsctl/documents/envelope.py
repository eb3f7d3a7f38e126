"""The envelope around every JSON document, and the one way in which they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from zfsctl.version import VERSION

KINDS = (
    "plan",
    "result",
    "status",
    "explanation",
    "history",
    "approvals",
    "doctor",
    "config",
    "sandbox",
    "error",
)
"""Every kind of document, for `zfsctl schema`. Kinds are only ever added."""


def schema_name(kind: str) -> str:
    """The value of `schema` in a document of this kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of document")
    return f"zfsctl.{kind}/1"


def iso_utc(epoch: int) -> str:
    """`epoch`, seconds, as ISO 8601 with Z, such as 2026-11-20T14:30:00Z."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(kind: str, data: Mapping[str, Any], *, at: int) -> dict[str, Any]:
    """A whole document: `data` made at `at`, epoch seconds."""
    return {"schema": schema_name(kind), "generated_at": iso_utc(at), "zfsctl_version": VERSION, "data": data}


def document_chunks(document: Mapping[str, Any], *, pretty: bool = False) -> Iterator[str]:
    """The text of a document in pieces, the last of them a newline: never a second copy of a large one in memory.

    ASCII only, so that text which is not UTF-8 (kept as lone surrogates) is escaped and comes back as it was.
    """
    import json

    yield from json.JSONEncoder(indent=2 if pretty else None).iterencode(document)
    yield "\n"


def document_text(document: Mapping[str, Any], *, pretty: bool = False) -> str:
    """The text of a document, a newline at its end."""
    return "".join(document_chunks(document, pretty=pretty))
