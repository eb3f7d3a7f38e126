"""Documents held against their schemas."""

from functools import cache

from jsonschema import Draft202012Validator

from zfsctl.documents.schemas import json_schema


@cache
def validator_of(kind: str) -> Draft202012Validator:
    """Checks documents against what `zfsctl schema` prints."""
    return Draft202012Validator(json_schema(kind))
