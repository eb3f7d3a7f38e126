"""Errors as JSON: `data.errors[]` of every document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zfsctl.errors import ZfsctlError

if TYPE_CHECKING:
    from zfsctl.documents.types import ErrorEntry
    from zfsctl.documents.view_types import FailureDocument


def document_of_error(error: ZfsctlError) -> ErrorEntry:
    """One entry of `errors`."""
    return error_entry(error.code, error.message, where=error.where, why=error.why, hint=error.hint)


def error_entry(code: str, message: str, *, where: str = "", why: str = "", hint: str = "") -> ErrorEntry:
    """One entry of `errors`, made from its parts."""
    return {"code": code, "where": where, "message": message, "why": why, "try": hint}


def document_of_failure(errors: Sequence[ErrorEntry]) -> FailureDocument:
    """The data of a `zfsctl.error/1` document: there is no other answer. At least one error."""
    return {"errors": list(errors)}
